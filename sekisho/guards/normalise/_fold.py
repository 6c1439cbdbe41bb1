"""Canonical folding: undo what makes one text look like another without changing what it says."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sekisho.guards.normalise import _characters as chars
from sekisho.guards.normalise._confusables import plain_letters
from sekisho.guards.normalise._escapes import unescape
from sekisho.guards.normalise._text import (
    Edit,
    Normalised,
    codes,
    from_codes,
    map_ranges,
    recoded,
    relabelled,
    splice,
    take,
    with_steps,
)

# A round can uncover work for the next one (an entity that spells a wide letter that spells an
# entity). Real text settles after one; the limit bounds what a hostile text can ask for.
_ROUNDS: Final = 6
_MOST_MARKS: Final = 8  # no orthography stacks more on one base; also bounds reordering, which is quadratic

_ORDINARY: Final = re.compile(r"[\t\n\r\x20-\x7e]*")
_EAST_ASIAN: Final = re.compile(
    "[\u3041-\u3096\u30a1-\u30fa\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3\uff66-\uff9d]"
)
_PAIR: Final = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_INDICATORS: Final = re.compile("[\U0001f1e6-\U0001f1ff]+")
_SQUARED: Final = re.compile("(?:[\U0001f170-\U0001f189]\ufe0f?)+")
_INDICATOR_LETTERS: Final = {0x1F1E6 + i: chr(0x41 + i) for i in range(26)}
_SQUARED_LETTERS: Final = {**{0x1F170 + i: chr(0x41 + i) for i in range(26)}, 0xFE0F: None}
SUBDIVISION_FLAG: Final = re.compile(
    "\U0001f3f4(?:"
    + "|".join("".join(chr(0xE0000 + ord(c)) for c in name) for name in ("gbeng", "gbsct", "gbwls"))
    + ")\U000e007f"
)
_KINDS: Final[tuple[tuple[str, tuple[tuple[int, int], ...]], ...]] = (
    ("tags", (chars.TAGS,)),
    ("variation_selectors", (*chars.SELECTORS, (0x180B, 0x180E))),
    ("bidi", ((0x61C, 0x61D), (0x200E, 0x2010), (0x202A, 0x202F), (0x2066, 0x206A))),
    ("soft_hyphen", ((0xAD, 0xAE),)),
    ("control", ((0, 0x20), (0x7F, 0xA0))),
)


def fold(text: str) -> Normalised:
    """Fold a text to its canonical form; folding the result again changes nothing.

    Compatibility forms become ordinary letters; invisible characters, stacked marks and controls
    go; entities and escapes are resolved; look-alike letters of other scripts become the letters
    they imitate. Text that is honestly written in any script stays as it is.

    Args:
        text: any string, lone surrogates and NULs included.

    Returns:
        The folded view. `truncated` is set when nested disguises were left after the last round.
    """
    return fold_view(Normalised(text, text))


def fold_view(view: Normalised) -> Normalised:
    """`fold` for a view that was already derived from some original."""
    if _ORDINARY.fullmatch(view.text) and "&" not in view.text and "\\" not in view.text:
        return view
    for _ in range(_ROUNDS):
        before = view.text
        view = _round(view)
        if view.text == before:
            return view
    return relabelled(view, truncated=True)


def _round(view: Normalised) -> Normalised:
    view = unescape(view)
    if view.text.isascii() and _ORDINARY.fullmatch(view.text):
        return view
    if _PAIR.search(view.text):
        view = _joined_pairs(view)
    points = codes(view.text)
    kinds = chars.class_table()[points]
    present = int(np.bitwise_or.reduce(kinds)) if len(kinds) else 0
    if present & chars.INVISIBLE:
        view = _without_invisible(view, points, kinds)
    if present & chars.PICTURE:
        view = _letters_from_pictures(view)
    if present & chars.COMPATIBLE:
        view = _substituted(view)
    if present & (chars.MARK | chars.ATTACHES | chars.COMPATIBLE):
        view = _composed(_without_zalgo(view))
    return plain_letters(view)


def _joined_pairs(view: Normalised) -> Normalised:
    points = codes(view.text)
    high = (points >= 0xD800) & (points < 0xDC00)
    low = (points >= 0xDC00) & (points < 0xE000)
    paired = np.append(high[:-1] & low[1:], [False])  # first halves of pairs
    index = np.flatnonzero(~np.append([False], paired[:-1])).astype(np.int32)
    text = view.text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    return with_steps(map_ranges(view, text, index, index + 1 + paired[index]), "surrogates")


def _without_invisible(view: Normalised, points: NDArray[np.uint32], kinds: NDArray[np.uint8]) -> Normalised:
    drop = (kinds & chars.INVISIBLE) != 0
    drop &= (points != 9) & (points != 10) & (points != 13)
    # Separators that are also controls become line breaks later on; they part words.
    drop &= (kinds & chars.COMPATIBLE) == 0
    before = np.concatenate(([0], kinds[:-1]))
    after = np.concatenate((kinds[1:], [0]))
    previous = np.concatenate(([0], points[:-1])).astype(np.uint32)
    selector = (points == 0xFE0F) | (points == 0xFE0E)
    picture_before = (before & chars.PICTURE) != 0
    digit = (previous >= 0x20) & (previous < 0x40)
    keycap = np.concatenate((points[1:], [0])) == 0x20E3
    keep = selector & picture_before & (~digit | keycap)
    joiner = points == chars.ZWJ
    selected = np.concatenate(([False], keep[:-1]))
    keep |= joiner & ((picture_before & ~digit) | selected) & ((after & chars.PICTURE) != 0)
    spelling = joiner | (points == chars.ZWNJ)
    keep |= spelling & ((before & chars.JOINING) != 0) & ((after & chars.JOINING) != 0)
    if "\U0001f3f4" in view.text:
        for flag in SUBDIVISION_FLAG.finditer(view.text):
            keep[flag.start() : flag.end()] = True
    drop &= ~keep
    if not drop.any():
        return view
    gone = points[drop]
    names = []
    rest = np.ones(len(gone), np.bool_)
    for name, ranges in _KINDS:
        mine = np.zeros(len(gone), np.bool_)
        for low, high in ranges:
            mine |= (gone >= low) & (gone < high)
        if mine.any():
            names.append(name)
            rest &= ~mine
    if rest.any():
        names.append("zero_width")
    index = np.flatnonzero(~drop).astype(np.int32)
    return with_steps(take(view, from_codes(points[index]), index), *names)


def _letters_from_pictures(view: Normalised) -> Normalised:
    text = _INDICATORS.sub(_spelt, view.text)
    if "\ufe0f" not in text:
        text = _SQUARED.sub(_unsquared, text)
    if text != view.text:
        view = with_steps(recoded(view, text), "enclosed")
    edits = [
        Edit(run.start(), run.end(), letters)
        for run in (_SQUARED.finditer(text) if "\ufe0f" in text else ())
        if (letters := _unsquared(run)) != run.group()
    ]
    return with_steps(splice(view, edits), "enclosed") if edits else view


def _spelt(run: re.Match[str]) -> str:
    letters = run.group().translate(_INDICATOR_LETTERS)
    flags = all(letters[i : i + 2] in chars.FLAGS for i in range(0, len(letters), 2))
    return run.group() if flags else letters


def _unsquared(run: re.Match[str]) -> str:
    letters = run.group().translate(_SQUARED_LETTERS)
    beside = run.string[max(run.start() - 1, 0) : run.start()] + run.string[run.end() : run.end() + 1]
    # One alone is a blood type or a parking sign.
    return letters if len(letters) > 1 or beside.isalnum() else run.group()


def _substituted(view: Normalised) -> Normalised:
    table = chars.substitutions()
    text = view.text
    wide_stays = _EAST_ASIAN.search(text) is not None
    if wide_stays:
        pieces = [c if c in chars.WIDE_PUNCTUATION else table.get(c, c) for c in text]
    else:
        pieces = list(map(table.get, text, text))
    folded = "".join(pieces)
    if folded == text:
        return view
    name = "surrogates" if any("\ud800" <= c <= "\udfff" for c in text) else "compatibility"
    if len(folded) == len(text) and max(map(len, pieces)) == 1:
        return with_steps(recoded(view, folded), name)
    sizes = np.fromiter(map(len, pieces), np.int32, len(pieces))
    return with_steps(take(view, folded, np.repeat(np.arange(len(text), dtype=np.int32), sizes)), name)


def _without_zalgo(view: Normalised) -> Normalised:
    points = codes(view.text)
    kinds = chars.class_table()[points]
    mark = (kinds & chars.MARK) != 0
    if not mark.any():
        return view
    place = np.arange(len(points))
    base_at = np.maximum.accumulate(np.where(mark, -1, place))
    depth = np.where(mark, place - base_at, 0)
    base = np.where(base_at >= 0, points[np.maximum(base_at, 0)], 0)
    ascii_letter = ((base | 0x20) >= 0x61) & ((base | 0x20) <= 0x7A)
    latin = ascii_letter | ((base >= 0xC0) & (base < 0x250)) | ((base >= 0x1E00) & (base < 0x1F00))
    generic = (kinds & chars.GENERIC) != 0
    overlay = (((kinds & chars.OVERLAY) != 0) | (points == 0x20E3)) & (
        latin | ((base >= 0x250) & _letters(base))
    )
    foreign = mark & ~generic & ascii_letter & ((kinds & chars.INVISIBLE) == 0)
    east_asian = ((base >= 0x3041) & (base < 0xA000)) | ((base >= 0xAC00) & (base < 0xD7A4))
    foreign |= generic & east_asian
    deep = generic & ((depth > 3) | (latin & (depth > 2)))
    drop = overlay | foreign | (mark & (depth > _MOST_MARKS))
    if deep.any():
        stacked = np.zeros(len(points) + 1, np.bool_)
        stacked[base_at[deep]] = True
        # Once a text is known to be zalgo, its thinner stacks are decoration too.
        drop |= generic & (stacked[base_at] | ascii_letter)
    if not drop.any():
        return view
    index = np.flatnonzero(~drop).astype(np.int32)
    return with_steps(take(view, from_codes(points[index]), index), "zalgo")


def _letters(base: NDArray[np.uint32]) -> NDArray[np.bool_]:
    distinct, where = np.unique(base, return_inverse=True)
    known = np.fromiter((chr(int(p)).isalpha() for p in distinct), np.bool_, len(distinct))
    return known[where]


def _composed(view: Normalised) -> Normalised:
    text = view.text
    if unicodedata.is_normalized("NFC", text):
        return view
    folded = unicodedata.normalize("NFC", text)
    table = chars.class_table()
    here = _cluster_starts(table[codes(text)])
    there = _cluster_starts(table[codes(folded)])
    if len(here) != len(there):  # never seen; a coarse answer is still a correct one
        whole = np.zeros(len(folded), np.int32)
        return with_steps(map_ranges(view, folded, whole, whole + len(text)), "compatibility")
    here_end = np.append(here[1:], len(text))
    there_end = np.append(there[1:], len(folded))
    sizes = there_end - there
    same = np.repeat(sizes == here_end - here, sizes)
    within = np.arange(len(folded)) - np.repeat(there, sizes)
    starts = np.repeat(here, sizes) + np.where(same, within, 0)
    ends = np.where(same, starts + 1, np.repeat(here_end, sizes))
    # Composition is no disguise: text in decomposed form is as honest as any, so it leaves no step.
    return map_ranges(view, folded, starts.astype(np.int32), ends.astype(np.int32))


def _cluster_starts(kinds: NDArray[np.uint8]) -> NDArray[np.int64]:
    start = (kinds & chars.ATTACHES) == 0
    if len(start):
        start[0] = True
    return np.flatnonzero(start)
