"""The `rules` guard: detectors and user patterns of the policy, decided without a model.

It covers rules with `check=patterns`. On other rules that name detectors or patterns it only adds
evidence: what it finds counts, but finding nothing clears nothing.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import re2

from sekisho.core import (
    Cover,
    Coverage,
    Decision,
    Exchange,
    GuardStream,
    Message,
    Policy,
    Redaction,
    Rule,
    RuleScore,
    Span,
    Status,
    Surface,
    Verdict,
)

from ..normalise import Normalised, variants
from ..per_policy import PerPolicy
from ..stream import WindowedStream
from ._hold import hold
from ._injection import INJECTION
from ._matching import DetectorSpec, Match, Matcher, compile_pattern
from ._personal import PERSONAL
from ._secrets import SECRETS

DETECTORS: dict[str, DetectorSpec] = {spec.name: spec for spec in (*PERSONAL, *SECRETS, *INJECTION)}
NO_EVIDENCE = "patterns alone cannot clear this rule"


@dataclass(frozen=True, slots=True)
class _Found:
    """A finding in the original text."""

    start: int
    end: int
    label: str
    severity: int
    score: float


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule made ready: its detectors' severities, its patterns, its allow-list."""

    rule: Rule
    detectors: dict[str, int]
    patterns: tuple[tuple[Any, int, str], ...]
    exact: tuple[str, ...]
    exempt: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class _Prepared:
    """A policy made ready: its rules, one matcher for all, and the verdict when nothing is found."""

    rules: dict[str, _Compiled]
    matcher: Matcher
    clean: dict[Surface, Verdict]


Finder = Callable[[str], Iterator[tuple[str, Match]]]
"""More detectors: text without lone surrogates -> (detector name, match) pairs."""


class RulesGuard:
    """Detectors, user patterns and allow-lists. Linear in the text, whatever the patterns."""

    def __init__(self, *, more: Finder | None = None, name: str = "rules") -> None:
        self.name = name
        self._more = more
        self._prepared = PerPolicy(self._prepare)

    def _prepare(self, policy: Policy) -> _Prepared:
        ready = {rule.id: _compiled(rule) for rule in policy.rules}
        wanted = dict.fromkeys(name for rule in ready.values() for name in rule.detectors)
        clean = {
            surface: Verdict.of(
                [_scored(rule, policy, []) for rule in policy.on(surface)], policy=policy.ref, guard=self.name
            )
            for surface in Surface
        }
        return _Prepared(ready, Matcher([DETECTORS[name] for name in wanted]), clean)

    def coverage(self, policy: Policy) -> tuple[Coverage, ...]:
        return tuple(
            Coverage(rule=rule.id, cover=Cover.COVERED)
            if rule.check == "patterns"
            else Coverage(rule=rule.id, cover=Cover.UNCOVERED, reason="decided by meaning, not by patterns")
            for rule in policy.rules
        )

    def hints(self, policy: Policy) -> frozenset[str]:
        """Rules of meaning on which a detector or pattern may find something."""
        return frozenset(rule.id for rule in policy.rules if rule.detectors or rule.patterns)

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        return [self._check(exchange, policy) for exchange in exchanges]

    def open(self, context: Sequence[Message], policy: Policy) -> GuardStream:
        patterned = any(rule.patterns for rule in policy.rules)
        return WindowedStream(self, context, policy, window=4096, hold=lambda text: hold(text, patterned))

    def _check(self, exchange: Exchange, policy: Policy) -> Verdict:
        started = time.perf_counter()
        prepared = self._prepared(policy)
        text = exchange.text
        views = variants(text)
        notes = ("decoding stopped at its limits",) if views[0].truncated else ()
        hits = [(v, name, match) for v in _readable(views) for name, match in prepared.matcher.find(v.text)]
        if self._more is not None:
            hits += [(v, name, match) for v in _readable(views) for name, match in self._more(v.text)]
        scores: list[RuleScore] = []
        redactions: list[Redaction] = []
        clean = prepared.clean[exchange.surface]
        for rule in policy.on(exchange.surface):
            ready = prepared.rules[rule.id]
            if not (hits or ready.patterns):
                continue
            found = _allowed_through(_findings(ready, text, views, hits), ready, text)
            if found:
                scores.append(_scored(rule, policy, found))
                redactions += [
                    Redaction(start=f.start, end=f.end, rule=rule.id, label=f.label)
                    for f in found
                    if rule.action(f.severity) >= Decision.REDACT
                ]
        elapsed = (time.perf_counter() - started) * 1000
        if not scores and not notes:
            return clean.model_copy(update={"elapsed_ms": elapsed})
        found_on = {score.id for score in scores}
        return Verdict.of(
            [*scores, *(score for score in clean.rules if score.id not in found_on)],
            policy=policy.ref,
            guard=self.name,
            redactions=redactions,
            notes=notes,
            elapsed_ms=elapsed,
        )


