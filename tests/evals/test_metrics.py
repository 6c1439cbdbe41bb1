from __future__ import annotations

import time

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn import metrics as sk

from sekisho.core import Measurement
from sekisho.evals.bootstrap import interval, resampled_counts, resampled_ranking
from sekisho.evals.calibration import BINS, expected_calibration_error, reliability
from sekisho.evals.curves import curves, histogram
from sekisho.evals.metrics import Measured, by_language, macro, measure, proportion
from sekisho.evals.outcomes import Outcomes


def outcomes(
    label: list[int],
    score: list[float],
    *,
    threshold: float = 0.5,
    undecided: list[int] | None = None,
    language: list[str] | None = None,
) -> Outcomes:
    scores = np.array(score, dtype=float)
    return Outcomes(
        label=np.array(label, dtype=bool),
        flagged=scores >= threshold,
        score=scores,
        undecided=np.array(undecided or [0] * len(label), dtype=bool),
        language=np.array(language or ["en"] * len(label)),
    )


def drawn(n: int, *, seed: int = 0, ties: int = 0) -> Outcomes:
    rng = np.random.default_rng(seed)
    label = rng.random(n) < 0.4
    score = np.clip(rng.normal(0.35 + 0.25 * label, 0.2), 0, 1)
    if ties:
        score = np.round(score * ties) / ties
    return outcomes(label.astype(int).tolist(), score.tolist())


def named(measured: Measured) -> dict[str, Measurement]:
    return {m.name: m for m in measured.measurements}


def test_by_hand() -> None:
    found = named(
        measure(outcomes([1, 1, 1, 1, 0, 0, 0, 0], [0.9, 0.8, 0.6, 0.2, 0.7, 0.4, 0.3, 0.1]), subject="g")
    )
    assert found["recall"].value == 3 / 4
    assert found["precision"].value == 3 / 4
    assert found["f1"].value == 3 / 4
    assert found["fpr"].value == 1 / 4
    # Pairs in the right order: 4 + 4 + 3 + 1 of 16.
    assert found["auroc"].value == 12 / 16
    # Precision at each found violation: 1, 1, 3/4 and 4/7.
    assert found["average_precision"].value == pytest.approx((1 + 1 + 3 / 4 + 4 / 7) / 4)
    assert found["recall_at_1pct_fpr"].value == 2 / 4
    assert found["undecided"].value == 0
    assert {m.subject for m in found.values()} == {"g"}
    assert {m.n for name, m in found.items() if name in ("f1", "auroc")} == {8}


@pytest.mark.parametrize("ties", [0, 10])
def test_equals_scikit_learn(ties: int) -> None:
    one = drawn(500, ties=ties)
    found = named(measure(one, subject="g", resamples=50))
    assert found["f1"].value == pytest.approx(sk.f1_score(one.label, one.flagged))
    assert found["precision"].value == pytest.approx(sk.precision_score(one.label, one.flagged))
    assert found["recall"].value == pytest.approx(sk.recall_score(one.label, one.flagged))
    assert found["auroc"].value == pytest.approx(sk.roc_auc_score(one.label, one.score))
    assert found["average_precision"].value == pytest.approx(sk.average_precision_score(one.label, one.score))
    for m in found.values():
        assert m.value is not None
        assert m.low is not None
        assert m.high is not None
        assert m.low <= m.value <= m.high, m.name


@pytest.mark.parametrize("ties", [0, 10])
def test_recall_at_a_budget_is_the_best_that_any_threshold_gives(ties: int) -> None:
    one = drawn(400, seed=3, ties=ties)
    found = named(measure(one, subject="g", resamples=20))
    for name, budget in (("recall_at_1pct_fpr", 0.01), ("recall_at_5pct_fpr", 0.05)):
        best = 0.0
        for threshold in np.unique(one.score):
            flagged = one.score >= threshold
            if flagged[~one.label].mean() <= budget:
                best = max(best, flagged[one.label].mean())
        assert found[name].value == pytest.approx(best)


def test_wilson() -> None:
    bounds = binomtest(3, 40).proportion_ci(method="wilson")
    m = proportion(3, 40)
    assert (m.value, m.low, m.high, m.n) == (3 / 40, bounds.low, bounds.high, 40)
    assert proportion(0, 0).value is None


@pytest.mark.parametrize(
    ("label", "undefined"), [(1, {"fpr", "precision"}), (0, {"f1", "recall", "precision"})]
)
def test_one_class(label: int, undefined: set[str]) -> None:
    found = named(measure(outcomes([label] * 20, [0.9] * 15 + [0.1] * 5), subject="g"))
    ranking = {"auroc", "average_precision", "recall_at_1pct_fpr", "recall_at_5pct_fpr", "ece"}
    assert {name for name, m in found.items() if m.value is None} == undefined | ranking
    for name in undefined | ranking:
        assert found[name].low is None


