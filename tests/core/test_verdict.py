"""The laws of the verdict's algebra, and that nothing which failed can pass for an approval."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.core import (
    Authority,
    Decision,
    JoinError,
    Level,
    OnError,
    Policy,
    Rule,
    RuleScore,
    Status,
    Verdict,
    join,
)

from .strategies import POLICY, decisions, policies, statuses, verdicts


@given(verdicts(), verdicts())
def test_joining_is_commutative(a: Verdict, b: Verdict) -> None:
    assert a.join(b).essence == b.join(a).essence


@given(verdicts(), verdicts(), verdicts())
def test_joining_is_associative(a: Verdict, b: Verdict, c: Verdict) -> None:
    assert a.join(b).join(c).essence == a.join(b.join(c)).essence


@given(verdicts())
def test_joining_is_idempotent(a: Verdict) -> None:
    assert a.join(a).essence == a.essence


@given(verdicts(), verdicts())
def test_joining_never_lowers_anything(a: Verdict, b: Verdict) -> None:
    both = a.join(b)
    assert both.decision >= a.decision
    assert both.status >= a.status
    assert both.severity >= a.severity
    assert (both.score or 0) >= (a.score or 0)
    assert set(a.redactions) <= set(both.redactions)


@given(st.lists(verdicts(), min_size=2, max_size=5))
def test_provenance_is_kept_beside(all_of_them: list[Verdict]) -> None:
    joined = join(all_of_them)
    assert [part.guard for part in joined.parts] == [v.guard for v in all_of_them]
    assert joined.elapsed_ms == pytest.approx(sum(v.elapsed_ms for v in all_of_them))
    again = join([joined, all_of_them[0]])
    assert len(again.parts) == len(all_of_them) + 1, "parts are leaves, not a tree"


@given(verdicts())
def test_a_verdict_survives_json(verdict: Verdict) -> None:
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


def test_joining_nothing_or_different_policies_is_an_error() -> None:
    with pytest.raises(JoinError):
        join([])
    other = Policy(id="other")
    with pytest.raises(JoinError, match="different policies"):
        Verdict.of([], policy=POLICY.ref, guard="a").join(Verdict.of([], policy=other.ref, guard="a"))


@given(policies(), statuses.filter(lambda s: s is not Status.OK))
def test_a_rule_that_failed_decides_what_the_policy_says(policy: Policy, status: Status) -> None:
    for rule in policy.rules:
        score = RuleScore.failed(rule, policy, status=status, reason="down")
        wanted = rule.on_error if rule.on_error is not None else policy.on_error.default
        assert score.decision is wanted
        assert score.score is None
        assert Verdict.of([score], policy=policy.ref, guard="g").status is status


@given(verdicts(), policies(), statuses.filter(lambda s: s is not Status.OK))
def test_a_failure_cannot_be_outvoted(healthy: Verdict, policy: Policy, status: Status) -> None:
    failures = [RuleScore.failed(rule, policy, status=status, reason="down") for rule in policy.rules]
    broken = Verdict.of(failures, policy=healthy.policy, guard="broken")
    both = healthy.join(broken)
    assert both.decision >= broken.decision
    assert both.status >= broken.status
    for failure in failures:
        joined = both.rule(failure.id)
        assert joined is not None
        assert joined.status >= status


def test_the_default_for_failures_is_a_human() -> None:
    assert OnError().decision(Status.TIMEOUT) is Decision.ESCALATE
    assert OnError(timeout=Decision.BLOCK).decision(Status.TIMEOUT) is Decision.BLOCK
    assert OnError().decision(Status.OK) is Decision.ALLOW


def test_flagged_is_flag_escalate_or_block() -> None:
    flagged = {d for d in Decision if Verdict(decision=d, policy=POLICY.ref).flagged}
    assert flagged == {Decision.FLAG, Decision.ESCALATE, Decision.BLOCK}


def test_decisions_compare_by_rank_also_with_strings() -> None:
    assert sorted(Decision, key=lambda d: d.rank) == ["allow", "flag", "redact", "escalate", "block"]
    assert Decision.BLOCK > "allow"
    assert Decision.ALLOW < "flag"
    assert not Decision.FLAG >= "redact"
    with pytest.raises(ValueError, match="loud"):
        _ = Decision.ALLOW < "loud"


@given(st.integers(0, 4), decisions)
def test_a_level_left_out_takes_the_action_below_it(level: int, decision: Decision) -> None:
    rule = Rule(id="r", title="R", authority=Authority.USER, levels=(Level(level=level, decision=decision),))
    for severity in range(5):
        assert rule.action(severity) is (decision if severity >= level else Decision.ALLOW)


def test_a_violation_without_a_severity_is_acted_on() -> None:
    lenient = Rule(
        id="r", title="R", authority=Authority.USER, levels=(Level(level=4, decision=Decision.FLAG),)
    )
    assert RuleScore.judged(lenient, score=0.9, violated=True).decision is Decision.FLAG
    plain = Rule(id="r", title="R", authority=Authority.USER)
    assert RuleScore.judged(plain, score=0.9, violated=True).decision is Decision.BLOCK


def test_cited_rules_come_strictest_and_surest_first() -> None:
    scores = [
        RuleScore(id="a", score=0.7, decision=Decision.FLAG),
        RuleScore(id="b", score=0.6, decision=Decision.BLOCK),
        RuleScore(id="c", score=0.9, decision=Decision.BLOCK),
        RuleScore(id="d", score=0.99),
    ]
    verdict = Verdict.of(scores, policy=POLICY.ref, guard="g")
    assert [rule.id for rule in verdict.cited] == ["c", "b", "a"]
    assert verdict.score == pytest.approx(0.99)
