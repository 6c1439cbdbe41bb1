"""A guard that breaks while judging becomes a verdict that says so: never an exception, never an approval."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from sekisho.core import Exchange, Guard, Policy, Status, Verdict, join, unjudged

MEDIA_NOTE = "the message has parts that are not text; they were not judged"
_log = logging.getLogger(__name__)


def check_safely(guard: Guard, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
    """`guard.check`, with every failure resolved by the policy's `on_error`.

    When a batch fails its exchanges are tried one by one, so that one bad exchange cannot take the
    others with it. A guard that returns the wrong number of verdicts counts as failed.
    """
    if not exchanges:
        return []
    try:
        verdicts = guard.check(exchanges, policy)
    except Exception as error:  # whatever a third party's guard raises must not pass for an approval
        _log.warning(
            "guard %s failed on %d exchange(s): %s", guard.name, len(exchanges), type(error).__name__
        )
        if len(exchanges) == 1:
            return [failed(guard.name, exchanges[0], policy, reason=f"guard failed: {type(error).__name__}")]
        return [check_safely(guard, [exchange], policy)[0] for exchange in exchanges]
    if len(verdicts) != len(exchanges):
        reason = "guard returned the wrong number of verdicts"
        return [failed(guard.name, exchange, policy, reason=reason) for exchange in exchanges]
    if getattr(guard, "reads_media", False):
        return verdicts
    return [
        _with_media(verdict, exchange, policy) for verdict, exchange in zip(verdicts, exchanges, strict=True)
    ]


def _with_media(verdict: Verdict, exchange: Exchange, policy: Policy) -> Verdict:
    """Images, audio and files that the guard cannot read have not been judged, whatever the text says."""
    if not exchange.last.media or MEDIA_NOTE in verdict.notes:
        return verdict
    unread = failed(verdict.guard, exchange, policy, reason=MEDIA_NOTE, status=Status.ABSTAINED)
    noted = unread.model_copy(update={"notes": (MEDIA_NOTE,)})
    return join((verdict, noted)).model_copy(update={"parts": verdict.parts})


def failed(
    name: str, exchange: Exchange, policy: Policy, *, reason: str, status: Status = Status.ERROR
) -> Verdict:
    """The verdict of a guard that judged nothing."""
    rules = unjudged(policy.on(exchange.surface), policy, status=status, reason=reason)
    return Verdict.of(rules, policy=policy.ref, guard=name)
