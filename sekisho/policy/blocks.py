"""The lists under a rule, item by item, as values."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sekisho.core import Decision, Detector, Exemption, Level, Pattern

from .detectors import DETECTORS
from .expression import fault, matches_empty
from .markdown import Block, Item
from .problem import Position, Problems, choice, quoted

DECISIONS = tuple(d.value for d in Decision)
DEFAULT_SEVERITY = 3
_LEVEL = re.compile(r"([^\s:：]+)(?:[ \t]+([^\s:：]+))?[ \t]*(?:[:：][ \t]*(.*))?", re.DOTALL)
_SEVERITY = re.compile(r"severity[ \t]+([^\s,:：;]+)[ \t]*", re.IGNORECASE)


@dataclass(slots=True)
class Step:
    """A `Severity` item as written; a translation may leave the decision out."""

    level: int
    decision: Decision | None
    text: str
    at: Position


def read_steps(block: Block, problems: Problems, *, translation: bool) -> list[Step]:
    """The rubric's steps by rising level."""
    steps: dict[int, Step] = {}
    for item in block.items:
        step = _step(item, problems, translation=translation)
        if step is None:
            continue
        if step.level in steps:
            problems.error(
                "severity-duplicate",
                item.at,
                f"level {step.level} is already given on line {steps[step.level].at.line}",
                "Give each level at most once",
            )
            continue
        steps[step.level] = step
    ordered = [steps[level] for level in sorted(steps)]
    highest: Step | None = None
    for step in ordered:
        if step.decision is None:
            continue
        if highest is not None and highest.decision is not None and step.decision < highest.decision:
            problems.error(
                "severity-falls",
                step.at,
                f"level {step.level} decides `{step.decision}`, level {highest.level} `{highest.decision}`",
                "Decisions may not fall as levels rise: allow, flag, redact, escalate, block",
            )
        else:
            highest = step
    return ordered


def _step(item: Item, problems: Problems, *, translation: bool) -> Step | None:
    found = _LEVEL.fullmatch(item.text)
    if found is None or not found[1].lstrip("-+").isdigit() or (found[2] is None and not translation):
        problems.error(
            "severity-syntax",
            item.at,
            "this severity is not of the form `LEVEL DECISION: text`",
            "Write for instance `3 block: an amount that is not in the catalogue`",
        )
        return None
    level, word = _level(found[1]), found[2]
    if level is None:
        _report_level(item.at, problems)
        return None
    decision = None
    if word is not None:
        if word not in DECISIONS:
            problems.error(
                "unknown-decision",
                item.position(found.start(2)),
                f"{quoted(word)} is not a decision",
                choice(word, DECISIONS),
            )
            return None
        decision = Decision(word)
    return Step(level, decision, (found[3] or "").strip(), item.at)


def levels(steps: list[Step]) -> tuple[Level, ...]:
    """The steps as a rule has them."""
    return tuple(
        Level(level=s.level, decision=s.decision, text=s.text) for s in steps if s.decision is not None
    )


def read_patterns(block: Block, problems: Problems) -> list[tuple[Pattern, Position]]:
    """Regular expressions that compile, with where the expression begins."""
    found = []
    for item in block.items:
        span = _code_span(item, problems, "a regular expression")
        if span is None:
            continue
        expression, begin, rest = span
        severity, text = _severity(item, rest, problems)
        if _compiles(expression, item, begin, problems):
            found.append((Pattern(expression=expression, severity=severity, text=text), item.position(begin)))
    return found


def read_detectors(block: Block, problems: Problems) -> list[Detector]:
    """Known detectors, each once."""
    found: list[Detector] = []
    for item in block.items:
        span = _code_span(item, problems, "a detector's name")
        if span is None:
            continue
        name, begin, rest = span
        severity, text = _severity(item, rest, problems)
        at = item.position(begin)
        if name not in DETECTORS:
            problems.error(
                "unknown-detector", at, f"there is no detector {quoted(name)}", choice(name, DETECTORS)
            )
        elif any(detector.name == name for detector in found):
            problems.error("duplicate-detector", at, f"the detector `{name}` is named twice", "Name it once")
        else:
            found.append(Detector(name=name, severity=severity, text=text))
    return found


def read_exemptions(block: Block, problems: Problems) -> list[tuple[Exemption, Position]]:
    """The allow-list's entries, with where each begins."""
    found = []
    for item in block.items:
        span = _code_span(item, problems, "an exact text or `/expression/`")
        if span is None:
            continue
        value, begin, rest = span
        text = _tail(item.text[rest:])
        if len(value) > 2 and value.startswith("/") and value.endswith("/"):
            if _compiles(value[1:-1], item, begin + 1, problems):
                exemption = Exemption(kind="pattern", value=value[1:-1], text=text)
                found.append((exemption, item.position(begin + 1)))
        else:
            found.append((Exemption(kind="exact", value=value, text=text), item.position(begin)))
    return found


def _code_span(item: Item, problems: Problems, what: str) -> tuple[str, int, int] | None:
    """The code span that an item begins with: its content, where that begins, where the rest does."""
    text = item.text
    ticks = len(text) - len(text.lstrip("`"))
    end = ticks
    while ticks:
        end = text.find("`" * ticks, end)
        if end < 0:
            break
        after = end
        while text[after : after + 1] == "`":
            after += 1
        if after - end == ticks:
            content, begin = text[ticks:end], ticks
            if content[:1] == content[-1:] == " " and content.strip(" "):
                content, begin = content[1:-1], begin + 1
            return content, begin, after
        end = after
    problems.error(
        "code-span",
        item.at,
        f"the item does not begin with {what} in backticks",
        "Put it between backticks at the beginning of the item",
    )
    return None


def _severity(item: Item, rest: int, problems: Problems) -> tuple[int, str]:
    """Severity and text after the code span that ends at `rest`."""
    begin = rest + len(item.text[rest:]) - len(item.text[rest:].lstrip())
    found = _SEVERITY.match(item.text, begin)
    if found is None:
        return DEFAULT_SEVERITY, _tail(item.text[rest:])
    level = _level(found[1])
    if level is None:
        _report_level(item.position(found.start(1)), problems)
    return DEFAULT_SEVERITY if level is None else level, _tail(item.text[found.end() :])


def _tail(text: str) -> str:
    text = text.strip()
    return text[1:].strip() if text[:1] in (":", "：") else text


def _level(word: str) -> int | None:
    return int(word) if word in ("0", "1", "2", "3", "4") else None


def _report_level(at: Position, problems: Problems) -> None:
    problems.error("severity-level", at, "this is not a severity level", "Levels are 0, 1, 2, 3 and 4")


def _compiles(expression: str, item: Item, begin: int, problems: Problems) -> bool:
    wrong = fault(expression)
    if wrong is None and matches_empty(expression):
        problems.error(
            "expression-matches-empty",
            item.position(begin),
            "the regular expression matches the empty string, and so every text",
            "Ask for at least one character: `+` in place of `*`, no empty alternative",
        )
        return False
    if wrong is None:
        return True
    problems.error(
        "invalid-expression",
        item.position(begin + wrong[1]),
        f"the regular expression does not compile ({wrong[0]})",
        "Use RE2 syntax: no look-around, no back-references",
    )
    return False
