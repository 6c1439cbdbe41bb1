"""What is wrong with a policy document, and where."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Literal, NamedTuple

from sekisho.core import PolicyError, Value

LIMIT = 500
"""Problems kept per document; a hostile file could otherwise have millions."""


class Position(NamedTuple):
    """A place in the document. Both count from 1, the column in code points."""

    line: int
    column: int


START = Position(1, 1)


class Problem(Value):
    """One fault (`error`: the document cannot be used) or piece of advice (`warning`)."""

    code: str
    severity: Literal["error", "warning"]
    line: int
    column: int
    message: str
    remedy: str
    file: str = "<policy>"

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}:{self.column}"
        return f"{place}: {self.severity}: {self.message}. {self.remedy} [{self.code}]"

    @classmethod
    def of(cls, error: PolicyError) -> Problem:
        """An error that was raised, as a value."""
        return cls(
            code=error.code,
            severity="error",
            line=error.line,
            column=error.column,
            message=error.what,
            remedy=error.remedy or "",
            file=error.file,
        )

    def exception(self) -> PolicyError:
        """The problem as an error to raise."""
        return PolicyError(
            self.message,
            file=self.file,
            line=self.line,
            column=self.column,
            remedy=self.remedy,
            code=self.code,
        )


class Problems:
    """Collects the problems of one document."""

    def __init__(self, file: str) -> None:
        self.file = file
        self._found: list[Problem] = []

    def error(self, code: str, at: Position, message: str, remedy: str) -> None:
        self._add("error", code, at, message, remedy)

    def warning(self, code: str, at: Position, message: str, remedy: str) -> None:
        self._add("warning", code, at, message, remedy)

    def add(self, problem: Problem) -> None:
        if len(self._found) < LIMIT:
            self._found.append(problem)

    def _add(
        self, severity: Literal["error", "warning"], code: str, at: Position, message: str, remedy: str
    ) -> None:
        if len(self._found) < LIMIT:
            self._found.append(
                Problem(
                    code=code,
                    severity=severity,
                    line=at.line,
                    column=at.column,
                    message=message,
                    remedy=remedy,
                    file=self.file,
                )
            )
        elif len(self._found) == LIMIT:
            self._found.append(
                Problem(
                    code="too-many-problems",
                    severity="error",
                    line=at.line,
                    column=at.column,
                    message=f"more than {LIMIT} problems; the rest is not listed",
                    remedy="Repair these first, then lint again",
                    file=self.file,
                )
            )

    def sorted(self) -> tuple[Problem, ...]:
        """All of them in the document's order, errors before warnings at the same place."""
        return tuple(sorted(self._found, key=lambda p: (p.line, p.column, p.severity, p.code)))

    def first_error(self) -> Problem | None:
        return next((p for p in self.sorted() if p.severity == "error"), None)


def quoted(word: str) -> str:
    """A keyword of the user's for a message, cut to what a keyword can be."""
    shown = word if len(word) <= 40 else word[:39] + "…"
    return "`" + "".join(c if c.isprintable() else "�" for c in shown) + "`"


def one_of(words: tuple[str, ...] | list[str]) -> str:
    """Keywords for a message."""
    return ", ".join(f"`{word}`" for word in words)


def nearest(word: str, known: tuple[str, ...] | list[str]) -> str | None:
    """The known word that `word` is probably meant to be."""
    if len(word) > 60:
        return None
    by_folded = {k.casefold(): k for k in known}
    close = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.75)
    return by_folded[close[0]] if close else None


def choice(word: str, known: tuple[str, ...] | list[str]) -> str:
    """The remedy for a word that is none of `known`."""
    guess = nearest(word, known)
    return f"Did you mean `{guess}`? Known: {one_of(known)}" if guess else f"Write one of {one_of(known)}"
