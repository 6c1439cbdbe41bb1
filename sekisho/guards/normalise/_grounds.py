"""One linear pass that says whether there is anything to undo at all, and what."""

from __future__ import annotations

import codecs
from functools import lru_cache
from typing import Any, Final

import numpy as np
import re2

from sekisho.guards.normalise._language import BACKWARDS, FUNCTION_WORDS, LEXICON, pair_bits

_EAST_ASIAN: Final = r"\x{3041}-\x{3096}\x{30a1}-\x{30fa}\x{3400}-\x{4dbf}\x{4e00}-\x{9fff}\x{ac00}-\x{d7a3}"
_WIDE: Final = "！＂＇（），－．／：；？［］｛｝～＆％＋＝＠＃＊＜＞｜＿\u3000"
_CJK_SIGNS: Final = r"\x{3001}-\x{3003}\x{3005}-\x{3030}\x{303d}\x{30fb}-\x{30fe}"
# Letters with accents and everyday signs and pictures that folding leaves alone.
_LATIN: Final = (
    r"\x{a1}-\x{a7}\x{a9}-\x{ac}\x{ae}-\x{b3}\x{b4}\x{b6}-\x{131}\x{134}-\x{13e}\x{141}-\x{148}\x{14a}-\x{17e}"
    r"\x{1e00}-\x{1e99}\x{1ea0}-\x{1ef9}"
)
_SIGNS: Final = r"\x{2010}\x{2013}-\x{2016}\x{2018}-\x{2022}\x{2026}\x{2030}\x{20a0}-\x{20bf}\x{2122}" \
                r"\x{2190}-\x{21ff}\x{2260}-\x{2265}\x{2500}-\x{27bf}"  # fmt: skip
_PICTURES: Final = r"\x{1f300}-\x{1f64f}\x{1f680}-\x{1f6ff}\x{1f900}-\x{1f9ff}\x{1fa70}-\x{1faff}"
_SAFE: Final = rf"\t\n\r\x20-\x7e{_EAST_ASIAN}{_CJK_SIGNS}{_LATIN}{_SIGNS}{_PICTURES}"

_DOTS: Final = r"[.…‥·•∙⋅−–—_‐-]"
_APART: Final = r"[ \t._*·•‧|/~+,:-]"
_B64: Final = "[A-Za-z0-9+/_-]"
_MIX: Final = "[a-z][A-Z0-9]"
_ONE: Final = "[A-Za-z0-9@$]"
_RARE_PAIRS: Final = 4  # letter pairs no common English word has, before the ciphers are considered


def _rare_pairs() -> str:
    bits = pair_bits()
    parts = []
    for first in range(1, 27):
        rare = [chr(0x60 + i) for i in range(1, 27) if bits[first, i] <= np.sort(bits[first, 1:])[0] + 1e-6]
        if rare:
            parts.append(chr(0x60 + first) + "[" + "".join(rare) + "]")
    return "(?:" + "|".join(parts) + ")"


def _cipher_words() -> str:
    words = [w for w in FUNCTION_WORDS.split() if len(w) > 1]
    read = {codecs.encode(w, "rot13") for w in words} | {w[::-1] for w in words}
    read |= {codecs.encode(w, "rot13")[::-1] for w in words}
    return "|".join(sorted(w for w in read - LEXICON if len(w) > 2))


def _patterns() -> tuple[tuple[str, str], ...]:
    rare = _rare_pairs()
    return (
        (
            "fold",
            rf"[^{_SAFE}{_WIDE}]|&(?:#[0-9xX]|[A-Za-z][A-Za-z0-9]*;)|\\(?:u\{{?[0-9a-fA-F]|U0|x[0-9a-fA-F])",
        ),
        ("fold", rf"\A[^{_EAST_ASIAN}]*[{_WIDE}][^{_EAST_ASIAN}]*\z"),
        # Long words and paths do not mix cases as encoded text does.
        ("base64", rf"{_B64}{{3}}{_MIX}{_B64}{{3}}|{_MIX}{_B64}{{8}}|{_B64}{{8}}{_MIX}|{_B64}{{6}}="),
        ("base64", r"[A-Z2-7]{16}|[a-z2-7]{24}"),
        ("hex", r"(?:[0-9a-fA-F]{2}[ :,;\n-]{0,2}){4}|(?:0[xX][0-9a-fA-F]{2}[ ,;]{0,2}){3}"),
        ("decimal", r"(?:[0-9]{2,3}[ ,;]{1,2}){4}[0-9]{2}"),
        ("url", r"%[0-9A-Fa-f]{2}"),
        ("binary", r"(?:[01]{8}[ ,\n]{0,2}){3}"),
        ("morse", rf"(?:{_DOTS}{{1,9}}[ \t\n/|]{{1,7}}){{3}}{_DOTS}"),
        ("leet", r"[A-Za-z][0-9@$!|+€]+[A-Za-z]|[0-9@$!|+€][A-Za-z]+[0-9@$]|\b[0-9@$!|+€]{1,3}[A-Za-z]{2}"),
        ("leet", r"[A-Za-z][013457]{3}"),
        (
            "spaced",
            rf"(?:\A|[^A-Za-z0-9])[A-Za-z0-9@$](?:{_APART}{{1,6}}[A-Za-z0-9@$]){{2}}(?:\z|[^A-Za-z0-9@$])",
        ),
        ("spaced", rf"(?:[{_EAST_ASIAN}ー][ \x{{3000}}._*·•・/|,、-]{{1,3}}){{3}}[{_EAST_ASIAN}ー]"),
        ("cipher", rf"(?i)\b(?:{_cipher_words()})\b"),
        ("cipher", "(?is)" + ".*".join([rare] * _RARE_PAIRS)),
        ("cipher", BACKWARDS),
        ("accents", r"(?:[\x{c0}-\x{24f}\x{1e00}-\x{1eff}\x{300}-\x{36f}][A-Za-z ]{0,3}){4}"),
    )


@lru_cache(maxsize=1)
def _matcher() -> tuple[Any, tuple[str, ...]]:
    options = re2.Options()
    options.max_mem = 64 << 20
    matcher = re2.Set.SearchSet(options)
    patterns = _patterns()
    for _, pattern in patterns:
        matcher.Add(pattern)
    matcher.Compile()
    return matcher, tuple(name for name, _ in patterns)


_NONE: Final[frozenset[str]] = frozenset()


def grounds(text: str) -> frozenset[str]:
    """Names of the kinds of disguise a text might contain; empty for plain ordinary text."""
    matcher, names = _matcher()
    try:
        found = matcher.Match(text)
    except UnicodeEncodeError:  # lone surrogates cannot be searched; they are replaced first
        return frozenset(("fold",))
    return frozenset(names[i] for i in found) if found else _NONE
