from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import sekisho
from sekisho.core import InputError, MissingExtra, Status
from sekisho.evals import GuardReport, eval_sets, extra, measure_evasion, measure_guard
from sekisho.evals.latency import estimated_tokens
from sekisho.evals.outcomes import is_undecided, judged_rules
from sekisho.guards import BoundGuard, Pipeline

from .scripted import POLICY, WORDS, KeywordGuard, small_sets, write_set


def report_on(folder: Path, guard: KeywordGuard | None = None, **more: object) -> GuardReport:
    bound = BoundGuard(guard or KeywordGuard(WORDS), POLICY)
    options = {"shipped": False, "latency_sample": 10, "resamples": 100} | more
    return measure_guard(bound, eval_sets(folder), **options)  # type: ignore[arg-type]


def test_figures_of_small_sets(tmp_path: Path) -> None:
    report = report_on(small_sets(tmp_path), command="sekisho eval guard", seed=3)
    chats = report.set("toxicchat_test")
    assert chats is not None
    assert (chats.n, chats.positives, chats.negatives, chats.unlabelled) == (200, 80, 120, 1)
    # Three of four harmful texts have a word of theirs, and two of four harmless ones have such a word too.
    assert (recall := chats.get("recall")) is not None
    assert recall.value == 0.75
    assert (fpr := chats.get("fpr")) is not None
    assert fpr.value == 0.5
    assert chats.info.reporting_only
    assert chats.curves is not None
    assert sum(chats.histogram.violating) == 80 if chats.histogram else False
    assert (japanese := (report.set("deepset_prompt_injections"))) is not None
    assert (found := japanese.get("f1", language="ja")) is not None
    assert found.value == 1
    assert japanese.languages == {"en": 24, "ja": 24, "ko": 24, "zh": 24}
    benign = report.set("notinject")
    assert benign is not None
    assert (none := benign.get("f1")) is not None
    assert none.value is None
    assert report.set("nothing") is None


def test_the_record_says_what_was_run(tmp_path: Path) -> None:
    report = report_on(small_sets(tmp_path), command="sekisho eval guard --data X", seed=3)
    assert report.run.command == "sekisho eval guard --data X"
    assert report.run.seed == 3
    assert report.run.arguments["policy_digest"] == POLICY.digest
    assert report.run.started.startswith("20")
    assert {"python", "sekisho", "scipy"} <= set(report.run.versions)
    assert report.run.totals["texts"] == 200 + 96 + 20 + 20 + 2
    assert report.machine.cores >= 1
    assert report.guard.trained_on == "sha256:scripted"
    assert report.guard.policy == POLICY.ref
    assert "nothing was fitted" in report.guard.threshold
    assert GuardReport.model_validate_json(report.model_dump_json()) == report


def test_averages_and_headline(tmp_path: Path) -> None:
    report = report_on(small_sets(tmp_path))
    found = {(m.name, m.slice): m.value for m in report.averages}
    chats = report.set("toxicchat_test")
    assert chats is not None
    assert (f1 := chats.get("f1")) is not None
    assert found["macro_f1", "prompts"] == f1.value  # the set of harmful texts alone is left out of F1
    assert found["macro_recall", "prompts"] == 0.75
    assert found["macro_fpr", "benign"] == 0.5
    assert ("macro_f1", "english_prompts") not in found
    assert [m.name for m in report.headline][:2] == ["macro_f1", "macro_recall"]


def test_samples_are_drawn_with_the_seed_and_keep_both_classes(tmp_path: Path) -> None:
    folder = small_sets(tmp_path)
    write_set(
        tmp_path, "rare", [{"id": str(n), "text": f"text {n}", "label": int(n == 77)} for n in range(400)]
    )
    first, again, other = (report_on(folder, limit=40, seed=seed) for seed in (1, 1, 2))
    chats = first.set("toxicchat_test")
    assert chats is not None
    assert (chats.n, chats.total, chats.positives, chats.sampled) == (40, 200, 16, True)
    assert chats.measurements == again.set("toxicchat_test").measurements  # type: ignore[union-attr]
    assert chats.histogram != other.set("toxicchat_test").histogram  # type: ignore[union-attr]
    rare = first.set("rare")
    assert rare is not None
    assert (rare.positives, rare.negatives) == (1, 39)
    small = first.set("notinject")
    assert small is not None
    assert not small.sampled
    assert report_on(folder, limit=1).set("toxicchat_test").n == 1  # type: ignore[union-attr]


def test_a_broken_guard_earns_nothing(tmp_path: Path) -> None:
    """The policy escalates what was not judged; that is neither a find nor an approval."""
    write_set(
        tmp_path,
        "s",
        [
            {"id": f"{n}", "text": f"{word} {n}", "label": label}
            for n in range(10)
            for word, label in (("zebra poison", 1), ("zebra", 0), ("bread", 0))
        ],
    )
    report = report_on(tmp_path, KeywordGuard(WORDS, broken="zebra"))
    [one] = report.sets
    assert one.undecided == 20
    assert one.get("recall").value == 0  # type: ignore[union-attr]
    assert one.get("fpr").value == 0.5  # type: ignore[union-attr]
    assert report.run.totals["undecided"] == 20


