"""ROT13 and reversed text: found where reading it that way is clearly more like language."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from string import ascii_lowercase
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sekisho.guards.normalise._language import (
    BACKWARDS,
    EAST_ASIAN_FORWARD,
    WORDS,
    is_known,
    is_language,
    letter_codes,
    pair_bits,
)
from sekisho.guards.normalise._text import Edit

_WORD: Final = re.compile(r"[A-Za-z]+")
_LINE: Final = re.compile(r"[^\n]+")
_BACKWARD: Final = re.compile(BACKWARDS)
_FORWARD: Final = re.compile("|".join(EAST_ASIAN_FORWARD))
_ROT13: Final = np.array([0, *((i + 13) % 26 + 1 for i in range(26))], dtype=np.intp)
_KNOWN: Final = 2.5  # bits for a known word, on either side
_TURN: Final = str.maketrans(ascii_lowercase, ascii_lowercase[13:] + ascii_lowercase[:13])
_DROP: Final = 9.0  # bits of plain language that end a run
_ENOUGH: Final = 14.0  # bits by which a run must win: one in sixteen thousand
# Bits of letter pairs in one stretch that make it worth looking at words. A long text has some such stretch by
# chance (half of them 13, one in a hundred 26), and a cipher in it is longer than a word.
_WORTH_SHORT: Final = 6.0
_WORTH_LONG: Final = 24.0
_SHORT: Final = 400
_FEWEST_LETTERS: Final = 8
_AROUND: Final = 200
"""Characters on either side of a stretch whose words are judged with it: names and rare words at its ends."""


def ciphers(text: str) -> Iterator[tuple[str, list[Edit]]]:
    """For each cipher with something to show: its name and the edits that undo it."""
    lines = _backward_lines(text)
    if lines:
        yield "reverse", lines
    row = np.zeros(len(text) + 2, np.intp)
    row[1:-1] = letter_codes(text)
    turned = _ROT13[row]
    # Rows of one table: ROT13, reversed, both; each less the plain reading. Three at once, because for ordinary
    # texts, which end a few lines below, what counts is the number of calls.
    bits = pair_bits().ravel()[
        27 * np.stack((turned[:-1], row[1:], turned[1:], row[:-1]))
        + np.stack((turned[1:], row[:-1], turned[:-1], row[1:]))
    ]
    gains = bits[:3] - bits[3]
    total = np.cumsum(gains, axis=1, dtype=np.float64)
    # Ordinary text ends here: no stretch of it reads better otherwise, going by letter pairs alone.
    worth = _WORTH_SHORT if len(text) <= _SHORT else _WORTH_LONG
    risen = (total - np.minimum(np.minimum.accumulate(total, axis=1), 0.0)).max(axis=1)
    for name, gain, most in zip(("rot13", "reverse", "rot13>reverse"), gains, risen.tolist(), strict=True):
        if most < worth:
            continue
        found: dict[str, list[Edit]] = {}
        for first, last in _stretches(gain, worth):
            for reading, edits in _read_otherwise(text, name, gain, first, last):
                found.setdefault(reading, []).extend(edits)
        yield from found.items()


def _read_otherwise(
    text: str, name: str, bits: NDArray[np.float32], first: int, last: int
) -> Iterator[tuple[str, list[Edit]]]:
    """The cipher's edits in one stretch of the text, judged by its words; nothing if they say nothing."""
    words = list(_WORD.finditer(text, first, last))
    if not words:
        return
    begin = np.fromiter((m.start() for m in words), np.int64, len(words))
    finish = np.fromiter((m.end() for m in words), np.int64, len(words))
    lower = [m.group().lower() for m in words]
    known = np.fromiter((w in WORDS for w in lower), np.bool_, len(words))
    read = [w.translate(_TURN) for w in lower] if name.startswith("rot13") else lower
    read = [w[::-1] for w in read] if name.endswith("reverse") else read
    found = np.fromiter((w in WORDS for w in read), np.bool_, len(words))
    gain = _per_word(bits, begin, finish) + _KNOWN * (found.astype(np.float64) - known)
    runs = []
    for start, end in _best_runs(gain.tolist()):
        run = slice(start, end)
        if _is_said(read[run]) and 2 * known[run].sum() <= found[run].sum():
            runs.append((start, end))
    if not runs:
        return
    spans = _widened(text, [(words[a].start(), words[b - 1].end()) for a, b in runs])
    if name == "rot13":
        yield name, [_rot13(text, start, end) for start, end in spans]
        return
    spans = [_with_signs(text, start, end) for start, end in spans]
    turn = name.startswith("rot13")
    yield name, [_reversed(text, start, end, turn=turn) for start, end in spans]
    # Reversed by word, the words themselves are in order; letter pairs cannot tell the two apart.
    if any(b - a > 1 for a, b in runs):
        singles = [words[i] for a, b in runs for i in range(a, b)]
        yield name + "_words", [_reversed(text, m.start(), m.end(), turn=turn) for m in singles]


