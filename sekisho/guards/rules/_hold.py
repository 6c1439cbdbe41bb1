"""How much of a growing text patterns still hold back: text from there on may yet become a finding."""

from __future__ import annotations

import re
import unicodedata

CONTEXT = 80
"""Characters that detectors look around themselves (keywords before or after a value)."""
USER_PATTERN = 256
"""Characters that a user's pattern may span and still be caught whole in a stream."""
LONGEST = 4096
"""A run longer than this is released unless it begins like a key: no number or password is so long."""
OPEN = 65_536
"""A key that is begun and not ended within so many characters is decided against, never released."""

_INVISIBLE = "".join(
    chr(point)
    for point in range(0xFFFF)
    if not 0xD800 <= point < 0xE000 and unicodedata.category(chr(point)) == "Cf"
) + "".join(map(chr, (*range(0xFE00, 0xFE10), 0x34F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x180B, 0x3164, 0xFFA0)))
_TOKEN = "".join(map(chr, range(0x21, 0x7F))) + _INVISIBLE
_DIGITS = "0123456789０１２３４５６７８９⁰¹²³⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹०१२३४५६७८९"
# Numbers, their separators, and the characters of their disguises: entities, escapes, what is not seen.
_NUMBER = _DIGITS + " \u00a0\u3000\t\r\n()+._/-‐‑‒–—―−－ーｰ" + "&#;\\uUxX%{}abcdefABCDEF" + _INVISIBLE
_KEY = "".join(c for c in map(chr, range(0x2D, 0x7B)) if c.isalnum() or c in "-._")
_PREFIX = re.compile(
    r"(?<![A-Za-z0-9])(?:eyJ|sk[-_]|rk_|pk_|gh[pousr]_|github_pat_|glpat-|xox[abeoprs]-|AIza|hf_|SG\.|npm_|pypi-|gsk_|ya29\.)"
)
_LONGEST_PREFIX = 16
_BEGIN = re.compile(r"-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_END = re.compile(r"-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----")
_MARK = 80
"""Longer than a BEGIN or END line."""


class Hold:
    """Reads a text piece by piece, at places that the text determines, and says how far it is settled."""

    def __init__(self, *, patterned: bool, keys: bool = True) -> None:
        self._least = USER_PATTERN if patterned else CONTEXT
        self._keys = keys
        self._runs = {_TOKEN: 0, _NUMBER: 0, _KEY: 0}
        self._seen = 0
        self._last = ""  # the end of what was read
        self._prefix: int | None = None
        self._block: int | None = None
        self._done = 0  # how far BEGIN and END lines were taken
        self.overflowed = False
        """A key was begun and not ended: what comes now may be the rest of it."""

    def feed(self, text: str) -> int:
        """The position before which more text cannot change what the patterns find."""
        for members in self._runs:
            rest = len(text.rstrip(members))
            if rest:
                self._runs[members] = self._seen + rest
        last = self._last + text
        at = self._seen - len(self._last)
        self._seen += len(text)
        self._last = last[-_MARK:]
        self._prefix = self._key(last, at)
        self._block = self._pem(last, at) if self._keys else None
        settled = max(0, self._seen - LONGEST, min(self._seen - self._least, *self._runs.values()))
        for begun in (self._prefix, self._block):
            if begun is not None:
                settled = min(settled, begun)
                self.overflowed = self.overflowed or self._seen - begun > OPEN
        return max(0, settled)

    def _key(self, last: str, at: int) -> int | None:
        """Where the trailing run of a key's characters begins like a key."""
        start = self._runs[_KEY]
        if self._prefix is not None and self._prefix >= start:
            return self._prefix
        found = _PREFIX.search(last, max(0, start - at))
        return at + found.start() if found else None

    def _pem(self, last: str, at: int) -> int | None:
        """Where a private key begins that has not ended."""
        block = self._block
        while True:
            place = max(0, self._done - at)
            if block is None:
                if (begun := _BEGIN.search(last, place)) is None:
                    return None
                block, place = at + begun.start(), begun.end()
                self._done = at + place
            if (ended := _END.search(last, place)) is None:
                return block
            block, self._done = None, at + ended.end()
