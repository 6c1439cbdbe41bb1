"""Do scores mean what they say? Reliability bins and the expected calibration error.

Source: Guo et al., On Calibration of Modern Neural Networks, 2017 (15 bins of equal width). What a score
should match is the set's own share of violations, so a set that is richer in violations than life is
expected to show a guard as too cautious.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sekisho.core import Measurement, Value

from .bootstrap import interval
from .outcomes import Outcomes

BINS = 15


class ReliabilityBin(Value):
    """The texts whose score lies in one of 15 bins of equal width."""

    low: float
    high: float
    n: int
    score: float | None
    """Their mean score."""
    violating: float | None
    """The share of them that violates."""


def reliability(outcomes: Outcomes) -> tuple[ReliabilityBin, ...]:
    """All bins in order, empty ones too. Undecided texts have no score that could be right or wrong."""
    label, score, place = _judged(outcomes)
    found = []
    for number in range(BINS):
        here = place == number
        n = int(here.sum())
        found.append(
            ReliabilityBin(
                low=number / BINS,
                high=(number + 1) / BINS,
                n=n,
                score=float(score[here].mean()) if n else None,
                violating=float(label[here].mean()) if n else None,
            )
        )
    return tuple(found)


def expected_calibration_error(
    outcomes: Outcomes, *, resamples: int, rng: np.random.Generator
) -> Measurement:
    """The mean distance between score and share of violations over the bins, weighted by their size.

    None for one class or nothing judged. The bootstrap interval lies a little high: resampling adds noise
    to every bin, and the error counts noise as error.
    """
    label, score, place = _judged(outcomes)
    method = f"{BINS} bins of equal width; 95 % interval: bootstrap, {resamples} resamples"
    if not len(label) or label.all() or not label.any():
        return Measurement(name="ece", subject="", value=None, n=len(label), method=method)
    sizes = np.bincount(place, minlength=BINS)
    # Resampling texts draws how many fall into each bin and how many of those violate. What their scores
    # sum to hardly moves within a bin, so its mean is kept.
    drawn = rng.multinomial(len(label), sizes / len(label), size=resamples)
    hits = np.bincount(place, weights=label, minlength=BINS)
    share = np.divide(hits, sizes, out=np.zeros(BINS), where=sizes > 0)
    mean = np.divide(
        np.bincount(place, weights=score, minlength=BINS), sizes, out=np.zeros(BINS), where=sizes > 0
    )
    violating = rng.binomial(drawn, share)
    replicates = np.abs(violating - drawn * mean).sum(axis=1) / len(label)
    low, high = interval(replicates)
    value = float(np.abs(hits - sizes * mean).sum() / len(label))
    low, high = min(low, value), max(high, value)
    return Measurement(name="ece", subject="", value=value, low=low, high=high, n=len(label), method=method)


def _judged(outcomes: Outcomes) -> tuple[NDArray[np.bool_], NDArray[np.float64], NDArray[np.intp]]:
    """Label, score and bin of the texts that were decided."""
    kept = ~outcomes.undecided & ~np.isnan(outcomes.score)
    score = outcomes.score[kept]
    place = np.minimum((score * BINS).astype(np.intp), BINS - 1)
    return outcomes.label[kept], score, place
