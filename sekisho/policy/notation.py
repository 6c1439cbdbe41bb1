"""The notation of conversations in example fences, which is the Model Spec's.

Tags stand at the beginning of a line (a closing tag also at the end of one); everything between a
turn's tags is its content, in which `&lt;`, `&gt;`, `&amp;`, `&quot;`, `&apos;` and numeric
references are read as the characters.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal

from sekisho.core import Role, Turn

from .problem import Position, Problems, choice, one_of, quoted

ROLES = tuple(role.value for role in Role)
TAGS = (*ROLES, "comparison")
MAX_TURNS = 200
"""Turns in one example. Every marked turn takes those before it along as its context."""
_TAG = re.compile(r'<(/?)([A-Za-z_][\w-]*)((?:[ \t]+[\w-]+="[^"]*")*)[ \t]*>')
_TAG_START = re.compile(r"</?([A-Za-z_][\w-]*)(?=[\s>])")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_CLOSING = re.compile(r"</([a-z]+)>$")
_REFERENCE = re.compile(r"&(?:(lt|gt|amp|quot|apos)|#([0-9]{1,7})|#[xX]([0-9A-Fa-f]{1,6}));")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}
_MARK = re.compile(r"(GOOD|BAD)(?![A-Za-z])(.*)", re.DOTALL)
_ELISIONS = ("[...]", "[…]")
_CITED = re.compile(r"\s*(\[[^\]]*\])")
_SEVERITY = re.compile(r"\s+severity=([^\s:,]*)")


@dataclass(slots=True)
class Mark:
    """What the comment after a tag says."""

    mark: Literal["GOOD", "BAD"] | None = None
    note: str = ""
    severity: int | None = None


@dataclass(slots=True)
class _Open:
    """A turn whose end has not come yet."""

    role: str
    attributes: dict[str, str]
    mark: Mark
    at: Position
    content: list[str] = field(default_factory=list)


class Conversation:
    """Reads the lines of one fence."""

    def __init__(self, problems: Problems) -> None:
        self.turns: list[Turn] = []
        self.positions: list[Position] = []
        """Where the tags of `turns` stand."""
        self.comparisons = 0
        self._problems = problems
        self._open: _Open | None = None
        self._comparison: Position | None = None
        self._candidates = 0
        self._foreign: str | None = None
        self._stray_line = -1

    def read(self, lines: list[str], first: Position) -> None:
        for number, line in enumerate(lines):
            self._line(line, Position(first.line + number, first.column))
        if self._open:
            self._unclosed(self._open)
            self._close_turn()
        if self._comparison:
            self._problems.error(
                "unclosed-comparison",
                self._comparison,
                "the comparison is not closed",
                "Write `</comparison>` after its last candidate",
            )

    def _line(self, line: str, start: Position) -> None:
        text = line.lstrip(" \t")
        at = Position(start.line, start.column + len(line) - len(text))
        found = _TAG.match(text) if text.startswith("<") else None
        name = found[2] if found else None
        if self._open is None:
            self._outside(text, at, found)
        elif found and name in TAGS and not (found[1] and name == self._open.role):
            self._unclosed(self._open)
            self._close_turn()
            self._outside(text, at, found)
        else:
            self._inside(line)

    def _inside(self, line: str) -> None:
        assert self._open is not None
        closing = _CLOSING.search(line[-40:])
        if closing is None or closing[1] != self._open.role:
            self._open.content.append(line)
            return
        before = line[: len(line) - len(closing[0])].rstrip(" \t")
        if before:
            self._open.content.append(before)
        self._close_turn()

    def _outside(self, text: str, at: Position, found: re.Match[str] | None) -> None:
        if self._foreign is not None:
            # Inside a tag that is not ours, which has been reported.
            if text.endswith(f"</{self._foreign}>"):
                self._foreign = None
                return
            if found is None or found[2] not in TAGS:
                return
            self._foreign = None
        if not text or text in _ELISIONS or (text.startswith("<!--") and text.find("-->") == len(text) - 3):
            return
        if found is None:
            self._stray(text, at)
        elif found[2] not in TAGS:
            self._problems.error(
                "unknown-tag", at, f"{quoted(found[2])} is not a tag of this notation", choice(found[2], TAGS)
            )
            if not found[1] and not text.endswith(f"</{found[2]}>"):
                self._foreign = found[2]
        elif found[1]:
            self._closing(found[2], at)
        elif found[2] == "comparison":
            self._begin_comparison(at)
        else:
            self._begin_turn(text, at, found)

    def _stray(self, text: str, at: Position) -> None:
        begun = _TAG_START.match(text[:80])
        if begun and begun[1] in TAGS:
            self._problems.error(
                "malformed-tag",
                at,
                f"the tag `<{begun[1]}` is not well formed",
                'Write `<NAME>` or `<NAME attribute="value">` on one line',
            )
            if begun[1] in ROLES and not text.startswith("</"):
                # Read on as if it were: what follows is not at fault.
                self._open = _Open(begun[1], {}, Mark(), at)
            return
        if at.line != self._stray_line + 1:
            self._problems.error(
                "text-outside-turn",
                at,
                "text stands outside of every turn",
                f"Put it into one of {one_of(ROLES)}",
            )
        self._stray_line = at.line

    def _closing(self, name: str, at: Position) -> None:
        if name != "comparison" or self._comparison is None:
            self._problems.error(
                "unexpected-tag",
                at,
                f"`</{name}>` closes nothing",
                f"Remove it, or write `<{name}>` before it",
            )
            return
        if not self._candidates:
            self._problems.error(
                "comparison-without-candidates",
                self._comparison,
                "the comparison has no candidates",
                "Put at least one turn into it, marked `<!-- GOOD: why -->` or `<!-- BAD: why -->`",
            )
        self._comparison = None

    def _begin_comparison(self, at: Position) -> None:
        if self._comparison is not None:
            self._problems.error(
                "unclosed-comparison",
                self._comparison,
                "the comparison is not closed before the next begins",
                "Write `</comparison>` after its last candidate",
            )
        self._comparison = at
        self._candidates = 0
        self.comparisons += 1

    def _begin_turn(self, text: str, at: Position, found: re.Match[str]) -> None:
        rest = text[found.end() :]
        inner = rest.lstrip(" \t")
        mark = Mark()
        place = Position(at.line, at.column + len(text) - len(inner))
        if inner.startswith("<!--"):
            end = inner.find("-->", 4)
            if end < 0:
                self._problems.error(
                    "unclosed-comment", place, "the comment is not closed on its line", "Close it with ` -->`"
                )
                inner = ""
            else:
                comment = inner[4:end].lstrip()
                place = Position(place.line, place.column + end - len(comment))
                mark = read_mark(comment.rstrip(), place, self._problems)
                inner = inner[end + 3 :].lstrip(" \t")
        attributes = {key: _decoded(value) for key, value in _ATTRIBUTE.findall(found[3])}
        self._open = _Open(found[2], attributes, mark, at)
        if len(self.turns) == MAX_TURNS:
            self._problems.error(
                "too-many-turns", at, f"the example has more than {MAX_TURNS} turns", "Split it into several"
            )
        if inner:
            self._inside(inner)

    def _close_turn(self) -> None:
        turn = self._open
        assert turn is not None
        self._open = None
        self._candidates += 1
        if len(self.turns) > MAX_TURNS:
            return
        self.positions.append(turn.at)
        self.turns.append(
            Turn(
                role=turn.role,
                content=_decoded("\n".join(turn.content).strip("\n")),
                mark=turn.mark.mark,
                note=turn.mark.note,
                severity=turn.mark.severity,
                comparison=self.comparisons - 1 if self._comparison else None,
                attributes=turn.attributes,
            )
        )

    def _unclosed(self, turn: _Open) -> None:
        self._problems.error(
            "unclosed-turn",
            turn.at,
            f"`<{turn.role}>` is not closed",
            f"Write `</{turn.role}>` after its text; write `&lt;` for a tag that belongs to the text",
        )


def read_mark(comment: str, at: Position, problems: Problems) -> Mark:
    """`BAD severity=3: why`, `GOOD`, `BAD[#other_rule]: why`; anything else is a note.

    `at` is where the comment's text begins.
    """
    found = _MARK.match(comment)
    if found is None:
        word = re.match(r"[A-Za-z]*", comment)
        first = word[0] if word else ""
        if first.casefold() in ("good", "bad"):
            problems.error(
                "unknown-mark", at, f"{quoted(first)} is not a mark", "Write `GOOD` or `BAD`, in capitals"
            )
        return Mark(note=comment)
    label: Literal["GOOD", "BAD"] = "GOOD" if found[1] == "GOOD" else "BAD"
    rest, cited, severity = found[2], "", None
    while True:
        if not cited and (piece := _CITED.match(rest)):
            cited = piece[1]
        elif severity is None and (piece := _SEVERITY.match(rest)):
            severity = piece[1]
        else:
            break
        rest = rest[piece.end() :]
    level = int(severity) if severity is not None and severity in ("0", "1", "2", "3", "4") else None
    if severity is not None and level is None:
        problems.error(
            "severity-level",
            Position(at.line, at.column + comment.find("severity=")),
            "the severity of this mark is not a level",
            "Write `severity=0` to `severity=4`",
        )
    rest = rest.lstrip()
    if rest and rest[0] not in ":,：":
        problems.error(
            "mark-syntax",
            Position(at.line, at.column + len(comment) - len(rest)),
            f"something follows `{label}` that is neither a severity nor a reason",
            f"Write `<!-- {label}: why -->` or `<!-- {label} severity=3: why -->`",
        )
    text = rest[1:].strip() if rest[:1] in (":", ",", "：") else rest
    note = f"{cited}: {text}" if cited and text else cited or text
    return Mark(label, note, level)


def cited_rules(turn: Turn) -> tuple[str, ...]:
    """The rules that `BAD[#a, #b]` names in place of the rule that the example stands under."""
    found = _CITED.match(turn.note)
    if turn.mark is None or found is None:
        return ()
    names = [name.strip() for name in found[1][1:-1].split(",")]
    return tuple(name[1:] for name in names if name.startswith("#"))


def _decoded(text: str) -> str:
    return _REFERENCE.sub(_character, text) if "&" in text else text


def _character(found: re.Match[str]) -> str:
    if found[1]:
        return _NAMED[found[1]]
    code = int(found[2]) if found[2] else int(found[3], 16)
    if code == 0 or code > 0x10FFFF or 0xD800 <= code < 0xE000:
        return found[0]
    return chr(code)
