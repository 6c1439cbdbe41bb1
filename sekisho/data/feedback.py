"""Corrections by users: a text that was flagged and should not have been, or one that was missed.

One JSON object a line: what `check` reads (`text`, or `messages` whose last is judged, and `role`), and
`correction`: `false_positive` or `missed`; a missed one names its `rule`, and may name a `severity` (2 to 4).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from sekisho.core import Exchange, InputError, Role
from sekisho.guards.wire import read_message, read_role

from .examples import RULES, TrainingExample, rule_targets

FORM: Final = (
    'Write one object a line: {"text": …, "correction": "false_positive"} or '
    '{"text": …, "correction": "missed", "rule": ID}'
)
_LONGEST: Final = 100_000


@dataclass(frozen=True, slots=True)
class Correction:
    """One correction. `severity` is what the person gave it, or 3; 0 for a false positive."""

    id: str
    exchange: Exchange
    kind: Literal["false_positive", "missed"]
    rule: str | None
    severity: int

    @property
    def example(self) -> TrainingExample:
        """As a training example."""
        violated = (self.rule,) if self.rule is not None and self.kind == "missed" else ()
        asked = [m.text for m in self.exchange.messages[:-1] if m.role is Role.USER]
        return TrainingExample(
            id=self.id,
            source="feedback",
            language="und",
            surface=self.exchange.surface.value,
            text=self.exchange.text,
            context=asked[-1] if asked else "",
            overall=float(bool(violated)),
            rules=rule_targets(violated),
            severity=float(self.severity),
            hard=not violated,
        )

    def case(self) -> dict[str, Any]:
        """As a line of the training corpus (`corpus/LANG/PART.jsonl`), for a full retrain."""
        missed = self.kind == "missed"
        return {
            "id": self.id,
            "language": "und",
            "rule": self.rule,
            "surface": self.exchange.surface.value,
            "kind": "violating" if missed else "near_miss" if self.rule else "ordinary",
            "severity": self.severity if missed else 0,
            "subject": self.id,
            "messages": [{"role": m.role.value, "content": m.text} for m in self.exchange.messages],
        }


def read_feedback(path: Path) -> Iterator[Correction]:
    """Every correction of a file. Raises `InputError` with file and line, never with the text."""
    try:
        data = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise InputError(
            f"the file cannot be read ({error.strerror})", where=str(path), remedy="Check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(
            "the file is not UTF-8", where=f"{path}, byte {error.start}", remedy="Save it as UTF-8"
        ) from error
    for number, line in enumerate(data.split("\n"), start=1):
        if line.strip():
            yield _correction(line, where=f"{path}:{number}", number=number)


def _correction(line: str, *, where: str, number: int) -> Correction:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError("the line is not JSON", where=where, remedy=FORM) from error
    if not isinstance(value, dict):
        raise InputError("the line is not a JSON object", where=where, remedy=FORM)
    kind, rule, severity = value.get("correction"), value.get("rule"), value.get("severity")
    if kind not in ("false_positive", "missed"):
        raise InputError("`correction` is neither false_positive nor missed", where=where, remedy=FORM)
    if rule is not None and rule not in RULES:
        raise InputError(
            "`rule` is none that the classifiers learn", where=where, remedy=f"There are: {', '.join(RULES)}"
        )
    if kind == "missed" and rule is None:
        raise InputError("a missed text does not say which rule it violates", where=where, remedy=FORM)
    if severity is None:
        severity = 3 if kind == "missed" else 0
    if not isinstance(severity, int) or isinstance(severity, bool) or not 0 <= severity <= 4:
        raise InputError("`severity` is no whole number from 0 to 4", where=where, remedy=FORM)
    if kind == "missed" and severity < 2:
        raise InputError("a violation has severity 2 or more", where=where, remedy=FORM)
    exchange = _exchange(value, where)
    return Correction(str(value.get("id") or f"feedback-{number}"), exchange, kind, rule, severity)


def _exchange(value: Mapping[str, Any], where: str) -> Exchange:
    turns = value.get("messages")
    if turns is None:
        turns = [{"role": value.get("role", "user"), "content": value.get("text")}]
    if not isinstance(turns, list) or not turns:
        raise InputError("there is neither `text` nor a list of `messages`", where=where, remedy=FORM)
    try:
        if isinstance(turns[-1], dict):
            read_role(turns[-1].get("role", "user"))
        exchange = Exchange(messages=tuple(read_message(turn) for turn in turns))
    except InputError as error:
        raise InputError(error.what, where=where, remedy=error.remedy) from error
    if not exchange.text.strip() or len(exchange.text) > _LONGEST:
        raise InputError(
            f"the judged text is empty or longer than {_LONGEST} characters", where=where, remedy=FORM
        )
    return exchange