def _readable(views: Sequence[Normalised]) -> Iterator[Normalised]:
    """Views in which digits are digits: de-leeted text would turn numbers into letters and back."""
    for view in views:
        if "leetspeak" not in view.steps:
            yield view


def _findings(
    ready: _Compiled, text: str, views: Sequence[Normalised], hits: Sequence[tuple[Normalised, str, Any]]
) -> list[_Found]:
    found: list[_Found] = []
    if ready.detectors:
        for view, name, match in hits:
            if name in ready.detectors:
                start, end = view.span(match.start, match.end)
                found.append(_Found(start, end, name, ready.detectors[name], match.score))
    if ready.patterns:
        found += _by_user_patterns(ready, text, views)
    return _longest(found)


def _by_user_patterns(ready: _Compiled, text: str, views: Sequence[Normalised]) -> Iterator[_Found]:
    """A user writes patterns for the text as typed; disguised text is searched as well."""
    plain = _encodable(text)
    for expression, severity, label in ready.patterns:
        for match in expression.finditer(plain):
            if match.end() > match.start():
                yield _Found(match.start(), match.end(), label, severity, 0.99)
        for view in views:
            if view.text != text:
                for match in expression.finditer(view.text):
                    if match.end() > match.start():
                        yield _Found(*view.span(match.start(), match.end()), label, severity, 0.95)


def _encodable(text: str) -> str:
    """The text with lone surrogates, which RE2 cannot take, as question marks: positions stay."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _longest(found: list[_Found]) -> list[_Found]:
    """Without findings that lie inside another one of the same rule: a card's digits are no My Number."""
    kept: list[_Found] = []
    reach = -1
    for item in sorted(set(found), key=lambda f: (f.start, -f.end, -f.score, f.label)):
        if item.end > reach:
            kept.append(item)
            reach = item.end
    return kept


def _allowed_through(found: list[_Found], ready: _Compiled, text: str) -> list[_Found]:
    """Without what the rule's allow-list excepts: a finding wholly inside an excepted range."""
    if not found or not (ready.exact or ready.exempt):
        return found
    plain = _encodable(text)
    expressions = [*(compile_pattern(re2.escape(value)) for value in ready.exact), *ready.exempt]
    ranges = sorted(match.span() for expression in expressions for match in expression.finditer(plain))
    starts = [start for start, _ in ranges]
    reach = list(accumulate((end for _, end in ranges), max))
    kept = []
    for item in found:
        before = bisect_right(starts, item.start)
        if before == 0 or reach[before - 1] < item.end:
            kept.append(item)
    return kept


def _scored(rule: Rule, policy: Policy, found: list[_Found]) -> RuleScore:
    spans = tuple(Span(start=f.start, end=f.end, label=f.label) for f in found)
    acted_on = [f for f in found if rule.action(f.severity) is not Decision.ALLOW]
    if acted_on:
        worst = max(f.severity for f in acted_on)
        labels = sorted({f.label for f in acted_on})
        return RuleScore.judged(
            rule,
            score=max(f.score for f in acted_on),
            violated=True,
            severity=worst,
            spans=spans,
            reasons=[f"found: {', '.join(labels)}"],
        )
    if rule.check == "patterns":
        return RuleScore.judged(rule, score=0.0, violated=False, spans=spans)
    return RuleScore.failed(rule, policy, status=Status.ABSTAINED, reason=NO_EVIDENCE)


def _compiled(rule: Rule) -> _Compiled:
    return _Compiled(
        rule=rule,
        detectors={d.name: d.severity for d in rule.detectors if d.name in DETECTORS},
        patterns=tuple(
            (compile_pattern(p.expression), p.severity, p.text or "pattern") for p in rule.patterns
        ),
        exact=tuple(e.value for e in rule.exemptions if e.kind == "exact" and e.value),
        exempt=tuple(compile_pattern(e.value) for e in rule.exemptions if e.kind == "pattern"),
    )
