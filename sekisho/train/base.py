"""Train `base`: eight layers of multilingual-e5-small with one head for everything, in bf16.

Reads top to bottom: the network, the batches, the loop, the export. The judged message and the user turn
before it go in as `<s> context </s> text </s>`, with learned rows for the surface (on `<s>`) and the segment.
Token embeddings are quantised to int8 before training and stay frozen: what is trained is what is shipped.
"""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor, nn

from sekisho.data.examples import SURFACES, TrainingExample

from .encoder import Encoder, TorchEncoder, read_encoder, tokenizer_of, trimmed
from .mixture import OUTPUTS, surface_numbers, targets_of

log = logging.getLogger(__name__)

LENGTH: Final = 128
"""Tokens of one window, context and marks included."""
CONTEXT: Final = 40
"""Most tokens of context."""
LAYERS: Final = tuple(range(8))
"""The lower layers of the encoder's twelve: what is above them was shaped by another task."""
_BATCH_TOKENS: Final = 3072
_BATCH_ROWS: Final = 64


@dataclass(frozen=True, slots=True)
class Table:
    """Token embeddings as int8 with one scale a row. values [V, d], scales [V]"""

    values: NDArray[np.int8]
    scales: NDArray[np.float32]

    @staticmethod
    def of(weights: NDArray[np.float32]) -> Table:
        """The nearest table, symmetric, row by row."""
        scales = np.maximum(np.abs(weights).max(axis=1), 1e-8) / 127.0
        return Table(np.round(weights / scales[:, None]).astype(np.int8), scales.astype(np.float32))


