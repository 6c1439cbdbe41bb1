"""Figures with intervals from a guard's answers.

Everything at the guard's own threshold comes from `Verdict.flagged`; nothing is tuned here. A figure
that is not defined (one class only, nothing flagged) is None. An undecided text counts as an error.
Point values are scikit-learn's; intervals are 95 %: Wilson's for plain rates (scipy), a stratified
bootstrap for the rest.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sekisho.core import Measurement

from .bootstrap import centred_interval, interval, resampled_counts, resampled_ranking
from .calibration import expected_calibration_error
from .extra import need
from .outcomes import Outcomes

Floats = NDArray[np.float64]
BUDGETS = {"recall_at_1pct_fpr": 0.01, "recall_at_5pct_fpr": 0.05}
"""False-positive budgets at which recall is given."""
FEWEST = 10
"""Languages with fewer texts get no figures of their own."""
_WILSON = "share of texts; 95 % interval: Wilson"


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """The figures on one set or slice, and the bootstrap replicates that averages are made from."""

    measurements: tuple[Measurement, ...]
    replicates: Mapping[str, Floats]

    def value(self, name: str) -> float | None:
        return next((m.value for m in self.measurements if m.name == name), None)


def measure(
    outcomes: Outcomes, *, subject: str, slice: str = "all", resamples: int = 1000, seed: int = 0
) -> Measured:
    """Every figure on these outcomes.

    f1, precision, recall, fpr at the guard's own threshold; auroc, average_precision,
    recall_at_1pct_fpr, recall_at_5pct_fpr over all thresholds (no interpolation: the highest recall
    whose false-positive rate does not exceed the budget); ece; undecided (share of texts).
    Raises `MissingExtra` without scikit-learn and scipy.
    """
    # Each slice draws from a stream of its own, so that its interval does not hang on what came before.
    rng = np.random.default_rng([seed, zlib.crc32(slice.encode())])
    found, replicates = _at_threshold(outcomes, resamples, rng)
    ranking, more = _over_thresholds(outcomes, resamples, rng)
    replicates |= more
    found |= ranking
    found["ece"] = expected_calibration_error(outcomes, resamples=resamples, rng=rng)
    found["undecided"] = proportion(int(outcomes.undecided.sum()), outcomes.n)
    named = tuple(
        m.model_copy(update={"name": name, "subject": subject, "slice": slice}) for name, m in found.items()
    )
    return Measured(measurements=named, replicates=replicates)


def by_language(
    outcomes: Outcomes, *, subject: str, slice: str, resamples: int = 1000, seed: int = 0
) -> dict[str, Measured]:
    """The same figures language by language, for sets of more than one; slices are `SET/language=LANG`."""
    languages, counts = np.unique(outcomes.language, return_counts=True)
    if len(languages) < 2:
        return {}
    return {
        str(language): measure(
            outcomes.where(outcomes.language == language),
            subject=subject,
            slice=f"{slice}/language={language}",
            resamples=resamples,
            seed=seed,
        )
        for language, count in zip(languages, counts, strict=True)
        if count >= FEWEST
    }


def macro(name: str, parts: Sequence[Measured], *, subject: str, slice: str) -> Measurement:
    """The plain mean of one figure over sets or languages, those where it is not defined left out.

    The interval is that of the mean of their independent replicates.
    """
    kept = [part for part in parts if part.value(name) is not None and name in part.replicates]
    if not kept:
        return Measurement(name=f"macro_{name}", subject=subject, value=None, n=0, slice=slice)
    value = float(np.mean([part.value(name) or 0.0 for part in kept]))
    low, high = centred_interval(np.mean([part.replicates[name] for part in kept], axis=0), value)
    return Measurement(
        name=f"macro_{name}",
        subject=subject,
        value=value,
        low=low,
        high=high,
        n=sum(part.measurements[0].n for part in kept),
        method=f"plain mean over {len(kept)}; 95 % interval: bootstrap of each, centred",
        slice=slice,
    )


def proportion(hits: int, of: int, *, name: str = "", subject: str = "", slice: str = "all") -> Measurement:
    """A rate with Wilson's interval; None of nothing. Source: Wilson 1927, by `scipy.stats`."""
    if of == 0:
        return Measurement(name=name, subject=subject, value=None, n=0, method=_WILSON, slice=slice)
    bounds = need("scipy.stats").binomtest(hits, of).proportion_ci(confidence_level=0.95, method="wilson")
    return Measurement(
        name=name,
        subject=subject,
        value=hits / of,
        low=float(bounds.low),
        high=float(bounds.high),
        n=of,
        method=_WILSON,
        slice=slice,
    )


