"""A tiny judge of how much a piece of text looks like language.

English is judged by letter pairs, from a short list that was written by hand for this module, and by
a list of common words. Other scripts are judged by being mostly letters.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

FUNCTION_WORDS: Final = (
    "the of and to in is you that it he was for on are as with his they at be this have from or had by but "
    "what some we can out other were all there when up use your how said an each she which do their time if "
    "will way about many then them write would like so these her long make thing see him two has look more "
    "day could go come did number sound no most people my over know than call first who may down side been "
    "now find any new work part take get place made where after back little only round man year came show "
    "every good me give our under name very through just form sentence great think say help low line differ "
    "turn cause much mean before move right boy old too same tell does set three want air well also play "
    "small end put home read hand port large spell add even land here must big high such follow act why ask "
    "men change went light kind off need house picture try us again animal point mother world near build "
    "self earth father a i into its not please without should because against between being both during"
)
_OTHER_WORDS: Final = (
    "open close door garden gate key lock secret instruction ignore previous system prompt password money "
    "bank account steal kill bomb hack weapon attack drug poison virus explosive steps explain describe "
    "describing write story letter email website code computer program phone number person child children "
    "woman women water food fire gun knife blood body hurt harm death dead die murder suicide illegal "
    "police crime buy sell create creating making build building detailed information instructions method "
    "methods chemical mixture ingredients home made household simple easy quick fast best free online "
    "internet network security vulnerability exploit malware script injection database server user admin "
    "access private personal data credit card fraud fake identity document passport license address "
    "school student teacher question answer following message hidden text decode encoded translate "
    "language english word words output print reveal forget rules policy model assistant respond response "
    "always never pretend character role game tomorrow today yesterday morning evening night week month "
    "meeting doctor hospital medicine treatment question government country city street river mountain "
    "flower tree bread recipe kitchen cook cooking summer winter spring weather music movie book library "
    "history science research university company business market product service customer report project "
    "problem solution reason result example different important possible available general national "
    "political social public human natural special certain together another something anything everything "
    "nothing someone everyone himself myself yourself thought through enough though although while until "
    "within toward around across along among above below started walking running talking looking working "
    "getting going taking coming having doing saying thinking inside outside quietly slowly carefully "
    "exactly probably finally usually really simply only early daily bring bought brought catch caught "
    "teach taught learn learned speak spoke spoken write wrote written friend family brother sister "
    "daughter husband wife parent baby girl young old strong weak happy angry black white green blue "
    "yellow brown red orange purple table chair window wall floor room bed bath threat threaten violence "
    "violent hate racist sexual abuse assault rape terror terrorist nuclear acid meth cocaine heroin dose "
    "overdose smuggle launder counterfeit forge blackmail extort kidnap torture"
)
LEXICON: Final = frozenset(FUNCTION_WORDS.split()) | frozenset(_OTHER_WORDS.split())
# The common words above are for joining letters into words, where a rare word is a wrong guess. Whether a
# word that was deciphered whole exists is asked of the longer list, counted by `sekisho.train.lexicon`.
_COUNTED: Final = Path(__file__).with_name("english.txt").read_text(encoding="ascii")
WORDS: Final = LEXICON | frozenset(_COUNTED.split())

# Sequences that Japanese, Chinese and Korean sentences are full of, and that hardly occur backwards.
_EAST_ASIAN: Final = (
    "ください てくだ ました ません でしょ ですか ますか ている という について する方 教えて 作り方 どうや "
    "ことが ために 怎么 如何 什么 告诉 可以 我们 这个 没有 方法 怎樣 什麼 告訴 "
    "세요 습니다 합니다 어떻게 방법 알려 하는 에서 무엇 주세"
)
EAST_ASIAN_FORWARD: Final = tuple(_EAST_ASIAN.split())
BACKWARDS: Final = "|".join(sequence[::-1] for sequence in EAST_ASIAN_FORWARD)

# Letters a to z are 1 to 26; 0 is everything else, which also marks the edges of words.
_LETTERS: Final = bytes(
    (c | 0x20) - 0x60 if 0x41 <= c <= 0x5A or 0x61 <= c <= 0x7A else 0 for c in range(256)
)
_IN_LEXICON: Final = 2.5  # bits for a word that is simply known


@lru_cache(maxsize=1)
def pair_bits() -> NDArray[np.float32]:
    """27 x 27 table: how many bits likelier a letter is after another in English than by chance."""
    counts = np.full((27, 27), 0.15, np.float64)
    for words, weight in ((FUNCTION_WORDS.split(), 1.5), (_OTHER_WORDS.split(), 1.0)):
        for word in words:
            row = (" " + word + " ").encode("ascii").translate(_LETTERS)
            for first, second in pairwise(row):
                counts[first, second] += weight
    chances = counts / counts.sum(axis=1, keepdims=True)
    # Both the chance of a letter and that of a word's end are compared with a flat background.
    background = np.full(27, 0.84 / 26)
    background[0] = 0.16
    bits: NDArray[np.float32] = np.log2(chances / background).astype(np.float32)
    bits[0, 0] = 0.0
    return bits


def letter_codes(text: str) -> NDArray[np.uint8]:
    """0 to 26 for each code point: a to z, or 0 for anything else."""
    return np.frombuffer(text.encode("ascii", "replace").translate(_LETTERS), np.uint8)


@lru_cache(maxsize=4096)
def word_bits(word: str) -> float:
    """Bits by which a word looks like English rather than random letters; lower case expected."""
    table = pair_bits()
    row = (" " + word + " ").encode("ascii", "replace").translate(_LETTERS)
    total = sum(float(table[first, second]) for first, second in pairwise(row))
    return total + (_IN_LEXICON if word in LEXICON else 0.0)


def is_known(word: str) -> bool:
    """True for a word of the list, or one of them with a common ending; lower case expected."""
    if word in WORDS:
        return True
    for ending in ("s", "es", "ed", "d", "er", "ers", "ing", "ly"):
        if word.endswith(ending) and len(word) >= len(ending) + 3:
            stem = word[: -len(ending)]
            if stem in WORDS or stem + "e" in WORDS or (stem[-1] == stem[-2] and stem[:-1] in WORDS):
                return True
    return False


def is_wordlike(word: str) -> bool:
    """True for a known word, or one of four letters and more whose letter pairs are English."""
    word = word.lower()
    if word in LEXICON:
        return len(word) > 1
    return len(word) >= 4 and word_bits(word) >= 0.55 * len(word)


def is_language(text: str) -> bool:
    """True when a text is mostly words: English, or mostly letters of another script."""
    words = "".join(c if c.isascii() and c.isalpha() else " " for c in text).split()
    others = sum(1 for c in text if not c.isascii() and unicodedata.category(c)[0] in "LM")
    latin = sum(map(len, words))
    if others > latin:
        return others >= 0.5 * len(text)
    if latin < 0.6 * len(text.strip()):
        return False
    likely = sum(len(word) for word in words if is_wordlike(word))
    return likely >= 0.5 * latin
