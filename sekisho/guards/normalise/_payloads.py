"""Encoded payloads inside a text: find each run, decode it, and keep it only if it reads as text."""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Final

from sekisho.guards.normalise._language import is_language, is_wordlike
from sekisho.guards.normalise._text import Edit

# Every pattern is one pass: an element repeated, with separators of bounded length that cannot be
# taken for an element. Nothing may be asked of what follows the repetition, since a long run that
# fails at its end would be tried again from each of its elements.
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{8,}+(?:\r?\n[A-Za-z0-9+/_-]{8,}+)*+={0,2}")
_PIECE: Final = re.compile(r"[A-Za-z0-9+/]{8,}+={0,2}")
_BASE32: Final = re.compile(r"(?<![A-Za-z0-9])(?:[A-Z2-7]{16,}+|[a-z2-7]{24,}+)={0,6}(?![A-Za-z0-9])")
_HEX: Final = re.compile(
    r"(?<![0-9A-Za-z])(?:"
    r"0[xX][0-9a-fA-F]{2}(?:[ ,;]{0,2}0[xX][0-9a-fA-F]{2}){2,}+"
    r"|(?:0[xX])?(?:[0-9a-fA-F]{2}){4,}+(?![0-9A-Za-z])"
    r"|[0-9a-fA-F]{2}(?![0-9A-Za-z])(?:[ :,;\n-]{1,2}[0-9a-fA-F]{2}(?![0-9A-Za-z])){3,}+"
    r")"
)
_HEX_NOISE: Final = re.compile(r"0[xX]|[ ,;:\n-]+")
_PERCENT: Final = re.compile(r"(?:%(?:25)*[0-9A-Fa-f]{2})++")
_PERCENT_OCTET: Final = re.compile(r"%(?:25)*([0-9A-Fa-f]{2})")
_BINARY: Final = re.compile(r"(?<![0-9A-Za-z])[01]{8}(?:[ ,\n]{0,2}[01]{8}){2,}+")
_DECIMAL: Final = re.compile(r"(?<![0-9A-Za-z.])[0-9]{2,3}(?:[ ,;]{1,2}[0-9]{2,3}(?![0-9A-Za-z])){4,}+")
_MORSE: Final = re.compile(
    r"(?<![\w.])[.…‥·•∙⋅−–—_‐-]{1,9}+(?:[ \t\n/|]{1,7}+[.…‥·•∙⋅−–—_‐-]{1,9}+(?!\w)){3,}+"
)
_MORSE_WORD: Final = re.compile(r"\s*[/|]\s*|\s{2,}|\n")
_MORSE_SIGNS: Final = {**dict.fromkeys(map(ord, "·•∙⋅"), "."), **dict.fromkeys(map(ord, "−–—_‐"), "-"),
                       0x2026: "...", 0x2025: ".."}  # fmt: skip
_MORSE_SIGN_LIST: Final = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- "
    "--.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- ..--.. .----. "
    "-.-.-- -..-. -.--. -.--.- .-... ---... -.-.-. -...- .-.-. -....- ..--.- .-..-. .--.-."
)
_LEAST_ROOM: Final = 1_000
_COMMON_SIGNS: Final = frozenset(" \t\n\r.-/=%&;#\\")
_MORSE_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789.,?'!/()&:;=+-_\"@"
_MORSE_CODE: Final = dict(zip(_MORSE_SIGN_LIST.split(), _MORSE_LETTERS, strict=True))


def payloads(text: str, marks: frozenset[str], *, limit: int) -> tuple[str, list[Edit], bool]:
    """Decode all payloads of a text at once.

    Args:
        text: a folded text.
        marks: the grounds for suspicion; only their decoders run.
        limit: code points of decoded text after which the search ends.

    Returns:
        The decoders that found something joined by "+", sorted edits that do not overlap, and
        whether the limit ended the search.
    """
    names: list[str] = []
    edits: list[Edit] = []
    taken: list[tuple[int, int]] = []
    spent = 0
    for name, ground, finder in _FINDERS:
        if ground not in marks:
            continue
        occupied = sorted(taken)
        at = 0
        for edit in finder(text):
            while at < len(occupied) and occupied[at][1] <= edit.start:
                at += 1
            if at < len(occupied) and occupied[at][0] < edit.end:
                continue
            room = limit - spent
            if len(edit.new) > room:
                if room >= _LEAST_ROOM:  # the beginning of a huge payload says enough
                    edits.append(edit._replace(new=edit.new[:room]))
                    names.append(name)
                return "+".join(dict.fromkeys(names)), sorted(edits), True
            spent += len(edit.new)
            edits.append(edit)
            taken.append((edit.start, edit.end))
            if name not in names:
                names.append(name)
    return "+".join(names), sorted(edits), False


