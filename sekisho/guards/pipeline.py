"""Pipeline: several guards judge the same exchange and their verdicts are joined.

Each rule is answered by whoever covers it. A guard's abstention on a rule that it never claimed to
cover counts only when no other guard covers the rule; what it *found* there always counts.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from sekisho.core import (
    Coverage,
    Decision,
    Exchange,
    Guard,
    GuardStream,
    Message,
    Policy,
    Status,
    Step,
    Verdict,
    covered,
    join,
)

from .failure import check_safely, failed
from .per_policy import PerPolicy


@runtime_checkable
class Hinting(Protocol):
    """A guard that may find violations of rules that it does not cover."""

    def hints(self, policy: Policy) -> frozenset[str]:
        """The ids of the rules on which it may find something."""


class Pipeline:
    """Guards joined. Failures of one are resolved before the join, so none can be outvoted."""

    def __init__(self, guards: Sequence[Guard], *, name: str | None = None) -> None:
        if not guards:
            raise ValueError("a pipeline needs at least one guard")
        self.guards = tuple(guards)
        self._name = name or ",".join(guard.name for guard in guards)
        self._division = PerPolicy(self._divide)

    @property
    def name(self) -> str:
        return self._name

    def _divide(self, policy: Policy) -> Division:
        shares = tuple(covered(guard, policy) for guard in self.guards)
        anyone = frozenset[str]().union(*shares)
        views = (_view(g, share, anyone, policy) for g, share in zip(self.guards, shares, strict=True))
        return Division(shares=shares, anyone=anyone, views=tuple(views))

    def hints(self, policy: Policy) -> frozenset[str]:
        return frozenset().union(*(g.hints(policy) for g in self.guards if isinstance(g, Hinting)))

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
        division = self._division(policy)
        columns = [
            check_safely(guard, exchanges, view)
            for guard, view in zip(self.guards, division.views, strict=True)
        ]
        each = (time.perf_counter() - started) * 1000 / max(1, len(exchanges))
        return [
            _joined(verdicts, division, name=self._name, elapsed_ms=each)
            for verdicts in zip(*columns, strict=True)
        ]

    def open(self, context: Sequence[Message], policy: Policy) -> GuardStream:
        return _PipelineStream(self, context, policy)


@dataclass(frozen=True, slots=True)
class Division:
    """Who answers for which rules of a policy."""

    shares: tuple[frozenset[str], ...]
    """The rules that each guard covers."""
    anyone: frozenset[str]
    views: tuple[Policy, ...]
    """The policy as each guard sees it."""


def _view(guard: Guard, share: frozenset[str], anyone: frozenset[str], policy: Policy) -> Policy:
    """The policy as one guard sees it: without the rules that others answer for, unless it may find
    something on them all the same (`hints`); those decide nothing when it abstains, or its abstention would
    stop a stream before the other spoke."""
    others = anyone - share
    hints: frozenset[str] = guard.hints(policy) if isinstance(guard, Hinting) else frozenset()
    return policy.model_copy(
        update={
            "rules": tuple(
                rule.model_copy(update={"on_error": Decision.ALLOW}) if rule.id in others else rule
                for rule in policy.rules
                if rule.id not in others or rule.id in hints
            )
        }
    )


def _joined(verdicts: Sequence[Verdict], division: Division, *, name: str, elapsed_ms: float) -> Verdict:
    parts = [
        _own_part(verdict, share, division.anyone)
        for verdict, share in zip(verdicts, division.shares, strict=True)
    ]
    return join(parts, guard=name, elapsed_ms=elapsed_ms)


def _own_part(verdict: Verdict, share: frozenset[str], anyone: frozenset[str]) -> Verdict:
    """The verdict without what it could not judge and other guards answer for."""
    kept = [
        rule
        for rule in verdict.rules
        if rule.status is Status.OK or rule.id in share or rule.id not in anyone
    ]
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
        self._division = pipeline._division(policy)
        self._streams: list[GuardStream | None] = []
        self._broken: dict[int, Verdict] = {}
        for place, guard in enumerate(pipeline.guards):
            try:
                self._streams.append(guard.open(context, self._division.views[place]))
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
            mine = _own_part(verdict, self._division.shares[place], self._division.anyone)
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
        return _joined(verdicts, self._division, name=self._pipeline.name, elapsed_ms=elapsed)
