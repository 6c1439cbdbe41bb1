"""Cascade: a cheap guard answers what it is sure of and *defers* the rest to the next one.

Cascades route, they do not join: the verdict is that of the stage that decided. A rule that only an
earlier stage covers keeps the earlier stage's finding.

Source: Sharma et al. 2025 (arXiv 2501.18837) and the two-stage design of Constitutional Classifiers++
(arXiv 2601.04603), where the first stage runs on all traffic and may only defer, never refuse.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from pydantic import Field

from sekisho.core import (
    Coverage,
    Decision,
    Exchange,
    Guard,
    GuardStream,
    Message,
    Policy,
    RuleScore,
    Status,
    Value,
    Verdict,
    covered,
)

from .failure import check_safely
from .pipeline import Pipeline
from .stream import WindowedStream


class Band(Value):
    """Scores in which a stage is not sure and defers: `low <= score <= high`.

    With `may_refuse` off the stage clears what lies below the band and defers everything else.
    """

    low: float = Field(ge=0, le=1)
    high: float = Field(default=1.0, ge=0, le=1)
    may_refuse: bool = False


class Cascade:
    """Guards from cheap to dear; `bands[i]` says when stage i hands on. The last stage always decides."""

    def __init__(self, guards: Sequence[Guard], *, bands: Sequence[Band], name: str | None = None) -> None:
        if len(guards) < 2:
            raise ValueError("a cascade needs at least two guards")
        if len(bands) != len(guards) - 1:
            raise ValueError("a cascade needs one band for every guard but the last")
        self.guards = tuple(guards)
        self.bands = tuple(bands)
        self._name = name or ">".join(guard.name for guard in guards)

    @property
    def name(self) -> str:
        return self._name

    def coverage(self, policy: Policy) -> tuple[Coverage, ...]:
        return Pipeline(self.guards).coverage(policy)

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        started = time.perf_counter()
        decided: list[Verdict | None] = [None] * len(exchanges)
        waiting = list(range(len(exchanges)))
        for stage, guard in enumerate(self.guards):
            share = covered(guard, policy)
            found = check_safely(guard, [exchanges[row] for row in waiting], policy)
            deferred: list[int] = []
            for row, verdict in zip(waiting, found, strict=True):
                decided[row] = _routed(decided[row], verdict, share, name=self._name)
                if stage < len(self.bands) and self._defers(verdict, self.bands[stage]):
                    deferred.append(row)
            waiting = deferred
            if not waiting:
                break
        each = (time.perf_counter() - started) * 1000 / max(1, len(exchanges))
        return [v.model_copy(update={"elapsed_ms": each}) for v in decided if v is not None]

    @staticmethod
    def _defers(verdict: Verdict, band: Band) -> bool:
        # A stage that could not judge something has no right to decide, whatever its score; and one that may
        # not refuse hands on whatever it would not simply allow.
        if verdict.score is None or verdict.status is not Status.OK:
            return True
        if not band.may_refuse:
            return verdict.decision is not Decision.ALLOW or verdict.score >= band.low
        return band.low <= verdict.score <= band.high

    def hints(self, policy: Policy) -> frozenset[str]:
        return Pipeline(self.guards).hints(policy)

    def open(self, context: Sequence[Message], policy: Policy) -> GuardStream:
        return WindowedStream(self, context, policy)


def _routed(earlier: Verdict | None, later: Verdict, share: frozenset[str], *, name: str) -> Verdict:
    """The later stage's verdict, completed by the earlier one: where the later failed, neither failure nor
    finding is forgotten; of rules that it does not cover it can only add findings."""
    if earlier is None:
        return later.model_copy(update={"guard": name, "parts": (later,)})
    before = {rule.id: rule for rule in earlier.rules}
    rules = [_one_rule(before.pop(rule.id, None), rule, share) for rule in later.rules]
    failed = {rule.id for rule in later.rules if rule.status is not Status.OK}
    kept = (r for r in earlier.redactions if r.rule not in share or r.rule in failed)
    scores = [v.score for v in (later, *((earlier,) if failed & share else ())) if v.score is not None]
    routed = Verdict.of(
        [*rules, *before.values()],
        policy=later.policy,
        guard=name,
        score=max(scores, default=None),
        refusal=later.refusal,
        redactions=(*later.redactions, *kept),
        notes=(*earlier.notes, *later.notes),
        trained_on=later.trained_on,
    )
    return routed.model_copy(update={"parts": (*earlier.parts, later)})


def _one_rule(earlier: RuleScore | None, later: RuleScore, share: frozenset[str]) -> RuleScore:
    if earlier is None:
        return later
    if later.id in share:
        return later if later.status is Status.OK else earlier.join(later)
    return earlier.join(later) if later.status is Status.OK else earlier
