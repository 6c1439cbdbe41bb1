"""Pipelines join, cascades route, and nothing that failed becomes an approval."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sekisho.core import (
    Decision,
    Exchange,
    Guard,
    InputError,
    Message,
    OnError,
    Policy,
    Rule,
    RuleScore,
    Status,
    UnknownName,
    Verdict,
)
from sekisho.guards import Band, BoundGuard, Cascade, Pipeline
from sekisho.guards.bound import to_exchange

from ..core.strategies import RULES, policies
from .scripted import BrokenGuard, ShortGuard, WordGuard

POLICY = Policy(
    id="test", rules=tuple(Rule.model_validate({"id": r, "title": r, "authority": "root"}) for r in RULES)
)
TEXTS = ["nothing", "a scam", "a slur", "a scam and a slur"]


def asked(guard: Guard, policy: Policy = POLICY, texts: Sequence[str] = TEXTS) -> list[Decision]:
    return [v.decision for v in BoundGuard(guard, policy).check(texts)]


def acted_on(decisions: Iterable[Decision]) -> Decision:
    """What failures come to: `redact` has nothing to take out there, so a human looks."""
    return Decision.highest(Decision.ESCALATE if d is Decision.REDACT else d for d in decisions)


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
        assert verdict.decision == acted_on(policy.on_failure(rule, Status.ABSTAINED) for rule in left)


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
    says = acted_on(policy.on_failure(rule, Status.ERROR) for rule in policy.on(exchange.surface))
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


def mixed(content: object) -> Exchange:
    calls = [{"function": {"name": "sh", "arguments": '{"command": "scam"}'}}]
    return to_exchange([{"role": "assistant", "content": content, "tool_calls": calls}])


@pytest.mark.parametrize("content", [None, "", "Sure!"])
def test_a_tool_call_is_judged_whatever_stands_beside_it(content: object) -> None:
    only_calls = Policy.model_validate(
        {"id": "t", "rules": [{"id": "fraud", "title": "F", "authority": "root", "surfaces": ["tool_call"]}]}
    )
    exchange = mixed(content)
    verdict = BoundGuard(WordGuard({"scam": "fraud"}), only_calls).check_one(exchange)
    assert verdict.decision is Decision.BLOCK
    span = verdict.rules[0].spans[0]
    assert exchange.text[span.start : span.end] == "scam"


def test_words_beside_a_tool_call_are_judged_as_output() -> None:
    only_words = Policy.model_validate(
        {"id": "t", "rules": [{"id": "hate", "title": "H", "authority": "root", "surfaces": ["output"]}]}
    )
    verdict = BoundGuard(WordGuard({"slur": "hate"}), only_words).check_one(mixed("a slur"))
    assert verdict.decision is Decision.BLOCK


def test_what_a_guard_returns_is_not_trusted() -> None:
    class Forgetful(WordGuard):
        def check(self, exchanges, policy):  # type: ignore[no-untyped-def]
            return [Verdict.of([], policy=policy.ref, guard="f") for _ in exchanges]

    class Foreign(WordGuard):
        def check(self, exchanges, policy):  # type: ignore[no-untyped-def]
            return super().check(exchanges, Policy(id="zz"))

    class Empty(WordGuard):
        def check(self, exchanges, policy):  # type: ignore[no-untyped-def]
            return [
                Verdict.of([RuleScore(id=r) for r in RULES], policy=policy.ref, guard="e") for _ in exchanges
            ]

    class Nothing(WordGuard):
        def check(self, exchanges, policy):  # type: ignore[no-untyped-def]
            return None

    for kind in (Forgetful, Foreign, Empty, Nothing):
        verdict = BoundGuard(kind({}, covers=RULES), POLICY).check_one("x")
        assert (verdict.decision, verdict.status) == (Decision.ESCALATE, Status.ERROR), kind


def test_a_finding_survives_a_later_stage_that_breaks() -> None:
    first = WordGuard({"scam": "fraud"}, covers=RULES)
    cascade = Cascade([first, BrokenGuard(covers=RULES)], bands=[Band(low=0.5)])
    lenient = Policy(id="l", rules=POLICY.rules, on_error=OnError(default=Decision.ALLOW))
    assert BoundGuard(cascade, lenient).check_one("a scam").decision is Decision.BLOCK


def test_a_stage_that_may_not_refuse_hands_on_whatever_it_would_not_allow() -> None:
    first = WordGuard({"scam": "fraud"}, covers=RULES)
    cascade = Cascade([first, WordGuard({}, covers=RULES)], bands=[Band(low=0.95)])
    assert BoundGuard(cascade, POLICY).check_one("a scam").decision is Decision.ALLOW


def test_a_redaction_without_anything_to_redact_is_for_a_human() -> None:
    meaning = Policy.model_validate(
        {
            "id": "t",
            "rules": [
                {
                    "id": "fraud",
                    "title": "F",
                    "authority": "root",
                    "levels": [{"level": 3, "decision": "redact"}],
                }
            ],
        }
    )
    assert BoundGuard(WordGuard({"scam": "fraud"}), meaning).check_one("a scam").decision is Decision.ESCALATE
    guard = WordGuard({"scam": "fraud"}, redact=True)
    assert BoundGuard(guard, meaning).check_one("a scam").decision is Decision.REDACT


def test_a_view_of_no_known_rule_is_refused() -> None:
    with pytest.raises(UnknownName):
        POLICY.only(["fruad"])
    with pytest.raises(ValueError, match="same id"):
        Policy(id="t", rules=(POLICY.rules[0], POLICY.rules[0]))


def test_a_changed_copy_of_a_policy_has_its_own_digest() -> None:
    assert POLICY.model_copy(update={"rules": POLICY.rules[:1]}).digest != POLICY.digest
    assert POLICY.only(["fraud"]).digest == POLICY.digest


SECRET = "4111 1111 1111 1111"


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "user", "content": [{"type": "image_url", "text": "", "image_url": {"url": "x"}}]},
        {"role": "user", "content": "hi", "surprise": {"deep": SECRET}},
        {"role": "assistant", "content": "hi", "audio": {"id": "a", "data": "…"}},
    ],
)
def test_what_a_message_carries_besides_text_is_never_passed_over(turn: dict[str, object]) -> None:
    verdict = BoundGuard(WordGuard({}, covers=RULES), POLICY).check_one([turn])
    assert verdict.status is Status.ABSTAINED


@pytest.mark.parametrize(
    "turn",
    [
        {"role": "assistant", "content": None, "function_call": {"name": "pay", "arguments": "scam"}},
        {"role": "assistant", "content": "", "refusal": "scam"},
        {"role": "assistant", "content": "ok", "reasoning_content": "scam"},
        {"role": "assistant", "content": "ok", "audio": {"transcript": "scam"}},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "scam"}]},
        {"role": "user", "content": [{"type": "input_text", "text": "scam"}]},
        {"role": "user", "content": [{"type": "text", "text": "ok"}, {"type": "text", "text": "scam"}]},
    ],
)
def test_every_field_that_carries_text_is_judged(turn: dict[str, object]) -> None:
    verdict = BoundGuard(WordGuard({"scam": "fraud"}, covers=RULES), POLICY).check_one([turn])
    assert verdict.decision is Decision.BLOCK


@pytest.mark.parametrize(
    "item",
    [None, 5, [], [5], [{"role": "user"}, 5], [{"role": ["x"]}], [{"role": "assistant", "tool_calls": 5}],
     [{"role": "user", "content": 5}], [{"role": "user", "content": [{"type": "text", "text": 5}]}]],
)  # fmt: skip
def test_what_cannot_be_read_is_an_input_error_without_the_text(item: object) -> None:
    with pytest.raises(InputError) as caught:
        BoundGuard(WordGuard({}, covers=RULES), POLICY).check_one(item)  # type: ignore[arg-type]
    assert caught.value.what


def test_a_text_is_not_a_list_of_texts() -> None:
    with pytest.raises(InputError, match="check_one"):
        BoundGuard(WordGuard({}, covers=RULES), POLICY).check("my secret text")
    with pytest.raises(InputError, match="role"):
        BoundGuard(WordGuard({}, covers=RULES), POLICY).check_one("text", role="bogus")


def test_errors_of_values_do_not_repeat_the_text() -> None:
    for make in (lambda: Exchange(messages="my secret"), lambda: Message.of("my secret", "x")):  # type: ignore[arg-type]
        with pytest.raises(ValueError) as caught:
            make()
        assert "my secret" not in str(caught.value)
