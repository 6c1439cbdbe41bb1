"""Pipelines join, cascades route, and nothing that failed becomes an approval."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.core import Decision, Exchange, Guard, OnError, Policy, Rule, Status
from sekisho.guards import Band, BoundGuard, Cascade, Pipeline

from ..core.strategies import RULES, policies
from .scripted import BrokenGuard, ShortGuard, WordGuard

POLICY = Policy(
    id="test", rules=tuple(Rule.model_validate({"id": r, "title": r, "authority": "root"}) for r in RULES)
)
TEXTS = ["nothing", "a scam", "a slur", "a scam and a slur"]


def asked(guard: Guard, policy: Policy = POLICY, texts: Sequence[str] = TEXTS) -> list[Decision]:
    return [v.decision for v in BoundGuard(guard, policy).check(texts)]


def test_each_rule_is_answered_by_whoever_covers_it() -> None:
    fraud = WordGuard({"scam": "fraud"}, name="f")
    rest = WordGuard({"slur": "hate"}, covers=["hate", "privacy", "secrets"], name="r")
    assert asked(Pipeline([fraud, rest])) == ["allow", "block", "block", "block"]
    verdict = BoundGuard(Pipeline([fraud, rest]), POLICY).check_one("a scam")
    assert verdict.status is Status.OK
    assert verdict.guard == "f,r"
    assert {part.guard for part in verdict.parts} == {"f", "r"}
    assert [r.id for r in verdict.cited] == ["fraud"]


def test_a_rule_nobody_covers_is_undecided() -> None:
    verdict = BoundGuard(Pipeline([WordGuard({"scam": "fraud"})]), POLICY).check_one("nothing")
    assert verdict.decision is Decision.ESCALATE
    assert verdict.status is Status.ABSTAINED
    assert {r.id for r in verdict.undecided} == {"hate", "privacy", "secrets"}


@given(policies(), st.lists(st.sampled_from(RULES), unique=True), st.sampled_from(TEXTS))
def test_nothing_uncovered_passes_unless_the_policy_says_so(
    policy: Policy, covers: list[str], text: str
) -> None:
    for guard in (
        WordGuard({}, covers=covers),
        Pipeline([WordGuard({}, covers=covers), WordGuard({}, covers=[])]),
    ):
        exchange = Exchange.of(text)
        verdict = BoundGuard(guard, policy).check([exchange])[0]
        left = [rule for rule in policy.on(exchange.surface) if rule.id not in covers]
        assert {r.id for r in verdict.undecided} == {rule.id for rule in left}
        wanted = Decision.highest(policy.on_failure(rule, Status.ABSTAINED) for rule in left)
        assert verdict.decision == wanted


@given(policies(), st.integers(0, 2), st.sampled_from(TEXTS), st.booleans())
def test_no_failure_of_any_guard_is_an_approval(
    policy: Policy, broken_at: int, text: str, routed: bool
) -> None:
    guards: list[Guard] = [WordGuard({"scam": "fraud"}, covers=RULES) for _ in range(3)]
    guards[broken_at] = BrokenGuard(covers=RULES)
    bands = [Band(low=0.0)] * 2  # always hand on
    guard = Cascade(guards, bands=bands) if routed else Pipeline(guards)
    exchange = Exchange.of(text)
    verdict = BoundGuard(guard, policy).check([exchange])[0]
    says = Decision.highest(policy.on_failure(rule, Status.ERROR) for rule in policy.on(exchange.surface))
    if policy.on(exchange.surface) and (broken_at == 2 or not routed):
        assert verdict.status is Status.ERROR
        assert verdict.decision >= says
    elif routed and policy.on(exchange.surface):
        assert verdict.status is Status.OK, "a failed early stage defers to the next"


def test_one_bad_exchange_does_not_take_the_others_with_it() -> None:
    guard = BrokenGuard(lambda batch: any("bad" in e.text for e in batch), covers=RULES)
    verdicts = BoundGuard(guard, POLICY).check(["fine", "bad", "fine"])
    assert [v.status for v in verdicts] == ["ok", "error", "ok"]
    assert [v.decision for v in verdicts] == ["allow", "escalate", "allow"]


def test_too_few_verdicts_count_as_a_failure() -> None:
    verdicts = BoundGuard(ShortGuard({}, covers=RULES), POLICY).check(["a", "b"])
    assert [v.status for v in verdicts] == ["error", "error"]


def test_a_policy_may_say_allow_in_words() -> None:
    lenient = Policy(id="l", rules=POLICY.rules, on_error=OnError(default=Decision.ALLOW))
    verdict = BoundGuard(BrokenGuard(), lenient).check_one("x")
    assert verdict.decision is Decision.ALLOW
    assert verdict.status is Status.ERROR, "allowed, but not hidden"


def test_a_cascade_asks_the_next_stage_only_when_it_has_to() -> None:
    cheap = WordGuard({"scam": "fraud"}, covers=RULES, name="cheap")
    dear = WordGuard({"slur": "hate"}, covers=RULES, name="dear")
    cascade = Cascade([cheap, dear], bands=[Band(low=0.5)])
    assert asked(cascade) == ["allow", "allow", "allow", "block"], "the later stage decides what it is asked"
    assert dear.seen == ["a scam", "a scam and a slur"]
    decided = BoundGuard(cascade, POLICY).check_one("a scam and a slur")
    assert [part.guard for part in decided.parts] == ["cheap", "dear"]


def test_a_stage_that_may_refuse_keeps_what_it_is_sure_of() -> None:
    cheap = WordGuard({"scam": "fraud"}, covers=RULES)
    dear = WordGuard({}, covers=RULES)
    cascade = Cascade([cheap, dear], bands=[Band(low=0.5, high=0.8, may_refuse=True)])
    assert asked(cascade) == ["allow", "block", "allow", "block"]
    assert dear.seen == []


def test_a_cascade_keeps_what_only_an_earlier_stage_covers() -> None:
    first = WordGuard({"scam": "fraud", "slur": "hate"}, covers=RULES)
    second = WordGuard({}, covers=["fraud"])
    verdict = BoundGuard(Cascade([first, second], bands=[Band(low=0.5)]), POLICY).check_one(
        "a scam and a slur"
    )
    assert [r.id for r in verdict.cited] == ["hate"]
    assert verdict.status is Status.OK


def test_combining_nothing_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one"):
        Pipeline([])
    with pytest.raises(ValueError, match="at least two"):
        Cascade([WordGuard({})], bands=[])
    with pytest.raises(ValueError, match="one band"):
        Cascade([WordGuard({}), WordGuard({})], bands=[])


def test_what_a_text_guard_cannot_read_was_not_judged() -> None:
    picture = Exchange.model_validate(
        {"messages": [{"role": "user", "parts": [{"type": "text", "text": "look"}, {"type": "image"}]}]}
    )
    for guard in (WordGuard({}, covers=RULES), Pipeline([WordGuard({}, covers=RULES)])):
        verdict = BoundGuard(guard, POLICY).check_one(picture)
        assert verdict.status is Status.ABSTAINED
        assert verdict.decision is Decision.ESCALATE
        assert "not text" in verdict.notes[0]
