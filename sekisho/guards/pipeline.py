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
    Redaction,
    RuleScore,
    Status,
    Step,
    Verdict,
    covered,
    join,
)

from .failure import check_safely, failed
from .normalise import shared_views
from .per_policy import PerPolicy
from .points import Points
from .stream import STOPS, Clearance


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
        self.division = PerPolicy(self._divide)

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
        division = self.division(policy)
        with shared_views():
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
    return policy.view(
        rule.model_copy(update={"on_error": Decision.ALLOW}) if rule.id in others else rule
        for rule in policy.rules
        if rule.id not in others or rule.id in hints
    )


def _joined(verdicts: Sequence[Verdict], division: Division, *, name: str, elapsed_ms: float) -> Verdict:
    parts = [
        _own_part(verdict, share, division.anyone)
        for verdict, share in zip(verdicts, division.shares, strict=True)
    ]
    return join(parts, guard=name, elapsed_ms=elapsed_ms)


def _own_part(verdict: Verdict, share: frozenset[str], anyone: frozenset[str]) -> Verdict:
    """The verdict without what it could not judge and other guards answer for. What it *found* there stays:
    in its view a failure on such a rule decides nothing, so any other decision is a finding."""
    kept: list[RuleScore] = []
    for rule in verdict.rules:
        if rule.status is Status.OK or rule.id in share or rule.id not in anyone:
            kept.append(rule)
        elif rule.decision is not Decision.ALLOW:
            kept.append(rule.model_copy(update={"status": Status.OK}))
    if len(kept) == len(verdict.rules) and all(a is b for a, b in zip(kept, verdict.rules, strict=True)):
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
    """One stream per guard: cleared is what all of them have cleared.

    The guards are fed in step, up to the character that makes an evaluation point certain, so that what the one
    has seen when another decides does not depend on how the text was split.
    """

    def __init__(self, pipeline: Pipeline, context: Sequence[Message], policy: Policy) -> None:
        self._pipeline = pipeline
        self._context = tuple(context)
        self._division = pipeline.division(policy)
        self._streams: list[GuardStream | None] = [None] * len(pipeline.guards)
        self._broken: dict[int, Verdict] = {}
        for place, guard in enumerate(pipeline.guards):
            try:
                self._streams[place] = guard.open(context, self._division.views[place])
            except Exception as error:  # a guard that cannot open a stream has judged nothing
                self._break(place, error)
        self._points = Points()
        self._waiting = ""
        self._waiting_at = 0
        self._cleared = [0] * len(pipeline.guards)
        self._clearance = Clearance()
        self._verdict: Verdict | None = None

    def feed(self, text: str) -> Step:
        if self._verdict is None:
            self._waiting += text
            done = 0
            for point in self._points.feed(text):
                until = point + 1 - self._waiting_at
                decides = self._forward(self._waiting[done:until])
                done = until
                if decides:
                    break
            self._waiting = self._waiting[done:]
            self._waiting_at += done
        return self._clearance.step(self._verdict)

    def finish(self) -> Verdict:
        if self._verdict is None and self._waiting:
            self._forward(self._waiting)
            self._waiting = ""
        if self._verdict is None:
            self._verdict = self._so_far()
        return self._verdict

    def _forward(self, piece: str) -> bool:
        """Feed all streams; True when the text is decided against."""
        decided = False
        redactions: list[Redaction] = []
        for place, stream in enumerate(self._streams):
            if stream is None or place in self._broken:
                continue
            try:
                step = stream.feed(piece)
            except Exception as error:  # as above
                self._break(place, error)
                continue
            self._cleared[place] = step.cleared
            redactions += step.redactions
            decided |= step.verdict is not None
        self._clearance.know(redactions)
        if decided or any(verdict.decision >= STOPS for verdict in self._broken.values()):
            self._verdict = self._so_far()
            return True
        alive = [c for place, c in enumerate(self._cleared) if place not in self._broken]
        if alive:
            self._clearance.widen(min(alive), ())
        return False

    def _so_far(self) -> Verdict:
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

    def _break(self, place: int, error: Exception) -> None:
        guard = self._pipeline.guards[place]
        answer = Exchange(messages=(*self._context, Message.of("assistant", "")))
        reason = f"guard failed in a stream: {type(error).__name__}"
        self._broken[place] = failed(guard.name, answer, self._division.views[place], reason=reason)