def test_a_violation_that_was_found_stays_found() -> None:
    guard = BoundGuard(KeywordGuard(WORDS, covers=["fraud"]), POLICY)
    assert not is_undecided(guard.check_one("a scam"))
    assert is_undecided(guard.check_one("bread"))
    assert not is_undecided(BoundGuard(KeywordGuard(WORDS), POLICY).check_one("bread"))


def test_a_find_survives_the_failure_of_another_guard() -> None:
    """Joined, the rule has the failure's status; the find stands in the parts."""
    pair = Pipeline([KeywordGuard(WORDS, name="sound"), KeywordGuard(WORDS, name="ill", broken="scam")])
    verdict = BoundGuard(pair, POLICY).check_one("a scam")
    assert verdict.status is Status.ERROR
    assert {rule.id for rule in judged_rules(verdict)} == {rule.id for rule in POLICY.rules}
    assert not is_undecided(verdict)
    ill = Pipeline([KeywordGuard(WORDS, name="sound"), KeywordGuard(WORDS, name="ill", broken="bread")])
    assert is_undecided(BoundGuard(ill, POLICY).check_one("bread"))


def test_only_what_the_guard_covers(tmp_path: Path) -> None:
    folder = small_sets(tmp_path)
    guard = KeywordGuard(WORDS, covers=["fraud"])
    strict, covered = report_on(folder, guard), report_on(folder, guard, covered_only=True)
    assert strict.run.totals["undecided"] > 200
    assert covered.run.totals["undecided"] == 0
    assert covered.guard.judged == "covered"
    assert covered.guard.covered == ("fraud",)
    assert len(covered.guard.uncovered) == len(POLICY.rules) - 1
    assert covered.guard.policy.digest == POLICY.digest


def test_batches_and_progress(tmp_path: Path) -> None:
    guard = KeywordGuard(WORDS)
    seen: list[tuple[str, int, int]] = []
    report_on(small_sets(tmp_path), guard, batch=32, latency_sample=0, progress=lambda *at: seen.append(at))
    assert max(guard.batches) == 32
    assert ("toxicchat_test", 200, 200) in seen
    assert ("of_our_own", 2, 2) in seen


def test_damaged_sets_raise(tmp_path: Path) -> None:
    write_set(tmp_path, "s", ["{"])
    with pytest.raises(InputError, match=r"s\.jsonl\.gz:1"):
        report_on(tmp_path)


def test_shipped_cases_and_latency() -> None:
    policy = sekisho.load_policy("base")
    guard = BoundGuard(KeywordGuard(WORDS), policy)
    report = measure_guard(guard, latency_sample=20, resamples=50)
    assert report.shipped is not None
    assert len(report.shipped.cases) + sum(report.shipped.left_out.values()) == 600
    names = [m.name for m in report.latency]
    assert names[:3] == ["latency_ms_p50", "latency_ms_p95", "latency_ms_p99"]
    assert report.latency[0].n == 20
    assert all(m.value is not None and m.value > 0 for m in report.latency)
    assert report.sets == ()


def test_the_rules_guard_on_shipped_cases() -> None:
    """Personal data and secrets are what it is for; the rest of the policy is not judged."""
    report = measure_guard(sekisho.load_guard("rules"), latency_sample=5, resamples=50, covered_only=True)
    assert report.shipped is not None
    found = {(m.name, m.slice): m.value for m in report.shipped.measurements}
    assert (found["recall", "shipped/rule=personal_data"] or 0) > 0.7
    assert (found["recall", "shipped/rule=secrets"] or 0) > 0.7
    assert report.shipped.left_out["no such rule"] > 500


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("how to bake bread", 4), ("", 0), ("関所を通る", 5), ("Docker を使う", 4), ("漢字 and 한글 mixed", 6)],
)
def test_estimated_tokens(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens


def test_evasion_is_paired(tmp_path: Path) -> None:
    examples = [e for one in eval_sets(small_sets(tmp_path), names=["simplesafetytests"]) for e in one]
    guard = BoundGuard(KeywordGuard(WORDS), POLICY)
    disguises = {
        "reversed": lambda t: t[::-1],
        "upper": str.upper,
        "same": lambda t: t,
        "shout": lambda t: t + "!",
    }
    found = {(m.name, m.slice): m for m in measure_evasion(guard, examples, disguises)}
    assert found["recall", "plain"].value == 0.75
    assert found["recall", "disguise=reversed"].value == 0
    change = found["recall_change", "disguise=reversed"]
    assert change.value == -0.75
    assert change.low is not None
    assert change.high is not None
    assert change.low < -0.75 < change.high < 0
    assert found["recall_change", "disguise=upper"].value == 0
    nothing = found["recall_change", "disguise=same"]
    assert (nothing.value, nothing.n) == (None, 0)
    assert (found["recall_change", "disguise=shout"].high or 0) > 0  # no change seen is not certainty
    assert measure_evasion(guard, [], disguises) == []


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)
    with pytest.raises(MissingExtra, match=r"sklearn.*pip install 'sekisho\[eval\]'"):
        measure_guard(BoundGuard(KeywordGuard(WORDS), POLICY))
    with pytest.raises(MissingExtra):
        extra.need("no_such_module")


def test_importing_the_room_is_light() -> None:
    heavy = "{'scipy', 'sklearn', 'altair', 'jinja2', 'vl_convert'}"
    code = f"import sys, sekisho.evals; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
