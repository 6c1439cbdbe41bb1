"""The guards `fast` and `base`: an embedded classifier behind the protocol, joined with the pattern rules.

A text violates when the classifier's overall probability reaches the artefact's threshold for the policy's
false-positive budget; the rules cited are those over their own thresholds, or else the likeliest one. Under a
policy that has only some of the classifier's rules the overall probability speaks of too much, and the rules'
own thresholds decide.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sekisho.core import (
    Cover,
    Coverage,
    Exchange,
    Guard,
    GuardStream,
    Message,
    Policy,
    Reference,
    ReferenceError_,
    Role,
    Rule,
    RuleScore,
    Span,
    Status,
    Surface,
    Verdict,
    unjudged,
)

from ..failure import TRUNCATED_NOTE
from ..normalise import Normalised, variants
from ..per_policy import PerPolicy
from ..pipeline import Pipeline
from ..rules import RulesGuard
from ..stream import WindowedStream
from .classifier import WEIGHTS, Classifier, Item, Predictions
from .stream import FastGuardStream

UNTRAINED = "no training for this rule"
BY_PATTERNS = "decided by patterns, not by this classifier"
STEPS = 1000
"""Rules' probabilities are given in thousandths: finer would say more than the calibration knows, and it lets
verdicts share the scores of rules that are not violated."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One exchange's probabilities, the worst over its views. Rules are capped by the overall probability."""

    overall: float
    rules: list[int]
    """In thousandths."""
    severity: float
    refusal: float
    spans: list[tuple[int, int]]

    def worse(self, other: Judged) -> Judged:
        """The worst of both, rule by rule; spans come from whichever is worse over all."""
        worst = self if self.overall >= other.overall else other
        return Judged(
            overall=worst.overall,
            rules=[max(pair) for pair in zip(self.rules, other.rules, strict=True)],
            severity=max(self.severity, other.severity),
            refusal=self.refusal,
            spans=worst.spans,
        )

    def moved(self, by: int) -> Judged:
        """With its spans moved by `by` characters."""
        return replace(self, spans=[(start + by, end + by) for start, end in self.spans])


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rules of a policy on one surface meet the heads of the classifier."""

    judged: tuple[tuple[Rule, int, float, dict[int, RuleScore]], ...]
    """Rule, its head, its own threshold in thousandths, and the scores of it that were cleared before."""
    abstained: tuple[RuleScore, ...]
    overall: float | None
    """The overall threshold, where the policy has all of the classifier's rules."""
    notes: tuple[str, ...]


