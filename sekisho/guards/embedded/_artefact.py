"""The card that travels with weights: what they are, what they learned from, how to read their scores."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sekisho.core.errors import ArtefactError

FILE: Final = "artefact.json"
_REMEDY: Final = "Reinstall the package, or train again"

Surface = Literal["input", "output", "tool_result", "tool_call"]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RuleHead(_Frozen):
    """One output of the classifier; `digest` is that of the rule's text it was trained for, if stamped."""

    id: str
    digest: str | None = None


class Platt(_Frozen):
    """Calibration of a logit z: probability = sigmoid(slope * z + offset) (Platt 1999)."""

    slope: float = 1.0
    offset: float = 0.0


class Calibration(_Frozen):
    """Calibration on one surface; `n` development texts it was fitted on, `violating` of them violate.

    `languages` holds what replaces `overall` for texts of a language (`script_language`).
    """

    overall: Platt = Platt()
    rules: Platt = Platt()
    languages: Mapping[str, Platt] = {}
    n: int = 0
    violating: int = 0


class Thresholds(_Frozen):
    """Calibrated probabilities from which on a text counts as violating, for one false-positive budget.

    At most `budget` of innocent traffic reaches `overall`, and at most `budget` of it reaches the threshold of
    any rule in `rules` (all of the rules together, not each). The two are alternatives: a guard that uses both
    spends up to twice the budget. Innocent traffic is the innocent development texts, weighted (`FittedOn`).
    """

    budget: Annotated[float, Field(gt=0.0, lt=1.0)]
    overall: Probability
    rules: Mapping[str, Probability]


class FittedOn(_Frozen):
    """The innocent texts that thresholds were fitted on: how many, and how many from each source.

    They are weighted to the shares of `traffic`: of surfaces, of languages within a surface, and of texts that
    look like violations (`hard`) within both.
    """

    n: int
    sources: Mapping[str, int]
    traffic: Mapping[str, float] = {}


class DataSource(_Frozen):
    """One training set: rows used, where it comes from, its licence and how that is known."""

    name: str
    origin: str
    licence: str
    basis: str
    rows: int


class Windows(_Frozen):
    """Tokens of one window, of its stride, and the most tokens of context."""

    window: int
    stride: int
    context: int


class Artefact(_Frozen):
    """`artefact.json`. `files` maps each weight file of the folder to its SHA-256."""

    format: Literal[1] = 1
    name: str
    version: str
    kind: Literal["fast", "base"]
    rules: tuple[RuleHead, ...]
    policy_id: str | None = None
    policy_digest: str | None = None
    languages: tuple[str, ...]
    surfaces: tuple[Surface, ...]
    windows: Windows
    calibration: Mapping[Surface, Calibration]
    refusal: Platt = Platt()
    thresholds: tuple[Thresholds, ...]
    fitted_on: FittedOn
    files: Mapping[str, str]
    data: tuple[DataSource, ...]
    started_from: str | None = None
    trained: date
    command: str
    seed: int

    @property
    def rule_ids(self) -> tuple[str, ...]:
        """Ids of the rules in the order of the heads."""
        return tuple(head.id for head in self.rules)

    def thresholds_for(self, budget: float) -> Thresholds:
        """Thresholds for the largest fitted budget not over the asked one; the strictest if all are over."""
        fitted = sorted(self.thresholds, key=lambda t: t.budget)
        return next((t for t in reversed(fitted) if t.budget <= budget + 1e-12), fitted[0])

    @classmethod
    def read(cls, folder: Path, *, verify: bool = True) -> Self:
        """Read `folder/artefact.json` and, with `verify`, check the hash of every file that it names.

        Raises ArtefactError that says which file and what to do.
        """
        path = folder / FILE
        if not path.is_file():
            raise ArtefactError(
                "not found",
                where=str(path),
                remedy=f"A classifier is a folder with {FILE} and the weights that it names",
            )
        try:
            artefact = cls.model_validate_json(path.read_bytes())
        except ValidationError as error:
            problem = error.errors()[0]
            field = ".".join(map(str, problem["loc"]))
            what = f"not an artefact that this version reads ({field}: {problem['msg']})"
            raise ArtefactError(what, where=str(path), remedy=_REMEDY) from error
        if verify:
            for name, digest in artefact.files.items():
                _verify(folder / name, digest)
        return artefact

    def write(self, folder: Path) -> None:
        """Write `folder/artefact.json`."""
        (folder / FILE).write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _verify(path: Path, digest: str) -> None:
    if not path.is_file():
        raise ArtefactError("missing", where=str(path), remedy=_REMEDY)
    if sha256_of(path) != digest:
        raise ArtefactError(f"differs from what {FILE} names (SHA-256)", where=str(path), remedy=_REMEDY)
