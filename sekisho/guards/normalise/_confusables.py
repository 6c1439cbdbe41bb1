"""Look-alike letters: words disguised with letters of other scripts (Unicode UTS #39).

The data is that of the `confusable-homoglyphs` package, read once and on first need.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from importlib import resources
from typing import Final

from sekisho.guards.normalise._characters import SMALL_CAPITALS
from sekisho.guards.normalise._text import Normalised, recoded, with_steps

# Scripts with letters that pass for Latin ones. Nothing of East Asia, India or the Arabic family:
# those cannot be read as Latin words, and their texts should not even be looked at.
_LOOKALIKE: Final = (
    "\u0250-\u02af\u0370-\u03ff\u1f00-\u1fff\u0400-\u052f\u0531-\u0588\u05d0-\u05ea\u10a0-\u10ff\u13a0-\u13fd"
    "\u1400-\u167f\u16a0-\u16ea\u1c80-\u1c88\u1d00-\u1d25\u2c80-\u2cf3\u2d30-\u2d67\ua4d0-\ua4f7\ua640-\ua69d"
    "\ua722-\ua7ff\uab30-\uabbf\U00010280-\U0001031f\U00010400-\U000104ff\U000118a0-\U000118df\U00016f00-\U00016f4a"
)
_PRESENT: Final = re.compile(f"[{_LOOKALIKE}]")
_WORD: Final = re.compile(f"[A-Za-z\u00c0-\u024f{_LOOKALIKE}\u0300-\u036f]+")
_ASCII_LETTER: Final = re.compile("[A-Za-z]")
_GREEK: Final = re.compile("[\u0370-\u03ff\u1f00-\u1fff]")
_CYRILLIC: Final = re.compile("[\u0400-\u052f]")

# UTS #39 folds capital I to small l, and pairs only letters that are all but identical. Readers are
# deceived by less, so words already known to be mixed are read with these as well.
_CAPITALS: Final = {"І": "I", "Ӏ": "I", "Ι": "I", "Ⲓ": "I", "ꓲ": "I", "Ꙇ": "I", "ӏ": "l", "ı": "i"}
_LOOSE: Final = dict(
    zip("квмнтпгзεητκχωβμμθδλѡԍкеуꞵɐɘəɛɔɪɴʀʏʟʜɢʙɡɑ", "kbmhtnrzentkxwbuuodlwgkeybaeeecinrylhgbga", strict=True)
)
_FROM_LATIN: Final = str.maketrans("aceopxyiABCEHKMOPTXy", "асеорхуіАВСЕНКМОРТХу")


@lru_cache(maxsize=1)
def latin_letters() -> dict[str, str]:
    """Non-ASCII letter to the ASCII letter it is confusable with; takes tens of milliseconds once.

    Raises:
        OSError: if the data of `confusable-homoglyphs` is not installed.
    """
    source = resources.files("confusable_homoglyphs").joinpath("confusables.json")
    known: dict[str, list[dict[str, str]]] = json.loads(source.read_text(encoding="utf-8"))
    table: dict[str, str] = {}
    for letter, alike in known.items():
        if len(letter) == 1 and _PRESENT.match(letter) and letter.isalpha():
            for other in alike:
                if len(other["c"]) == 1 and other["c"].isascii() and other["c"].isalpha():
                    table[letter] = other["c"]
                    break
    table.update(_CAPITALS)
    return table


@lru_cache(maxsize=1)
def _loose_letters() -> dict[str, str]:
    return {**_LOOSE, **latin_letters(), **SMALL_CAPITALS}


def plain_letters(view: Normalised) -> Normalised:
    """Replace look-alikes in words that mix scripts, and in foreign-letter words amid Latin text.

    A word of another script is converted only if all of its letters pass for Latin ones, nothing
    else in the text is really written in other scripts, and Latin letters are the majority.
    """
    text = view.text
    if not _PRESENT.search(text) or not _ASCII_LETTER.search(text):
        return view
    strict, loose = latin_letters(), _loose_letters()
    words: list[tuple[int, str]] = []  # where words change, and to what
    candidates: list[tuple[int, str]] = []
    memory: dict[str, str | None] = {}
    honest = latin = foreign = 0
    for match in _WORD.finditer(text):
        word = match.group()
        if word.isascii():
            latin += len(word)
            continue
        if _ASCII_LETTER.search(word):
            if word not in memory:
                memory[word] = _unmixed(word, loose)
            new = memory[word]
            if new is not None:
                words.append((match.start(), new))
                latin += len(word)
            continue
        if honest or not _PRESENT.search(word):
            continue
        if all(map(strict.__contains__, word)) or all(map(SMALL_CAPITALS.__contains__, word)):
            candidates.append((match.start(), word))
            foreign += len(word)
        else:
            honest += 1
    if not honest and latin > foreign:
        mixed = bool(words)
        for start, word in candidates:
            if len(word) >= (3 if _GREEK.search(word) else 2) or (mixed and _CYRILLIC.search(word)):
                small_capitals = all(map(SMALL_CAPITALS.__contains__, word))
                table = SMALL_CAPITALS if small_capitals else strict
                words.append((start, "".join(table[c] for c in word)))
        words.sort()
    if not words:
        return view
    pieces: list[str] = []
    at = 0
    for start, word in words:
        pieces += (text[at:start], word)
        at = start + len(word)
    pieces.append(text[at:])
    return with_steps(recoded(view, "".join(pieces)), "confusables")


def _unmixed(word: str, loose: dict[str, str]) -> str | None:
    others = [c for c in word if not c.isascii() and _PRESENT.match(c)]
    if not others:
        return None
    if len(word) < 3 and not all(map(_CYRILLIC.match, others)):
        return None  # units and formulas: kΩ, μm, hν, Δx
    if all(c in loose for c in others):
        if len(others) == 1 and _GREEK.match(others[0]) and word[0] == others[0] and len(word) < 4:
            return None  # a Greek coefficient before a name: λxy
        return "".join(loose.get(c, c) for c in word)
    if all(_CYRILLIC.match(c) for c in others) and len(others) * 2 >= len(word):
        # The other way round: a Cyrillic word with Latin letters slipped in.
        new = word.translate(_FROM_LATIN)
        return None if _ASCII_LETTER.search(new) else new
    return None