def f1_replicates(
    true: tuple[int, int],
    false: tuple[int, int],
    *,
    resamples: int,
    rng: np.random.Generator,
    smooth: bool = False,
) -> Floats:
    """F1 of each stratified resample. true: how many of how many violating texts were flagged; false: the
    same of the harmless ones."""
    hits = resampled_counts(*true, resamples=resamples, rng=rng, smooth=smooth)
    wrong = resampled_counts(*false, resamples=resamples, rng=rng, smooth=smooth)
    return 2.0 * hits / (hits + wrong + true[1])


def _at_threshold(
    outcomes: Outcomes, resamples: int, rng: np.random.Generator
) -> tuple[dict[str, Measurement], dict[str, Floats]]:
    label, predicted = outcomes.label, outcomes.predicted
    positives, negatives = int(label.sum()), int((~label).sum())
    true, false = int((label & predicted).sum()), int((~label & predicted).sum())
    method = f"at the guard's own threshold; 95 % interval: stratified bootstrap, {resamples} resamples"
    replicates: dict[str, Floats] = {}
    recall = proportion(true, positives)
    f1 = Measurement(name="", subject="", value=None, n=outcomes.n, method=method)
    if positives:
        value = float(need("sklearn.metrics").f1_score(label, predicted, zero_division=0.0))
        replicates["f1"] = f1_replicates(
            (true, positives), (false, negatives), resamples=resamples, rng=rng, smooth=True
        )
        f1 = _resampled(value, replicates["f1"], outcomes.n, method)
    if positives and not negatives and recall.low is not None and recall.high is not None:
        # One class: F1 is a function of recall, and so is its interval.
        ends = {"low": _f1_of_recall(recall.low), "high": _f1_of_recall(recall.high)}
        f1 = f1.model_copy(
            update={**ends, "method": "2R / (1 + R) of recall R; 95 % interval: Wilson's of R"}
        )
    for name, hit, of in (("recall", true, positives), ("fpr", false, negatives)):
        if of:
            replicates[name] = resampled_counts(hit, of, resamples=resamples, rng=rng, smooth=True) / of
    both = bool(positives and negatives)
    precision = proportion(true, true + false) if both else Measurement(name="", subject="", value=None, n=0)
    found = {"f1": f1, "precision": precision, "recall": recall, "fpr": proportion(false, negatives)}
    return found, replicates


def _f1_of_recall(recall: float) -> float:
    return 2 * recall / (1 + recall)


def _over_thresholds(
    outcomes: Outcomes, resamples: int, rng: np.random.Generator
) -> tuple[dict[str, Measurement], dict[str, Floats]]:
    names = ("auroc", "average_precision", *BUDGETS)
    method = f"over all thresholds; 95 % interval: stratified bootstrap, {resamples} resamples"
    label, ranked = outcomes.label, outcomes.ranked
    if label.all() or not label.any() or outcomes.undecided.all():
        return {name: _resampled(None, None, outcomes.n, method) for name in names}, {}
    scores = need("sklearn.metrics")
    false_rate, true_rate, _ = scores.roc_curve(label, ranked, drop_intermediate=False)
    values = {
        "auroc": float(scores.roc_auc_score(label, ranked)),
        "average_precision": float(scores.average_precision_score(label, ranked)),
        **{name: float(true_rate[false_rate <= budget + 1e-12].max()) for name, budget in BUDGETS.items()},
    }
    drawn = resampled_ranking(label, ranked, resamples=resamples, rng=rng, budgets=tuple(BUDGETS.values()))
    replicates = {name: drawn.get(name, drawn.get(f"recall_at:{BUDGETS.get(name)}")) for name in names}
    kept = {name: values_ for name, values_ in replicates.items() if values_ is not None}
    return {name: _resampled(values[name], kept[name], outcomes.n, method) for name in names}, kept


def _resampled(value: float | None, replicates: Floats | None, n: int, method: str) -> Measurement:
    if value is None or replicates is None or not len(replicates):
        return Measurement(name="", subject="", value=value, n=n, method=method)
    low, high = interval(replicates)
    return Measurement(
        name="", subject="", value=value, low=min(low, value), high=max(high, value), n=n, method=method
    )
