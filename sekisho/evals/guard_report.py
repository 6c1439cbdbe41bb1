"""What a guard benchmark returns; `report.json` is this value as JSON.

`report_schema()` is its JSON schema, made from the fields and their docstrings.
"""

from __future__ import annotations

from typing import Any, Literal

from sekisho.core import Measurement, PolicyRef, Run, Value

from .calibration import ReliabilityBin
from .curves import Curves, Histogram
from .datasets import SetInfo
from .errors import GuardErrors
from .shipped import ShippedReport


class GuardFacts(Value):
    """Who was measured, and against what."""

    name: str
    policy: PolicyRef
    trained_on: str | None = None
    """Digest of the policy that the weights were trained on, as the verdicts say."""
    covered: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    uncovered: tuple[str, ...] = ()
    judged: Literal["policy", "covered"] = "policy"
    """`covered`: rules that the guard does not cover were left out of the policy for this run."""
    threshold: str = ""
    """Where the guard's threshold comes from. It is the same for every set."""


class Machine(Value):
    """Where it ran: what times depend on."""

    cores: int
    processor: str = ""
    system: str = ""
    python: str = ""


class SetReport(Value):
    """A guard on one set."""

    info: SetInfo
    n: int
    positives: int
    negatives: int
    unlabelled: int = 0
    """Rows of the set without a label, left out."""
    total: int
    """Labelled rows of the set; more than n when a sample was drawn."""
    undecided: int = 0
    """Texts on which some rule was not judged and nothing was found. Each counts as an error."""
    languages: dict[str, int] = {}
    licenses: tuple[str, ...] = ()
    seconds: float = 0.0
    tokens: int = 0
    """Estimated: words plus CJK characters."""
    measurements: tuple[Measurement, ...] = ()
    """On the set, then language by language (`slice` is `SET/language=LANG`)."""
    curves: Curves | None = None
    histogram: Histogram | None = None
    reliability: tuple[ReliabilityBin, ...] = ()

    @property
    def sampled(self) -> bool:
        return self.n < self.total

    def get(self, name: str, *, language: str | None = None) -> Measurement | None:
        """The measurement of that name, of the whole set or of one language."""
        wanted = self.info.name if language is None else f"{self.info.name}/language={language}"
        return next((m for m in self.measurements if m.name == name and m.slice == wanted), None)


class GuardReport(Value):
    """Everything that was measured of one guard in one run."""

    schema_version: Literal["sekisho.guard-report/2"] = "sekisho.guard-report/2"
    run: Run
    guard: GuardFacts
    machine: Machine
    sets: tuple[SetReport, ...] = ()
    averages: tuple[Measurement, ...] = ()
    """Plain means over the sets that measure the same thing (`slice` is what they measure)."""
    shipped: ShippedReport | None = None
    latency: tuple[Measurement, ...] = ()
    evasion: tuple[Measurement, ...] = ()
    errors: GuardErrors = GuardErrors()
    """The worst errors on every set; of public sets without their texts."""

    @property
    def measurements(self) -> tuple[Measurement, ...]:
        """Every figure, flat."""
        per_set = tuple(m for one in self.sets for m in one.measurements)
        shipped = self.shipped.measurements if self.shipped else ()
        return (*self.averages, *per_set, *shipped, *self.latency, *self.evasion)

    @property
    def headline(self) -> tuple[Measurement, ...]:
        """The few figures to show first, those that are defined."""
        wanted = (
            ("macro_f1", "prompts"),
            ("macro_f1", "responses"),
            ("macro_recall", "injection"),
            ("macro_fpr", "benign"),
            ("macro_f1", "shipped"),
            ("fpr", "shipped"),
            ("latency_ms_p50", "one at a time"),
            ("texts_per_second", "batch"),
        )
        by_key = {(m.name, m.slice): m for m in self.measurements}
        found = (by_key.get(key) for key in wanted)
        return tuple(m for m in found if m is not None and m.value is not None)

    def set(self, name: str) -> SetReport | None:
        """The report on the set of that name."""
        return next((one for one in self.sets if one.info.name == name), None)


class ReportFile(Value):
    """What `report.json` holds: one report a guard."""

    schema_version: Literal["sekisho.guard-reports/2"] = "sekisho.guard-reports/2"
    reports: tuple[GuardReport, ...]


def report_schema() -> dict[str, Any]:
    """The JSON schema of `report.json`."""
    return ReportFile.model_json_schema(mode="serialization")
