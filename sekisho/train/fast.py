"""Train `fast`: int8 embedding sums and one hidden layer, in plain torch on the CPU, a few minutes.

Reads top to bottom: the tokenizer, the features, the network, the loop, the export. Features are made by the
very functions that inference uses (`sekisho.guards.embedded._fast`). Where logits of a teacher are given, the
network learns from them as well: they carry what a bag of words cannot find out alone.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers
from torch import Tensor, nn

from sekisho.data.examples import SURFACES, TrainingExample
from sekisho.guards.embedded._fast import HEAD, TABLE, TOKENIZER, joined_rows

from .mixture import OUTPUTS, Targets, surface_numbers, targets_of

log = logging.getLogger(__name__)

BLOCK: Final = 128
"""Tokens of a block; a window is two."""
CONTEXT: Final = 64
VOCABULARY: Final = 32_000
BUCKETS: Final = 1 << 17
WIDTH: Final = 64
"""Columns of the table: a vector of one less, and a weight."""

# One Han character, a run of kana or hangul, a word, a digit, or a sign. Every alternative is bounded, so
# that a stream knows when a word is over; none looks ahead, so that cutting between words changes nothing.
_WORDS: Final = (
    r"[\p{Han}々〆]|[\p{Hiragana}ー]{1,12}|[\p{Katakana}ー]{1,16}|[\p{Hangul}]{1,16}"
    r"|[\p{Latin}\p{M}'’]{1,24}|\p{N}|[\p{L}\p{M}]{1,24}|[^\s\p{L}\p{M}\p{N}]"
)


def train_tokenizer(texts: Sequence[str], *, vocabulary: int = VOCABULARY) -> Tokenizer:
    """A WordPiece tokenizer over lower-cased NFKC text.

    The library breaks ties between pieces by hash order: two runs may differ in a few rare pieces.
    """
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=30))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex(_WORDS), behavior="removed", invert=True)
    trainer = trainers.WordPieceTrainer(
        vocab_size=vocabulary,
        special_tokens=["[UNK]"],
        limit_alphabet=6000,
        min_frequency=3,
        continuing_subword_prefix="##",
        show_progress=False,
    )
    tokenizer.train_from_iterator((text[:3000] for text in texts), trainer)
    return tokenizer


class FastNet(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """The network of `sekisho.guards.embedded._fast.FastModel`, with quantisation simulated while training.

    `table` holds vectors and, in the last column, the logit of the weight. Row `zero` stays zero.
    """

    def __init__(self, rows: int, *, zero: int, width: int = WIDTH, hidden: int = 160) -> None:
        super().__init__()
        self.zero = zero
        start = torch.randn(rows, width) * 0.02
        start[:, -1] = -2.0
        self.table = nn.Parameter(start)
        self.step = 0.01  # value of one int8 unit of a vector; weights are in 1/127
        self.scale = nn.Parameter(torch.full((4,), 4.0))
        self.first = nn.Linear(4 * (width - 1), hidden)
        self.surface = nn.Parameter(torch.zeros(len(SURFACES), hidden))
        self.second = nn.Linear(hidden, OUTPUTS)
        self.dropout = nn.Dropout(0.3)

    def quantised(self, rows: Tensor) -> Tensor:
        """Rows of the int8 table as floats: rounded, with the gradient of the unrounded. [r] -> [r, width]"""
        raw = nn.functional.embedding(rows, self.table, sparse=True)
        vectors = torch.clamp(raw[:, :-1] / self.step, -127, 127)
        weights = torch.clamp(torch.sigmoid(raw[:, -1:]) * 127, 1, 127)
        both = torch.cat([vectors, weights], dim=1)
        both = both + (both.round() - both).detach()
        return both * (rows != self.zero)[:, None]

    def forward(self, bags: Sequence[tuple[Tensor, Tensor]], surfaces: Tensor) -> Tensor:
        """bags: rows and offsets, of tokens and n-grams of text and context. -> [batch, OUTPUTS]"""
        distinct, places = torch.unique(torch.cat([rows for rows, _ in bags]), return_inverse=True)
        table, parts = self.quantised(distinct), []
        pieces = torch.split(places, [len(rows) for rows, _ in bags])
        for number, (piece, (_, offsets)) in enumerate(zip(pieces, bags, strict=True)):
            sums = nn.functional.embedding_bag(piece, table, offsets, mode="sum")
            parts.append(self.dropout(sums[:, :-1] / torch.clamp(sums[:, -1:], min=1.0) * self.scale[number]))
        hidden = torch.relu(self.first(torch.cat(parts, dim=1)) + self.surface[surfaces])
        y: Tensor = self.second(self.dropout(hidden))
        return y


Bag = tuple[NDArray[np.int64], NDArray[np.int64]]


class Features:
    """Rows of every example: tokens and n-grams of its text and of its context."""

    def __init__(
        self, examples: Sequence[TrainingExample], tokenizer: Tokenizer, *, buckets: int = BUCKETS
    ) -> None:
        self.vocabulary = tokenizer.get_vocab_size()
        self.texts = self._lines(tokenizer, [e.text[:8000] for e in examples], buckets)
        self.contexts = self._lines(
            tokenizer, [e.context[: 6 * CONTEXT] for e in examples], buckets, limit=CONTEXT
        )
        self.violates = [bool(e.overall) for e in examples]

    def _lines(
        self, tokenizer: Tokenizer, texts: Sequence[str], buckets: int, limit: int | None = None
    ) -> list[tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]]:
        lines = []
        for encoding in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False):
            ids = np.array(encoding.ids[:limit] or [self.vocabulary], np.int64)
            pairs, triples = joined_rows(
                ids, np.zeros(1, np.int64), vocabulary=self.vocabulary, buckets=buckets
            )
            lines.append((ids.astype(np.int32), pairs.astype(np.int32), triples.astype(np.int32)))
        return lines

    def bags(
        self, rows: Sequence[int], rng: np.random.Generator | None, *, drop: float = 0.25
    ) -> list[tuple[Tensor, Tensor]]:
        """The four bags of some examples; with `rng`, cut to a random window and with features dropped."""
        cuts = []
        for row in rows:
            length = len(self.texts[row][0])
            spare = length - 2 * BLOCK
            start = 0
            if rng is not None and spare > 0:
                start = int(rng.choice((0, spare)) if self.violates[row] else rng.integers(0, spare + 1))
            cuts.append(slice(start, start + 2 * BLOCK))
        bags = []
        for lines, cut in ((self.texts, cuts), (self.contexts, [slice(None)] * len(cuts))):
            tokens = [lines[row][0][part] for row, part in zip(rows, cut, strict=True)]
            grams = [
                np.concatenate([lines[row][1][part], lines[row][2][part]])
                for row, part in zip(rows, cut, strict=True)
            ]
            for group in (tokens, grams):
                joined = np.concatenate(group).astype(np.int64)
                sizes = np.array([len(line) for line in group])
                if rng is not None:
                    joined[rng.random(len(joined)) < drop] = self.vocabulary
                    if (
                        group is grams
                    ):  # now and then a text must do without them: they are easily learned by heart
                        joined[np.repeat(rng.random(len(sizes)) < drop, sizes)] = self.vocabulary
                offsets = np.concatenate([[0], np.cumsum(sizes)[:-1]])
                bags.append((torch.from_numpy(joined), torch.from_numpy(offsets)))
        return bags


@dataclass(frozen=True, slots=True)
class TrainedFast:
    """A trained network and its tokenizer."""

    net: FastNet
    tokenizer: Tokenizer


def _batches(count: int, size: int, rng: random.Random) -> Iterator[list[int]]:
    order = list(range(count))
    rng.shuffle(order)
    for start in range(0, count, size):
        yield order[start : start + size]


def train_fast(
    examples: Sequence[TrainingExample],
    *,
    teacher: NDArray[np.float32] | None = None,
    seed: int = 0,
    epochs: int = 4,
    rate: float = 3e-3,
    size: int = 128,
    threads: int = 2,
    share: float = 0.5,
) -> TrainedFast:
    """Train on the given examples, all of them. `teacher` [n, OUTPUTS] are logits, NaN where there are none.

    `share` of the loss is the teacher's where it has spoken. Minutes; not resumed.
    """
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    tokenizer = train_tokenizer([e.text for e in examples])
    features = Features(examples, tokenizer)
    vocabulary = features.vocabulary
    net = FastNet(vocabulary + 1 + BUCKETS, zero=vocabulary)
    targets, surfaces = targets_of(examples), torch.from_numpy(surface_numbers(examples))
    soft = _soft_targets(teacher, targets)
    rows_optimizer = torch.optim.SparseAdam([net.table], lr=rate)
    head_optimizer = torch.optim.AdamW(
        [p for n, p in net.named_parameters() if n != "table"], weight_decay=0.01
    )
    total, step = epochs * -(-len(examples) // size), 0
    for epoch in range(epochs):
        losses = []
        for rows in _batches(len(examples), size, random.Random(f"{seed}/{epoch}")):
            factor = min(1.0, (step + 1) / 100) * (1.0 - step / total)
            rows_optimizer.param_groups[0]["lr"] = rate * factor
            head_optimizer.param_groups[0]["lr"] = rate * 0.75 * factor
            bags = features.bags(rows, np.random.default_rng((seed, epoch, step)))
            loss = _loss(net(bags, surfaces[rows]), targets, soft, np.array(rows), share)
            for optimizer in (rows_optimizer, head_optimizer):
                optimizer.zero_grad(set_to_none=True)
            loss.backward()
            rows_optimizer.step()
            head_optimizer.step()
            losses.append(float(loss.detach()))
            step += 1
        log.info("fast: epoch %d of %d, loss %.4f", epoch + 1, epochs, sum(losses) / len(losses))
    net.eval()
    return TrainedFast(net, tokenizer)


@dataclass(frozen=True, slots=True)
class _Soft:
    values: NDArray[np.float32]
    masks: NDArray[np.float32]


def _soft_targets(teacher: NDArray[np.float32] | None, targets: Targets) -> _Soft | None:
    """The teacher's probabilities. Where a label is unknown they are all there is, and count in full."""
    if teacher is None:
        return None
    spoke = ~np.isnan(teacher)
    values = np.where(spoke, 1.0 / (1.0 + np.exp(-np.nan_to_num(teacher))), 0.0)
    return _Soft(values.astype(np.float32), spoke.astype(np.float32))


