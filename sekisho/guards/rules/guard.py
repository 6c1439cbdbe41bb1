"""The `rules` guard: detectors and user patterns of the policy, decided without a model.

It covers rules with `check=patterns`. On other rules that name detectors or patterns it only adds
evidence: what it finds counts, but finding nothing clears nothing.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
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
from ._injection import INJECTION
from ._matching import DetectorSpec, Match, Matcher, compile_pattern
from ._personal import PERSONAL
from ._secrets import SECRETS
from .stream import RulesStream

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
    built_in: bool = True


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A rule made ready: its detectors' severities, its patterns, its allow-list."""

    rule: Rule
    detectors: dict[str, int]
    patterns: tuple[tuple[Any, int, str], ...]
    exact: tuple[str, ...]
    exempt: tuple[Any, ...]
    gap: str
    """Why finding nothing does not clear the rule; empty if it does."""


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
                [_scored(ready[rule.id], policy, []) for rule in policy.on(surface)],
                policy=policy.ref,
                guard=self.name,
            )
            for surface in Surface
        }
        return _Prepared(ready, Matcher([DETECTORS[name] for name in wanted]), clean)

    def coverage(self, policy: Policy) -> tuple[Coverage, ...]:
        gaps = ((rule.id, _gap(rule)) for rule in policy.rules)
        return tuple(
            Coverage(rule=name, cover=Cover.UNCOVERED if gap else Cover.COVERED, reason=gap)
            for name, gap in gaps
        )

    def hints(self, policy: Policy) -> frozenset[str]:
        """Rules of meaning on which a detector or pattern may find something."""
        return frozenset(rule.id for rule in policy.rules if rule.detectors or rule.patterns)

    def check(self, exchanges: Sequence[Exchange], policy: Policy) -> list[Verdict]:
        return [self.judge(exchange, policy) for exchange in exchanges]

    def open(self, context: Sequence[Message], policy: Policy) -> GuardStream:
        return RulesStream(self, context, policy)

    def judge(
        self, exchange: Exchange, policy: Policy, *, after: int = 0, until: int | None = None
    ) -> Verdict:
        """The verdict on one exchange, without what ends by the position `after` or begins from `until` on."""
        started = time.perf_counter()
        prepared = self._prepared(policy)
        text = exchange.text
        views = variants(text)
        notes = ("decoding stopped at its limits",) if views[0].truncated else ()
        broken: set[str] = set()
        hits = [
            (v, name, match)
            for v in _readable(views)
            for name, match in prepared.matcher.find(v.text, broken)
        ]
        if self._more is not None:
            try:
                hits += [(v, name, match) for v in _readable(views) for name, match in self._more(v.text)]
            except Exception:  # which of its detectors it was is not known
                broken |= DETECTORS.keys()
        scores: list[RuleScore] = []
        redactions: list[Redaction] = []
        clean = prepared.clean[exchange.surface]
        for rule in policy.on(exchange.surface):
            ready = prepared.rules[rule.id]
            if not (hits or ready.patterns or broken):
                continue
            found = _findings(ready, text, views, hits)
            found = _maximal(_allowed_through(found, ready, text))
            if after or until is not None:
                found = [f for f in found if f.end > after and (until is None or f.start < until)]
            failed = broken & ready.detectors.keys()
            if not (found or failed):
                continue
            score = _scored(ready, policy, found)
            if failed:
                reason = f"detector failed: {', '.join(sorted(failed))}"
                score = score.join(RuleScore.failed(rule, policy, status=Status.ERROR, reason=reason))
            scores.append(score)
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
    return found


def _by_user_patterns(ready: _Compiled, text: str, views: Sequence[Normalised]) -> Iterator[_Found]:
    """A user writes patterns for the text as typed; disguised text is searched as well."""
    plain = _encodable(text)
    for expression, severity, label in ready.patterns:
        for match in expression.finditer(plain):
            if match.end() > match.start():
                yield _Found(match.start(), match.end(), label, severity, 0.99, built_in=False)
        for view in views:
            if view.text != text:
                for match in expression.finditer(view.text):
                    if match.end() > match.start():
                        yield _Found(
                            *view.span(match.start(), match.end()), label, severity, 0.95, built_in=False
                        )


