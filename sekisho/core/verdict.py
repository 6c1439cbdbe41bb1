"""The verdict and its algebra.

Joining is associative, commutative and idempotent on what a verdict *decides* (`Verdict.essence`):
decisions, statuses, scores and severities by maximum, spans, reasons and redactions by union.
Provenance (guard, parts, elapsed time) is kept beside it. Failures are resolved to decisions by the
policy's `on_error` when a rule's score is made, so *before* joining: nothing that failed can be
outvoted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field, model_validator

from .decision import Decision, Status
from .errors import JoinError
from .message import Value
from .policy import Policy, PolicyRef, Rule


class Span(Value):
    """A half-open range of the judged message's text, in code points."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    label: str = ""

    @model_validator(mode="after")
    def _in_order(self) -> Span:
        if self.start > self.end:
            raise ValueError("a span ends before it starts")
        return self

    def moved(self, by: int) -> Span:
        return Span(start=self.start + by, end=self.end + by, label=self.label)


class Redaction(Value):
    """A range to be taken out of the text, for which rule, and what it is (`card`, …)."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    rule: str
    label: str

    def moved(self, by: int) -> Redaction:
        return Redaction(start=self.start + by, end=self.end + by, rule=self.rule, label=self.label)


class RuleScore(Value):
    """What one guard, or several joined, found on one rule."""

    id: str
    score: float | None = None
    """Calibrated probability that the rule is violated, 0 to 1; None when it was not judged."""
    status: Status = Status.OK
    decision: Decision = Decision.ALLOW
    """What follows from this rule alone, failures resolved by the policy's `on_error`."""
    severity: int = 0
    spans: tuple[Span, ...] = ()
    reasons: tuple[str, ...] = ()

    @classmethod
    def judged(
        cls,
        rule: Rule,
        *,
        score: float,
        violated: bool,
        severity: int | None = None,
        spans: Iterable[Span] = (),
        reasons: Iterable[str] = (),
    ) -> RuleScore:
        """A rule that was judged. A violation of unknown severity counts as the rule's lowest
        level at which anything is done, or 3 if that is higher."""
        if not violated:
            return cls(id=rule.id, score=score, spans=_sorted(spans), reasons=tuple(sorted(set(reasons))))
        level = max(3, rule.floor) if severity is None else severity
        return cls(
            id=rule.id,
            score=score,
            decision=rule.action(level),
            severity=level,
            spans=_sorted(spans),
            reasons=tuple(sorted(set(reasons))),
        )

    @classmethod
    def failed(cls, rule: Rule, policy: Policy, *, status: Status, reason: str) -> RuleScore:
        """A rule that was not judged: what the policy's `on_error` says is decided here."""
        return cls(id=rule.id, status=status, decision=policy.on_failure(rule, status), reasons=(reason,))

    def join(self, other: RuleScore) -> RuleScore:
        if self == other:
            return self
        scores = [s for s in (self.score, other.score) if s is not None]
        return RuleScore(
            id=self.id,
            score=max(scores) if scores else None,
            status=Status.highest((self.status, other.status)),
            decision=Decision.highest((self.decision, other.decision)),
            severity=max(self.severity, other.severity),
            spans=_sorted((*self.spans, *other.spans)),
            reasons=tuple(sorted({*self.reasons, *other.reasons})),
        )


class Verdict(Value):
    """What was decided about one exchange, on which rules, by which guard, under which policy."""

    decision: Decision
    rules: tuple[RuleScore, ...] = ()
    """Every rule of the policy that applies on the surface, sorted by id."""
    score: float | None = None
    """Probability that any rule is violated, 0 to 1; None when no rule was judged."""
    severity: int = 0
    status: Status = Status.OK
    refusal: bool | None = None
    """Does the judged answer refuse? None is unknown."""
    redactions: tuple[Redaction, ...] = ()
    notes: tuple[str, ...] = ()
    """What a reader should know: limits reached, media that could not be judged."""
    guard: str = ""
    policy: PolicyRef
    trained_on: str | None = None
    """Digest of the policy that the guard's weights were trained on."""
    elapsed_ms: float = 0.0
    parts: tuple[Verdict, ...] = ()
    """The verdicts that this one was joined from."""

    @classmethod
    def of(
        cls,
        rules: Sequence[RuleScore],
        *,
        policy: PolicyRef,
        guard: str,
        score: float | None = None,
        refusal: bool | None = None,
        redactions: Iterable[Redaction] = (),
        notes: Iterable[str] = (),
        trained_on: str | None = None,
        elapsed_ms: float = 0.0,
    ) -> Verdict:
        """The verdict that follows from its rules. `score` is raised to the highest rule's."""
        best, worst, severity, decision = score, Status.OK, 0, Decision.ALLOW
        redactions = _sorted_redactions(redactions)
        rules = _sorted_rules(rules)
        if any(rule.decision is Decision.REDACT for rule in rules):
            rules = _redactable(rules, redactions)
        for rule in rules:
            if rule.score is not None and (best is None or rule.score > best):
                best = rule.score
            if rule.status is not Status.OK and rule.status.rank > worst.rank:
                worst = rule.status
            if rule.decision is not Decision.ALLOW:
                if rule.decision.rank > decision.rank:
                    decision = rule.decision
                severity = max(severity, rule.severity)
        return cls(
            decision=decision,
            rules=tuple(rules),
            score=best,
            severity=severity,
            status=worst,
            refusal=refusal,
            redactions=redactions,
            notes=tuple(sorted(set(notes))),
            guard=guard,
            policy=policy,
            trained_on=trained_on,
            elapsed_ms=elapsed_ms,
        )

    @property
    def flagged(self) -> bool:
        """The decision is flag, escalate or block. A text that is only redacted goes on, changed."""
        return self.decision in (Decision.FLAG, Decision.ESCALATE, Decision.BLOCK)

    @property
    def cited(self) -> tuple[RuleScore, ...]:
        """The rules that the decision rests on, the strictest and surest first."""
        found = [rule for rule in self.rules if rule.decision is not Decision.ALLOW]
        return tuple(sorted(found, key=lambda r: (-r.decision.rank, -(r.score or 0.0), r.id)))

    @property
    def undecided(self) -> tuple[RuleScore, ...]:
        """The rules that were not judged."""
        return tuple(rule for rule in self.rules if rule.status is not Status.OK)

    @property
    def essence(self) -> tuple[object, ...]:
        """What the verdict decides, without provenance: the domain of the algebra's laws."""
        return (
            self.decision,
            self.rules,
            self.score,
            self.severity,
            self.status,
            self.refusal,
            self.redactions,
            self.notes,
            self.policy,
        )

    def rule(self, rule_id: str) -> RuleScore | None:
        return next((rule for rule in self.rules if rule.id == rule_id), None)

    def moved(self, by: int) -> Verdict:
        """The verdict with all its ranges moved by `by` characters, without its parts."""
        rules = tuple(
            rule.model_copy(update={"spans": tuple(span.moved(by) for span in rule.spans)})
            if rule.spans
            else rule
            for rule in self.rules
        )
        redactions = tuple(redaction.moved(by) for redaction in self.redactions)
        return self.model_copy(update={"rules": rules, "redactions": redactions, "parts": ()})

    def join(self, other: Verdict) -> Verdict:
        """Both verdicts' findings. Raises `JoinError` if they speak of different policies."""
        return join((self, other))


