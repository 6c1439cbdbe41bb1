"""`fast`: sums of int8 rows for tokens and hashed n-grams, then one hidden layer. No deep learning runtime.

Every token position has three features: the token, and hashes of it with the one and the two before it.
A feature's row holds a vector and a weight; a window's two pools (tokens, n-grams) are the sum of its vectors
over the sum of its weights. Sums of int8 rows are exact, whatever the order, so that a stream which adds
new positions only ends at the very sums of the whole text.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ._adapter import Adapter
from ._windows import WindowLogits

TOKENIZER: Final = "tokenizer.json"
TABLE: Final = "table.npy"
HEAD: Final = "head.npz"

Ints = NDArray[np.int64]
Sums = NDArray[np.int32]

_SECOND: Final = np.uint64(0x9E3779B97F4A7C15)
_THIRD: Final = np.uint64(0xC2B2AE3D27D4EB4F)
_MIX: Final = np.uint64(0xFF51AFD7ED558CCD)
_PAIR: Final = np.uint64(1)
_TRIPLE: Final = np.uint64(2)


def ngram_rows(ids: Ints, before: Ints, *, vocabulary: int, buckets: int) -> tuple[Ints, Ints]:
    """Table rows of the 2- and 3-gram that end at each position. ids [t], before [2] -> [t] each

    `before` are the two ids before the first, -1 where there is none; such n-grams get row `vocabulary`,
    which is all zeros. Buckets follow it.
    """
    line = np.concatenate([before, ids]).astype(np.uint64)
    pair = (line[2:] * _SECOND) ^ (line[1:-1] * _THIRD + _PAIR)
    triple = (pair * _SECOND) ^ (line[:-2] * _MIX + _TRIPLE)
    shift, size = np.uint64(40), np.uint64(buckets)
    rows2 = (((pair * _MIX) >> shift) % size).astype(np.int64) + vocabulary + 1
    rows3 = (((triple * _MIX) >> shift) % size).astype(np.int64) + vocabulary + 1
    missing = np.uint64(np.iinfo(np.uint64).max)
    rows2[line[1:-1] == missing] = vocabulary
    rows3[(line[:-2] == missing) | (line[1:-1] == missing)] = vocabulary
    return rows2, rows3


def joined_rows(ids: Ints, starts: Ints, *, vocabulary: int, buckets: int) -> tuple[Ints, Ints]:
    """As `ngram_rows` for many texts laid end to end; no n-gram crosses the start of a text."""
    rows2, rows3 = ngram_rows(ids, np.array([-1, -1]), vocabulary=vocabulary, buckets=buckets)
    rows2[starts] = vocabulary
    rows3[starts] = vocabulary
    second = starts + 1
    rows3[second[second < len(ids)]] = vocabulary
    return rows2, rows3


@dataclass(frozen=True, slots=True)
class Pools:
    """Sums over segments of positions: tokens and n-grams. [s, width] int32 each"""

    tokens: Sums
    ngrams: Sums


@dataclass(frozen=True, slots=True)
class State:
    """What a stream keeps: the last two ids, their number, the sums of open blocks, the worst logits.

    `blocks` [k, 2, width] are the last one or two blocks; `worst` [outputs] over closed windows, or None;
    `opening` [outputs] the first window's, once it is closed.
    """

    before: Ints
    count: int
    blocks: Sums
    worst: NDArray[np.float32] | None = None
    opening: NDArray[np.float32] | None = None


class FastModel:
    """The raw model: logits of windows."""

    def __init__(
        self,
        *,
        tokenizer: Tokenizer,
        table: NDArray[np.int8],
        head: dict[str, NDArray[np.float32]],
        block: int,
        context: int,
        adapter: Adapter | None = None,
    ) -> None:
        self.tokenizer = tokenizer
        self._adapter = adapter
        self.block, self.context = block, context
        self._table = table
        self._head = head
        self._vocabulary = tokenizer.get_vocab_size()
        self._buckets = len(table) - self._vocabulary - 1
        self.width = table.shape[1]
        self.outputs = len(head["offset2"])

    @classmethod
    def load(cls, folder: Path, *, block: int, context: int, adapter: Adapter | None = None) -> FastModel:
        """From the files TOKENIZER, TABLE and HEAD of `folder`; the table is mapped, not read."""
        with np.load(folder / HEAD) as arrays:
            head = {name: arrays[name] for name in arrays.files}
        return cls(
            tokenizer=Tokenizer.from_file(str(folder / TOKENIZER)),
            table=np.load(folder / TABLE, mmap_mode="r"),
            head=head,
            block=block,
            context=context,
            adapter=adapter,
        )

    def _pools(self, ids: Ints, starts: Ints, segments: Ints) -> Pools:
        """Sums over segments of the joined texts. ids [t], starts of texts [n], starts of segments [s]"""
        rows2, rows3 = joined_rows(ids, starts, vocabulary=self._vocabulary, buckets=self._buckets)
        return self._sums(ids, rows2, rows3, segments)

    def _sums(self, ids: Ints, rows2: Ints, rows3: Ints, segments: Ints) -> Pools:
        tokens, pairs, triples = (
            np.add.reduceat(np.take(self._table, rows, axis=0), segments, axis=0, dtype=np.int32)
            for rows in (ids, rows2, rows3)
        )
        return Pools(tokens, pairs + triples)

    def logits(self, pools: Sums, contexts: Sums, surfaces: Ints) -> NDArray[np.float32]:
        """The head. pools and contexts [n, 2, width] int32, surfaces [n] -> [n, outputs]"""
        head = self._head
        hidden = self._hidden(pools, contexts, surfaces)
        found = (hidden @ head["weight2"] + head["offset2"]).astype(np.float32, copy=False)
        return found if self._adapter is None else self._adapter(found, hidden)

    def _hidden(self, pools: Sums, contexts: Sums, surfaces: Ints) -> NDArray[np.float32]:
        parts = [_ratio(sums[:, pool]) for sums in (pools, contexts) for pool in (0, 1)]
        head = self._head
        hidden = np.concatenate(parts, axis=1) @ head["weight1"] + head["surface"][surfaces]
        np.maximum(hidden, np.float32(0.0), out=hidden)
        return hidden.astype(np.float32, copy=False)

    def with_adapter(self, adapter: Adapter) -> FastModel:
        """The same weights with a corrected last layer."""
        changed = copy(self)
        changed._adapter = adapter
        return changed

    def embeddings(
        self, texts: Sequence[str], contexts: Sequence[str], surfaces: Ints
    ) -> NDArray[np.float32]:
        """The hidden layer for the first window of every text. -> [n, d]"""
        window = 2 * self.block
        encodings = self.tokenizer.encode_batch_fast(
            [text[: 20 * window] for text in texts], add_special_tokens=False
        )
        lines = [encoding.ids[:window] or [self._vocabulary] for encoding in encodings]
        starts = np.cumsum([0, *(len(line) for line in lines[:-1])])
        pools = self._pools(np.concatenate([np.array(line, np.int64) for line in lines]), starts, starts)
        return self._hidden(
            np.stack([pools.tokens, pools.ngrams], axis=1), self.context_sums(contexts), surfaces
        )

    def context_sums(self, contexts: Sequence[str]) -> Sums:
        """Sums of the first tokens of each context, zeros for an empty one. -> [n, 2, width]"""
        sums = np.zeros((len(contexts), 2, self.width), np.int32)
        present = [number for number, context in enumerate(contexts) if context]
        if not present:
            return sums
        # Six characters a token is more than any of our languages has.
        encodings = self.tokenizer.encode_batch_fast(
            [contexts[i][: 6 * self.context] for i in present], add_special_tokens=False
        )
        lines = [encoding.ids[: self.context] for encoding in encodings]
        present = [number for number, line in zip(present, lines, strict=True) if line]
        lines = [line for line in lines if line]
        if lines:
            starts = np.cumsum([0, *(len(line) for line in lines[:-1])])
            pools = self._pools(np.concatenate([np.array(line, np.int64) for line in lines]), starts, starts)
            sums[present, 0], sums[present, 1] = pools.tokens, pools.ngrams
        return sums

    def windows(self, texts: Sequence[str], contexts: Sequence[str], surfaces: Ints) -> WindowLogits:
        """Logits of every window of every text. Blocks of `block` tokens; a window is two neighbours."""
        lines, offsets = self._encoded(texts)
        lengths = np.array([len(line) for line in lines])
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        ids = np.fromiter((i for line in lines for i in line), np.int64, int(lengths.sum()))
        blocks = (lengths + self.block - 1) // self.block
        if blocks.max() == 1:
            pools = self._pools(ids, starts, starts)
            spans = np.array([(0, len(text)) for text in texts])
            logits = self.logits(
                np.stack([pools.tokens, pools.ngrams], axis=1), self.context_sums(contexts), surfaces
            )
            return WindowLogits(logits, np.arange(len(texts)), spans)
        segments = np.concatenate(
            [start + self.block * np.arange(n) for start, n in zip(starts, blocks, strict=True)]
        )
        pools = self._pools(ids, starts, segments)
        sums = np.stack([pools.tokens, pools.ngrams], axis=1)
        owner = np.repeat(np.arange(len(texts)), blocks)
        last = np.append(owner[1:] != owner[:-1], True)
        merged = sums.copy()
        merged[:-1][~last[:-1]] += sums[1:][~last[:-1]]
        kept = ~last | (blocks[owner] == 1)
        owner = owner[kept]
        first = np.searchsorted(owner, np.arange(len(texts)))
        spans = np.array(
            [
                self._span(offsets[text], len(texts[text]), blocks=int(n), number=number)
                for text, n in enumerate(blocks)
                for number in range(max(1, int(n) - 1))
            ]
        )
        logits = self.logits(merged[kept], self.context_sums(contexts)[owner], surfaces[owner])
        return WindowLogits(logits, first, spans)

    def _encoded(self, texts: Sequence[str]) -> tuple[list[list[int]], list[list[tuple[int, int]]]]:
        """Ids of each text, and the offsets of those texts that have several windows (else empty)."""
        window = 2 * self.block
        # Offsets cost a third more, so texts that are sure to fit one window go without.
        if all(len(text) <= window for text in texts):
            encodings = self.tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        else:
            encodings = self.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        lines = [encoding.ids for encoding in encodings]
        offsets: list[list[tuple[int, int]]] = [
            encoding.offsets if len(line) > window else []
            for encoding, line in zip(encodings, lines, strict=True)
        ]
        return [line or [self._vocabulary] for line in lines], offsets

    def _span(
        self, offsets: Sequence[tuple[int, int]], length: int, *, blocks: int, number: int
    ) -> tuple[int, int]:
        """Character range of a text's window; the ends of the text belong to its end windows."""
        if blocks <= 2:
            return 0, length
        start = 0 if number == 0 else offsets[number * self.block][0]
        end = length if number == blocks - 2 else offsets[(number + 2) * self.block - 1][1]
        return start, end

    # ---- streams

    def begin(self) -> State:
        """The state of an empty stream."""
        return State(np.array([-1, -1]), 0, np.zeros((0, 2, self.width), np.int32))

    def extend(self, state: State, ids: Sequence[int], context: Sums, surface: int) -> State:
        """The state after more tokens: only they are looked up."""
        if not ids:
            return state
        new = np.array(ids, np.int64)
        rows2, rows3 = ngram_rows(new, state.before, vocabulary=self._vocabulary, buckets=self._buckets)
        places = state.count + np.arange(len(new))
        segments = np.flatnonzero(np.concatenate([[True], places[1:] % self.block == 0]))
        pools = self._sums(new, rows2, rows3, segments)
        fresh = np.stack([pools.tokens, pools.ngrams], axis=1)
        blocks = state.blocks
        if state.count % self.block:  # the first new positions complete the open block
            blocks = blocks.copy()
            blocks[-1] += fresh[0]
            fresh = fresh[1:]
        blocks = np.concatenate([blocks, fresh])
        worst, opening = state.worst, state.opening
        if len(blocks) > 2:
            closed = blocks[:-2] + blocks[1:-1]
            scores = self.logits(
                closed, np.repeat(context, len(closed), axis=0), np.full(len(closed), surface)
            )
            opening = scores[0] if opening is None else opening
            worst = np.max(scores if worst is None else np.vstack([scores, worst]), axis=0)
        before = np.concatenate([state.before, new[-2:]])[-2:]
        return State(before, state.count + len(new), blocks[-2:], worst, opening)

    def stream_logits(self, state: State, context: Sums, surface: int) -> NDArray[np.float32]:
        """Logits of the windows that matter now, closed ones folded into one row. -> [1 or 3, outputs]

        The first row is the first window.
        """
        if not state.count:
            state = self.extend(state, [self._vocabulary], context, surface)
        current = self.logits(state.blocks.sum(axis=0, dtype=np.int32)[None], context, np.array([surface]))
        if state.worst is None or state.opening is None:
            return current
        return np.vstack([state.opening[None], state.worst[None], current])


def _ratio(sums: Sums) -> NDArray[np.float32]:
    """Sum of vectors over sum of weights (the last column). [n, width] -> [n, width - 1]"""
    weights = sums[:, -1:].astype(np.float32)
    return (sums[:, :-1].astype(np.float32) / np.maximum(weights, np.float32(1.0))).astype(
        np.float32, copy=False
    )
