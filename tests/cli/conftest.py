"""A guard that does what the text says, and the command run in this process."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from sekisho.cli import main
from sekisho.core import (
    Cover,
    Coverage,
    Exchange,
    GuardStream,
    Message,
    Policy,
    Redaction,
    Reference,
    RuleScore,
    Span,
    Status,
    Verdict,
    unjudged,
)
from sekisho.guards import WindowedStream

_SAID = re.compile(r"\[(\w+) (\d)\]")


class Obedient:
    """`[fraud 3]` in a text violates `fraud` at 3; `[timeout 0]`, `[error 0]` fail; `crash` raises."""

    name = "obedient"

    def coverage(self, policy: Policy) -> tuple[Coverage, ...]:
        return tuple(Coverage(rule=rule.id, cover=Cover.COVERED) for rule in policy.rules)

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        return [self._check(exchange, policy) for exchange in exchanges]

    def open(self, context: Sequence[Message], policy: Policy) -> GuardStream:
        return WindowedStream(self, context, policy)

    def _check(self, exchange: Exchange, policy: Policy) -> Verdict:
        text = exchange.text
        if "crash" in text:
            raise RuntimeError("zebra text")
        rules = policy.on(exchange.surface)
        said = {m[1]: (m.start(), m.end(), int(m[2])) for m in _SAID.finditer(text)}
        failed = next((Status(s) for s in ("timeout", "error", "abstained") if s in said), None)
        if failed is not None:
            return Verdict.of(
                unjudged(rules, policy, status=failed, reason="told to"), policy=policy.ref, guard=self.name
            )
        scores, redactions = [], []
        for rule in rules:
            start, end, severity = said.get(rule.id, (0, 0, 0))
            violated = rule.id in said
            spans = [Span(start=start, end=end, label=rule.id)] if violated else []
            scores.append(
                RuleScore.judged(
                    rule,
                    score=0.9 if violated else 0.1,
                    violated=violated,
                    severity=severity,
                    spans=spans,
                    reasons=["told to"] if violated else [],
                )
            )
            if violated and rule.action(severity) == "redact":
                redactions.append(Redaction(start=start, end=end, rule=rule.id, label=rule.id))
        return Verdict.of(scores, policy=policy.ref, guard=self.name, redactions=redactions, elapsed_ms=1.25)


class _Point:
    def load(self) -> Callable[[Reference], Obedient]:
        return lambda reference: Obedient()


@pytest.fixture
def obedient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registers `obedient` beside the real guards."""
    from sekisho import guards
    from sekisho.guards import load

    names = {**load.guard_names(), "obedient": _Point()}
    monkeypatch.setattr(load, "guard_names", lambda: names)
    monkeypatch.setattr(guards, "guard_names", lambda: names)


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


Run = Callable[..., Ran]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], obedient: None) -> Run:
    """Runs the command with plain output at 80 columns."""
    for name in ("SEKISHO_LANG", "LC_ALL", "LC_MESSAGES", "FORCE_COLOR", "SEKISHO_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        code = main(arguments)
        captured = capsys.readouterr()
        return Ran(int(code), captured.out, captured.err)

    return run
