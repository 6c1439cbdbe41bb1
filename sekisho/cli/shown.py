"""Small pieces of what a person sees, the same in every command."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from sekisho.core import Decision

from .catalog import Words

if TYPE_CHECKING:
    from .outcome import Outcome

STYLES = {
    Decision.ALLOW: "green",
    Decision.FLAG: "yellow",
    Decision.REDACT: "cyan",
    Decision.ESCALATE: "magenta",
    Decision.BLOCK: "bold red",
}
SYMBOLS = {
    Decision.ALLOW: "✓",
    Decision.FLAG: "!",
    Decision.REDACT: "▒",
    Decision.ESCALATE: "↑",
    Decision.BLOCK: "✗",
}
# Escape sequences, bells and marks that turn the direction of writing: a text under suspicion must not
# steer the terminal that shows it.
_CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2028\u2029\u2060-\u2069\ufeff\ud800-\udfff\U000e0000-\U000e007f]"
)


# A word with what follows it, or one character of a script without spaces with the marks that may not begin
# a line.
_WIDE = "\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\uff00-\uffef"
_TOKEN = re.compile(
    rf"[「『（]*(?:[{_WIDE}]|[^\s{_WIDE}]+)[、。，．」』）！？…：；ーぁぃぅぇぉっゃゅょァィゥェォッャュョ]*\s*|\s+"
)


def printable(text: str) -> str:
    """The text with everything that a terminal would obey, or not show, made visible."""
    return _CONTROL.sub("\ufffd", text)


def short(text: str, width: int) -> str:
    """The text on one line, cut to `width` cells of the terminal."""
    line = " ".join(printable(text).split())
    return line if cell_len(line) <= width else set_cell_size(line, width - 1).rstrip() + "…"


def folded(text: str, width: int) -> str:
    """The text with line breaks at `width` cells: between words, and inside of scripts without spaces.

    Rich breaks at spaces only, and would begin a new line for every run of Japanese.
    """
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0
        for token in _TOKEN.findall(paragraph):
            size = cell_len(token.rstrip())
            if used and used + size > width:
                lines.append(line.rstrip())
                line, used = "", 0
            if line or token.strip() or not lines:
                line += token
                used += cell_len(token)
        lines.append(line.rstrip())
    return "\n".join(lines)


def decision_text(decision: Decision, words: Words) -> Text:
    """Symbol and word: what colour says is also written."""
    return Text(f"{SYMBOLS[decision]} {words(f'decision.{decision.value}')}", style=STYLES[decision])


def decided(outcome: Outcome, words: Words) -> Text:
    """The decision; when it follows only from what could not be judged, that is said first."""
    if outcome.undecided and not outcome.violations:
        name = words(f"decision.{outcome.decision.value}")
        return Text(f"? {words('check.undecided')} → {name}", style="yellow")
    return decision_text(outcome.decision, words)
