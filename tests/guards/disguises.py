"""Disguises of text: what an attacker does before a guard sees it. Plain functions str -> str.

Each is deterministic. Those that only make sense for Latin letters leave other letters as they are.
"""

from __future__ import annotations

import base64 as _base64
import codecs
from collections.abc import Callable
from urllib.parse import quote

_SIGNS = (
    ".- -... -.-. -.. . ..-. --. .... .. .--- -.- .-.. -- -. --- .--. --.- .-. ... - ..- ...- .-- -..- -.-- "
    "--.. ----- .---- ..--- ...-- ....- ..... -.... --... ---.. ----. .-.-.- --..-- ..--.. .----. -.-.-- "
    "-..-. -.--. -.--.- .-... ---... -.-.-. -...- .-.-. -....- ..--.- .-..-. .--.-."
)
_MORSE = dict(zip("abcdefghijklmnopqrstuvwxyz0123456789.,?'!/()&:;=+-_\"@", _SIGNS.split(), strict=True))
_CYRILLIC = str.maketrans("aceopxyisjhABCEHKMOPTXSIJ", "асеорхуіѕјһАВСЕНКМОРТХЅІЈ")
_MARKS = "\u0300\u0316\u0301\u0323\u035c\u0334\u0317\u0308\u0330\u0489"


def zero_width(text: str) -> str:
    return "".join(c + "\u200b\u200d\u2060\ufeff"[i % 4] for i, c in enumerate(text))


def soft_hyphen(text: str) -> str:
    return "\u00ad".join(text)


def bidi(text: str) -> str:
    """Stored backwards and turned round again by an override, as it is displayed in order."""
    return "\u202e" + text[::-1] + "\u202c"


def tags(text: str) -> str:
    """The text in invisible tag characters, behind something harmless; ASCII only."""
    return "Hello!" + "".join(chr(0xE0000 + ord(c)) for c in text if c.isascii())


def fullwidth(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" if c == " " else c for c in text)


def math_bold(text: str) -> str:
    return "".join(
        chr(0x1D41A + ord(c) - 97)
        if "a" <= c <= "z"
        else chr(0x1D400 + ord(c) - 65)
        if "A" <= c <= "Z"
        else c
        for c in text
    )


def enclosed(text: str) -> str:
    return "".join(
        chr(0x24D0 + ord(c) - 97) if "a" <= c <= "z" else chr(0x24B6 + ord(c) - 65) if "A" <= c <= "Z" else c
        for c in text
    )


def confusables(text: str) -> str:
    return text.translate(_CYRILLIC)


def zalgo(text: str) -> str:
    return "".join(
        c + "".join(_MARKS[(i + 3 * k) % len(_MARKS)] for k in range(3 + i % 3)) if c.isalpha() else c
        for i, c in enumerate(text)
    )


def leetspeak(text: str) -> str:
    return text.translate(str.maketrans("aeiostAEIOST", "431057431057"))


def spaced(text: str) -> str:
    """h o w  t o: one space between letters, two between words."""
    return "  ".join(" ".join(word) for word in text.split(" "))


def dotted(text: str) -> str:
    return " ".join(".".join(word) for word in text.split(" "))


def html_entities(text: str) -> str:
    return "".join(f"&#{ord(c)};" if i % 2 else f"&#x{ord(c):x};" for i, c in enumerate(text))


def base64(text: str) -> str:
    return _base64.b64encode(text.encode()).decode()


def hex(text: str) -> str:
    return text.encode().hex()


def url(text: str) -> str:
    """Every octet percent-encoded, letters too."""
    return "".join(f"%{octet:02X}" for octet in text.encode()) if text.isascii() else quote(text)


def rot13(text: str) -> str:
    return codecs.encode(text, "rot13")


def reversed(text: str) -> str:
    return text[::-1]


def morse(text: str) -> str:
    return " / ".join(" ".join(_MORSE.get(c, c) for c in word) for word in text.lower().split())


def base32(text: str) -> str:
    return _base64.b32encode(text.encode()).decode()


def nested(text: str) -> str:
    return base64(rot13(text))


_ALL: tuple[Callable[[str], str], ...] = (
    zero_width,
    soft_hyphen,
    bidi,
    tags,
    fullwidth,
    math_bold,
    enclosed,
    confusables,
    zalgo,
    leetspeak,
    spaced,
    dotted,
    html_entities,
    base64,
    hex,
    url,
    rot13,
    reversed,
    morse,
    base32,
    nested,
)
DISGUISES: dict[str, Callable[[str], str]] = {function.__name__: function for function in _ALL}