def reads_as_text(text: str) -> bool:
    """True when decoded octets look like something that somebody wrote, possibly encoded again."""
    if len(text) < 3:
        return False
    kinds = {c: unicodedata.category(c) for c in set(text)}
    if any(kind in ("Cc", "Co", "Cn", "Cs") and c not in "\t\n\r" for c, kind in kinds.items()):
        return False
    usual = {c for c, kind in kinds.items() if kind[0] in "LMN" or kind == "Cf" or c in _COMMON_SIGNS}
    good = sum(map(text.count, usual))
    # Random octets are now and then UTF-8, but then with stray letters of unrelated scripts.
    strange = {c for c in kinds if "\u0180" <= c < "\u1e00" or "\u2c00" <= c < "\U0001f000"}
    if not strange:
        if len(text) < 7 and text.isascii():
            return any(map(str.isalpha, text)) and all(map(is_wordlike, text.split()))
        return good >= 0.8 * len(text)
    if 3 * sum(map(text.count, strange)) < len(text):
        return good >= 0.8 * len(text) and (len(text) > 40 or is_language(text))
    blocks = {ord(c) >> 8 for c in strange if kinds[c][0] == "L" and c < "\u2e00"}
    return good >= 0.7 * len(text) and (len(blocks) <= 1 or len(text) > 40)


def _decoded(data: bytes) -> str | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return None
    if "\0" in text and len(data) % 2 == 0 and text.count("\0") >= 0.4 * len(text):
        try:
            text = data.decode("utf-16-le")  # as PowerShell's -EncodedCommand takes it
        except UnicodeDecodeError:
            return None
    return text if reads_as_text(text) else None


def _base64_run(run: str) -> str | None:
    body = "".join(run.split()).rstrip("=").replace("-", "+").replace("_", "/")
    # Ordinary words, numbers and paths of them; encoded text always mixes cases.
    if body.isdigit() or not (any(map(str.isupper, body)) and any(map(str.islower, body))):
        return None
    if len(body) < 12 and not run.endswith("="):
        return None
    if len(body) % 4 == 1:
        body = body[:-1]
    try:
        data = base64.b64decode(body + "=" * (-len(body) % 4))
    except (binascii.Error, ValueError):
        return None
    return _decoded(data)


def _base64(text: str) -> Iterator[Edit]:
    for match in _BASE64.finditer(text):
        run = match.group()
        new = _base64_run(run)
        if new is not None:
            yield Edit(match.start(), match.end(), new)
        elif "\n" in run or "-" in run or "_" in run or "/" in run:
            for piece in _PIECE.finditer(run):
                new = _base64_run(piece.group()) if len(piece.group()) < len(run) else None
                if new is not None:
                    yield Edit(match.start() + piece.start(), match.start() + piece.end(), new)


def _base32(text: str) -> Iterator[Edit]:
    for match in _BASE32.finditer(text):
        body = match.group().rstrip("=").upper()
        while len(body) % 8 in (1, 3, 6):
            body = body[:-1]
        new = _decoded(base64.b32decode(body + "=" * (-len(body) % 8)))
        if new is not None:
            yield Edit(match.start(), match.end(), new)


def _hex(text: str) -> Iterator[Edit]:
    for match in _HEX.finditer(text):
        run = match.group()
        digits = _HEX_NOISE.sub("", run)
        new = _decoded(bytes.fromhex(digits)) if len(digits) % 2 == 0 else None
        # Rows of plain numbers are hex digits as well, and often printable ones.
        if new is not None and (not digits.isdigit() or is_language(new) or len(new) > 12):
            yield Edit(match.start(), match.end(), new)


def _percent(text: str) -> Iterator[Edit]:
    for match in _PERCENT.finditer(text):
        octets = bytes.fromhex("".join(_PERCENT_OCTET.findall(match.group())))
        try:
            new = octets.decode("utf-8")
        except UnicodeDecodeError:
            continue
        if all(c.isprintable() or c in "\t\n\r" or unicodedata.category(c) in ("Cf", "Zs") for c in new):
            yield Edit(match.start(), match.end(), new)


def _binary(text: str) -> Iterator[Edit]:
    for match in _BINARY.finditer(text):
        digits = match.group().translate({0x20: None, 0x2C: None, 0x0A: None})
        new = _decoded(bytes(int(digits[i : i + 8], 2) for i in range(0, len(digits), 8)))
        if new is not None:
            yield Edit(match.start(), match.end(), new)


def _decimal(text: str) -> Iterator[Edit]:
    for match in _DECIMAL.finditer(text):
        values = [int(v) for v in re.findall("[0-9]+", match.group())]
        if all(0x20 <= v < 0x7F or v in (9, 10, 13) for v in values):
            new = "".join(map(chr, values))
            if is_language(new):
                yield Edit(match.start(), match.end(), new)


def _morse(text: str) -> Iterator[Edit]:
    for match in _MORSE.finditer(text):
        run = match.group().translate(_MORSE_SIGNS)
        if "." not in run or "-" not in run:
            continue
        words = [
            [_MORSE_CODE.get(sign, "") for sign in word.split()] for word in _MORSE_WORD.split(run.strip())
        ]
        signs = [sign for word in words for sign in word]
        new = " ".join("".join(word) for word in words)
        if signs.count("") <= 0.05 * len(signs) and (is_language(new) or (len(new) > 16 and new.isalnum())):
            yield Edit(match.start(), match.end(), new)


# Stricter alphabets first: a run of binary digits is also one of hex digits and of base64.
_FINDERS: Final[tuple[tuple[str, str, Callable[[str], Iterator[Edit]]], ...]] = (
    ("binary", "binary", _binary),
    ("decimal", "decimal", _decimal),
    ("hex", "hex", _hex),
    ("base32", "base64", _base32),
    ("base64", "base64", _base64),
    ("url", "url", _percent),
    ("morse", "morse", _morse),
)
