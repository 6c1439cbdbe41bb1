"""The YAML between two `---` lines at the top of a policy.

Every value keeps its position, and stays the text that it is: `1.10` is not a number.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from sekisho.core import Decision, OnError

from .problem import Position, Problems, choice, quoted
from .source import Source
from .yaml_tree import Node, read_pairs

KEYS = (
    "id",
    "version",
    "title",
    "license",
    "languages",
    "on_error",
    "false_positive_budget",
    "translation_of",
    "language",
)
STATUSES = ("abstained", "timeout", "error", "default")
DECISIONS = tuple(d.value for d in Decision)
MAX_LINES = 500
MAX_LENGTH = 50_000
_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_NUMBER = re.compile(r"[0-9]*\.?[0-9]+([eE][-+]?[0-9]+)?")


@dataclass(slots=True)
class FrontMatter:
    """What the front matter says; None where it says nothing."""

    present: bool = False
    lines: int = 0
    """How many lines of the document it takes, delimiters included."""
    id: str | None = None
    version: str | None = None
    title: str | None = None
    license: str | None = None
    languages: tuple[str, ...] | None = None
    on_error: OnError | None = None
    false_positive_budget: float | None = None
    translation_of: str | None = None
    language: str | None = None
    at: dict[str, Position] = field(default_factory=dict)
    """Where the values stand, by key; `on_error.timeout` for entries of a table."""


def read_front_matter(source: Source, problems: Problems) -> FrontMatter:
    """The front matter, with everything that is wrong with it reported."""
    if source.lines[0] != "---":
        return FrontMatter()
    end = next((n for n in range(1, min(len(source.lines), MAX_LINES)) if source.lines[n] == "---"), None)
    if end is None:
        problems.error(
            "front-matter-unclosed",
            Position(1, 1),
            f"the front matter is not closed within {MAX_LINES} lines",
            "Write a line `---` after its last key; a document without front matter begins with text",
        )
        return FrontMatter(present=True, lines=1)
    front = FrontMatter(present=True, lines=end + 1)
    if sum(map(len, source.lines[:end])) > MAX_LENGTH:
        problems.error(
            "front-matter-too-large",
            Position(1, 1),
            f"the front matter is longer than {MAX_LENGTH} characters",
            "Put what is not one of its keys below it, as text",
        )
        return front
    pairs = read_pairs(source.lines[1:end], problems)
    reader = _Reader(front, problems)
    seen: dict[str, Position] = {}
    for key, value in pairs:
        name = key.value if isinstance(key.value, str) else ""
        if name not in KEYS:
            problems.error(
                "unknown-key", key.at, f"front matter has no key {quoted(name)}", choice(name, KEYS)
            )
        elif name in seen:
            problems.error(
                "duplicate-key",
                key.at,
                f"the key `{name}` is already given on line {seen[name].line}",
                "Keep one of them",
            )
        else:
            seen[name] = key.at
            front.at[name] = value.at
            reader.read(name, value)
    if front.language is not None and front.translation_of is None:
        problems.error(
            "language-without-translation",
            seen["language"],
            "`language` belongs to a translation, and `translation_of` is not given",
            "Add `translation_of: ID`, or write `languages: [TAG]`",
        )
    if front.translation_of is not None and front.language is None and "language" not in seen:
        problems.error(
            "translation-without-language",
            seen["translation_of"],
            "a translation has to say its language",
            "Add `language: TAG`, for instance `language: ja`",
        )
    return front


class _Reader:
    """Checks one key's value and puts it into the front matter."""

    def __init__(self, front: FrontMatter, problems: Problems) -> None:
        self.front = front
        self.problems = problems

    def read(self, name: str, node: Node) -> None:
        match name:
            case "id" | "translation_of":
                text = self._text(name, node)
                if text is not None and not _IDENTIFIER.fullmatch(text):
                    self.problems.error(
                        "id-syntax",
                        node.at,
                        f"`{name}` is not an identifier",
                        "Begin with a small letter or a digit; then also `_`, `.` and `-`",
                    )
                else:
                    setattr(self.front, name, text)
            case "language":
                text = self._text(name, node)
                if text is not None:
                    self.front.language = self._language(text, node)
            case "languages":
                self._languages(node)
            case "on_error":
                self._on_error(node)
            case "false_positive_budget":
                self._budget(node)
            case _:
                setattr(self.front, name, self._text(name, node, empty=name == "title"))

    def _text(self, name: str, node: Node, *, empty: bool = False) -> str | None:
        if not isinstance(node.value, str):
            self._type(name, node, "a text")
            return None
        if not node.value and not (empty and node.kind == "quoted"):
            self.problems.error(
                "empty-value", node.at, f"`{name}` has no value", "Give one, or remove the key"
            )
            return None
        return node.value

    def _type(self, name: str, node: Node, wanted: str) -> None:
        got = {"list": "a list", "table": "a table"}.get(node.kind, "a text")
        self.problems.error(
            "wrong-type", node.at, f"`{name}` is {got} and has to be {wanted}", f"Write {wanted}"
        )

    def _language(self, text: str, node: Node) -> str | None:
        if _LANGUAGE.fullmatch(text):
            return text
        self.problems.error(
            "language-tag",
            node.at,
            f"{quoted(text)} is not a BCP 47 language tag",
            "Write for instance `en`, `ja`, `zh-Hant`",
        )
        return None

    def _languages(self, node: Node) -> None:
        if node.kind != "list":
            self._type("languages", node, "a list of language tags, for instance `[en, ja]`")
            return
        found = []
        for item in node.value:
            assert isinstance(item, Node)
            if not isinstance(item.value, str):
                self._type("languages", item, "a list of texts")
            elif (tag := self._language(item.value, item)) is not None:
                found.append(tag)
        if not node.value:
            self.problems.error(
                "empty-value", node.at, "`languages` is empty", "Name a language, or remove the key"
            )
        self.front.languages = tuple(dict.fromkeys(found)) or None

    def _decision(self, node: Node, where: str) -> Decision | None:
        if not isinstance(node.value, str):
            self._type(where, node, "a decision")
            return None
        if node.value not in DECISIONS:
            self.problems.error(
                "unknown-decision",
                node.at,
                f"{quoted(node.value)} is not a decision",
                choice(node.value, DECISIONS),
            )
            return None
        return Decision(node.value)

    def _on_error(self, node: Node) -> None:
        if node.kind == "list":
            self._type("on_error", node, "a decision or a table of decisions by status")
            return
        if isinstance(node.value, str):
            decision = self._decision(node, "on_error")
            if decision is not None:
                self.front.on_error = OnError(default=decision)
            return
        chosen: dict[str, Any] = {}
        for pair in node.value:
            assert isinstance(pair, tuple)
            key, value = pair
            name = key.value if isinstance(key.value, str) else ""
            if name not in STATUSES:
                self.problems.error(
                    "unknown-status", key.at, f"{quoted(name)} is not a status", choice(name, STATUSES)
                )
            elif name in chosen:
                self.problems.error(
                    "duplicate-key",
                    key.at,
                    f"the key `{name}` is given twice",
                    "Keep one of them",
                )
            else:
                self.front.at[f"on_error.{name}"] = value.at
                chosen[name] = self._decision(value, f"on_error.{name}")
        self.front.on_error = OnError(**{k: v for k, v in chosen.items() if v is not None})

    def _budget(self, node: Node) -> None:
        if not isinstance(node.value, str) or not _NUMBER.fullmatch(node.value):
            self._type("false_positive_budget", node, "a number between 0 and 1")
            return
        value = float(node.value)
        if not 0 < value < 1:
            self.problems.error(
                "budget-range",
                node.at,
                "`false_positive_budget` is not between 0 and 1",
                "Write the share of innocent traffic that may be flagged, for instance `0.02`",
            )
            return
        self.front.false_positive_budget = value
