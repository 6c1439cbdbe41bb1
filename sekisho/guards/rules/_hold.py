"""How much of a growing text patterns still hold back: text from there on may yet become a finding."""

from __future__ import annotations

CONTEXT = 80
"""Characters that detectors look around themselves (keywords before a value)."""
USER_PATTERN = 256
"""Characters that a user's pattern may span and still be caught whole in a stream."""
LONGEST = 3072
"""A run longer than this is released: no secret that we know of is."""

_TOKEN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=_.:@%~-")
_NUMBER = frozenset("0123456789０１２３４５６７８９ ()+.-‐‑‒–—―−")
_PEM = "-----BEGIN "


def hold(text: str, patterned: bool) -> int:
    """The position in `text` before which more text cannot change what the patterns find."""
    first = max(0, len(text) - LONGEST)
    start = len(text) - (USER_PATTERN if patterned else CONTEXT)
    start = min(start, _run_start(text, _TOKEN, first), _run_start(text, _NUMBER, first))
    opened = text.rfind(_PEM, first)
    if opened >= 0 and text.find("-----END", opened) < 0:
        start = min(start, opened)
    return max(0, start)


def _run_start(text: str, members: frozenset[str], first: int) -> int:
    """Where the trailing run of these characters begins; looks back no further than `first`."""
    at = len(text)
    while at > first and text[at - 1] in members:
        at -= 1
    return at
