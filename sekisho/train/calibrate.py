"""From logits on held-out texts to calibrated probabilities, thresholds for a budget, and figures.

Everything here is fitted on development data: whole sources and parts of sources that no model has seen.
Texts that our own frames made share their frames with the training data, so they are used only for the
surfaces that have nothing else (documents and tool calls).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from math import ceil
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.metrics import roc_auc_score

from sekisho.data.examples import RULES, SURFACES, TrainingExample
from sekisho.guards.embedded import Calibration, FittedOn, Platt, Predictions, Thresholds

from .mixture import Targets, targets_of

BUDGETS: Final = (0.002, 0.005, 0.01, 0.02, 0.05)
_FLOOR: Final = 0.2
"""No rule is called violated below this calibrated probability, however rarely innocent texts reach it."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]


def fit_platt(logits: Floats, labels: Floats, *, pull: float = 1.0) -> Platt:
    """Slope and offset of least log loss; where data are few, `pull` draws them to 1 and 0."""
    if len(labels) == 0:
        return Platt()
    z, y = logits.astype(np.float64), labels.astype(np.float64)

    def loss(theta: NDArray[np.float64]) -> float:
        slope, offset = float(np.exp(theta[0])), float(theta[1])
        scores = slope * z + offset
        return float(np.sum(np.logaddexp(0.0, scores) - y * scores) + pull * (theta[0] ** 2 + offset**2))

    slope, offset = minimize(loss, np.zeros(2), method="Nelder-Mead").x
    return Platt(slope=round(float(np.exp(slope)), 5), offset=round(float(offset), 5))


def usable(examples: Sequence[TrainingExample]) -> Bools:
    """Which held-out texts to fit on: no frames on input and output, where there are real texts. [n]"""
    return np.array(
        [not (e.source.startswith("frames/") and e.surface in ("input", "output")) for e in examples]
    )


def fit_calibration(
    examples: Sequence[TrainingExample], logits: Floats
) -> tuple[dict[str, Calibration], Platt]:
    """Per surface, overall and all rules together; refusal on answers. logits [n, outputs]"""
    targets, fit = targets_of(examples), usable(examples)
    surfaces = np.array([e.surface for e in examples])
    calibration = {}
    for surface in SURFACES:
        here = fit & (surfaces == surface)
        known = targets.masks[:, 1 : 1 + len(RULES)] > 0
        known &= here[:, None]
        calibration[surface] = Calibration(
            overall=fit_platt(logits[here, 0], targets.values[here, 0]),
            rules=fit_platt(
                logits[:, 1 : 1 + len(RULES)][known], targets.values[:, 1 : 1 + len(RULES)][known]
            ),
            n=int(here.sum()),
            violating=int(targets.values[here, 0].sum()),
        )
    answers = targets.masks[:, -1] > 0
    return calibration, fit_platt(logits[answers, -1], targets.values[answers, -1])


def _quantile(values: Floats, share: float) -> float:
    """The least threshold that at most `share` of the values reach."""
    ordered = np.sort(values)[::-1]
    allowed = int(share * len(ordered))
    return float(np.nextafter(ordered[min(allowed, len(ordered) - 1)], np.float32(2.0)))


def _rounded_up(threshold: float) -> float:
    """Six decimals, upwards: rounding must not let more texts over."""
    return min(1.0, ceil(threshold * 1e6) / 1e6)


def _for_budget(overall: Floats, rules: Floats, budget: float) -> Thresholds:
    """Bisect the share that each rule may spend until all of them together spend the budget."""

    def cuts(share: float) -> NDArray[np.float64]:
        return np.array([max(_FLOOR, _quantile(rules[:, r], share)) for r in range(rules.shape[1])])

    low, high = 0.0, budget
    for _ in range(25):
        middle = (low + high) / 2
        spent = float(np.mean((rules >= cuts(middle)).any(axis=1)))
        low, high = (middle, high) if spent <= budget else (low, middle)
    chosen = cuts(low)
    return Thresholds(
        budget=budget,
        overall=_rounded_up(_quantile(overall, budget)),
        rules={rule: _rounded_up(float(cut)) for rule, cut in zip(RULES, chosen, strict=True)},
    )


def fit_thresholds(
    examples: Sequence[TrainingExample], predictions: Predictions
) -> tuple[tuple[Thresholds, ...], FittedOn]:
    """Thresholds for each budget, on the innocent texts among the usable ones."""
    innocent = usable(examples) & np.array([not e.overall for e in examples])
    sources = Counter(e.source for e, chosen in zip(examples, innocent, strict=True) if chosen)
    thresholds = tuple(
        _for_budget(predictions.overall[innocent], predictions.rules[innocent], b) for b in BUDGETS
    )
    return thresholds, FittedOn(n=int(innocent.sum()), sources=dict(sorted(sources.items())))