class GuardNet(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """Encoder, mean and attention pooling over the judged text, one hidden layer, all logits."""

    def __init__(self, encoder: Encoder, *, hidden: int = 256, dropout: float = 0.1) -> None:
        super().__init__()
        width = encoder.tensors["emb.word"].shape[1]
        self.encoder = TorchEncoder(encoder)
        self.surface = nn.Parameter(torch.zeros(len(SURFACES), width))
        self.segment = nn.Parameter(torch.from_numpy(encoder.tensors["emb.type"][[0, 0]].copy()))
        self.attention = nn.Linear(width, 1)
        self.dropout = nn.Dropout(dropout)
        self.hidden = nn.Linear(2 * width, hidden)
        self.out = nn.Linear(hidden, OUTPUTS)

    def forward(self, embedded: Tensor, mask: Tensor, pool: Tensor) -> Tensor:
        """embedded [b, l, d]; mask and pool [b, l] of 0 and 1 (real; of the judged text) -> [b, OUTPUTS]"""
        states = self.encoder(embedded, mask).float()
        mean = (states * pool[:, :, None]).sum(1) / pool.sum(1, keepdim=True)
        scores = self.attention(states).squeeze(-1) + (1.0 - pool) * -1e4
        chosen = (torch.softmax(scores, dim=-1)[:, :, None] * states).sum(1)
        pooled = self.dropout(torch.cat([mean, chosen], dim=-1))
        y: Tensor = self.out(self.dropout(nn.functional.gelu(self.hidden(pooled))))
        return y


@dataclass(frozen=True, slots=True)
class Batch:
    """Token ids, segments (0 context, 1 text), mask [b, length]; rows of the data set [b]."""

    ids: Tensor
    segments: Tensor
    mask: Tensor
    rows: NDArray[np.int64]


class Batches:
    """The tokenised examples, cut to one window each, in batches of similar length.

    Of a text longer than its window an innocent one gives any part, a violating one its beginning or its
    end, where requests stand.
    """

    def __init__(self, examples: Sequence[TrainingExample], tokenizer: Tokenizer, *, seed: int) -> None:
        self._texts = self._ids(tokenizer, [e.text[:6000] for e in examples])
        self._contexts = [ids[:CONTEXT] for ids in self._ids(tokenizer, [e.context[:400] for e in examples])]
        self._violates = [bool(e.overall) for e in examples]
        self._start, self._end, self._pad = (tokenizer.token_to_id(t) for t in ("<s>", "</s>", "<pad>"))
        self._seed = seed

    @staticmethod
    def _ids(tokenizer: Tokenizer, texts: Sequence[str]) -> list[NDArray[np.int32]]:
        encodings = tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(encoding.ids, np.int32) for encoding in encodings]

    def _window(self, row: int, rng: random.Random, *, crop: bool) -> NDArray[np.int32]:
        text, room = self._texts[row], LENGTH - 3 - len(self._contexts[row])
        spare = len(text) - room
        if spare <= 0:
            return text
        start = 0
        if crop:
            start = rng.choice((0, spare)) if self._violates[row] else rng.randint(0, spare)
        return text[start : start + room]

    def epoch(self, number: int, *, shuffle: bool = True) -> Iterator[Batch]:
        """Batches of one pass. The same number gives the same batches."""
        rng = random.Random(f"{self._seed}/{number}")
        windows = [self._window(row, rng, crop=shuffle) for row in range(len(self._texts))]
        lengths = [
            len(window) + len(context) + 3 for window, context in zip(windows, self._contexts, strict=True)
        ]
        order = sorted(
            range(len(windows)), key=lambda row: (lengths[row] + (rng.random() * 4 if shuffle else 0), row)
        )
        groups: list[list[int]] = []
        for row in order:  # rising lengths: the last row of a group is its longest
            if (
                not groups
                or len(groups[-1]) >= _BATCH_ROWS
                or (len(groups[-1]) + 1) * lengths[row] > _BATCH_TOKENS
            ):
                groups.append([])
            groups[-1].append(row)
        if shuffle:
            rng.shuffle(groups)
        for group in groups:
            yield self._batch(group, windows, max(lengths[row] for row in group))

    def _batch(self, group: Sequence[int], windows: Sequence[NDArray[np.int32]], length: int) -> Batch:
        ids = np.full((len(group), length), self._pad, np.int64)
        segments, mask = np.zeros_like(ids), np.zeros((len(group), length), np.float32)
        for place, row in enumerate(group):
            context = self._contexts[row]
            head = np.concatenate([[self._start], context, [self._end]])
            line = np.concatenate([head, windows[row], [self._end]])
            ids[place, : len(line)], mask[place, : len(line)] = line, 1.0
            segments[place, len(head) : len(line)] = 1
        return Batch(
            torch.from_numpy(ids), torch.from_numpy(segments), torch.from_numpy(mask), np.array(group)
        )


def logits_of(net: GuardNet, words: Tensor, batch: Batch, surfaces: Tensor) -> Tensor:
    """Logits of a batch. words [V, d], surfaces [b] -> [b, OUTPUTS]"""
    embedded = words[batch.ids] + net.segment[batch.segments]
    first = torch.zeros_like(batch.mask)
    first[:, 0] = 1.0
    embedded = embedded + first[:, :, None] * net.surface[surfaces][:, None, :]
    logits: Tensor = net(embedded, batch.mask, batch.segments.float())
    return logits


