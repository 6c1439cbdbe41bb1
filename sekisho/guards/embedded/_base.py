"""`base`: a small multilingual transformer as an int8 ONNX graph, token embeddings looked up outside of it.

The embeddings are an int8 table with one scale a row, mapped from disk, so that only the rows of tokens that
occur are ever read. A window is `<s> context </s> text </s>`; learned rows for surface and segment are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from sekisho.core.errors import ArtefactError

from ._adapter import Adapter
from ._artefact import Windows
from ._windows import WindowLogits, window_starts

TOKENIZER: Final = "tokenizer.json"
TABLE: Final = "embeddings.npy"
ROWS: Final = "rows.npz"
GRAPH: Final = "encoder.onnx"

_BATCH_TOKENS: Final = 4096
_MARKS: Final = 3  # <s>, </s> after the context, </s> after the text

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]


class BaseModel:
    """The raw model: logits of windows."""

    def __init__(
        self,
        *,
        tokenizer: Tokenizer,
        table: NDArray[np.int8],
        rows: dict[str, Floats],
        session: onnxruntime.InferenceSession,
        windows: Windows,
        adapter: Adapter | None = None,
    ) -> None:
        self._adapter = adapter
        self._tokenizer = tokenizer
        self._table = table
        self._rows = rows
        self._session = session
        self._windows = windows
        self._start, self._end, self._pad = (_mark(tokenizer, mark) for mark in ("<s>", "</s>", "<pad>"))

    @classmethod
    def load(
        cls, folder: Path, *, windows: Windows, threads: int = 0, adapter: Adapter | None = None
    ) -> BaseModel:
        """From the files TOKENIZER, TABLE, ROWS and GRAPH of `folder`. `threads` 0: one a core."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Waiting threads would otherwise spin and slow down whatever else the machine does.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        with np.load(folder / ROWS) as arrays:
            rows = {name: arrays[name] for name in arrays.files}
        return cls(
            tokenizer=Tokenizer.from_file(str(folder / TOKENIZER)),
            table=np.load(folder / TABLE, mmap_mode="r"),
            rows=rows,
            session=onnxruntime.InferenceSession(
                str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
            ),
            windows=windows,
            adapter=adapter,
        )

    def windows(self, texts: Sequence[str], contexts: Sequence[str], surfaces: Ints) -> WindowLogits:
        """Logits of every window of every text."""
        size, room = self._windows.window - _MARKS, self._windows.context
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        heads = self._contexts(contexts, room)
        lines: list[Ints] = []
        heads_of: list[int] = []
        spans: list[tuple[int, int]] = []
        first: list[int] = []
        for number, encoding in enumerate(encodings):
            ids, offsets = encoding.ids, encoding.offsets
            width = size - len(heads[number])
            starts = window_starts(len(ids), window=width, stride=max(1, width * 3 // 4))
            first.append(len(lines))
            for start in starts:
                lines.append(np.array(ids[start : start + width], np.int64))
                heads_of.append(number)
                end = min(start + width, len(ids))
                last = start == starts[-1]
                spans.append(
                    (
                        0 if start == 0 else offsets[start][0],
                        len(texts[number]) if last else offsets[end - 1][1],
                    )
                )
        logits = self._run(lines, [heads[number] for number in heads_of], surfaces[heads_of], output="logits")
        return WindowLogits(logits, np.array(first), np.array(spans))

    def with_adapter(self, adapter: Adapter) -> BaseModel:
        """The same weights with a corrected last layer."""
        changed = copy(self)
        changed._adapter = adapter
        return changed

    def embeddings(self, texts: Sequence[str], contexts: Sequence[str], surfaces: Ints) -> Floats:
        """The last hidden layer for the first window of every text. -> [n, d]"""
        size = self._windows.window - _MARKS
        heads = self._contexts(contexts, self._windows.context)
        encodings = self._tokenizer.encode_batch_fast(
            [text[: 20 * size] for text in texts], add_special_tokens=False
        )
        lines = [
            np.array(encoding.ids[: size - len(head)], np.int64)
            for encoding, head in zip(encodings, heads, strict=True)
        ]
        return self._run(lines, heads, surfaces, output="hidden")

    def _contexts(self, contexts: Sequence[str], room: int) -> list[Ints]:
        """The first `room` tokens of each context."""
        cut = [context[: 10 * room] for context in contexts]
        if not any(cut):
            return [np.zeros(0, np.int64)] * len(cut)
        return [
            np.array(e.ids[:room], np.int64)
            for e in self._tokenizer.encode_batch_fast(cut, add_special_tokens=False)
        ]

    def _run(self, lines: Sequence[Ints], heads: Sequence[Ints], surfaces: Ints, *, output: str) -> Floats:
        """One output of the graph for windows, batched by length. -> [w, size of the output]"""
        lengths = np.array([len(line) + len(head) + _MARKS for line, head in zip(lines, heads, strict=True)])
        order = np.argsort(lengths, kind="stable")
        done: list[Floats] = []
        start = 0
        while start < len(order):  # rising lengths: a batch is as long as its last row
            end = start + 1
            while end < len(order) and (end + 1 - start) * lengths[order[end]] <= _BATCH_TOKENS:
                end += 1
            rows = order[start:end]
            done.append(
                self._batch([lines[i] for i in rows], [heads[i] for i in rows], surfaces[rows], output)
            )
            start = end
        found = np.concatenate(done)
        result = np.empty_like(found)
        result[order] = found
        return result

    def _batch(self, lines: Sequence[Ints], heads: Sequence[Ints], surfaces: Ints, output: str) -> Floats:
        length = max(len(line) + len(head) for line, head in zip(lines, heads, strict=True)) + _MARKS
        ids = np.full((len(lines), length), self._pad, np.int64)
        mask = np.zeros((len(lines), length), np.float32)
        pool = np.zeros_like(mask)
        for row, (line, head) in enumerate(zip(lines, heads, strict=True)):
            begin, end = len(head) + 2, len(head) + 2 + len(line)
            ids[row, 0], ids[row, 1 : begin - 1], ids[row, begin - 1] = self._start, head, self._end
            ids[row, begin:end], ids[row, end] = line, self._end
            mask[row, : end + 1] = 1.0
            pool[row, begin : end + 1] = 1.0
        embedded = self._table[ids].astype(np.float32) * self._rows["scales"][ids][:, :, None]
        embedded += self._rows["segment"][pool.astype(np.int64)]
        embedded[:, 0] += self._rows["surface"][surfaces]
        inputs = {"embedded": embedded, "mask": mask, "pool": pool}
        if self._adapter is not None and output == "logits":
            return self._adapter(*self._session.run(["logits", "hidden"], inputs))
        found: Floats = self._session.run([output], inputs)[0]
        return found


def _mark(tokenizer: Tokenizer, mark: str) -> int:
    """The id of a special token."""
    number: int | None = tokenizer.token_to_id(mark)
    if number is None:
        raise ArtefactError(
            f"has no token {mark}", where=TOKENIZER, remedy="Reinstall the package, or train again"
        )
    return number