def _ece(probabilities: Floats, labels: Floats, bins: int = 10) -> float:
    """Expected calibration error over bins of equal count (Naeini et al. 2015)."""
    order = np.argsort(probabilities)
    parts = [part for part in np.array_split(order, bins) if len(part)]
    return float(sum(len(p) * abs(probabilities[p].mean() - labels[p].mean()) for p in parts) / len(order))


def _auroc(labels: Floats, scores: Floats) -> float | None:
    if labels.min(initial=1.0) == labels.max(initial=0.0) or len(labels) == 0:
        return None
    return round(float(roc_auc_score(labels, scores)), 4)


def _figures(overall: Floats, labels: Floats, threshold: float) -> dict[str, Any]:
    """n, AUROC, calibration error and rates at a threshold."""
    violating, innocent = labels == 1, labels == 0
    return {
        "n_violating": int(violating.sum()),
        "n_innocent": int(innocent.sum()),
        "auroc": _auroc(labels, overall),
        "ece": round(_ece(overall, labels), 4) if len(labels) else None,
        "recall": round(float((overall[violating] >= threshold).mean()), 4) if violating.any() else None,
        "false_positives": round(float((overall[innocent] >= threshold).mean()), 4)
        if innocent.any()
        else None,
    }


def development_figures(
    examples: Sequence[TrainingExample],
    logits: Floats,
    predict: Callable[[Floats, Mapping[str, Calibration], Platt], Predictions],
) -> dict[str, Any]:
    """Figures on one half of the development texts, with calibration and thresholds fitted on the other half.

    Halves are drawn by position in a seeded shuffle. The artefact's own are fitted on both halves.
    """
    order = np.random.default_rng(0).permutation(len(examples))
    fit, held = order[::2], order[1::2]
    fitted = [examples[i] for i in fit]
    calibration, refusal = fit_calibration(fitted, logits[fit])
    thresholds, _ = fit_thresholds(fitted, _only(predict(logits, calibration, refusal), fit))
    at = next(t for t in thresholds if t.budget == 0.02)
    reported = [examples[i] for i in held]
    predictions, targets, real = (
        _only(predict(logits, calibration, refusal), held),
        targets_of(reported),
        usable(reported),
    )
    groups: dict[str, Bools] = {"all": real}
    for surface in SURFACES:
        groups[f"surface {surface}"] = real & np.array([e.surface == surface for e in reported])
    for language in ("en", "ja", "zh", "ko"):
        groups[f"language {language}"] = real & np.array([e.language == language for e in reported])
    for source in sorted({e.source for e in reported}):
        groups[f"source {source}"] = np.array([e.source == source for e in reported])
    return {
        "budget": 0.02,
        "overall": {
            name: _figures(predictions.overall[rows], targets.values[rows, 0], at.overall)
            for name, rows in groups.items()
            if rows.any()
        },
        "any_rule": _figures(_margin(predictions.rules, at)[real], targets.values[real, 0], 0.0)
        | {"ece": None},
        "rules": _rule_figures(predictions, targets, real, at),
        "refusal_auroc": _auroc(*_known(targets, predictions.refusal, -1)),
    }


def _only(predictions: Predictions, rows: NDArray[np.int64]) -> Predictions:
    """Some rows of predictions."""
    names = ("overall", "rules", "severity", "refusal", "spans")
    return Predictions(*(getattr(predictions, name)[rows] for name in names))


def _known(targets: Targets, scores: Floats, column: int) -> tuple[Floats, Floats]:
    known = targets.masks[:, column] > 0
    return targets.values[known, column], scores[known]


def _margin(rules: Floats, at: Thresholds) -> Floats:
    """By how much the most exceeding rule exceeds its threshold; negative if none does. [n]"""
    cuts = np.array([at.rules[rule] for rule in RULES], np.float32)
    margin: Floats = (rules - cuts).max(axis=1)
    return margin


def _rule_figures(predictions: Predictions, targets: Targets, real: Bools, at: Thresholds) -> dict[str, Any]:
    figures = {}
    for column, rule in enumerate(RULES):
        known = real & (targets.masks[:, 1 + column] > 0)
        labels, scores = targets.values[known, 1 + column], predictions.rules[known, column]
        figures[rule] = _figures(scores, labels, at.rules[rule])
    return figures
