"""What evaluations return: measurements, and the run that made them."""

from __future__ import annotations

from pydantic import Field

from .message import Value


class Measurement(Value):
    """One figure about one subject, with its interval and how many cases stand behind it."""

    name: str
    subject: str
    value: float | None
    """None when it is not defined, for instance an AUROC over one class."""
    low: float | None = None
    high: float | None = None
    """Ends of the interval."""
    n: int = Field(ge=0)
    method: str = ""
    """How value and interval were computed, for instance `bootstrap, 1000 resamples, 95 %`."""
    slice: str = "all"


class Run(Value):
    """What was executed, so that it can be repeated."""

    name: str
    arguments: dict[str, str] = {}
    seed: int = 0
    started: str = ""
    versions: dict[str, str] = {}
    command: str = ""
    totals: dict[str, float] = {}
