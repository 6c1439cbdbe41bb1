"""Regular expressions in RE2 syntax: whether they compile, and what they match too much of."""

from __future__ import annotations

from functools import cache
from typing import Any

MAX_LENGTH = 5000
ORDINARY = (
    "How do I get from the station to the museum?",
    "Thanks, that was very helpful.",
    "Please summarise the attached report in three sentences.",
    "I can help with that. Which file do you mean?",
    "The meeting is on Tuesday at ten.",
    "def add(a, b):\n    return a + b",
    "明日の天気を教えてください。",
    "请把这段话翻译成英文。",
    "회의는 몇 시에 시작하나요?",
    "¿Dónde puedo comprar pan?",
    "ok",
    "Lorem ipsum dolor sit amet, consectetur adipiscing elit.",
)
"""Texts that hardly any rule means. An expression that finds most of them finds nearly everything."""


@cache
def _options() -> Any:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    return options


def fault(expression: str) -> tuple[str, int] | None:
    """What is wrong with an expression and at which character (from 0); None when it compiles."""
    import re2

    if len(expression) > MAX_LENGTH:
        return f"it is longer than {MAX_LENGTH} characters", MAX_LENGTH
    try:
        re2.compile(expression, _options())
    except re2.error as error:
        said = error.args[0] if error.args else b""
        text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        kind, _, piece = text.partition(": ")
        # RE2 names the piece it stumbled over, not its place.
        place = expression.find(piece) if piece else len(expression) - 1
        return kind, max(place, 0)
    return None


def matches_empty(expression: str) -> bool:
    """Does it find something in every text?"""
    import re2

    return re2.compile(expression, _options()).search("") is not None


def matches_ordinary(expression: str) -> bool:
    """Does it find something in most ordinary texts?"""
    import re2

    compiled = re2.compile(expression, _options())
    return sum(compiled.search(text) is not None for text in ORDINARY) * 3 >= len(ORDINARY) * 2