def masked_loss(logits: Tensor, values: Tensor, masks: Tensor) -> Tensor:
    """Binary cross-entropy over known targets: the overall head as much as all rules together."""
    losses = nn.functional.binary_cross_entropy_with_logits(logits, values, reduction="none") * masks
    return (losses[:, 0].sum() + losses[:, 1:].sum() * 0.5) / len(logits)


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained network with what the export needs."""

    net: GuardNet
    table: Table
    tokenizer: Tokenizer


def _start(
    examples: Sequence[TrainingExample], path: Path, layers: tuple[int, ...] | None = None
) -> tuple[GuardNet, Table, Tokenizer]:
    encoder = trimmed(read_encoder(path), (e.text for e in examples), layers=layers or LAYERS)
    log.info("vocabulary of %d pieces", len(encoder.pieces))
    return GuardNet(encoder), Table.of(encoder.tensors["emb.word"]), tokenizer_of(encoder)


def train_base(
    examples: Sequence[TrainingExample],
    *,
    checkpoints: Path,
    seed: int = 0,
    epochs: float = 3.0,
    minutes: float = 45.0,
    rate: float = 1e-4,
    threads: int = 2,
    more: bool = False,
    layers: tuple[int, ...] | None = None,
) -> Trained:
    """Train on the examples that are not held out. Goes on from `checkpoints/base.pt` if there is one.

    `more` starts from the weights of the last finished run in place of the encoder's own: for a mixture that
    has changed a little. What that run held out must still be held out.

    The learning rate falls to nothing over `epochs`, or over the share of them that fits into `minutes`.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    examples = [e for e in examples if not e.development]
    net, table, tokenizer = _start(examples, checkpoints / "e5-small-q4.bin", layers)
    words = torch.from_numpy(table.values).float() * torch.from_numpy(table.scales)[:, None]
    targets, surfaces = targets_of(examples), torch.from_numpy(surface_numbers(examples))
    batches = Batches(examples, tokenizer, seed=seed)
    total = int(epochs * sum(1 for _ in batches.epoch(0)))
    encoder = [p for name, p in net.named_parameters() if name.startswith("encoder")]
    heads = [p for name, p in net.named_parameters() if not name.startswith("encoder")]
    optimizer = torch.optim.AdamW(
        [{"params": encoder, "lr": rate}, {"params": heads, "lr": 10 * rate}], weight_decay=0.01
    )
    path, step, spent = checkpoints / "base.pt", 0, 0.0
    if more:
        net.load_state_dict(torch.load(checkpoints / "base-trained.pt", weights_only=True)["net"])
    if path.is_file():
        state = torch.load(path, weights_only=True)
        net.load_state_dict(state["net"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
        log.info("resumed at step %d of %d", step, total)
    began, skip, smooth = time.monotonic() - spent, step, 0.0
    net.train()
    epoch = 0
    progress = step / total
    while progress < 1.0:
        for batch in batches.epoch(epoch):
            if skip:
                skip -= 1
                continue
            progress = max(step / total, (time.monotonic() - began) / (60 * minutes))
            if progress >= 1.0:
                break
            factor = min(1.0, (step + 1) / 200) * (1.0 - progress)
            for group, top in zip(optimizer.param_groups, (rate, 10 * rate), strict=True):
                group["lr"] = top * factor
            with torch.autocast("cpu", dtype=torch.bfloat16):
                logits = logits_of(net, words, batch, surfaces[batch.rows]).float()
            values, masks = (torch.from_numpy(part[batch.rows]) for part in (targets.values, targets.masks))
            loss = _step(net, masked_loss(logits, values, masks), optimizer)
            step += 1
            smooth = loss if step == 1 else 0.98 * smooth + 0.02 * loss
            if step % 100 == 0:
                log.info("step %d of %d, loss %.4f, %.0f s", step, total, smooth, time.monotonic() - began)
            if step % 400 == 0:
                state = {"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": step}
                torch.save(state | {"spent": time.monotonic() - began}, path.with_suffix(".part"))
                path.with_suffix(".part").replace(path)
        epoch += 1
    net.eval()
    torch.save({"net": net.state_dict()}, checkpoints / "base-trained.pt")
    path.unlink(missing_ok=True)
    return Trained(net, table, tokenizer)


def _step(net: GuardNet, loss: Tensor, optimizer: torch.optim.Optimizer) -> float:
    """One optimiser step; the loss."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def trained_base(examples: Sequence[TrainingExample], *, checkpoints: Path) -> Trained:
    """The network of an earlier, finished run (`checkpoints/base-trained.pt`)."""
    net, table, tokenizer = _start(
        [e for e in examples if not e.development], checkpoints / "e5-small-q4.bin"
    )
    net.load_state_dict(torch.load(checkpoints / "base-trained.pt", weights_only=True)["net"])
    net.eval()
    return Trained(net, table, tokenizer)
