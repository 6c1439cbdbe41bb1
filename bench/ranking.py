"""AUROC of any scores, with the interval that the reports use."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from sekisho.core import Measurement
from sekisho.evals.bootstrap import interval, resampled_ranking

RESAMPLES = 300


def auroc(
    subject: str, part: str, scores: NDArray[np.floating[Any]], labels: NDArray[np.bool_]
) -> Measurement:
    """scores, higher for worse, and labels: [n] each. No value where only one class is there."""
    value = low = high = None
    if labels.any() and not labels.all():
        drawn = resampled_ranking(
            labels, scores.astype(np.float64), resamples=RESAMPLES, rng=np.random.default_rng(0), budgets=()
        )
        value = float(roc_auc_score(labels, scores))
        low, high = interval(drawn["auroc"])
        low, high = min(low, value), max(high, value)
    return Measurement(
        name="auroc",
        subject=subject,
        slice=part,
        value=value,
        low=low,
        high=high,
        n=len(labels),
        method=f"95 % interval: stratified bootstrap, {RESAMPLES} resamples",
    )