class EmbeddedGuard:
    """A classifier as a guard. Immutable; may be shared between threads."""

    def __init__(self, classifier: Classifier, *, name: str | None = None) -> None:
        self.classifier = classifier
        self.name = name or classifier.artefact.name
        self._heads = {head.id: place for place, head in enumerate(classifier.artefact.rules)}
        self._plans = PerPolicy(self._all_plans)

    def coverage(self, policy: Policy) -> tuple[Coverage, ...]:
        return tuple(self._covers(rule) for rule in policy.rules)

    def _covers(self, rule: Rule) -> Coverage:
        if rule.check == "patterns":
            return Coverage(rule=rule.id, cover=Cover.UNCOVERED, reason=BY_PATTERNS)
        place = self._heads.get(rule.id)
        if place is None:
            return Coverage(rule=rule.id, cover=Cover.UNCOVERED, reason=UNTRAINED)
        if self.classifier.artefact.rules[place].digest == rule.digest:
            return Coverage(rule=rule.id, cover=Cover.COVERED)
        return Coverage(rule=rule.id, cover=Cover.STALE, reason="the rule's text changed since training")

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        started = time.perf_counter()
        plans = self._plans(policy)
        views = [variants(exchange.text) for exchange in exchanges]
        judged = self.judge(exchanges, views)
        verdicts = []
        for exchange, seen, found in zip(exchanges, views, judged, strict=True):
            plan = plans[exchange.surface]
            verdicts.append(self.verdict(found, plan, policy, truncated=seen[0].truncated))
        each = (time.perf_counter() - started) * 1000 / max(1, len(exchanges))
        return [_timed(verdict, each) for verdict in verdicts]

    def open(self, context: Sequence[Message], policy: Policy) -> GuardStream:
        if self.classifier.artefact.kind == "fast":
            return FastGuardStream(self, context, policy)
        return WindowedStream(self, context, policy)

    def _notes(self, policy: Policy) -> tuple[str, ...]:
        stale = [c.rule for c in self.coverage(policy) if c.cover is Cover.STALE]
        return (f"stale, changed since training: {', '.join(stale)}",) if stale else ()

    def plan(self, policy: Policy, surface: Surface) -> Plan:
        return self._plans(policy)[surface]

    def _all_plans(self, policy: Policy) -> dict[Surface, Plan]:
        return {surface: self._make_plan(policy, surface) for surface in Surface}

    def _make_plan(self, policy: Policy, surface: Surface) -> Plan:
        artefact = self.classifier.artefact
        thresholds = artefact.thresholds_for(policy.false_positive_budget)
        rules = policy.on(surface)
        mine = [r for r in rules if r.check == "meaning" and r.id in self._heads]
        known = surface.value in artefact.surfaces
        left = [rule for rule in rules if not known or rule not in mine]
        whole = self._heads.keys() <= {rule.id for rule in policy.rules}
        return Plan(
            judged=tuple((r, self._heads[r.id], thresholds.rules[r.id] * STEPS, {}) for r in mine)
            if known
            else (),
            abstained=tuple(
                score
                for rule in left
                for score in unjudged(
                    [rule],
                    policy,
                    status=Status.ABSTAINED,
                    reason=BY_PATTERNS if rule.check == "patterns" else UNTRAINED,
                )
            ),
            overall=thresholds.overall if whole else None,
            notes=self._notes(policy),
        )

    def judge(self, exchanges: Sequence[Exchange], views: Sequence[Sequence[Normalised]]) -> list[Judged]:
        """Predict every view of every exchange in one batch, then take each exchange's worst."""
        surfaces = set(self.classifier.artefact.surfaces)
        items, owners = [], []
        for place, (exchange, seen) in enumerate(zip(exchanges, views, strict=True)):
            surface = exchange.surface.value
            context = self.asked(exchange.messages[:-1])
            for view in seen:
                known = surface if surface in surfaces else Surface.INPUT.value
                items.append(Item(surface=known, text=view.text, context=context))
                owners.append(place)
        found = self.classifier.predict(items)
        rules = np.rint(np.minimum(found.rules, found.overall[:, None]) * STEPS).astype(np.int64)
        rows = _rows_by_owner(owners, len(exchanges))
        overall, severity = found.overall.tolist(), found.severity[:, 0].tolist()
        refusal, listed, spans = found.refusal.tolist(), rules.tolist(), found.spans.tolist()
        judged = []
        for place, (first, last) in enumerate(rows):
            worst = first if last - first == 1 else max(range(first, last), key=overall.__getitem__)
            view = views[place][worst - first]
            best = listed[first] if last - first == 1 else rules[first:last].max(axis=0).tolist()
            judged.append(
                Judged(
                    overall=round(overall[worst], 5),
                    rules=best,
                    severity=severity[worst],
                    refusal=refusal[first],
                    spans=[view.span(start, end) for start, end in spans[worst]]
                    if view.steps
                    else spans[worst],
                )
            )
        return judged

    def judged(self, scores: Predictions, *, span: tuple[int, int]) -> Judged:
        """A stream's scores (n = 1) at one point; `span` is the window that ends there."""
        overall = round(float(scores.overall[0]), 5)
        rules = np.rint(np.minimum(scores.rules[0], scores.overall[0]) * STEPS).astype(np.int64).tolist()
        return Judged(
            overall=overall,
            rules=rules,
            severity=float(scores.severity[0, 0]),
            refusal=float(scores.refusal[0]),
            spans=[span] * len(rules),
        )

    @staticmethod
    def violated(found: Judged, plan: Plan) -> frozenset[str]:
        """The ids of the rules that are violated."""
        if plan.overall is not None and found.overall < plan.overall:
            return frozenset()
        over = frozenset(
            rule.id for rule, head, threshold, _ in plan.judged if found.rules[head] >= threshold
        )
        if plan.overall is None:
            return over
        likeliest = max(range(len(found.rules)), key=found.rules.__getitem__)
        # A likeliest rule that does not apply on this surface is no violation here.
        return over or frozenset(rule.id for rule, head, *_ in plan.judged if head == likeliest)

    @staticmethod
    def asked(context: Sequence[Message]) -> str:
        """The last user turn before the judged message."""
        return next((m.text for m in reversed(context) if m.role is Role.USER), "")

    def verdict(self, found: Judged, plan: Plan, policy: Policy, *, truncated: bool) -> Verdict:
        notes = (*plan.notes, TRUNCATED_NOTE) if truncated else plan.notes
        violated = self.violated(found, plan)
        level = min(4, max(1, round(found.severity)))
        scores = list(plan.abstained)
        for rule, head, _, cleared in plan.judged:
            thousandths = found.rules[head]
            if rule.id in violated:
                start, end = found.spans[head]
                scores.append(
                    RuleScore.judged(
                        rule,
                        score=thousandths / STEPS,
                        violated=True,
                        severity=max(level, rule.floor),
                        spans=(Span(start=start, end=end),),
                    )
                )
                continue
            score = cleared.get(thousandths)
            if score is None:
                score = cleared[thousandths] = RuleScore(id=rule.id, score=thousandths / STEPS)
            scores.append(score)
        return Verdict.of(
            scores,
            policy=policy.ref,
            guard=self.name,
            score=found.overall if plan.overall is not None else None,
            refusal=found.refusal >= 0.5,
            notes=notes,
            trained_on=self.classifier.artefact.policy_digest,
        )


