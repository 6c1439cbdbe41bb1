"""A heading's title and its attribute block, `{#id key=value …}`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sekisho.core import Authority, Decision, Surface

from .markdown import Part
from .problem import Position, Problems, choice, quoted
from .source import Source

AUTHORITIES = tuple(a.value for a in Authority)
SURFACES = tuple(s.value for s in Surface)
DECISIONS = tuple(d.value for d in Decision)
CHECKS = ("meaning", "patterns")
ATTRIBUTES = ("authority", "surfaces", "check", "on_error", "tags")
_IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
_WORD = re.compile(r"""[^\s"']+(?:"[^"]*"|'[^']*')?|\S+""")


@dataclass(slots=True)
class Title:
    """What a heading says."""

    text: str
    at: Position
    id: str | None = None
    authority: Authority | None = None
    raw: dict[str, str] = field(default_factory=dict)
    """Every attribute but the id, as written."""
    rule: dict[str, Any] = field(default_factory=dict)
    """The fields of a `Rule` that the attributes decide."""
    places: dict[str, Position] = field(default_factory=dict)


def read_title(part: Part, source: Source, problems: Problems) -> Title:
    """The heading of a part, with everything that is wrong with it reported."""
    content = part.heading or ""
    block = _attribute_block(content)
    if block is None:
        if "{#" in content:
            problems.error(
                "attribute-block",
                _find(part, source, "{#"),
                "the attribute block of this heading is not closed at its end",
                "Write `## Title {#id key=value}` and nothing after it",
            )
        return Title(content, part.at)
    at = _find(part, source, content[block:])
    title = Title(content[:block].rstrip(), part.at)
    for word in _WORD.finditer(content, block + 1, len(content) - 1):
        place = Position(at.line, at.column + word.start() - block)
        _read_word(word[0], place, title, problems)
    _check_rule(title, at, problems)
    return title


def _attribute_block(content: str) -> int | None:
    """Where the block begins that ends a heading; None without one."""
    if not content.endswith("}"):
        return None
    begin = content.rfind("{")
    inside = content[begin + 1 : -1].strip()
    first = inside.split(None, 1)[0] if inside else ""
    if begin < 0 or not (first.startswith("#") or "=" in first):
        return None
    return begin


def _find(part: Part, source: Source, piece: str) -> Position:
    for number in range(part.heading_lines[1] - 1, part.heading_lines[0] - 1, -1):
        column = source.lines[number].rfind(piece)
        if column >= 0:
            return Position(number + 1, column + 1)
    return part.at


def _read_word(word: str, at: Position, title: Title, problems: Problems) -> None:
    if word.startswith("#"):
        title.places.setdefault("id", at)
        if title.id is not None:
            problems.error("attribute-syntax", at, "the heading has two ids", "Keep one")
        elif not _IDENTIFIER.fullmatch(word[1:]):
            problems.error(
                "id-syntax",
                at,
                "this is not an identifier",
                "After `#` come letters a-z, digits, `_`, `.` and `-`, beginning with a letter or digit",
            )
        else:
            title.id = word[1:]
        return
    name, equals, value = word.partition("=")
    if not equals or not name:
        problems.error(
            "attribute-syntax", at, "this is not of the form `key=value`", "Write `{#id key=value key=value}`"
        )
        return
    if name not in ATTRIBUTES:
        problems.error(
            "unknown-attribute", at, f"headings have no attribute {quoted(name)}", choice(name, ATTRIBUTES)
        )
        return
    if name in title.raw:
        problems.error("attribute-syntax", at, f"the attribute `{name}` is given twice", "Keep one")
        return
    if value[:1] in ('"', "'") and value[-1:] == value[:1] and len(value) > 1:
        value = value[1:-1]
    place = Position(at.line, at.column + len(name) + 1)
    title.raw[name] = value
    title.places[name] = place
    if not value:
        problems.error(
            "attribute-syntax", place, f"the attribute `{name}` has no value", "Give one, or remove it"
        )
        return
    _read_value(name, value, place, title, problems)


def _read_value(name: str, value: str, at: Position, title: Title, problems: Problems) -> None:
    match name:
        case "authority":
            if value in AUTHORITIES:
                title.authority = Authority(value)
            else:
                problems.error(
                    "unknown-authority",
                    at,
                    f"{quoted(value)} is not an authority",
                    choice(value, AUTHORITIES),
                )
                # Still a rule: its blocks should not be reported as well.
                title.authority = Authority.GUIDELINE
        case "surfaces":
            title.rule["surfaces"] = _surfaces(value, at, problems)
        case "check":
            if value in CHECKS:
                title.rule["check"] = value
            else:
                problems.error(
                    "unknown-check", at, f"{quoted(value)} is not a way to check", choice(value, CHECKS)
                )
        case "on_error":
            if value in DECISIONS:
                title.rule["on_error"] = Decision(value)
            else:
                problems.error(
                    "unknown-decision", at, f"{quoted(value)} is not a decision", choice(value, DECISIONS)
                )
        case _:
            title.rule["tags"] = tuple(dict.fromkeys(tag for tag in value.split(",") if tag))


def _surfaces(value: str, at: Position, problems: Problems) -> tuple[Surface, ...]:
    named: set[str] = set()
    column = at.column
    for word in value.split(","):
        if word in SURFACES:
            named.add(word)
        else:
            problems.error(
                "unknown-surface",
                Position(at.line, column),
                f"{quoted(word)} is not a surface",
                choice(word, SURFACES),
            )
        column += len(word) + 1
    return tuple(surface for surface in Surface if surface in named) or tuple(Surface)


def _check_rule(title: Title, at: Position, problems: Problems) -> None:
    if title.authority is not None and title.id is None and "id" not in title.places:
        problems.error(
            "rule-without-id",
            at,
            "a heading with an authority is a rule, and this one has no id",
            "Add `#id`",
        )
    if title.authority is None and "authority" not in title.raw:
        for name in ("surfaces", "check", "on_error"):
            if name in title.raw:
                value = title.places[name]
                problems.error(
                    "attribute-without-authority",
                    Position(value.line, value.column - len(name) - 1),
                    f"`{name}` belongs to rules, and a heading without an authority is none",
                    f"Add `authority=` ({', '.join(AUTHORITIES)}), or remove `{name}`",
                )
