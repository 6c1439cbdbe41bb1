"""Hypothesis strategies for the values."""

from __future__ import annotations

from hypothesis import strategies as st

from sekisho.core import (
    Authority,
    Decision,
    Level,
    OnError,
    Policy,
    Redaction,
    Rule,
    RuleScore,
    Span,
    Status,
    Surface,
    Verdict,
)

RULES = ("fraud", "hate", "privacy", "secrets")

decisions = st.sampled_from(list(Decision))
statuses = st.sampled_from(list(Status))
unit = st.floats(0, 1, allow_nan=False, width=32)


@st.composite
def spans(draw: st.DrawFn) -> Span:
    start = draw(st.integers(0, 50))
    return Span(start=start, end=start + draw(st.integers(0, 20)), label=draw(st.sampled_from(["", "card"])))


@st.composite
def redactions(draw: st.DrawFn) -> Redaction:
    span = draw(spans())
    label = draw(st.sampled_from(["card", "iban", "api_key"]))
    return Redaction(start=span.start, end=span.end, rule=draw(st.sampled_from(RULES)), label=label)


@st.composite
def levels(draw: st.DrawFn) -> tuple[Level, ...]:
    chosen = sorted(draw(st.sets(st.integers(0, 4))))
    ladder = sorted(
        draw(st.lists(decisions, min_size=len(chosen), max_size=len(chosen))), key=lambda d: d.rank
    )
    return tuple(Level(level=n, decision=d) for n, d in zip(chosen, ladder, strict=True))


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    rules = [
        Rule(
            id=rule,
            title=rule.title(),
            authority=draw(st.sampled_from(list(Authority))),
            text=draw(st.text(max_size=20)),
            levels=draw(levels()),
            surfaces=tuple(draw(st.sets(st.sampled_from(list(Surface)), min_size=1))),
            on_error=draw(st.none() | decisions),
        )
        for rule in draw(st.lists(st.sampled_from(RULES), unique=True))
    ]
    return Policy(id="test", rules=tuple(rules), on_error=OnError(default=draw(decisions)))


@st.composite
def rule_scores(draw: st.DrawFn, rule: str) -> RuleScore:
    return RuleScore(
        id=rule,
        score=draw(st.none() | unit),
        status=draw(statuses),
        decision=draw(decisions),
        severity=draw(st.integers(0, 4)),
        spans=tuple(
            sorted(set(draw(st.lists(spans(), max_size=3))), key=lambda s: (s.start, s.end, s.label))
        ),
        reasons=tuple(sorted(set(draw(st.lists(st.sampled_from(["a", "b", "c"]), max_size=3))))),
    )


POLICY = Policy(id="test", rules=tuple(Rule(id=r, title=r, authority=Authority.ROOT) for r in RULES))


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    chosen = draw(st.lists(st.sampled_from(RULES), unique=True))
    return Verdict.of(
        [draw(rule_scores(rule)) for rule in chosen],
        policy=POLICY.ref,
        guard=draw(st.sampled_from(["a", "b"])),
        score=draw(st.none() | unit),
        refusal=draw(st.none() | st.booleans()),
        redactions=draw(st.lists(redactions(), max_size=3)),
        notes=draw(st.lists(st.sampled_from(["x", "y"]), max_size=2)),
        elapsed_ms=draw(unit),
    )