def _loss(
    logits: Tensor, targets: Targets, soft: _Soft | None, rows: NDArray[np.int64], share: float
) -> Tensor:
    """Binary cross-entropy with labels and with the teacher; the overall head as much as two others' sum."""
    bce = nn.functional.binary_cross_entropy_with_logits
    columns = torch.full((OUTPUTS,), 0.5)
    columns[0] = 1.0
    hard = bce(logits, torch.from_numpy(targets.values[rows]), reduction="none") * torch.from_numpy(
        targets.masks[rows]
    )
    if soft is not None:
        taught = bce(logits, torch.from_numpy(soft.values[rows]), reduction="none") * torch.from_numpy(
            soft.masks[rows]
        )
        hard = (1.0 - share) * hard + share * taught
    return (hard * columns).sum() / len(rows)


def export_fast(trained: TrainedFast, folder: Path) -> tuple[str, ...]:
    """Write tokenizer, int8 table and head to `folder`; the names of the files."""
    folder.mkdir(parents=True, exist_ok=True)
    net = trained.net
    with torch.no_grad():
        np.save(folder / TABLE, net.quantised(torch.arange(len(net.table))).round().to(torch.int8).numpy())
        # In the table a vector unit counts 1 and a weight unit 1: the ratio of sums is that of the network.
        scale = net.scale.repeat_interleave(net.table.shape[1] - 1)
        arrays = {
            "weight1": (net.first.weight * scale).T.contiguous(),
            "surface": net.surface + net.first.bias,
            "weight2": net.second.weight.T.contiguous(),
            "offset2": net.second.bias,
        }
        np.savez(
            folder / HEAD,
            **{name: value.detach().numpy().astype(np.float32) for name, value in arrays.items()},
        )
    trained.tokenizer.save(str(folder / TOKENIZER), pretty=False)
    return (TOKENIZER, TABLE, HEAD)