def test_f1_of_violating_texts_alone_is_recall_in_disguise() -> None:
    found = named(measure(outcomes([1] * 20, [0.9] * 15 + [0.1] * 5), subject="g"))
    recall = found["recall"]
    assert recall.value == 0.75
    assert found["f1"].value == pytest.approx(2 * 0.75 / 1.75)
    assert recall.low is not None
    assert found["f1"].low == pytest.approx(2 * recall.low / (1 + recall.low))


def test_nothing_at_all() -> None:
    found = named(measure(outcomes([], []), subject="g"))
    assert all(m.value is None for m in found.values())


def test_undecided_is_an_error_whatever_the_label() -> None:
    """All that was decided is right; of the two undecided texts neither counts as right."""
    one = outcomes([1, 1, 0, 0], [0.9, np.nan, 0.1, np.nan], undecided=[0, 1, 0, 1])
    found = named(measure(one, subject="g"))
    assert found["recall"].value == 1 / 2
    assert found["fpr"].value == 1 / 2
    assert found["undecided"].value == 1 / 2
    assert found["auroc"].value == 1 / 4
    assert found["recall_at_1pct_fpr"].value == 0


def test_undecided_helps_in_no_figure() -> None:
    sure = drawn(300, seed=5)
    rng = np.random.default_rng(1)
    unsure = Outcomes(
        label=sure.label,
        flagged=sure.flagged,
        score=sure.score,
        undecided=rng.random(300) < 0.2,
        language=sure.language,
    )
    before = named(measure(sure, subject="g", resamples=20))
    after = named(measure(unsure, subject="g", resamples=20))
    for name in ("f1", "precision", "recall", "auroc", "average_precision", "recall_at_5pct_fpr"):
        assert (after[name].value or 0) <= (before[name].value or 0), name
    assert (after["fpr"].value or 0) >= (before["fpr"].value or 0)


def test_escalating_everything_undecided_earns_no_recall() -> None:
    one = outcomes([1] * 5 + [0] * 5, [1.0] * 10, undecided=[1] * 10)
    found = named(measure(one, subject="g"))
    assert found["recall"].value == 0
    assert found["fpr"].value == 1
    assert found["auroc"].value is None


def test_the_same_seed_gives_the_same_intervals() -> None:
    one = drawn(200)
    assert measure(one, subject="g", seed=4).measurements == measure(one, subject="g", seed=4).measurements
    assert measure(one, subject="g", seed=4).measurements != measure(one, subject="g", seed=5).measurements


def test_languages() -> None:
    one = drawn(60)
    languages = np.array(["ja"] * 30 + ["ko"] * 25 + ["zh"] * 5)
    one = Outcomes(one.label, one.flagged, one.score, one.undecided, languages)
    found = by_language(one, subject="g", slice="s", resamples=20)
    assert set(found) == {"ja", "ko"}  # five texts are too few
    assert found["ja"].measurements[0].slice == "s/language=ja"
    assert (
        found["ja"].value("recall")
        == named(measure(one.where(languages == "ja"), subject="g"))["recall"].value
    )
    assert by_language(one.where(languages == "ja"), subject="g", slice="s") == {}


def test_macro_is_the_mean_of_what_is_defined() -> None:
    both = [measure(drawn(200, seed=seed), subject="g", slice=str(seed)) for seed in range(3)]
    harmless = measure(outcomes([0] * 10, [0.1] * 10), subject="g")
    mean = macro("f1", [*both, harmless], subject="g", slice="prompts")
    values = [part.value("f1") or 0 for part in both]
    assert mean.value == pytest.approx(np.mean(values))
    assert mean.low is not None
    assert mean.high is not None
    assert mean.low < np.mean(values) < mean.high
    assert mean.n == 600
    assert macro("f1", [harmless], subject="g", slice="x").value is None


def test_macro_holds_its_value_also_at_the_ends() -> None:
    silent = [measure(outcomes([0] * 40, [0.1] * 40), subject="g", slice=str(n)) for n in range(6)]
    mean = macro("fpr", silent, subject="g", slice="benign")
    assert (mean.value, mean.low) == (0, 0)
    assert mean.high is not None
    assert 0 < mean.high < 0.05


def test_ranking_replicates_centre_on_the_value() -> None:
    one = drawn(2000, seed=2, ties=50)
    found = resampled_ranking(
        one.label, one.score, resamples=300, rng=np.random.default_rng(0), budgets=(0.05,)
    )
    assert found["auroc"].mean() == pytest.approx(sk.roc_auc_score(one.label, one.score), abs=0.003)
    assert found["average_precision"].mean() == pytest.approx(
        sk.average_precision_score(one.label, one.score), abs=0.005
    )


