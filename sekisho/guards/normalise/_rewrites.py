"""Disguises of spelling: leetspeak, letters spaced apart, and superfluous accents."""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections import Counter
from typing import Final

from sekisho.guards.normalise._language import LEXICON, is_known, is_language, is_wordlike, word_bits
from sekisho.guards.normalise._text import Edit, Normalised, splice

_LEET: Final = {"0": "o", "1": "il", "2": "z", "3": "e", "4": "a", "5": "s", "6": "gb", "7": "t", "8": "b",
                "9": "g", "@": "a", "$": "s", "!": "i", "|": "li", "+": "t", "€": "e"}  # fmt: skip
# Tokens with a digit or sign in them. The look-behind keeps a long word from being tried at each of its letters.
_TOKEN: Final = re.compile(r"(?<![A-Za-z0-9@$!|+€])[A-Za-z]*+[0-9@$!|+€][A-Za-z0-9@$!|+€]*+")
_LONE: Final = re.compile(r"(?<![\w.,'/:%-])[14](?![\w.,:/%-])")
_ENDING: Final = re.compile(r"(?<=\w)'([57])(?!\w)")
_ENDS_ONLY: Final = re.compile(r"[A-Za-z]+[0-9+!$|]+|[0-9$@+|!]+[A-Za-z]{1,2}")
_NUMERONYM: Final = re.compile(r"[A-Za-z][0-9]+[A-Za-z]")  # i18n, l10n, k8s
_LEADING: Final = re.compile(r"[^A-Za-z][A-Za-z]+")
_SIGN: Final = re.compile(r"[@$|+€]")
_LONGEST: Final = 32  # longer tokens are keys, hashes and data

_SEPARATORS: Final = r"[ \t._*·•‧|/~+,:-]"
_SPACED: Final = re.compile(
    rf"(?<![A-Za-z0-9])[A-Za-z0-9@$](?:{_SEPARATORS}{{1,6}}+[A-Za-z0-9@$](?![A-Za-z0-9@$])){{2,}}+"
)
_GAP: Final = re.compile(rf"{_SEPARATORS}+")
_CJK: Final = "\u3041-\u3096\u30a1-\u30fa\u30fc\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7a3"
_SPACED_CJK: Final = re.compile(
    rf"(?<![{_CJK}])[{_CJK}](?:[ \u3000._*·•・/|,、-]{{1,3}}+[{_CJK}](?![{_CJK}])){{3,}}+"
)
_CJK_GAP: Final = re.compile(rf"[^{_CJK}]+")


def leet(text: str) -> list[Edit]:
    """Words with digits or signs for letters; none unless some word clearly is such a word."""
    proof = 0.0
    edits: list[Edit] = []
    guesses: list[Edit] = []
    memory: dict[str, tuple[str | None, float]] = {}
    for match in _TOKEN.finditer(text):
        token = match.group()
        if len(token) > _LONGEST:
            continue
        body = token.rstrip("!|+")
        if len(body) < 2 or body.isalpha() or _in_identifier(text, match.start(), match.start() + len(body)):
            continue
        if body not in memory:
            memory[body] = _unleet(body)
        new, sure = memory[body]
        if new is not None:
            proof += sure
            edits.append(Edit(match.start(), match.start() + len(body), new, 1))
        elif len(body) > 2:
            guesses.append(Edit(match.start(), match.start() + len(body), _likeliest(body), 1))
    if proof < 1.0:
        return []
    # Once it is leetspeak, words that we do not know are too; a lone 1 is the pronoun, a lone 4 the article,
    # and a digit behind an apostrophe an ending.
    edits += guesses
    edits += [Edit(m.start(), m.end(), {"1": "I", "4": "a"}[m.group()], 1) for m in _LONE.finditer(text)]
    edits += [Edit(m.start(1), m.end(1), _LEET[m.group(1)][0], 1) for m in _ENDING.finditer(text)]
    apart: list[Edit] = []
    for edit in sorted(edits):
        if not apart or edit.start >= apart[-1].end:
            apart.append(edit)
    return apart


def _unleet(body: str) -> tuple[str | None, float]:
    """The likeliest reading of a token, and how far it proves leetspeak: 1.0 is enough by itself."""
    new = _likeliest(body)
    lower = new.lower()
    if not new.isalpha() or not is_wordlike(lower):
        return None, 0.0
    known = is_known(lower)
    letters = sum(map(str.isalpha, body))
    signs = len(body) - letters
    # Mentions, variables, tables, sums and addresses; and what is hardly a word at all.
    if not known and (letters < 2 or _SIGN.search(body) or _LEADING.fullmatch(body)):
        return None, 0.0
    if _NUMERONYM.fullmatch(body) and signs > 1:
        return new, 0.0
    if _ENDS_ONLY.fullmatch(body) or not letters:
        return new, 1.0 if known and letters and signs >= 3 and len(new) >= 5 else 0.0
    if known and len(new) >= 3:
        return new, 1.0 if len(new) >= 4 else 0.5
    if len(new) < 5 or signs * 2 > len(body):
        return new, 0.0
    if signs == 1:
        return new, 0.25 if word_bits(lower) >= 1.5 * len(new) else 0.0
    return new, 0.5 if word_bits(lower) >= 1.1 * len(new) else 0.0


