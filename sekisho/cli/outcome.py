"""What came of one record, and of all of them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sekisho.core import Decision, PolicyRef, RuleScore, Status, Verdict, redact
from sekisho.data.records import Record
from sekisho.guards import BoundGuard

from .exits import Exit


@dataclass(frozen=True, slots=True)
class Outcome:
    """A record with its verdict; a record that could not be read has none."""

    record: Record
    verdict: Verdict | None
    decision: Decision

    @property
    def violations(self) -> tuple[RuleScore, ...]:
        """The rules that were really judged and are violated, the strictest and surest first. In a joined
        verdict a rule counts when any of the guards judged it so."""
        if self.verdict is None:
            return ()
        found = {
            rule.id
            for verdict in (self.verdict, *self.verdict.parts)
            for rule in verdict.rules
            if rule.status is Status.OK and rule.decision is not Decision.ALLOW
        }
        return tuple(rule for rule in self.verdict.cited if rule.id in found)

    @property
    def undecided(self) -> bool:
        """Something was not judged: a rule, the record, or all of it because no rule applies to it."""
        return self.verdict is None or not self.verdict.rules or self.verdict.status is not Status.OK

    @property
    def status(self) -> Status:
        if self.verdict is None:
            return Status.ERROR
        return self.verdict.status if self.verdict.rules else Status.ABSTAINED

    def line(self, *, guard: str, policy: PolicyRef, redacted: bool) -> dict[str, Any]:
        """The JSON object that `check --json` prints."""
        verdict = self.verdict
        flagged = self.decision in (Decision.FLAG, Decision.ESCALATE, Decision.BLOCK)
        found: dict[str, Any] = {
            "id": self.record.id,
            "decision": self.decision.value,
            "flagged": flagged,
            "status": self.status.value,
            "score": None if verdict is None else verdict.score,
            "severity": 0 if verdict is None else verdict.severity,
            "rules": [] if verdict is None else [_rule(rule) for rule in verdict.rules],
            "refusal": None if verdict is None else verdict.refusal,
            "guard": guard if verdict is None else verdict.guard,
            "policy": {"id": policy.id, "version": policy.version, "digest": policy.digest},
            "elapsed_ms": 0.0 if verdict is None else round(verdict.elapsed_ms, 3),
        }
        if verdict is not None and verdict.notes:
            found["notes"] = list(verdict.notes)
        if redacted:
            found["redacted"] = self.redacted
        fault = self.record.fault
        if fault is not None:
            found["error"] = {"what": fault.what, "where": fault.where, "remedy": fault.remedy}
        return found

    @property
    def redacted(self) -> str | None:
        """The text without what the policy takes out of it."""
        if self.verdict is None or self.record.exchange is None:
            return None
        return redact(self.record.exchange.text, self.verdict.redactions)


def _rule(rule: RuleScore) -> dict[str, Any]:
    return {
        "id": rule.id,
        "score": rule.score,
        "status": rule.status.value,
        "decision": rule.decision.value,
        "severity": rule.severity,
        "spans": [{"start": s.start, "end": s.end, "label": s.label} for s in rule.spans],
        "reasons": list(rule.reasons),
    }


def outcomes(records: Iterable[Record], guard: BoundGuard, *, batch: int) -> Iterator[list[Outcome]]:
    """Judge the records batch by batch; one outcome each, in order."""
    broken = guard.policy.on_error.decision(Status.ERROR)
    stream = iter(records)
    while pack := list(islice(stream, batch)):
        verdicts = iter(guard.check([r.exchange for r in pack if r.exchange is not None]))
        yield [
            Outcome(record, None, broken) if record.exchange is None else _judged(record, next(verdicts))
            for record in pack
        ]


def _judged(record: Record, verdict: Verdict) -> Outcome:
    return Outcome(record, verdict, verdict.decision)


@dataclass(slots=True)
class Totals:
    """Counts over a run."""

    records: int = 0
    violations: int = 0
    undecided: int = 0
    errors: int = 0
    decisions: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    """Violations by rule."""
    started: float = field(default_factory=time.perf_counter)

    def add(self, outcome: Outcome) -> None:
        self.records += 1
        self.violations += bool(outcome.violations)
        self.undecided += outcome.undecided
        self.errors += outcome.verdict is None
        self.decisions[outcome.decision.value] += 1
        self.statuses[outcome.status.value] += 1
        self.rules.update(rule.id for rule in outcome.violations)

    @property
    def exit(self) -> Exit:
        if self.violations:
            return Exit.FOUND
        return Exit.UNDECIDED if self.undecided else Exit.OK

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.started

    def line(self) -> dict[str, Any]:
        """The JSON object that `--summary` prints."""
        return {
            "records": self.records,
            "violations": self.violations,
            "undecided": self.undecided,
            "errors": self.errors,
            "decisions": dict(self.decisions),
            "statuses": dict(self.statuses),
            "rules": dict(self.rules.most_common()),
            "seconds": round(self.seconds, 3),
            "exit": int(self.exit),
        }