def test_one_resample_equals_scikit_learn_on_the_drawn_rows() -> None:
    """The counting trick draws the same rows as plain indexing would."""
    one = drawn(80, seed=7, ties=12)
    found = resampled_ranking(one.label, one.score, resamples=1, rng=np.random.default_rng(9), budgets=(0.1,))
    rng = np.random.default_rng(9)
    positive, negative = one.score[one.label], one.score[~one.label]
    picked = positive[rng.integers(0, len(positive), len(positive))]
    others = negative[rng.integers(0, len(negative), len(negative))]
    label = np.r_[np.ones(len(picked)), np.zeros(len(others))]
    score = np.r_[picked, others]
    assert found["auroc"][0] == pytest.approx(sk.roc_auc_score(label, score))
    assert found["average_precision"][0] == pytest.approx(sk.average_precision_score(label, score))


def test_bootstrap_intervals_cover() -> None:
    """Of 200 samples from known rates, about 95 % of the intervals hold the true F1."""
    rng = np.random.default_rng(0)
    recall, false, positives, negatives = 0.8, 0.1, 150, 350
    truth = 2 * recall * positives / (recall * positives + false * negatives + positives)
    held = 0
    for _ in range(200):
        score = np.r_[rng.random(positives) < recall, rng.random(negatives) < false].astype(float)
        one = outcomes([1] * positives + [0] * negatives, score.tolist())
        m = named(measure(one, subject="g", resamples=300, seed=int(rng.integers(1e6))))["f1"]
        held += m.low is not None and m.high is not None and m.low <= truth <= m.high
    assert 180 <= held <= 199


def test_nothing_found_still_has_an_interval() -> None:
    found = named(measure(outcomes([1] * 30 + [0] * 30, [0.1] * 60), subject="g"))["f1"]
    assert found.value == 0
    assert found.low == 0
    assert found.high is not None
    assert 0.02 < found.high < 0.25


def test_smoothing_only_at_the_ends() -> None:
    rng = np.random.default_rng
    plain = resampled_counts(5, 10, resamples=50, rng=rng(1))
    assert (plain == resampled_counts(5, 10, resamples=50, rng=rng(1), smooth=True)).all()
    assert (resampled_counts(10, 10, resamples=50, rng=rng(1)) == 10).all()
    assert (resampled_counts(10, 10, resamples=50, rng=rng(1), smooth=True) < 10).all()
    assert (resampled_counts(0, 0, resamples=5, rng=rng(1), smooth=True) == 0).all()


def test_interval_is_of_percentiles() -> None:
    assert interval(np.arange(1001.0)) == pytest.approx((25.0, 975.0))


def test_thirty_six_thousand_rows_take_seconds() -> None:
    one = drawn(36_000)
    started = time.perf_counter()
    measure(one, subject="g", resamples=1000)
    assert time.perf_counter() - started < 12


def test_calibration_by_hand() -> None:
    one = outcomes([1, 0, 1, 1], [0.01, 0.02, 0.99, 1.0])
    bins = reliability(one)
    assert len(bins) == BINS
    assert (bins[0].n, bins[0].violating) == (2, 0.5)
    assert bins[0].score == pytest.approx(0.015)
    assert (bins[-1].n, bins[-1].violating) == (2, 1.0)
    assert sum(b.n for b in bins) == 4
    ece = expected_calibration_error(one, resamples=100, rng=np.random.default_rng(0))
    assert ece.value == pytest.approx((2 * 0.485 + 2 * 0.005) / 4)


def test_calibrated_scores_have_a_small_error() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(5000)
    one = outcomes((rng.random(5000) < score).astype(int).tolist(), score.tolist())
    ece = expected_calibration_error(one, resamples=200, rng=rng)
    assert ece.value is not None
    assert ece.value < 0.03
    off = outcomes((rng.random(5000) < score**3).astype(int).tolist(), score.tolist())
    worse = expected_calibration_error(off, resamples=200, rng=rng)
    assert (worse.value or 0) > 0.15


def test_undecided_texts_are_in_no_bin() -> None:
    one = outcomes([1, 0, 1], [0.9, np.nan, 0.8], undecided=[0, 0, 1])
    assert sum(b.n for b in reliability(one)) == 1
    assert histogram(one).undecided == 2
    assert sum(histogram(one).violating) == 1


def test_curves_keep_their_ends_and_their_area() -> None:
    one = drawn(5000)
    found = curves(one)
    assert found is not None
    assert len(found.roc.x) <= 121
    assert (found.roc.x[0], found.roc.y[0], found.roc.x[-1], found.roc.y[-1]) == (0, 0, 1, 1)
    area = np.trapezoid(found.roc.y, found.roc.x)
    assert area == pytest.approx(sk.roc_auc_score(one.label, one.score), abs=0.01)
    assert curves(outcomes([1, 1], [0.1, 0.2])) is None