def _rows_by_owner(owners: Sequence[int], count: int) -> list[tuple[int, int]]:
    """First and last row of each owner; owners come in order and each has at least one row."""
    ends = [0] * count
    for row, owner in enumerate(owners):
        ends[owner] = row + 1
    return list(zip([0, *ends], ends, strict=False))


def _timed(verdict: Verdict, elapsed_ms: float) -> Verdict:
    # The verdict was made a moment ago and nobody else has seen it: no copy needed for its time.
    verdict.__dict__["elapsed_ms"] = elapsed_ms
    return verdict


def load_fast(reference: Reference) -> Guard:
    """`fast`, or `fast?patterns=off` for the classifier without the pattern rules."""
    return _load(reference, WEIGHTS / "fast")


def load_base(reference: Reference) -> Guard:
    """`base`, or `base?patterns=off` for the classifier without the pattern rules."""
    return _load(reference, WEIGHTS / "base")


def load_folder(folder: Path) -> Guard:
    """An artefact on disk, joined with the pattern rules. Raises `ArtefactError`."""
    classifier = Classifier.load(folder)
    return Pipeline([RulesGuard(), EmbeddedGuard(classifier)], name=str(folder))


def _load(reference: Reference, folder: Path) -> Guard:
    from ..load import refuse_unknown_params

    patterns = refuse_unknown_params(reference, {"patterns"}).get("patterns", "on")
    if patterns not in ("on", "off"):
        raise ReferenceError_(
            f"{reference.name}: `patterns` is neither on nor off",
            remedy=f"Write {reference.name}?patterns=off",
        )
    guard = EmbeddedGuard(Classifier.load(folder), name=str(reference))
    return guard if patterns == "off" else Pipeline([RulesGuard(), guard], name=str(reference))