def _likeliest(body: str) -> str:
    """Of the first few readings a known word, or else the one whose letter pairs are most English."""
    readings = itertools.islice(itertools.product(*(_LEET.get(c, c) for c in body)), 16)
    words = ("".join(letters) for letters in readings)
    return max(words, key=lambda word: (is_known(word.lower()), word_bits(word.lower())))


def _in_identifier(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    if (before and before in "/_=&%#\\.~:") or (after and after in "/_=&%#\\~@([{"):
        return True
    return after in (".", ":") and text[end + 1 : end + 2].isalnum()


def spaced(text: str) -> list[Edit]:
    """Letters set apart by spaces or signs, where joining them gives words."""
    edits: list[Edit] = []
    for match in _SPACED.finditer(text):
        edits.extend(_joined(match.group(), match.start()))
    for match in _SPACED_CJK.finditer(text):
        gaps = list(_CJK_GAP.finditer(match.group()))
        wide = _wide(gaps)
        for gap, word in zip(gaps, wide, strict=True):
            at = match.start()
            edits.append(Edit(at + gap.start(), at + gap.end(), " " if word else ""))
    return sorted(edits)


def _joined(run: str, offset: int) -> list[Edit]:
    gaps = list(_GAP.finditer(run))
    letters = _GAP.sub("", run)
    # Rows of numbers; and lists of variables, which have to prove more.
    if sum(map(str.isalpha, letters)) < 0.5 * len(letters):
        return []
    wide = _wide(gaps)
    words = _split(letters, [i + 1 for i, gap in enumerate(wide) if gap])
    # All letters at one distance may be many words; then their borders have to be guessed.
    cuts = _segmented(_plain(letters).lower()) if len(words) == 1 and len(letters) > 4 else None
    listed = any(sign in run for sign in ",+:")
    readable = sum(len(w) for w in words if _readable(w) and (not listed or is_known(w.lower())))
    if cuts is None and readable >= 0.6 * len(letters):
        return [
            Edit(offset + g.start(), offset + g.end(), " " if gap else "")
            for g, gap in zip(gaps, wide, strict=True)
        ]
    if cuts is None:
        return []
    return [
        Edit(offset + g.start(), offset + g.end(), " " if i + 1 in cuts else "") for i, g in enumerate(gaps)
    ]


def _wide(gaps: list[re.Match[str]]) -> list[bool]:
    """Which gaps between letters are gaps between words: wider than the rest, or blank amid signs."""
    counts = Counter(gap.group() for gap in gaps)
    usual = max(counts, key=lambda s: (counts[s], -len(s), s))
    return [len(g.group()) > len(usual) or (g.group().isspace() and not usual.isspace()) for g in gaps]


def _plain(word: str) -> str:
    return "".join(_LEET.get(c, c)[0] for c in word)


def _readable(word: str) -> bool:
    return len(word) > 2 and is_wordlike(_plain(word)) and (len(word) > 3 or word.lower() in LEXICON)


def _split(letters: str, cuts: list[int]) -> list[str]:
    return [letters[a:b] for a, b in itertools.pairwise([0, *cuts, len(letters)])]


def _segmented(letters: str) -> frozenset[int] | None:
    """Where words begin in letters without spaces; None unless nearly all of them are known words."""
    if not 4 <= len(letters) <= 2000:
        return None
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(letters) + 1):
        options = [(best[end - 1][0] - 3.0, end - 1)]
        for start in range(max(0, end - 14), end):
            word = letters[start:end]
            if word in LEXICON:
                options.append((best[start][0] + len(word) - 1.5, start))
        best.append(max(options))
    if best[-1][0] < 0.35 * len(letters):
        return None
    cuts, at = set(), len(letters)
    while at:
        previous = best[at][1]
        # Neighbouring unknown letters stay together.
        if letters[previous:at] in LEXICON or (previous and letters[best[previous][1] : previous] in LEXICON):
            cuts.add(previous)
        at = previous
    return frozenset(cuts)


def accents(text: str) -> list[Edit]:
    """Accents on so many letters that they cannot be spelling, over what is otherwise English."""
    edits = []
    for at, letter in enumerate(text):
        if "\u0300" <= letter <= "\u036f":
            edits.append(Edit(at, at + 1, ""))
        elif "\u00c0" <= letter < "\u1f00" and (base := unicodedata.normalize("NFD", letter)[0]) != letter:
            edits.append(Edit(at, at + 1, base, 1))
    if len(edits) < 4 or len(edits) < 0.25 * sum(map(str.isalpha, text)):
        return []
    plain = splice(Normalised(text, text), edits).text
    return edits if is_language(plain) else []
