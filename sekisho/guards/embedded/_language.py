"""Which language a text is calibrated as: by its script, which costs next to nothing and cannot fail."""

from __future__ import annotations

import re
from typing import Final

LANGUAGES: Final = ("en", "ja", "zh", "ko")
"""Order of the calibrations. Everything that is neither Japanese, Chinese nor Korean counts as the first."""

_EAST_ASIAN: Final = re.compile("[\u3041-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
_KANA: Final = re.compile("[\u3041-\u30ff]")
LOOKED_AT: Final = 2000
"""Characters from which the language is read."""


def script_language(text: str) -> str:
    """`ja` for a text with kana, `ko` with mostly hangul, `zh` with Chinese characters alone, otherwise `en`.

    Only the first characters are looked at; fewer East Asian letters than one in eight are a quotation.
    """
    if text.isascii():
        return "en"
    letters = "".join(_EAST_ASIAN.findall(text[:LOOKED_AT]))
    if 8 * len(letters) < min(len(text), LOOKED_AT):
        return "en"
    hangul = sum(1 for c in letters if c >= "\uac00")
    if 2 * hangul >= len(letters):
        return "ko"
    return "ja" if _KANA.search(letters) else "zh"