def _stretches(gain: NDArray[np.float32], worth: float) -> list[tuple[int, int]]:
    """Ranges of code points around the stretches that gain at least `worth`, in order and apart."""
    total = np.cumsum(np.concatenate(([0.0], gain)), dtype=np.float64)
    lowest = np.minimum.accumulate(total)
    (ends,) = np.nonzero(total - lowest >= worth)
    if not len(ends):
        return []
    place = np.arange(len(total))
    began = np.maximum.accumulate(np.where(total <= lowest, place, 0))[ends]
    found: list[tuple[int, int]] = []
    for start in np.unique(began).tolist():
        first, last = max(0, start - _AROUND), int(ends[began == start].max()) + _AROUND
        if found and first <= found[-1][1]:
            found[-1] = (found[-1][0], last)
        else:
            found.append((first, last))
    return found


def _is_said(words: list[str]) -> bool:
    # Letter pairs alone would also pass code and names, whose letters are unlike English either way.
    known = {word for word in words if len(word) > 2 and is_known(word)}
    count = sum(1 for word in words if len(word) > 1 and is_known(word))
    return (
        sum(map(len, words)) >= _FEWEST_LETTERS
        and len(known) >= min(2, len(words))
        and count >= 0.3 * len(words)
        and is_language(" ".join(words))
    )


def _widened(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Each span, or its whole line where it is most of it: names and rare words belong to the cipher too."""
    wide: list[tuple[int, int]] = []
    for start, end in spans:
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", end)
        last = len(text) if last < 0 else last
        line = text[first:last]
        most = "\n" not in text[start:end] and 2 * (end - start) >= len(line)
        span = (first, last) if most else (start, end)
        if not wide or span[0] >= wide[-1][1]:
            wide.append(span)
    return wide


def _rot13(text: str, start: int, end: int) -> Edit:
    return Edit(start, end, codecs.encode(text[start:end], "rot13"), 1)


def _reversed(text: str, start: int, end: int, *, turn: bool) -> Edit:
    new = text[start:end][::-1]
    return Edit(start, end, codecs.encode(new, "rot13") if turn else new, -1)


def _with_signs(text: str, start: int, end: int) -> tuple[int, int]:
    """A run with the punctuation attached to it, which a reversal has moved along."""
    while start and not (text[start - 1].isspace() or text[start - 1].isalnum()):
        start -= 1
    while end < len(text) and not (text[end].isspace() or text[end].isalnum()):
        end += 1
    return start, end


def _backward_lines(text: str) -> list[Edit]:
    """Lines of Japanese, Chinese or Korean with more common sequences backwards than forwards."""
    edits = []
    for match in _LINE.finditer(text) if _BACKWARD.search(text) else ():
        line = match.group()
        back = len(_BACKWARD.findall(line))
        if back > 2 * len(_FORWARD.findall(line)) and back * 40 >= len(line):
            edits.append(Edit(match.start(), match.end(), line[::-1], -1))
    return edits


def _per_word(
    bits: NDArray[np.float32], begin: NDArray[np.int64], finish: NDArray[np.int64]
) -> NDArray[np.float64]:
    # bits[i] belongs to the pair that ends before code point i, so a word owns one more than its letters.
    total = np.concatenate(([0.0], np.cumsum(bits, dtype=np.float64)))
    result: NDArray[np.float64] = total[finish + 1] - total[begin]
    return result


def _best_runs(gain: list[float]) -> Iterator[tuple[int, int]]:
    """Disjoint runs of words whose gain adds up, each ended where it has clearly dropped again."""
    total = best = 0.0
    first = last = 0
    for i, value in enumerate(gain):
        if total <= 0.0:
            total, best, first, last = 0.0, 0.0, i, i
        total += value
        if total > best:
            best, last = total, i + 1
        elif total < best - _DROP or total <= 0.0:
            if best >= _ENOUGH:
                yield first, last
            total = best = 0.0
    if best >= _ENOUGH:
        yield first, last
