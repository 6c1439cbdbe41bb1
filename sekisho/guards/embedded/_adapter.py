"""A correction of a classifier's last layer: what users' feedback changes, kept beside the weights.

The hidden layer stays as it was trained; `delta` and `offset` are added to what the last layer makes of it. So an
adapter is small, is fitted in seconds without a deep learning library, and can be taken away again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

ADAPTER: Final = "adapter.npz"
REPLAY: Final = "replay.npz"

Floats = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Adapter:
    """delta [d, outputs] on the hidden layer, offset [outputs]; float32."""

    delta: Floats
    offset: Floats

    def __call__(self, logits: Floats, hidden: Floats) -> Floats:
        """Corrected logits. logits [n, outputs], hidden [n, d] -> [n, outputs]"""
        corrected: Floats = (logits + hidden @ self.delta + self.offset).astype(np.float32, copy=False)
        return corrected

    @classmethod
    def load(cls, folder: Path) -> Adapter:
        """From `folder/adapter.npz`."""
        with np.load(folder / ADAPTER) as arrays:
            return cls(arrays["delta"], arrays["offset"])

    def save(self, folder: Path) -> None:
        """To `folder/adapter.npz`."""
        np.savez(folder / ADAPTER, delta=self.delta, offset=self.offset)


@dataclass(frozen=True, slots=True)
class Replay:
    """What the classifier says about a sample of its training texts, without the texts.

    hidden [n, d], logits [n, outputs]. Feedback is fitted so that these answers stay as they are.
    """

    hidden: Floats
    logits: Floats

    @classmethod
    def load(cls, folder: Path) -> Replay:
        """From `folder/replay.npz`."""
        with np.load(folder / REPLAY) as arrays:
            return cls(arrays["hidden"].astype(np.float32), arrays["logits"].astype(np.float32))

    def save(self, folder: Path) -> None:
        """To `folder/replay.npz`, in half precision."""
        np.savez_compressed(
            folder / REPLAY, hidden=self.hidden.astype(np.float16), logits=self.logits.astype(np.float16)
        )
