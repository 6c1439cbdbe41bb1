"""Detectors as data: a linear-time pattern that proposes, and a check that disposes."""

from __future__ import annotations

import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import re2

SET_LIMIT = 20_000
"""Characters up to which the one-pass search is trusted with its memory; longer texts are searched in pieces."""
_OVERLAP = 4_096
"""Characters that neighbouring pieces share: more than any shape needs in order to match at all."""
UNCHECKED = 0.5


@dataclass(frozen=True, slots=True)
class Match:
    """A range of the scanned text and how sure the detector is, 0 to 1."""

    start: int
    end: int
    score: float


class Around(NamedTuple):
    """What stands beside a candidate, as far as its shape reaches."""

    before: str
    after: str


Part = tuple[int, int, float]
Check = Callable[[str, Around], float | list[Part]]
"""(candidate, text around it) -> how sure, 0 for no; or the parts of the candidate that it is sure of."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One pattern of a detector. Its group is the secret, of several the one that matched; else all of it is.

    near: words of which one has to stand within `reach` characters before or after the candidate.
    least: candidates shorter than this are not looked at.
    most: so many candidates of a text are checked, for the costly checks; those beyond count as found, at
        the score `UNCHECKED`, or a flood of candidates would hide the one behind it.
    """

    pattern: str
    check: Check
    near: str = ""
    reach: int = 48
    least: int = 1
    most: int = 1_000_000


@dataclass(frozen=True, slots=True)
class DetectorSpec:
    """A built-in detector: its name in policies, what it finds, how."""

    name: str
    title: str
    shapes: tuple[Shape, ...]


class Matcher:
    """Runs many shapes over a text in one pass, then only those that can match."""

    def __init__(self, specs: Sequence[DetectorSpec]) -> None:
        self._shapes = [(spec.name, shape) for spec in specs for shape in spec.shapes]
        self._compiled = [compile_pattern(shape.pattern) for _, shape in self._shapes]
        self._near = [compile_pattern(shape.near) if shape.near else None for _, shape in self._shapes]
        self._any = re2.Set.SearchSet(_options())
        for _, shape in self._shapes:
            self._any.Add(shape.pattern)
        if self._shapes:
            self._any.Compile()

    def find(self, text: str, broken: set[str] | None = None) -> Iterator[tuple[str, Match]]:
        """(detector, match) pairs. `text` must not hold lone surrogates.

        broken: takes the names of detectors whose check raised. What they would have found is unknown, so
        the rules that use them are not judged; the other rules are.
        """
        if not self._shapes or not text:
            return
        for place, ranges in sorted(self._possible(text).items()):
            name = self._shapes[place][0]
            try:
                for start, end in ranges:
                    yield from ((name, match) for match in self._matches(place, text, start, end))
            except Exception:  # whatever a check stumbles over must not take the other rules with it
                if broken is None:
                    raise
                broken.add(name)

    def _found(self, place: int, text: str, first: int, last: int) -> Iterator[re2._Match]:
        """What one shape matches from `first` to `last`; what touches `last` is read to its own end."""
        for found in self._compiled[place].finditer(text, first, last):
            if found.end() == last < len(text):
                yield from self._found(place, text, found.start(), len(text))
                return
            yield found

    def _matches(self, place: int, text: str, first: int, last: int) -> Iterator[Match]:
        _, shape = self._shapes[place]
        near = self._near[place]
        checked = 0
        for found in self._found(place, text, first, last):
            start, end = found.span(found.lastindex or 0)
            if start < 0 or end - start < shape.least:
                continue
            before = text[max(0, start - shape.reach) : start]
            after = text[end : end + shape.reach]
            candidate = text[start:end]
            if near is not None and not (near.search(before) or near.search(candidate + after)):
                continue
            checked += 1
            if checked > shape.most:
                yield Match(start, end, UNCHECKED)
                continue
            result = shape.check(candidate, Around(before, after))
            for at, until, score in result if isinstance(result, list) else [(0, end - start, result)]:
                if score > 0:
                    yield Match(start + at, start + until, score)

    def _possible(self, text: str) -> dict[int, list[tuple[int, int]]]:
        """The shapes that match somewhere, each with the ranges of the text where it may, in order and apart."""
        if len(text) <= SET_LIMIT:
            return {place: [(0, len(text))] for place in self._any.Match(text) or ()}
        found: dict[int, list[tuple[int, int]]] = {}
        for start in range(0, len(text) - _OVERLAP, SET_LIMIT - _OVERLAP):
            end = min(start + SET_LIMIT, len(text))
            for place in self._any.Match(text[start:end]) or ():
                ranges = found.setdefault(place, [])
                if ranges and ranges[-1][1] >= start:
                    ranges[-1] = (ranges[-1][0], end)
                else:
                    ranges.append((start, end))
        return found


def compile_pattern(pattern: str) -> re2._Regexp:
    """Compile with RE2, quietly (its C++ log would go to standard error)."""
    return re2.compile(pattern, _options())


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    return options


def sure(score: float) -> Check:
    """The shape alone is enough."""
    return lambda candidate, around: score


DIGIT = r"[\p{Nd}⁰¹²³⁴-⁹₀-₉]"
"""A digit of any script, raised and lowered ones too, which folding keeps (they are mostly exponents)."""
_GROUP = re.compile(r"[\d⁰¹²³⁴-⁹₀-₉]+")


def digits_of(candidate: str) -> str:
    """The digits, of any script, as ASCII."""
    return "".join(c if "0" <= c <= "9" else str(unicodedata.digit(c)) for c in candidate if c.isdigit())


@dataclass(frozen=True, slots=True)
class Groups:
    """A run of digit groups: where each stands, its digits, and what kind of separator follows it."""

    spans: list[tuple[int, int]]
    digits: list[str]
    kinds: list[str]

    @classmethod
    def of(cls, run: str) -> Groups:
        spans = [found.span() for found in _GROUP.finditer(run)]
        kinds = [_kind(run[a[1] : b[0]]) for a, b in itertools.pairwise(spans)]
        return cls(spans, [digits_of(run[start:end]) for start, end in spans], kinds)

    def windows(self, lengths: range) -> Iterator[tuple[int, int, str]]:
        """(first, last, digits) of every row of groups with so many digits, none joined by a dot."""
        for first in range(len(self.digits)):
            digits = ""
            for last in range(first, len(self.digits)):
                if last > first and self.kinds[last - 1] == ".":
                    break
                digits += self.digits[last]
                if len(digits) >= lengths.stop:
                    break
                if len(digits) in lengths:
                    yield first, last, digits


def _kind(separator: str) -> str:
    """Blank, dash, dot, …: how people separate groups, whatever the width or number of the characters."""
    for odd in "\n\t":
        if odd in separator:
            return odd
    core = separator.replace("\u3000", " ").replace("\r", "").strip(" ")
    if not core:
        return " "
    return core if core in (".", "/", "_") else "-" if not set(core) & set("./_") else "mixed"


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits a character."""
    if not text:
        return 0.0
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