def _encodable(text: str) -> str:
    """The text with lone surrogates, which RE2 cannot take, as question marks: positions stay."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _maximal(found: list[_Found]) -> list[_Found]:
    """Without findings that lie inside another one of the same rule (a card's digits are no My Number),
    unless they weigh more than it: a card stays a card inside an address."""
    kept: list[_Found] = []
    for severity in sorted({item.severity for item in found}, reverse=True):
        heavier = _Ranges((item.start, item.end) for item in kept)
        reach = -1
        level = {item for item in found if item.severity == severity}
        for item in sorted(level, key=lambda f: (f.start, -f.end, -f.score, f.label)):
            if item.end > reach:
                reach = item.end
                if not heavier.hold(item.start, item.end):
                    kept.append(item)
    return sorted(kept, key=lambda f: (f.start, f.end, f.label))


class _Ranges:
    """Ranges that answer whether one of them holds a given one."""

    def __init__(self, ranges: Iterable[tuple[int, int]]) -> None:
        ordered = sorted(ranges)
        self._starts = [start for start, _ in ordered]
        self._reach = list(accumulate((end for _, end in ordered), max))

    def hold(self, start: int, end: int) -> bool:
        before = bisect_right(self._starts, start)
        return before > 0 and self._reach[before - 1] >= end


def _allowed_through(found: list[_Found], ready: _Compiled, text: str) -> list[_Found]:
    """Without what the rule's allow-list excepts. Before nested findings are dropped, or what an excepted
    finding hid would go with it.

    An exact text excepts all in it: its author has seen every character. An expression excepts what the
    rule's own patterns find in it, but a detector's finding only if its match *is* that finding: an
    expression for addresses says nothing of the card number that somebody puts into one.
    """
    if not found or not (ready.exact or ready.exempt):
        return found
    plain = _encodable(text)
    exact = [compile_pattern(re2.escape(value)) for value in ready.exact]
    seen = _Ranges(match.span() for expression in exact for match in expression.finditer(plain))
    wide = {_span(match) for expression in ready.exempt for match in expression.finditer(plain)}
    matched = {_trimmed(*place, plain): place for place in wide}
    meant: dict[tuple[int, int], int] = {}
    excused: set[tuple[int, int]] = set()
    for item in found:
        place = matched.get(_trimmed(item.start, item.end, plain))
        if item.built_in and place is not None:
            excused.add((item.start, item.end))
            meant[place] = max(item.severity, meant.get(place, 0))
    # What an expression was meant for bounds what else it excepts.
    by_severity = {
        severity: _Ranges(place for place in wide if meant.get(place, severity) >= severity)
        for severity in {item.severity for item in found}
    }
    return [
        item
        for item in found
        if not seen.hold(item.start, item.end)
        and not (
            (item.start, item.end) in excused
            if item.built_in
            else by_severity[item.severity].hold(item.start, item.end)
        )
    ]


def _span(match: Any) -> tuple[int, int]:
    """The range of a match, or of its group `value`: what an exception is about."""
    named = match.re.groupindex.get("value", 0)
    start, end = match.span(named if named and match.group(named) else 0)
    return start, end


def _trimmed(start: int, end: int, text: str) -> tuple[int, int]:
    """The range without the signs at its ends: a full stop belongs to one expression and not to another."""
    while start < end and not text[end - 1].isalnum():
        end -= 1
    while start < end and not text[start].isalnum():
        start += 1
    return start, end


def _scored(ready: _Compiled, policy: Policy, found: list[_Found]) -> RuleScore:
    rule = ready.rule
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
    if ready.gap:
        return RuleScore.failed(rule, policy, status=Status.ABSTAINED, reason=ready.gap)
    return RuleScore.judged(rule, score=0.0, violated=False, spans=spans)


def _gap(rule: Rule) -> str:
    """Why this guard cannot clear the rule; empty if it can."""
    if rule.check != "patterns":
        return NO_EVIDENCE
    unknown = sorted({d.name for d in rule.detectors} - DETECTORS.keys())
    if unknown:
        return f"unknown detector: {', '.join(unknown)}"
    return "" if rule.detectors or rule.patterns else "the rule names no detector and no pattern"


def _compiled(rule: Rule) -> _Compiled:
    return _Compiled(
        rule=rule,
        detectors={d.name: d.severity for d in rule.detectors if d.name in DETECTORS},
        patterns=tuple(
            (compile_pattern(p.expression), p.severity, p.text or "pattern") for p in rule.patterns
        ),
        exact=tuple(e.value for e in rule.exemptions if e.kind == "exact" and e.value),
        exempt=tuple(compile_pattern(e.value) for e in rule.exemptions if e.kind == "pattern"),
        gap=_gap(rule),
    )
