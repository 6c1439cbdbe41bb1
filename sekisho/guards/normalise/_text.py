"""The value every step of normalisation returns, and the two ways to derive one from another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Normalised:
    """A plain view of a text, with the way back to the original.

    Attributes:
        text: the view, as guards should read it.
        original: the text as it arrived; spans always refer to this one.
        steps: names of the disguises that were found, in the order they were undone.
        layer: "plain" for folded text, otherwise the decoders that were applied, the first
            applied first, joined by ">" ("base64>rot13").
        truncated: true when a budget ended the work early, so that disguises may remain.
    """

    text: str
    original: str
    steps: tuple[str, ...] = ()
    layer: str = "plain"
    truncated: bool = False
    # For each code point of `text`, the half-open range of `original` it came from. None when every
    # code point came from the one in its own place, which is the common case and should cost nothing.
    _starts: Offsets | None = field(default=None, repr=False, compare=False)
    _ends: Offsets | None = field(default=None, repr=False, compare=False)

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Map a span of `text` to the smallest covering span of `original`.

        Args:
            start: first code point of the span in `text`.
            end: one past its last code point.

        Returns:
            Start and end in code points of `original`. An empty span maps to an empty span.

        Raises:
            ValueError: if not 0 <= start <= end <= len(text).
        """
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(f"span ({start}, {end}) is outside a text of {len(self.text)} code points")
        if self._starts is None or self._ends is None:
            return start, end
        if start == end:
            if start < len(self.text):
                at = int(self._starts[start])
            else:
                at = int(self._ends[-1]) if self.text else len(self.original)
            return at, at
        return int(self._starts[start:end].min()), int(self._ends[start:end].max())


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Limits of one call, counted in work and never in time, so that results are reproducible.

    Attributes:
        max_depth: how many decoders may be applied one after another.
        max_variants: how many views may be returned, the folded one included.
        max_chars: code points of derived views that may be built and searched in total. The given
            text itself is always folded and searched in full.
    """

    max_depth: int = 4
    max_variants: int = 16
    max_chars: int = 200_000

    def __post_init__(self) -> None:
        if self.max_depth < 0 or self.max_variants < 1 or self.max_chars < 0:
            raise ValueError("a budget needs max_depth >= 0, max_variants >= 1 and max_chars >= 0")


class Edit(NamedTuple):
    """Replace text[start:end] by `new`.

    With a step of 1 the replacement goes code point by code point, with -1 in reverse order (both
    need len(new) == end - start); with 0 all of `new` maps to the whole replaced run.
    """

    start: int
    end: int
    new: str
    step: int = 0


def splice(parent: Normalised, edits: Sequence[Edit]) -> Normalised:
    """Apply sorted edits that do not overlap to the text of `parent`; keeps its steps and layer."""
    if not edits:
        return parent
    text = parent.text
    pieces: list[str] = []
    at = 0
    for edit in edits:
        pieces.append(text[at : edit.start])
        pieces.append(edit.new)
        at = edit.end
    pieces.append(text[at:])
    starts, ends = _spliced_offsets(len(text), edits)
    return _composed(parent, "".join(pieces), starts, ends)


def take(parent: Normalised, text: str, index: Offsets) -> Normalised:
    """A view `text` whose code point i comes from code point index[i] of `parent`."""
    return _composed(parent, text, index, index + 1)


def recoded(parent: Normalised, text: str) -> Normalised:
    """A view of the same length as `parent`, rewritten code point by code point."""
    return _with_offsets(parent, text, parent._starts, parent._ends)


def map_ranges(parent: Normalised, text: str, starts: Offsets, ends: Offsets) -> Normalised:
    """A view `text` whose code point i comes from parent.text[starts[i]:ends[i]]."""
    return _composed(parent, text, starts, ends)


def relabelled(
    view: Normalised,
    *,
    steps: tuple[str, ...] | None = None,
    layer: str | None = None,
    truncated: bool | None = None,
) -> Normalised:
    """`view` with other labels."""
    return Normalised(
        view.text,
        view.original,
        view.steps if steps is None else steps,
        view.layer if layer is None else layer,
        view.truncated if truncated is None else truncated,
        view._starts,
        view._ends,
    )


def with_steps(view: Normalised, *names: str) -> Normalised:
    """`view` with step names added, each at most once."""
    fresh = tuple(name for name in names if name not in view.steps)
    return relabelled(view, steps=view.steps + fresh) if fresh else view


def codes(text: str) -> NDArray[np.uint32]:
    """The code points of a text; lone surrogates pass."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def from_codes(points: NDArray[np.uint32]) -> str:
    """The inverse of `codes`."""
    return points.astype("<u4").tobytes().decode("utf-32-le", "surrogatepass")


def _spliced_offsets(length: int, edits: Sequence[Edit]) -> tuple[Offsets, Offsets]:
    # Segments alternate between kept text and replacement, so all offsets come from one repeat
    # over segments; nothing here loops over code points.
    count = len(edits)
    begin = np.fromiter((e.start for e in edits), np.int32, count)
    finish = np.fromiter((e.end for e in edits), np.int32, count)
    size = np.fromiter((len(e.new) for e in edits), np.int32, count)
    step = np.ones(2 * count + 1, np.int32)
    step[1::2] = np.fromiter((e.step for e in edits), np.int32, count)
    base = np.zeros(2 * count + 1, np.int32)
    base[2::2] = finish
    base[1::2] = np.where(step[1::2] < 0, finish - 1, begin)
    stop = np.zeros(2 * count + 1, np.int32)
    stop[1::2] = finish
    lengths = np.empty(2 * count + 1, np.int32)
    lengths[1::2] = size
    lengths[0] = begin[0]
    lengths[2:-1:2] = begin[1:] - finish[:-1]
    lengths[-1] = length - finish[-1]
    first = np.cumsum(lengths, dtype=np.int32) - lengths
    within = np.arange(int(lengths.sum()), dtype=np.int32) - np.repeat(first, lengths)
    steps = np.repeat(step, lengths)
    starts = (np.repeat(base, lengths) + steps * within).astype(np.int32)
    ends = np.where(steps != 0, starts + 1, np.repeat(stop, lengths)).astype(np.int32)
    return starts, ends


def _composed(parent: Normalised, text: str, starts: Offsets, ends: Offsets) -> Normalised:
    if parent._starts is None or parent._ends is None or not len(starts):
        return _with_offsets(parent, text, starts, ends)
    low, high = parent._starts[starts], parent._ends[ends - 1]
    wide = np.flatnonzero(ends - starts > 1)
    if len(wide) and not _is_monotone(parent._starts, parent._ends):
        # After a reversal the extremes of a run may lie inside it. All code points of one
        # replacement share their run, so each run is measured once.
        measured: dict[tuple[int, int], tuple[int, int]] = {}
        for i in wide.tolist():
            key = (int(starts[i]), int(ends[i]))
            if key not in measured:
                run = slice(*key)
                measured[key] = int(parent._starts[run].min()), int(parent._ends[run].max())
            low[i], high[i] = measured[key]
    return _with_offsets(parent, text, low, high)


def _with_offsets(parent: Normalised, text: str, starts: Offsets | None, ends: Offsets | None) -> Normalised:
    """`parent` with another text and its offsets into the original."""
    return Normalised(text, parent.original, parent.steps, parent.layer, parent.truncated, starts, ends)


def _is_monotone(starts: Offsets, ends: Offsets) -> bool:
    return bool((np.diff(starts) >= 0).all() and (np.diff(ends) >= 0).all())
