"""What single code points are, and what they fold to. Built on first need, outside the fast path."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

# Bits of the class table.
INVISIBLE: Final = 1
MARK: Final = 2  # nonspacing or enclosing mark
GENERIC: Final = 4  # a mark that belongs to no script in particular; zalgo is made of these
OVERLAY: Final = 8  # a mark struck through its base
ATTACHES: Final = 16  # may compose with, or be reordered against, what precedes it
PICTURE: Final = 32  # emoji and symbols, which legitimately take a variation selector or a joiner
COMPATIBLE: Final = 128  # folds to something else on its own, see `substitutions`
JOINING: Final = 64  # scripts in which the joiners are spelling: Arabic, the Indic family, Mongolian

ZWNJ: Final = 0x200C
ZWJ: Final = 0x200D
TAGS: Final = (0xE0000, 0xE0080)
SELECTORS: Final = ((0xFE00, 0xFE10), (0xE0100, 0xE01F0))


def _ranges(listed: str) -> tuple[tuple[int, int], ...]:
    """Half-open ranges from hexadecimal code points, written first-last and inclusive."""
    pairs = (item.partition("-") for item in listed.split())
    return tuple((int(first, 16), int(last or first, 16) + 1) for first, _, last in pairs)


_INVISIBLE_RANGES: Final = _ranges(
    "0-8 E-1B 7F-84 86-9F AD 34F 61C 115F-1160 17B4-17B5 180B-180F 200B-200F 202A-202E 2060-206F 3164 "
    "FE00-FE0F FEFF FFA0 FFF0-FFFB 1BCA0-1BCA3 1D173-1D17A E0000-E0FFF"
)
_GENERIC_RANGES: Final = _ranges("300-36F 483-489 1AB0-1AFF 1DC0-1DFF 20D0-20FF FE20-FE2F")
_OVERLAY_RANGES: Final = _ranges("334-338 20D2-20D3 20D8-20DA 20DD-20E0 20E2 20E4-20EB")
_PICTURE_RANGES: Final = _ranges(
    "23 2A 30-39 A9 AE 203C 2049 2122 2139 2190-21FF 2300-23FF 2460-2BFF 3030 303D 3297 3299 1F000-1FAFF"
)
_JOINING_RANGES: Final = _ranges("600-DFF F00-109F 1780-18AF 1A20-1AAF 1B00-1C7F A800-AADF 11000-11DFF")
# Where decompositions and marks live; scanning only these takes milliseconds instead of a second.
_SCANNED: Final = _ranges(
    "A0-33FF A640-ABFF D7B0-D7FB F900-11F4F 16AF0-16FFF 1BC90-1BC9F 1CF00-1E95F "
    "1EE00-1F26F 1FBF0-1FBF9 2F800-2FA1F"
)

# Compatibility characters that ordinary prose and mathematics use for what they are. Folding them
# would change meaning (x2 for a square) or break words apart (a spacing accent becomes a space).
_KEPT: Final = frozenset(
    "¨¯´¸µªºև²³¹¼½¾˘˙˚˛˜˝ͺ΄΅™℠℡℻℀℁℅℆℃℉№…‥‼⁇⁈⁉‾‗\u2070⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎"
    "⅐⅑⅒⅓⅔⅕⅖⅗⅘⅙⅚⅛⅜⅝⅞⅟↉∬∭∯∰⨌⩴⩵⩶\u0e33\u0eb3゛゜ヿゟ㉐㊗㊙🆐🈀🈁🈂"
)
_KEPT_RANGES: Final = _ranges("FBC0-FBD2 FDF0-FDFC FE70-FE7F 1F200-1F265")
# Punctuation that East Asian text writes wide as a matter of course; kept where there is such text.
WIDE_PUNCTUATION: Final = frozenset("！＂＇（），－．／：；？［］｛｝～｡｢｣､･＆％＋＝＠＃＊＜＞｜＿\u3000")

SMALL_CAPITALS: Final = dict(zip("ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘǫʀꜱᴛᴜᴠᴡʏᴢ", "abcdefghijklmnopqrstuvwyz", strict=True))


@lru_cache(maxsize=1)
def class_table() -> NDArray[np.uint8]:
    """One byte of class bits for every code point."""
    table = np.zeros(0x110000, np.uint8)
    for bit, ranges in (
        (INVISIBLE, _INVISIBLE_RANGES),
        (PICTURE, _PICTURE_RANGES),
        (JOINING, _JOINING_RANGES),
    ):
        for low, high in ranges:
            table[low:high] |= bit
    category, decomposition = unicodedata.category, unicodedata.decomposition
    seconds = {*range(0x1161, 0x1176), *range(0x11A8, 0x11C3)}
    for low, high in _SCANNED:
        for point in range(low, high):
            character = chr(point)
            if category(character) in ("Mn", "Me"):
                table[point] |= MARK
            if unicodedata.combining(character):
                table[point] |= ATTACHES
            parts = decomposition(character)
            if parts and parts[0] != "<" and " " in parts:
                seconds.add(int(parts.split(" ")[1], 16))
    for point in seconds:
        table[point] |= ATTACHES
    for low, high in _GENERIC_RANGES:
        table[low:high] |= np.where(table[low:high] & MARK, GENERIC, 0).astype(np.uint8)
    for low, high in _OVERLAY_RANGES:
        table[low:high] |= np.where(table[low:high] & MARK, OVERLAY, 0).astype(np.uint8)
    table[0x20E3] &= ~np.uint8(OVERLAY)  # keycaps are pictures, undone with the other enclosed letters
    table[0x34F] = INVISIBLE
    for character in substitutions():
        table[ord(character)] |= COMPATIBLE
    return table


@lru_cache(maxsize=1)
def substitutions() -> dict[str, str]:
    """What a single code point becomes under NFKC, with the exceptions of this module."""
    kept = _KEPT | {chr(point) for low, high in _KEPT_RANGES for point in range(low, high)}
    table: dict[str, str] = {}
    normalize, decomposition = unicodedata.normalize, unicodedata.decomposition
    for low, high in (*_SCANNED, (0x3400, 0x3401)):
        for point in range(low, high):
            character = chr(point)
            if decomposition(character) and character not in kept:
                folded = normalize("NFKC", character)
                if folded != character:
                    table[character] = folded
    for first, last in ((0x249C, 0x24B5), (0x1F110, 0x1F129)):  # parenthesised letters, without the parens
        for point in range(first, last + 1):
            table[chr(point)] = chr((0x61 if first == 0x249C else 0x41) + point - first)
    for point in range(0x1F150, 0x1F16A):  # negative circled letters
        table[chr(point)] = chr(0x41 + point - 0x1F150)
    for point in range(0xD800, 0xE000):
        table[chr(point)] = "\ufffd"
    for character in "\x0b\x0c\x1c\x1d\x1e\x1f\x85\u2028\u2029":
        table[character] = "\n"
    for character in "\u2800":  # an empty braille cell is a space that no whitespace test knows
        table[character] = " "
    return table


# Countries whose pairs of regional indicators are flags (ISO 3166-1 alpha-2, and EU, UN, XK, AC, ...).
_COUNTRIES: Final = (
    "AC AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS "
    "BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CP CR CU CV CW CX CY CZ DE DG DJ DK DM DO DZ EA "
    "EC EE EG EH ER ES ET EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY "
    "HK HM HN HR HT HU IC ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA "
    "LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ "
    "NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW "
    "SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TA TC TD TF TG TH TJ TK TL TM TN TO "
    "TR TT TV TW TZ UA UG UM UN US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW"
)
FLAGS: Final = frozenset(_COUNTRIES.split())
