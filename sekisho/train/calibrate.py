"""From logits on held-out texts to calibrated probabilities, thresholds for a budget, and figures.

Everything here is fitted on development data: whole sources and parts of sources that no model has seen.
Texts that our own frames made share their frames with the training data, so they are used only for the
surfaces that have nothing else (documents and tool calls).

Development data are harder than life: much of them was chosen to look like violations. A budget of false positives
speaks of traffic, so thresholds are fitted on innocent texts weighted to `TRAFFIC`, whose shares are a decision
taken beforehand, not fitted.
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
from sekisho.guards.embedded._language import LANGUAGES, script_language

from .mixture import Targets, targets_of

BUDGETS: Final = (0.002, 0.005, 0.01, 0.02, 0.05)
TRAFFIC: Final[Mapping[str, float]] = {
    "input": 0.5,
    "output": 0.3,
    "tool_result": 0.15,
    "tool_call": 0.05,
    "en": 0.55,
    "ja": 0.15,
    "zh": 0.15,
    "ko": 0.15,
    "hard": 0.1,
}
"""Shares of innocent traffic: of surfaces, of languages within one, of texts that look like violations in both."""
_FLOOR: Final = 0.05
"""No rule is called violated below this calibrated probability, however rarely innocent texts reach it."""

Bools = NDArray[np.bool_]
Floats = NDArray[np.float32]
_PLAIN: Final = Platt()


def fit_platt(logits: Floats, labels: Floats, *, pull: float = 1.0, toward: Platt = _PLAIN) -> Platt:
    """Slope and offset of least log loss; where data are few, `pull` draws them to those of `toward`."""
    if len(labels) == 0:
        return toward
    rest = np.array([np.log(toward.slope), toward.offset])
    z, y = logits.astype(np.float64), labels.astype(np.float64)

    def loss(theta: NDArray[np.float64]) -> float:
        slope, offset = float(np.exp(theta[0])), float(theta[1])
        scores = slope * z + offset
        return float(np.sum(np.logaddexp(0.0, scores) - y * scores) + pull * np.sum((theta - rest) ** 2))

    slope, offset = minimize(loss, rest, method="Nelder-Mead").x
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
    languages = np.array([script_language(e.text) for e in examples])
    calibration = {}
    for surface in SURFACES:
        here = fit & (surfaces == surface)
        overall = fit_platt(logits[here, 0], targets.values[here, 0])
        by_language = {
            language: fit_platt(logits[mine, 0], targets.values[mine, 0], toward=overall, pull=20.0)
            for language in LANGUAGES
            if (mine := here & (languages == language)).any()
        }
        known = targets.masks[:, 1 : 1 + len(RULES)] > 0
        known &= here[:, None]
        calibration[surface] = Calibration(
            overall=overall,
            languages=by_language,
            rules=fit_platt(
                logits[:, 1 : 1 + len(RULES)][known], targets.values[:, 1 : 1 + len(RULES)][known]
            ),
            n=int(here.sum()),
            violating=int(targets.values[here, 0].sum()),
        )
    answers = targets.masks[:, -1] > 0
    return calibration, fit_platt(logits[answers, -1], targets.values[answers, -1])


def traffic_weights(examples: Sequence[TrainingExample]) -> NDArray[np.float64]:
    """How much of `TRAFFIC` each innocent text stands for. [n], of mean 1

    The texts of one surface, language and hardness share their group's part; groups without texts leave theirs
    to the others.
    """
    groups = [(e.surface, script_language(e.text), e.hard) for e in examples]
    sizes = Counter(groups)
    hard = TRAFFIC["hard"]
    parts = {
        group: TRAFFIC[group[0]] * TRAFFIC[group[1]] * (hard if group[2] else 1.0 - hard) for group in sizes
    }
    weights = np.array([parts[group] / sizes[group] for group in groups])
    result: NDArray[np.float64] = weights * (len(weights) / weights.sum())
    return result


def _quantile(values: Floats, weights: NDArray[np.float64], share: float) -> float:
    """The least threshold that at most `share` of the weight reaches."""
    order = np.argsort(values)[::-1]
    ordered, spent = values[order], np.cumsum(weights[order])
    allowed = int(np.searchsorted(spent, share * spent[-1], side="right"))
    return float(np.nextafter(ordered[min(allowed, len(ordered) - 1)], np.float32(2.0)))


def _rounded_up(threshold: float) -> float:
    """Six decimals, upwards: rounding must not let more texts over."""
    return min(1.0, ceil(threshold * 1e6) / 1e6)


def _for_budget(overall: Floats, rules: Floats, weights: NDArray[np.float64], budget: float) -> Thresholds:
    """Bisect the share that each rule may spend until all of them together spend the budget."""

    def cuts(share: float) -> NDArray[np.float64]:
        return np.array([max(_FLOOR, _quantile(rules[:, r], weights, share)) for r in range(rules.shape[1])])

    low, high = 0.0, budget
    for _ in range(25):
        middle = (low + high) / 2
        spent = float(np.average((rules >= cuts(middle)).any(axis=1), weights=weights))
        low, high = (middle, high) if spent <= budget else (low, middle)
    chosen = cuts(low)
    return Thresholds(
        budget=budget,
        overall=_rounded_up(_quantile(overall, weights, budget)),
        rules={rule: _rounded_up(float(cut)) for rule, cut in zip(RULES, chosen, strict=True)},
    )


def fit_thresholds(
    examples: Sequence[TrainingExample], predictions: Predictions
) -> tuple[tuple[Thresholds, ...], FittedOn]:
    """Thresholds for each budget, on the innocent texts among the usable ones, weighted to `TRAFFIC`."""
    innocent = usable(examples) & np.array([not e.overall for e in examples])
    sources = Counter(e.source for e, chosen in zip(examples, innocent, strict=True) if chosen)
    weights = traffic_weights([e for e, chosen in zip(examples, innocent, strict=True) if chosen])
    thresholds = tuple(
        _for_budget(predictions.overall[innocent], predictions.rules[innocent], weights, b) for b in BUDGETS
    )
    return thresholds, FittedOn(n=int(innocent.sum()), sources=dict(sorted(sources.items())), traffic=TRAFFIC)


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


def _reliability(overall: Floats, labels: Floats, bins: int = 10) -> list[dict[str, Any]]:
    """Bins of equal width: mean probability, share that violates, n. Empty bins are left out."""
    place = np.minimum((overall * bins).astype(np.int64), bins - 1)
    return [
        {
            "probability": round(float(overall[here].mean()), 4),
            "violating": round(float(labels[here].mean()), 4),
            "n": int(here.sum()),
        }
        for number in range(bins)
        if (here := place == number).any()
    ]


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
    kinds = {"ordinary traffic": False, "near misses and hard texts": True}
    for name, hard in kinds.items():
        groups[name] = real & np.array([e.hard == hard and not e.overall for e in reported])
    for source in sorted({e.source for e in reported}):
        groups[f"source {source}"] = np.array([e.source == source for e in reported])
    by_place = {
        f"{surface} {language}": real
        & np.array([e.surface == surface and script_language(e.text) == language for e in reported])
        for surface in SURFACES
        for language in LANGUAGES
    }
    return {
        "budget": 0.02,
        "reliability": {
            name: _reliability(predictions.overall[rows], targets.values[rows, 0])
            for name, rows in by_place.items()
            if rows.any()
        },
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
