r"""HTML entities (&lt; &#112; &#x70;) and backslash escapes (\u0070 \x70 \u{70} \U00000070)."""

from __future__ import annotations

import html
import re
import unicodedata
from functools import lru_cache
from html.entities import html5
from typing import Final

from sekisho.guards.normalise._text import Edit, Normalised, splice, with_steps

# An escaped ampersand may be escaped again and again; taking all of that in one match keeps deep
# nesting linear. Named entities need their semicolon: "&copy=1" in a URL is not a sign.
_ENTITY: Final = re.compile(
    r"&(?:amp;|#0{0,5}38;|#[xX]0{0,5}26;)*+"
    r"(?:(?<=&)|(?<=;))"
    r"(#[0-9]{1,8}+;?|#[xX][0-9a-fA-F]{1,7}+;?|[A-Za-z][A-Za-z0-9]{1,31}+;)?"
)
_ESCAPE: Final = re.compile(
    r"\\(?:u005[cC]|x5[cC])*+(?:u([0-9a-fA-F]{4})|u\{([0-9a-fA-F]{1,6})\}|U([0-9a-fA-F]{8})|x([2-7][0-9a-fA-F])"
    r"|(x[89a-fA-F][0-9a-fA-F](?:\\x[89a-fA-F][0-9a-fA-F])++))"
)


def unescape(view: Normalised) -> Normalised:
    """Resolve entities and escapes; what would become a control or nothing at all is left alone."""
    if "&" in view.text:
        edits = [edit for m in _ENTITY.finditer(view.text) if (edit := _entity(m)) is not None]
        if edits:
            view = with_steps(splice(view, edits), "html_entities")
    if "\\" in view.text:
        edits = [edit for m in _ESCAPE.finditer(view.text) if (edit := _escape(m)) is not None]
        if edits:
            view = with_steps(splice(view, edits), "escapes")
    return view


def _entity(match: re.Match[str]) -> Edit | None:
    name = match.group(1)
    new = "&" if name is None else _named("&" + name)
    return None if match.group() == new else Edit(match.start(), match.end(), new)


@lru_cache(maxsize=1024)
def _named(entity: str) -> str:
    if entity[1] == "#":
        return html.unescape(entity)
    return html5.get(entity[1:], entity)


def _escape(match: re.Match[str]) -> Edit | None:
    short, braced, long, ascii_byte, octets = match.groups()
    if octets is not None:
        try:
            new = bytes.fromhex(octets.replace("\\x", "").replace("x", "")).decode("utf-8")
        except UnicodeDecodeError:
            return None
    else:
        point = int(short or braced or long or ascii_byte, 16)
        if point > 0x10FFFF:
            return None
        new = chr(point)
        # Surrogates pass: two of them make one character, and a lone one is replaced later.
        if unicodedata.category(new) in ("Cc", "Cf", "Cn", "Co") or new == "\\":
            return None
    return Edit(match.start(), match.end(), new)
