"""Evaluation points: the fixed places of a text at which a stream is judged.

They depend on the text alone, never on chunks or clocks, so how a network split the bytes cannot
change an outcome. Whether a place is a point is known as soon as the character after it is there.
"""

from __future__ import annotations

TERMINATORS = frozenset(".!?。！？…\n")
WIDE_TERMINATORS = frozenset("。！？\n")


class Points:
    """Finds evaluation points in a growing text.

    A point is the end of a sentence (a terminator followed by white space; for full-width marks and
    line ends, followed by anything) at least `least` characters after the last point, and in any case
    the place `most` characters after it. Work is linear in the text.
    """

    def __init__(self, *, least: int = 48, most: int = 256) -> None:
        if not 0 < least <= most:
            raise ValueError("0 < least <= most")
        self._least = least
        self._most = most
        self._last = 0
        self._seen = 0
        self._before = ""

    def feed(self, text: str) -> list[int]:
        """The points, as absolute positions, that this piece made certain."""
        found: list[int] = []
        before = self._before
        for offset, character in enumerate(text):
            here = self._seen + offset  # the place between `before` and `character`
            distance = here - self._last
            ended = before in WIDE_TERMINATORS or (before in TERMINATORS and character.isspace())
            if here and (distance >= self._most or (distance >= self._least and before and ended)):
                found.append(here)
                self._last = here
            before = character
        self._before = before
        self._seen += len(text)
        return found

    @property
    def seen(self) -> int:
        return self._seen