def join(
    verdicts: Sequence[Verdict], *, guard: str | None = None, elapsed_ms: float | None = None
) -> Verdict:
    """Join one or more verdicts on the same exchange under the same policy.

    `parts` are the verdicts joined, those that were joined before flattened; elapsed times add up unless the
    time that the joining caller measured is given. Raises `JoinError` for none, or for different policies.
    """
    if not verdicts:
        raise JoinError("no verdict to join")
    first = verdicts[0]
    if any(v.policy is not first.policy and v.policy != first.policy for v in verdicts):
        raise JoinError(
            "the verdicts speak of different policies", remedy="Check the exchange again under one policy"
        )
    by_id: dict[str, RuleScore] = {}
    for verdict in verdicts:
        for rule in verdict.rules:
            before = by_id.get(rule.id)
            by_id[rule.id] = rule if before is None else before.join(rule)
    parts = tuple(leaf for v in verdicts for leaf in (v.parts or (v,)))
    refusals = [v.refusal for v in verdicts if v.refusal is not None]
    return Verdict(
        decision=Decision.highest(v.decision for v in verdicts),
        rules=tuple(sorted(by_id.values(), key=_rule_id)),
        score=max((v.score for v in verdicts if v.score is not None), default=None),
        severity=max(v.severity for v in verdicts),
        status=Status.highest(v.status for v in verdicts),
        refusal=any(refusals) if refusals else None,
        redactions=_sorted_redactions(r for v in verdicts for r in v.redactions),
        notes=tuple(sorted({note for v in verdicts for note in v.notes})),
        guard=guard or ",".join(dict.fromkeys(v.guard for v in verdicts)),
        policy=first.policy,
        trained_on=next((v.trained_on for v in verdicts if v.trained_on), None),
        elapsed_ms=sum(v.elapsed_ms for v in verdicts) if elapsed_ms is None else elapsed_ms,
        parts=parts if len(parts) > 1 else (),
    )


def _sorted_rules(rules: Iterable[RuleScore]) -> list[RuleScore]:
    """By id, several scores of one rule joined."""
    ordered: list[RuleScore] = []
    for rule in sorted(rules, key=_rule_id):
        if ordered and ordered[-1].id == rule.id:
            ordered[-1] = ordered[-1].join(rule)
        else:
            ordered.append(rule)
    return ordered


def _redactable(rules: Iterable[RuleScore], redactions: Iterable[Redaction]) -> list[RuleScore]:
    """A rule that says redact but names nothing to take out would let the text pass as it is: a human then."""
    ranges = {redaction.rule for redaction in redactions}
    return [
        rule.model_copy(update={"decision": Decision.ESCALATE})
        if rule.decision is Decision.REDACT and rule.id not in ranges
        else rule
        for rule in rules
    ]


def _rule_id(rule: RuleScore) -> str:
    return rule.id


def _sorted(spans: Iterable[Span]) -> tuple[Span, ...]:
    found = tuple(spans)
    if not found:
        return ()
    return tuple(sorted(set(found), key=lambda s: (s.start, s.end, s.label)))


def _sorted_redactions(redactions: Iterable[Redaction]) -> tuple[Redaction, ...]:
    found = tuple(redactions)
    if not found:
        return ()
    return tuple(sorted(set(found), key=lambda r: (r.start, r.end, r.rule, r.label)))
