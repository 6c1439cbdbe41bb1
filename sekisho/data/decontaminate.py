"""Keep what we measure on out of what we train on.

A training text is dropped when it equals a measured text after normalisation, or shares most of its
character 8-grams with one, or holds most of one's: near duplicates in the sense of Lee et al. 2022,
"Deduplicating Training Data Makes Language Models Better", section 4, with containment in place of
Jaccard similarity, so that a question inside a jailbreak template is found too.
"""

from __future__ import annotations

import gzip
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

_NOISE: Final = re.compile(r"[\W_]+")
_HOLDERS: Final = 64
"""Most measured texts that one n-gram points to; templated sets would make the lists endless."""


def normalised(text: str) -> str:
    """NFKC, lower case, letters and digits only: what counts when two texts are compared."""
    return _NOISE.sub("", unicodedata.normalize("NFKC", text).lower())


def _grams(text: str, width: int) -> set[int]:
    # Python's string hash differs from process to process, and lives only in this one.
    return {hash(text[start : start + width]) for start in range(max(len(text) - width + 1, 1))}


class Contamination:
    """The measured texts; `text in contamination` says whether a text is one of them or nearly.

    A near duplicate shares `share` of its own character n-grams of length `width` with one measured
    text, or 0.8 of that text's. Texts shorter than `shortest` characters after normalisation are
    compared exactly only.
    """

    def __init__(
        self, texts: Iterable[str], *, width: int = 8, share: float = 0.6, shortest: int = 24
    ) -> None:
        self._width, self._share, self._shortest = width, share, shortest
        self._exact: set[str] = set()
        self._sizes: list[int] = []
        self._holders: dict[int, list[int]] = {}
        for text in texts:
            plain = normalised(text)
            if not plain or plain in self._exact:
                continue
            self._exact.add(plain)
            if len(plain) < shortest:
                continue
            grams = _grams(plain, width)
            for gram in grams:
                holders = self._holders.setdefault(gram, [])
                if len(holders) < _HOLDERS:
                    holders.append(len(self._sizes))
            self._sizes.append(len(grams))

    def __len__(self) -> int:
        return len(self._exact)

    def __contains__(self, text: object) -> bool:
        plain = normalised(str(text))
        if plain in self._exact:
            return True
        if len(plain) < self._shortest:
            return False
        grams = _grams(plain, self._width)
        shared = Counter(holder for gram in grams for holder in self._holders.get(gram, ()))
        return any(
            count >= self._share * len(grams) or count >= 0.8 * self._sizes[holder]
            for holder, count in shared.items()
        )


def _row_texts(row: dict[str, Any]) -> Iterator[str]:
    if "text" in row:
        yield str(row["text"])
    for message in row.get("messages") or ():
        yield str(message["content"])


def measured_texts(folder: Path, *, cases: Path | None = None) -> Iterator[str]:
    """Every text of `folder/eval/*.jsonl.gz` and of the shipped cases `cases/*.jsonl`.

    They are only compared with; labels and everything else in those files stay unread.
    """
    for path in sorted((folder / "eval").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield from _row_texts(json.loads(line))
    for path in sorted(cases.glob("*.jsonl")) if cases else ():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield from _row_texts(json.loads(line))
