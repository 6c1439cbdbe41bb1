"""The only way guards are called: whatever goes wrong becomes a verdict that says so, never an approval.

Exceptions, missing or foreign verdicts, rules that were left out, and parts of a message that are not text all
end here. An answer that both speaks and calls tools is judged as two exchanges, so that neither the rules of
output nor those of tool calls are passed by.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sekisho.core import Exchange, Guard, Policy, Rule, RuleScore, Status, Verdict, join, unjudged

MEDIA_NOTE = "the message has parts that are not text; they were not judged"
NOTHING_NOTE = "no rule of the policy applies to a message of this kind; nothing was judged"
TRUNCATED_NOTE = "decoding stopped at its limits"
"""A guard says this when it did not look at everything that a text may hide. Innocent texts do not get there: of
4,719 from twelve training sets none did."""
_log = logging.getLogger(__name__)


def check_safely(guard: Guard, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
    """`guard.check`, with every failure resolved by the policy's `on_error`.

    When a batch fails its exchanges are tried one by one, so that one bad exchange cannot take the others
    with it.
    """
    whole: list[Exchange] = []
    owners: list[tuple[int, int]] = []  # which exchange, and how far its text is moved in that exchange's
    for place, exchange in enumerate(exchanges):
        halves = exchange.split()
        if halves is None:
            whole.append(exchange)
            owners.append((place, 0))
            continue
        whole += halves
        owners += ((place, 0), (place, len(halves[0].text) + 1))
    verdicts = _checked(guard, whole, policy)
    if len(whole) == len(exchanges):
        return verdicts
    found: dict[int, list[Verdict]] = {}
    for (place, by), verdict in zip(owners, verdicts, strict=True):
        found.setdefault(place, []).append(verdict.moved(by) if by else verdict)
    return [both[0] if len(both) == 1 else join(both, guard=both[0].guard) for both in found.values()]


def _checked(guard: Guard, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
    if not exchanges:
        return []
    try:
        verdicts = list(guard.check(exchanges, policy))
        if len(verdicts) != len(exchanges) or not all(isinstance(v, Verdict) for v in verdicts):
            raise TypeError("not one verdict per exchange")
    except Exception as error:  # whatever a third party's guard raises must not pass for an approval
        _log.warning(
            "guard %s failed on %d exchange(s): %s", guard.name, len(exchanges), type(error).__name__
        )
        if len(exchanges) == 1:
            return [failed(guard.name, exchanges[0], policy, reason=f"guard failed: {type(error).__name__}")]
        return [_checked(guard, [exchange], policy)[0] for exchange in exchanges]
    reads_media = getattr(guard, "reads_media", False)
    return [
        _whole(verdict, exchange, policy, reads_media=reads_media)
        for verdict, exchange in zip(verdicts, exchanges, strict=True)
    ]


def _whole(verdict: Verdict, exchange: Exchange, policy: Policy, *, reads_media: bool) -> Verdict:
    """The verdict, or what has to be said in its place or beside it."""
    if verdict.policy is not policy.ref and verdict.policy != policy.ref:
        return failed(verdict.guard, exchange, policy, reason="the guard answered for another policy")
    rules = policy.on(exchange.surface)
    if not rules and NOTHING_NOTE not in verdict.notes:
        # The policy says nothing on this surface: that decides nothing, and must not look as if something had.
        verdict = verdict.model_copy(update={"notes": tuple(sorted({*verdict.notes, NOTHING_NOTE}))})
    answered = {rule.id for rule in verdict.rules if rule.score is not None or rule.status is not Status.OK}
    if len(answered) != len(rules) or any(rule.id not in answered for rule in rules):
        missing = [rule for rule in rules if rule.id not in answered]
        if missing:
            verdict = _with_failures(
                verdict, missing, policy, status=Status.ERROR, reason="the guard left this rule out"
            )
    if TRUNCATED_NOTE in verdict.notes and verdict.status is Status.OK:
        verdict = _with_failures(verdict, rules, policy, status=Status.ABSTAINED, reason=TRUNCATED_NOTE)
    if exchange.last.media and not reads_media and MEDIA_NOTE not in verdict.notes:
        verdict = _with_failures(verdict, rules, policy, status=Status.ABSTAINED, reason=MEDIA_NOTE)
        verdict = verdict.model_copy(update={"notes": tuple(sorted({*verdict.notes, MEDIA_NOTE}))})
    return verdict


def _with_failures(
    verdict: Verdict, rules: Sequence[Rule], policy: Policy, *, status: Status, reason: str
) -> Verdict:
    scores: list[RuleScore] = unjudged(rules, policy, status=status, reason=reason)
    failures = Verdict.of(scores, policy=policy.ref, guard=verdict.guard)
    joined = join((verdict, failures), guard=verdict.guard, elapsed_ms=verdict.elapsed_ms)
    return joined.model_copy(update={"parts": verdict.parts})


def failed(
    name: str, exchange: Exchange, policy: Policy, *, reason: str, status: Status = Status.ERROR
) -> Verdict:
    """The verdict of a guard that judged nothing."""
    rules = unjudged(policy.on(exchange.surface), policy, status=status, reason=reason)
    return Verdict.of(rules, policy=policy.ref, guard=name)
