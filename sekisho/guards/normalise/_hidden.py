"""Messages written in code points that nobody sees: a layer of text beside the visible one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sekisho.guards.normalise._excerpt import spliced_excerpt
from sekisho.guards.normalise._fold import SUBDIVISION_FLAG, fold_view
from sekisho.guards.normalise._payloads import reads_as_text
from sekisho.guards.normalise._text import (
    Edit,
    Normalised,
    Offsets,
    codes,
    from_codes,
    map_ranges,
    relabelled,
    take,
)

_OVERRIDDEN: Final = re.compile("\u202e[^\u202c\u202d\u202e\u2069\n]*+")
_FEWEST_OCTETS: Final = 3
_ZEROS: Final = (0x200B, 0x200C)
_ONES: Final = (0x200C, 0x200D, 0x2060, 0x2062, 0xFEFF)


def hidden(text: str, *, limit: int) -> Iterator[tuple[Normalised | None, bool]]:
    """The messages in tag characters, variation selectors and zero-width bits of an original text.

    Each view holds the hidden message alone, since it may be strewn between visible letters. With
    each comes whether something was left out to keep it within `limit` code points.
    """
    if text.isascii():
        return
    whole = Normalised(text, text)
    # What an override displays backwards is meant to be read backwards.
    runs = [m for m in _OVERRIDDEN.finditer(text) if len(m.group()) > 1]
    if runs:
        edits = [Edit(m.start(), m.end(), m.group()[::-1], -1) for m in runs]
        turned, cut = spliced_excerpt(whole, edits, limit=limit)
        yield None if turned is None else _named(turned, "bidi"), cut
    points = codes(SUBDIVISION_FLAG.sub(lambda flag: " " * len(flag.group()), text))
    tags = np.flatnonzero((points >= 0xE0020) & (points < 0xE007F)).astype(np.int32)
    if len(tags):
        cut, tags = len(tags) > limit, tags[:limit]
        yield _named(take(whole, from_codes(points[tags] - 0xE0000), tags), "tags"), cut
    low = (points >= 0xFE00) & (points < 0xFE10)
    high = (points >= 0xE0100) & (points < 0xE01F0)
    places = np.flatnonzero(low | high).astype(np.int32)
    cut, places = len(places) > limit, places[:limit]
    if len(places) >= _FEWEST_OCTETS:
        # The sixteen old selectors count as octets 0 to 15, the later ones as 16 to 255.
        values = np.where(low[places], points[places] - 0xFE00, points[places] - 0xE0100 + 16)
        view = _from_octets(whole, values.astype(np.uint8), places, places + 1)
        if view is not None:
            yield _named(view, "variation_selectors"), cut
    for zero in _ZEROS:
        for one in _ONES:
            if one == zero or chr(zero) not in text or chr(one) not in text:
                continue
            places = np.flatnonzero((points == zero) | (points == one)).astype(np.int32)
            cut, places = len(places) > 8 * limit, places[: 8 * limit]
            octets = len(places) // 8
            if octets < _FEWEST_OCTETS:
                continue
            bits = (points[places[: octets * 8]] == one).astype(np.uint8)
            first, last = places[: octets * 8 : 8], places[7 : octets * 8 : 8] + 1
            for values in (np.packbits(bits), np.packbits(1 - bits)):
                view = _from_octets(whole, values, first, last)
                if view is not None:
                    yield _named(view, "zero_width"), cut


def _from_octets(
    whole: Normalised, values: NDArray[np.uint8], first: Offsets, last: Offsets
) -> Normalised | None:
    try:
        text = values.tobytes().decode("utf-8")
    except UnicodeDecodeError:
        return None
    if not reads_as_text(text):
        return None
    # Octets that do not continue a character begin one.
    begins = [*np.flatnonzero((values & 0xC0) != 0x80).tolist(), len(values)]
    starts = first[np.asarray(begins[:-1], dtype=np.intp)]
    ends = np.fromiter((int(last[b - 1]) for _, b in pairwise(begins)), np.int32, len(begins) - 1)
    return map_ranges(whole, text, starts, ends)


def _named(view: Normalised, name: str) -> Normalised:
    return fold_view(relabelled(view, steps=(name,), layer=name))
