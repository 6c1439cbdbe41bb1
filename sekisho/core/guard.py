"""The protocols that everything which returns a verdict fulfils.

Guards are batch-first, because throughput is decided there, and plain (not async): what computes is
plain, and what waits is made async by its own room.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from .decision import Cover, Status
from .message import Exchange, Message, Value
from .policy import Policy, Rule
from .verdict import Redaction, RuleScore, Verdict


class Coverage(Value):
    """Whether a guard can judge one rule, and why not."""

    rule: str
    cover: Cover
    reason: str = ""


class Step(Value):
    """What a stream has decided so far."""

    cleared: int
    """The text may be released up to this character (of the text as fed, before redaction)."""
    redactions: tuple[Redaction, ...] = ()
    """What has to be taken out of the text that this step cleared. None of them crosses a step's end."""
    verdict: Verdict | None = None
    """Set as soon as the stream is decided against: nothing more will be cleared."""


@runtime_checkable
class GuardStream(Protocol):
    """One text judged while it arrives. The outcome does not depend on how the text was split."""

    def feed(self, text: str) -> Step:
        """Take the next piece and say how far the text is cleared."""

    def finish(self) -> Verdict:
        """The text is complete: the verdict on all of it."""


@runtime_checkable
class Guard(Protocol):
    """Anything that returns verdicts."""

    @property
    def name(self) -> str:
        """The reference that `load_guard` would take."""

    def coverage(self, policy: Policy) -> tuple[Coverage, ...]:
        """One entry per rule of the policy, in its order."""

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        """One verdict per exchange, in order. Failures are verdicts with a status, not exceptions."""

    def open(self, context: Sequence[Message], policy: Policy) -> GuardStream:
        """Begin to judge an answer to `context` while it arrives."""


def covered(guard: Guard, policy: Policy) -> frozenset[str]:
    """The ids of the rules that `guard` can judge (covered or stale)."""
    return frozenset(c.rule for c in guard.coverage(policy) if c.cover is not Cover.UNCOVERED)


def unjudged(rules: Sequence[Rule], policy: Policy, *, status: Status, reason: str) -> list[RuleScore]:
    """A failed score for every rule: what a guard returns for rules it does not cover, or when it broke."""
    return [RuleScore.failed(rule, policy, status=status, reason=reason) for rule in rules]
