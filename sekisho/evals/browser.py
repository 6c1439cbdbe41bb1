"""From errors to what the page's error browser shows. No layout here."""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .errors import ERRORS, SHIPPED, Error, ErrorCase, ErrorGroup
from .guard_report import GuardReport
from .neighbours import TrainingText
from .view import Words

SHORT = 300
"""Characters that are shown before the reader asks for the whole."""
SHORTER = 200
"""Of what was asked and of neighbours, which have no whole on the page: they would be most of it."""
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that would turn the text around them on the page."""


@dataclass(frozen=True)
class Shown:
    """A text as shown: its beginning, and the whole if that is more."""

    head: str
    whole: str = ""
    left_out: int = 0


@dataclass(frozen=True)
class NeighbourRow:
    """A training text with its similarity; `text` is its beginning."""

    similarity: float
    training: TrainingText
    text: str


@dataclass(frozen=True)
class ErrorRow:
    """One text, its kind as the filters know it, and what explains it."""

    case: ErrorCase
    kind: str
    text: Shown | None
    asked: str
    neighbours: tuple[NeighbourRow, ...]


@dataclass(frozen=True)
class ErrorTable:
    """The errors of one kind on a set. `hidden`: groups that have errors, none of which is listed."""

    error: Error
    made: int
    listed: int
    """Of those that were made."""
    undecided: int
    undecided_listed: int
    near: int
    hidden: int
    explained: bool
    """There are texts or neighbours to show."""
    groups: tuple[tuple[ErrorGroup, tuple[ErrorRow, ...]], ...]


@dataclass(frozen=True)
class ErrorSet:
    """A guard's errors on one set."""

    guard: int
    name: str
    title: str
    tables: tuple[ErrorTable, ...]


@dataclass(frozen=True)
class Browser:
    """The whole section."""

    sets: list[list[ErrorSet]]
    choices: Choices
    public: bool
    """There are errors on public sets."""
    borrowed: bool
    """Texts of public sets are shown."""
    not_asked: bool
    script: Any
    script_hash: str


@dataclass(frozen=True)
class Choices:
    """What the filters offer. Rules of the policy, and the categories of every set."""

    sets: tuple[tuple[str, str], ...]
    rules: tuple[str, ...]
    categories: tuple[tuple[str, str, tuple[str, ...]], ...]
    languages: tuple[str, ...]
    kinds: tuple[str, ...]


def error_browser(reports: Sequence[GuardReport], words: Words, *, script: Any) -> Browser | None:
    """The section; None if no report has errors to show. The page runs this script alone: the hash lets it."""
    sets = _error_sets(reports, words)
    if not any(sets):
        return None
    cases = [case for r in reports for group in r.errors.groups for case in group.cases]
    digest = base64.b64encode(hashlib.sha256(str(script).encode()).digest()).decode()
    return Browser(
        sets=sets,
        choices=choices(one for some in sets for one in some),
        public=any(case.text is None for case in cases),
        borrowed=any(case.borrowed is not None for case in cases),
        not_asked=all(r.errors.neighbours.status == "not_asked" for r in reports),
        script=script,
        script_hash=f"sha256-{digest}",
    )


def _error_sets(reports: Sequence[GuardReport], words: Words) -> list[list[ErrorSet]]:
    """For every guard the sets on which there is something to list."""
    return [list(_sets(number, report, words)) for number, report in enumerate(reports)]


def _sets(number: int, report: GuardReport, words: Words) -> Iterator[ErrorSet]:
    training = {text.id: text for text in report.errors.training}
    titles = {one.info.name: one.info.title for one in report.sets}
    groups = report.errors.groups
    for name in dict.fromkeys(group.set for group in groups):
        mine = [group for group in groups if group.set == name]
        tables = [
            _table(error, [group for group in mine if group.error == error], training) for error in ERRORS
        ]
        shown = tuple(table for table in tables if table.groups)
        if shown:
            title = words["shipped_set"] if name == SHIPPED and report.shipped else titles.get(name, name)
            yield ErrorSet(number, name, title, shown)


def _table(error: Error, groups: Sequence[ErrorGroup], training: dict[str, TrainingText]) -> ErrorTable:
    states = Counter(case.state for group in groups for case in group.cases)
    filled = tuple(
        (group, tuple(_row(case, error, training) for case in group.cases)) for group in groups if group.cases
    )
    return ErrorTable(
        error=error,
        made=sum(group.made for group in groups),
        listed=states["wrong"],
        undecided=sum(group.undecided for group in groups),
        undecided_listed=states["undecided"],
        near=states["near"],
        hidden=sum(not group.cases for group in groups),
        explained=any(row.text or row.neighbours for _, rows in filled for row in rows),
        groups=filled,
    )


def _row(case: ErrorCase, error: Error, training: dict[str, TrainingText]) -> ErrorRow:
    judged = case.text or case.borrowed
    return ErrorRow(
        case=case,
        kind=error if case.state == "wrong" else case.state,
        text=shortened(judged.text, SHORT, left_out=judged.left_out) if judged else None,
        asked=beginning(judged.context) if judged else "",
        neighbours=tuple(
            NeighbourRow(one.similarity, found, beginning(found.text))
            for one in case.neighbours
            if (found := training.get(one.id)) is not None
        ),
    )


def shortened(text: str, most: int, *, left_out: int = 0) -> Shown:
    """The text, or its beginning up to a word's end and the whole."""
    text = _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text).strip()
    if len(text) <= most * 1.1 and not left_out:
        return Shown(text)
    cut = text[:most]
    space = cut.rfind(" ")
    return Shown((cut[:space] if space > most * 0.8 else cut).rstrip(" .\n"), text, left_out)


def beginning(text: str) -> str:
    """The text, or its beginning and an ellipsis."""
    shown = shortened(text, SHORTER)
    return f"{shown.head}…" if shown.whole else shown.head


def choices(sets: Iterable[ErrorSet]) -> Choices:
    """Everything that occurs, so that no filter offers what it cannot find."""
    found = list(sets)
    groups = [(one, group, rows) for one in found for t in one.tables for group, rows in t.groups]
    cited = {rule for _, _, rows in groups for row in rows for rule in row.case.cited}
    own = {group.rule for _, group, _ in groups if group.set == SHIPPED}
    titles = {one.name: one.title for one in found}
    categories = []
    for name, title in titles.items():
        if name != SHIPPED:
            names = sorted({group.rule for one, group, _ in groups if one.name == name and group.rule})
            if names:
                categories.append((name, title, tuple(names)))
    kinds = {row.kind for *_, rows in groups for row in rows}
    return Choices(
        sets=tuple(titles.items()),
        rules=tuple(sorted(own | cited)),
        categories=tuple(categories),
        languages=tuple(sorted({group.language for _, group, _ in groups})),
        kinds=tuple(kind for kind in (*ERRORS, "undecided", "near") if kind in kinds),
    )
