"""The contract of a guard, as a function that third parties' tests can call."""

from __future__ import annotations

from sekisho.core import Cover, Exchange, Guard, Message, Policy, Status, Verdict

from .failure import check_safely

_TEXTS = ("", "Hello.", "こんにちは。", "a\u0000b", "\ud800", "x" * 5_000, "🙂" * 200)


def check_contract(guard: Guard, policy: Policy) -> None:
    """Raise `AssertionError` with a plain sentence if `guard` breaks the protocol's promises.

    Checked: a name; one coverage entry per rule, in order; one verdict per exchange, in order, under the
    policy given; every rule of the surface in every verdict; uncovered rules never judged `ok` without a
    finding; ranges inside the text; batches and single checks agree; streams agree however text is split.
    """
    assert guard.name, "a guard has a name"
    coverage = guard.coverage(policy)
    assert [c.rule for c in coverage] == [r.id for r in policy.rules], (
        "coverage has one entry per rule, in order"
    )
    uncovered = {c.rule for c in coverage if c.cover is Cover.UNCOVERED}

    exchanges = [Exchange.of(text, role=role) for text in _TEXTS for role in ("user", "assistant", "tool")]
    together = check_safely(guard, exchanges, policy)
    assert len(together) == len(exchanges), "one verdict per exchange"
    for exchange, verdict in zip(exchanges, together, strict=True):
        _check_verdict(verdict, exchange, policy, uncovered)
        alone = check_safely(guard, [exchange], policy)[0]
        assert alone.decision == verdict.decision, "a batch decides what single checks decide"
    assert check_safely(guard, [], policy) == [], "no exchanges, no verdicts"

    text = "A sentence about the weather. 今日は晴れです。" * 20
    context = (Message.of("user", "How is the weather?"),)
    outcomes = []
    for size in (1, 7, len(text)):
        stream = guard.open(context, policy)
        cleared = 0
        for at in range(0, len(text), size):
            step = stream.feed(text[at : at + size])
            assert cleared <= step.cleared <= at + size, "clearance only grows, and not beyond what was fed"
            cleared = step.cleared
        outcomes.append((cleared, stream.finish().decision))
    assert len(set(outcomes)) == 1, "how a text is split changes neither clearance nor verdict"


def _check_verdict(verdict: Verdict, exchange: Exchange, policy: Policy, uncovered: set[str]) -> None:
    assert verdict.policy == policy.ref, "a verdict names the policy that it was asked about"
    expected = {rule.id for rule in policy.on(exchange.surface)}
    assert {rule.id for rule in verdict.rules} == expected, "every rule of the surface is in the verdict"
    for rule in verdict.rules:
        if rule.status is Status.OK:
            assert rule.score is not None, "a rule that was judged has a score"
            assert 0 <= rule.score <= 1, "scores are probabilities"
            if rule.id in uncovered:
                assert rule.spans or rule.decision != "allow", (
                    "an uncovered rule was cleared without a finding"
                )
        for span in rule.spans:
            assert 0 <= span.start <= span.end <= len(exchange.text), "spans lie in the text"
    for redaction in verdict.redactions:
        assert 0 <= redaction.start < redaction.end <= len(exchange.text), "redactions lie in the text"
