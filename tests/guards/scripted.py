"""Guards that do as they are told: for the laws of what combines them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from sekisho.core import (
    Cover,
    Coverage,
    Exchange,
    GuardStream,
    Message,
    Policy,
    Redaction,
    RuleScore,
    Span,
    Status,
    Verdict,
    unjudged,
)
from sekisho.guards import WindowedStream


class WordGuard:
    """Violates `rule` wherever one of its words stands; covers only `covers`."""

    def __init__(
        self,
        words: dict[str, str],
        *,
        covers: Collection[str] | None = None,
        name: str = "words",
        redact: bool = False,
        severity: int = 3,
    ) -> None:
        self.words = words
        self.name = name
        self.covers = set(covers if covers is not None else words.values())
        self.redact = redact
        self.severity = severity
        self.seen: list[str] = []

    def coverage(self, policy: Policy) -> tuple[Coverage, ...]:
        return tuple(
            Coverage(rule=r.id, cover=Cover.COVERED if r.id in self.covers else Cover.UNCOVERED)
            for r in policy.rules
        )

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        return [self._check(exchange, policy) for exchange in exchanges]

    def _check(self, exchange: Exchange, policy: Policy) -> Verdict:
        self.seen.append(exchange.text)
        scores, redactions = [], []
        for rule in policy.on(exchange.surface):
            hinted = rule.id not in self.covers and any(
                word in exchange.text for word, of in self.words.items() if of == rule.id
            )
            if rule.id not in self.covers and not hinted:
                scores += unjudged([rule], policy, status=Status.ABSTAINED, reason="not mine")
                continue
            spans = [
                Span(start=at, end=at + len(word), label=word)
                for word, of in self.words.items()
                if of == rule.id
                for at in _places(exchange.text, word)
            ]
            scores.append(
                RuleScore.judged(
                    rule,
                    score=0.9 if spans else 0.1,
                    violated=bool(spans),
                    severity=self.severity,
                    spans=spans,
                )
            )
            if self.redact:
                redactions += [Redaction(start=s.start, end=s.end, rule=rule.id, label="word") for s in spans]
        return Verdict.of(scores, policy=policy.ref, guard=self.name, redactions=redactions)

    def open(self, context: Sequence[Message], policy: Policy) -> GuardStream:
        return WindowedStream(self, context, policy)


class BrokenGuard(WordGuard):
    """Fails whenever `when` says so."""

    def __init__(self, when: Callable[[Sequence[Exchange]], bool] = lambda _: True, **more: object) -> None:
        super().__init__({}, name="broken", **more)  # type: ignore[arg-type]
        self.when = when

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        if self.when(exchanges):
            raise RuntimeError("down")
        return super().check(exchanges, policy)


class ShortGuard(WordGuard):
    """Returns fewer verdicts than it was asked for."""

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        return super().check(exchanges, policy)[:-1]


def _places(text: str, word: str) -> list[int]:
    found, at = [], text.find(word)
    while at >= 0:
        found.append(at)
        at = text.find(word, at + 1)
    return found
