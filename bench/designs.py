"""Designs of a classifier side by side on development data: what was tried, and what each brings.

Every design that learns here learns from the same rows (`sekisho.train.mixture`); nothing is fitted on evaluation
sets. `recall` is at the threshold that a 2 % budget of innocent traffic allows, fitted on one half of the
development texts and reported on the other, as for the shipped classifiers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression

from sekisho.core import Measurement
from sekisho.data.examples import TrainingExample
from sekisho.guards.embedded import WEIGHTS, Classifier, Item
from sekisho.train.calibrate import TRAFFIC, traffic_weights, usable
from sekisho.train.guard import CHECKPOINTS
from sekisho.train.mixture import load_mixture

from .peers import Scorer, Scores, minilm, sparse_pipeline
from .ranking import auroc
from .result import Options, Result, result, told

NEEDS_DATA = True
ROWS = 20_000
"""Rows for the designs that are quick to fit; the networks had all of them."""
SHARES = (0.0, 0.125, 0.25, 0.5, 1.0)
"""Of the corpus, for the learning curve."""


def run(options: Options) -> Result:
    """AUROC on development texts, all and by language and kind; then the learning curve of `fast`."""
    assert options.data is not None
    examples = load_mixture(options.data, checkpoints=CHECKPOINTS)
    held = [e for e, fit in zip(examples, usable(examples), strict=True) if e.development and fit]
    shown = [e for e in examples if not e.development]
    if options.limit:
        held, shown = (
            held[:: max(1, len(held) // options.limit)],
            shown[:: max(1, len(shown) // options.limit)],
        )
    left_out: list[str] = []
    found: list[Measurement] = []
    designs = _designs(shown, left_out)
    scores: dict[str, Scores] = {}
    for number, (name, make) in enumerate(designs.items(), start=1):
        scores[name] = _scored(make(), held)
        found += _figures(name, scores[name], held)
        told("designs", number, len(designs))
    if {"fast, distilled", "base, 8 layers"} <= scores.keys():
        both = (scores["fast, distilled"] + scores["base, 8 layers"]) / 2
        found += _figures("mean of fast and base", both, held)
    found += _learning_curve(shown, held)
    return result("designs", options, found, left_out=left_out)


def _item(example: TrainingExample) -> Item:
    return Item(example.surface, example.text[:4000], example.context)


def _scored(score: Scorer, held: Sequence[TrainingExample]) -> Scores:
    items = [_item(e) for e in held]
    return np.concatenate([score(items[at : at + 256]) for at in range(0, len(items), 256)])


def _designs(shown: Sequence[TrainingExample], left_out: list[str]) -> dict[str, Callable[[], Scorer]]:
    drawn = np.random.default_rng(0).permutation(len(shown))[:ROWS]
    rows = [shown[i] for i in drawn]
    texts, labels = [e.text[:2000] for e in rows], [int(e.overall) for e in rows]

    def shipped(name: str) -> Callable[[], Scorer]:
        return lambda: _classifier(WEIGHTS / name)

    def tfidf() -> Scorer:
        model = sparse_pipeline().fit(texts, labels)
        return lambda items: model.predict_proba([i.text for i in items])[:, 1]

    designs: dict[str, Callable[[], Scorer]] = {
        "TF-IDF, logistic regression": tfidf,
        "fast, labels alone": lambda: _fast(shown),
        "fast, distilled": shipped("fast"),
        "base, 8 layers": shipped("base"),
    }
    try:
        embed = minilm()
    except ImportError as error:
        left_out.append(f"MiniLM: {error.name} is not installed (extra `bench`)")
        return designs

    def frozen() -> Scorer:
        head = LogisticRegression(max_iter=1000, class_weight="balanced", C=10.0).fit(embed(texts), labels)
        return lambda items: head.predict_proba(embed([i.text for i in items]))[:, 1]

    return {"MiniLM frozen, logistic regression": frozen, **designs}


def _classifier(folder: Path) -> Scorer:
    classifier = Classifier.load(folder)
    return lambda items: classifier.predict(items).overall


def _fast(shown: Sequence[TrainingExample]) -> Scorer:
    """`fast` without a teacher; scores are logits, which rank as well."""
    import tempfile

    from sekisho.guards.embedded._fast import FastModel
    from sekisho.train import fast
    from sekisho.train.mixture import SURFACES

    with tempfile.TemporaryDirectory() as folder:
        fast.export_fast(fast.train_fast(shown), Path(folder))
        model = FastModel.load(Path(folder), block=fast.BLOCK, context=fast.CONTEXT)
        model._table = np.array(model._table)  # the file goes with the folder

    def score(items: Sequence[Item]) -> Scores:
        surfaces = np.array([SURFACES.index(i.surface) for i in items])
        logits = model.windows([i.text for i in items], [i.context for i in items], surfaces).worst()[0]
        return logits[:, 0]

    return score


def _figures(name: str, scores: Scores, held: Sequence[TrainingExample]) -> list[Measurement]:
    labels = np.array([e.overall > 0 for e in held])
    corpus = np.array([e.source == "corpus" for e in held])
    slices = {"all": np.ones(len(held), bool), "corpus": corpus, "other sources": ~corpus}
    slices |= {lang: np.array([e.language == lang for e in held]) for lang in ("en", "ja", "zh", "ko")}
    found = [auroc(name, part, scores[rows], labels[rows]) for part, rows in slices.items()]
    order = np.random.default_rng(0).permutation(len(held))
    fit, report = order[::2], order[1::2]
    innocent = fit[~labels[fit]]
    weights = traffic_weights([held[i] for i in innocent])
    ranked = innocent[np.argsort(scores[innocent])[::-1]]
    spent = np.cumsum(weights[np.argsort(scores[innocent])[::-1]])
    cut = scores[ranked[int(np.searchsorted(spent, 0.02 * spent[-1], side="right"))]]
    bad = report[labels[report]]
    value = float((scores[bad] > cut).mean())
    half = 1.96 * (value * (1 - value) / len(bad)) ** 0.5
    found.append(
        Measurement(
            name="recall",
            subject=name,
            slice="at 2 % of traffic",
            value=value,
            low=max(0.0, value - half),
            high=min(1.0, value + half),
            n=len(bad),
            method=f"threshold from the other half; {TRAFFIC['hard']:.0%} of traffic looks like a violation",
        )
    )
    return found


def _learning_curve(shown: Sequence[TrainingExample], held: Sequence[TrainingExample]) -> list[Measurement]:
    """`fast` from the public sets and a growing part of the corpus; the parts are nested."""
    written = [e for e in shown if e.source == "corpus"]
    public = [e for e in shown if e.source != "corpus"]
    order = np.random.default_rng(1).permutation(len(written))
    found = []
    for number, share in enumerate(SHARES, start=1):
        part = [written[i] for i in order[: int(share * len(written))]]
        scores = _scored(_fast([*public, *part]), held)
        name = f"fast, public + {len(part)} written"
        found += [m for m in _figures(name, scores, held) if m.name == "auroc"]
        told("learning curve", number, len(SHARES))
    return found
