"""Detectors as data: a linear-time pattern that proposes, and a check that disposes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import re2

SET_LIMIT = 20_000
"""Characters up to which the one-pass search is trusted with its memory."""


@dataclass(frozen=True, slots=True)
class Match:
    """A range of the scanned text and how sure the detector is, 0 to 1."""

    start: int
    end: int
    score: float


Part = tuple[int, int, float]
Check = Callable[[str, str], float | list[Part]]
"""(candidate, text around it) -> how sure, 0 for no; or the parts of the candidate that it is sure of."""


@dataclass(frozen=True, slots=True)
class Shape:
    """One pattern of a detector. Group 1, where there is one, is the secret; else the whole match is.

    near: words of which one has to stand within `reach` characters before or after the candidate.
    """

    pattern: str
    check: Check
    near: str = ""
    reach: int = 48


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

    def find(self, text: str) -> Iterator[tuple[str, Match]]:
        """(detector, match) pairs. `text` must not hold lone surrogates."""
        if not self._shapes or not text:
            return
        for place in self._possible(text):
            name, shape = self._shapes[place]
            near = self._near[place]
            for found in self._compiled[place].finditer(text):
                group = 1 if found.re.groups else 0
                start, end = found.span(group)
                if start < 0 or start == end:
                    continue
                around = text[max(0, start - shape.reach) : end + shape.reach]
                if near is not None and near.search(around) is None:
                    continue
                result = shape.check(text[start:end], around)
                for at, until, score in result if isinstance(result, list) else [(0, end - start, result)]:
                    if score > 0:
                        yield name, Match(start + at, start + until, score)

    def _possible(self, text: str) -> Sequence[int]:
        """The shapes that match somewhere. The set says nothing (None) both for no match and when its
        automaton ran out of memory, so a long text is searched shape by shape instead."""
        if len(text) > SET_LIMIT:
            return range(len(self._shapes))
        return sorted(self._any.Match(text) or ())


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


def digits_of(candidate: str) -> str:
    """The decimal digits, of any script, as ASCII."""
    return "".join(str(int(c)) for c in candidate if c.isdecimal())


def numbers_in(run: str, valid: Callable[[str], float], *, lengths: range) -> list[Part]:
    """The parts of a run of digit groups that are valid numbers of one of these lengths.

    Groups are never cut, and each digit belongs to at most one part, the longest first. Work is
    bounded by the longest length times the digits in the run.
    """
    groups: list[tuple[int, int]] = []
    for place, character in enumerate(run):
        if character.isdecimal():
            if groups and groups[-1][1] == place:
                groups[-1] = (groups[-1][0], place + 1)
            else:
                groups.append((place, place + 1))
    found: list[Part] = []
    first = 0
    while first < len(groups):
        best, digits = None, ""
        for last in range(first, len(groups)):
            digits += digits_of(run[slice(*groups[last])])
            if len(digits) >= lengths.stop:
                break
            if len(digits) in lengths and (score := valid(digits)) > 0:
                best = (last, score)
        if best is None:
            first += 1
        else:
            found.append((groups[first][0], groups[best[0]][1], best[1]))
            first = best[0] + 1
    return found


def entropy(text: str) -> float:
    """Shannon entropy of the characters, in bits a character."""
    if not text:
        return 0.0
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
