"""Pipeline: several guards judge the same exchange and their verdicts are joined.

Each rule is answered by whoever covers it. A guard's abstention on a rule that it never claimed to
cover counts only when no other guard covers the rule; what it *found* there always counts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from sekisho.core import (
    Cover,
    Coverage,
    Decision,
    Exchange,
    Guard,
    GuardStream,
    Message,
    Policy,
    RuleScore,
    Status,
    Step,
    Verdict,
    covered,
    join,
)

from .failure import check_safely, failed


class Pipeline:
    """Guards joined. Failures of one are resolved before the join, so none can be outvoted."""

    def __init__(self, guards: Sequence[Guard], *, name: str | None = None) -> None:
        if not guards:
            raise ValueError("a pipeline needs at least one guard")
        self.guards = tuple(guards)
        self._name = name or ",".join(guard.name for guard in guards)

    @property
    def name(self) -> str:
        return self._name

    def coverage(self, policy: Policy) -> tuple[Coverage, ...]:
        """The best cover that any of the guards has for each rule."""
        best: dict[str, Coverage] = {}
        for guard in self.guards:
            for entry in guard.coverage(policy):
                if entry.rule not in best or entry.cover > best[entry.rule].cover:
                    best[entry.rule] = entry
        return tuple(best[rule.id] for rule in policy.rules)

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        started = time.perf_counter()
        shares = [covered(guard, policy) for guard in self.guards]
        views = _views(shares, policy)
        columns = [check_safely(guard, exchanges, v) for guard, v in zip(self.guards, views, strict=True)]
        each = (time.perf_counter() - started) * 1000 / max(1, len(exchanges))
        return [
            _joined([column[row] for column in columns], shares, name=self._name, elapsed_ms=each)
            for row in range(len(exchanges))
        ]

    def open(self, context: Sequence[Message], policy: Policy) -> GuardStream:
        return _PipelineStream(self, context, policy)


def _views(shares: Sequence[frozenset[str]], policy: Policy) -> list[Policy]:
    """The policy as each guard sees it: a rule that it does not cover, but another does, decides nothing
    when this guard abstains on it. (Else its abstention would stop a stream before the other spoke.)"""
    anyone = frozenset[str]().union(*shares)
    return [
        policy.model_copy(
            update={
                "rules": tuple(
                    rule.model_copy(update={"on_error": Decision.ALLOW})
                    if rule.id in anyone and rule.id not in share
                    else rule
                    for rule in policy.rules
                )
            }
        )
        for share in shares
    ]


def _joined(
    verdicts: Sequence[Verdict], shares: Sequence[frozenset[str]], *, name: str, elapsed_ms: float
) -> Verdict:
    anyone = frozenset[str]().union(*shares)
    parts = [_own_part(verdict, share, anyone) for verdict, share in zip(verdicts, shares, strict=True)]
    if len(parts) == 1:
        return parts[0].model_copy(update={"guard": name, "elapsed_ms": elapsed_ms})
    return join(parts, guard=name).model_copy(update={"elapsed_ms": elapsed_ms})


def _own_part(verdict: Verdict, share: frozenset[str], anyone: frozenset[str]) -> Verdict:
    """The verdict without what it could not judge and other guards answer for."""

    def counts(rule: RuleScore) -> bool:
        return rule.status is Status.OK or rule.id in share or rule.id not in anyone

    kept = [rule for rule in verdict.rules if counts(rule)]
    if len(kept) == len(verdict.rules):
        return verdict
    return Verdict.of(
        kept,
        policy=verdict.policy,
        guard=verdict.guard,
        score=verdict.score,
        refusal=verdict.refusal,
        redactions=verdict.redactions,
        notes=verdict.notes,
        trained_on=verdict.trained_on,
        elapsed_ms=verdict.elapsed_ms,
    )


class _PipelineStream:
    """One stream per guard: cleared is what all of them have cleared."""

    def __init__(self, pipeline: Pipeline, context: Sequence[Message], policy: Policy) -> None:
        self._pipeline = pipeline
        self._policy = policy
        self._context = tuple(context)
        self._shares = [covered(guard, policy) for guard in pipeline.guards]
        views = _views(self._shares, policy)
        self._streams: list[GuardStream | None] = []
        self._broken: dict[int, Verdict] = {}
        for place, guard in enumerate(pipeline.guards):
            try:
                self._streams.append(guard.open(context, views[place]))
            except Exception as error:  # a guard that cannot open a stream has judged nothing
                self._streams.append(None)
                self._break(place, error)
        self._cleared = 0
        self._decided: Verdict | None = None

    def _break(self, place: int, error: Exception) -> None:
        guard = self._pipeline.guards[place]
        answer = Exchange(messages=(*self._context, Message.of("assistant", "")))
        reason = f"guard failed in a stream: {type(error).__name__}"
        self._broken[place] = failed(guard.name, answer, self._policy, reason=reason)

    def feed(self, text: str) -> Step:
        if self._decided is not None:
            return Step(cleared=self._cleared, verdict=self._decided)
        steps: list[Step] = []
        for place, stream in enumerate(self._streams):
            if stream is None or place in self._broken:
                continue
            try:
                steps.append(stream.feed(text))
            except Exception as error:  # as above
                self._break(place, error)
        for step in steps:
            if step.verdict is not None:
                self._decided = step.verdict
        for place, verdict in self._broken.items():
            mine = _own_part(verdict, self._shares[place], frozenset().union(*self._shares))
            if mine.decision >= "escalate":
                self._decided = mine
        if self._decided is None and steps:
            self._cleared = max(self._cleared, min(step.cleared for step in steps))
        return Step(cleared=self._cleared, verdict=self._decided)

    def finish(self) -> Verdict:
        verdicts: list[Verdict] = []
        for place, stream in enumerate(self._streams):
            if stream is not None and place not in self._broken:
                try:
                    verdicts.append(stream.finish())
                    continue
                except Exception as error:  # as above
                    self._break(place, error)
            verdicts.append(self._broken[place])
        elapsed = sum(verdict.elapsed_ms for verdict in verdicts)
        return _joined(verdicts, self._shares, name=self._pipeline.name, elapsed_ms=elapsed)


def best_cover(coverage: Sequence[Coverage]) -> dict[Cover, int]:
    """How many rules are covered, stale and uncovered."""
    return {cover: sum(entry.cover is cover for entry in coverage) for cover in Cover}
