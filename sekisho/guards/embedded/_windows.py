"""Long texts: overlapping windows of tokens, and the verdict of the worst one.

A model sees one window at a time, so the cost of a text is linear in its length, and an offence deep in a
long document weighs as much as one in a short message.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def window_starts(tokens: int, *, window: int, stride: int) -> list[int]:
    """First tokens of the windows that cover a text; at least one, and none inside the one before it.

    `window` tokens each, a new one every `stride`; the last may be shorter.
    """
    return list(range(0, max(1, tokens - (window - stride)), stride))


@dataclass(frozen=True, slots=True)
class WindowLogits:
    """Logits of w windows of n texts, the windows of a text together and in order.

    `logits` [w, outputs] float32; `first` [n] is each text's first window; `spans` [w, 2] are the character
    ranges of the windows in their text.
    """

    logits: NDArray[np.float32]
    first: NDArray[np.int64]
    spans: NDArray[np.int64]

    def worst(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Per text and output the highest logit over its windows, and the first window that has it.

        -> [n, outputs] each
        """
        if len(self.first) == len(self.logits):  # one window each
            rows = np.arange(len(self.first))[:, None]
            return self.logits, np.broadcast_to(rows, self.logits.shape)
        highest = np.maximum.reduceat(self.logits, self.first, axis=0)
        owner = np.zeros(len(self.logits), np.int64)
        owner[self.first[1:]] = 1
        owner = np.cumsum(owner)
        numbers = np.arange(len(self.logits))[:, None]
        reached = np.where(self.logits == highest[owner], numbers, len(self.logits))
        return highest, np.minimum.reduceat(reached, self.first, axis=0)
