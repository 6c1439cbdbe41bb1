"""The shape behind the figures: ROC and precision-recall curves, histograms of scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sekisho.core import Value

from .extra import need
from .outcomes import Outcomes

POINTS = 120
"""A curve is thinned to at most this many points: more cannot be seen."""
BINS = 20


class Curve(Value):
    """Points of a curve in order."""

    x: tuple[float, ...]
    y: tuple[float, ...]


class Curves(Value):
    """A set's curves; None for one class only, or where nothing was decided."""

    roc: Curve
    """x: false-positive rate, y: recall."""
    precision_recall: Curve
    """x: recall, y: precision."""


class Histogram(Value):
    """How many texts have a score in each of 20 bins of equal width from 0 to 1."""

    violating: tuple[int, ...]
    harmless: tuple[int, ...]
    undecided: int
    """Texts without a score, or undecided: in neither."""


def curves(outcomes: Outcomes) -> Curves | None:
    """Both curves by scikit-learn, thinned."""
    label, ranked = outcomes.label, outcomes.ranked
    if label.all() or not label.any() or outcomes.undecided.all():
        return None
    scores = need("sklearn.metrics")
    false_rate, recall, _ = scores.roc_curve(label, ranked)
    precision, found, _ = scores.precision_recall_curve(label, ranked, drop_intermediate=True)
    return Curves(roc=_thinned(false_rate, recall), precision_recall=_thinned(found[::-1], precision[::-1]))


def histogram(outcomes: Outcomes) -> Histogram:
    """Scores by label."""
    kept = ~outcomes.undecided & ~np.isnan(outcomes.score)

    def counts(rows: NDArray[np.bool_]) -> tuple[int, ...]:
        return tuple(int(n) for n in np.histogram(outcomes.score[rows], bins=BINS, range=(0.0, 1.0))[0])

    return Histogram(
        violating=counts(kept & outcomes.label),
        harmless=counts(kept & ~outcomes.label),
        undecided=int((~kept).sum()),
    )


def _thinned(x: Sequence[float], y: Sequence[float]) -> Curve:
    """At most `POINTS` points, spread evenly along the curve's length, both ends kept."""
    xs, ys = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    if len(xs) > POINTS:
        walked = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(xs)) + np.abs(np.diff(ys)))])
        wanted = np.linspace(0.0, walked[-1], POINTS)
        rows = np.unique(np.searchsorted(walked, wanted).clip(0, len(xs) - 1))
        xs, ys = xs[rows], ys[rows]
    return Curve(
        x=tuple(round(float(v), 4) for v in xs),
        y=tuple(round(float(v), 4) for v in ys),
    )
