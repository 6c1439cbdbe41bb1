from __future__ import annotations

import collections

import pytest

from sekisho.core import Decision, Surface, Verdict
from sekisho.evals import CaseOutcome, shipped_cases
from sekisho.evals.shipped import Case, applicable, case_outcome, shipped_report
from sekisho.guards import BoundGuard

from .scripted import POLICY, KeywordGuard


def case(rule: str = "fraud", kind: str = "violating", text: str = "a scam", severity: int = 3) -> Case:
    return Case.model_validate(
        {
            "id": f"en-{rule}-{kind}",
            "language": "en",
            "rule": rule,
            "surface": "input",
            "kind": kind,
            "severity": severity,
            "subject": "s",
            "exchange": {"messages": [{"role": "user", "content": text}]},
        }
    )


def outcome(rule: str, kind: str, *, named: bool = False, acted: bool = False, **more: object) -> CaseOutcome:
    facts = {"id": "i", "language": "en", "rule": rule, "surface": "input", "kind": kind, "severity": 3}
    facts |= {
        "named": named,
        "acted": acted or named,
        "undecided": False,
        "found_severity": 3 if named else 0,
    }
    return CaseOutcome.model_validate(facts | more)


def test_six_hundred_cases_every_combination() -> None:
    cases = shipped_cases()
    assert len(cases) == 600
    assert len({c.id for c in cases}) == 600
    assert {c.language for c in cases} == {"en", "ja", "zh", "ko"}
    assert all(c.exchange.surface is c.surface for c in cases)
    seen = collections.Counter((c.rule, c.language, c.surface) for c in cases)
    assert len(seen) == 25 * 4 * 3
    assert set(seen.values()) == {2}
    assert {c.kind for c in cases if c.rule == "child_sexual_exploitation"} == {"near_miss"}


def test_a_case_as_an_example() -> None:
    one = case()
    assert one.example.targets == {"fraud": True}
    assert one.example.violates
    assert case(kind="near_miss").example.targets == {"fraud": False}


def test_cases_that_the_policy_does_not_speak_of_are_left_out_and_counted() -> None:
    narrow = POLICY.model_copy(
        update={
            "rules": tuple(
                r.model_copy(update={"surfaces": (Surface.OUTPUT,)}) if r.id == "hate" else r
                for r in POLICY.rules
            )
        }
    )
    kept, left = applicable(
        [case(), case("drugs"), case("hate"), case(severity=1), case(kind="near_miss", severity=0)], narrow
    )
    assert [c.kind for c in kept] == ["violating", "near_miss"]
    assert left == {"no such rule": 1, "not on this surface": 1, "below the rubric's floor": 1}


def verdict_on(one: Case, guard: KeywordGuard) -> Verdict:
    return BoundGuard(guard, POLICY).check_one(one.exchange)


def test_outcomes_of_cases() -> None:
    guard = KeywordGuard({"scam": ("fraud", 0.9)}, broken="zebra")
    named = case_outcome(case(), verdict_on(case(), guard))
    assert (named.named, named.acted, named.undecided, named.found_severity) == (True, True, False, 3)
    other = case("hate")
    elsewhere = case_outcome(other, verdict_on(other, guard))
    assert (elsewhere.named, elsewhere.acted, elsewhere.undecided) == (False, True, False)
    silent = case(text="bread")
    assert case_outcome(silent, verdict_on(silent, guard)).acted is False
    broken = case(text="zebra")
    verdict = verdict_on(broken, guard)
    assert verdict.decision is Decision.ESCALATE  # what the policy does is not what the guard found
    assert case_outcome(broken, verdict).undecided
    assert not case_outcome(broken, verdict).acted


def test_a_redaction_counts_as_found() -> None:
    rule = POLICY.rule("personal_data")
    levels = tuple(level.model_copy(update={"decision": Decision.REDACT}) for level in rule.levels[1:])
    policy = POLICY.model_copy(update={"rules": (rule.model_copy(update={"levels": levels}),)})
    one = case("personal_data", text="card")
    verdict = BoundGuard(KeywordGuard({"card": ("personal_data", 0.9)}), policy).check_one(one.exchange)
    assert not verdict.flagged
    assert case_outcome(one, verdict).named


def test_rates_by_hand() -> None:
    cases = [
        *(outcome("fraud", "violating", named=n < 3) for n in range(4)),
        *(outcome("fraud", "near_miss", acted=n < 1) for n in range(4)),
        *(outcome("hate", "violating", named=n < 1, acted=n < 2) for n in range(2)),
        *(outcome("hate", "near_miss") for n in range(2)),
        outcome("child_sexual_exploitation", "near_miss", undecided=True),
    ]
    report = shipped_report(cases, subject="g")
    found = {(m.name, m.slice): m for m in report.measurements}
    assert found["recall", "shipped/rule=fraud"].value == 3 / 4
    assert found["recall", "shipped/rule=hate"].value == 1 / 2
    assert found["recall_any", "shipped/rule=hate"].value == 1
    assert found["fpr", "shipped/rule=fraud"].value == 1 / 4
    assert found["recall", "shipped/rule=child_sexual_exploitation"].value is None
    assert found["fpr", "shipped/rule=child_sexual_exploitation"].value == 1  # undecided is no approval
    assert found["undecided", "shipped"].value == 1 / 13
    # F1 of fraud 2·3 / (3 + 1 + 4), of hate 2·1 / (1 + 0 + 2); the third rule has near misses alone.
    macro = found["macro_f1", "shipped"]
    assert macro.value == pytest.approx((6 / 8 + 2 / 3) / 2)
    assert macro.low is not None
    assert macro.low < (macro.value or 0)
    assert found["macro_f1", "shipped/language=en"].value == macro.value
    assert found["recall", "shipped/surface=input"].value == 4 / 6


def test_severity_agreement() -> None:
    cases = [
        outcome("fraud", "violating", named=True, severity=3, found_severity=3),
        outcome("fraud", "violating", named=True, severity=2, found_severity=3),
        outcome("fraud", "violating", named=True, severity=1, found_severity=4),
        outcome("fraud", "violating", severity=4),
        outcome("fraud", "near_miss", severity=0),
    ]
    found = {m.name: m for m in shipped_report(cases, subject="g").measurements if m.slice == "shipped"}
    assert found["severity_exact"].value == 1 / 3
    assert found["severity_within_1"].value == 2 / 3
    assert found["severity_kappa"].n == 5
    perfect = [c.model_copy(update={"found_severity": c.severity}) for c in cases]
    found = {m.name: m for m in shipped_report(perfect, subject="g").measurements if m.slice == "shipped"}
    assert found["severity_kappa"].value == pytest.approx(1)


def test_few_cases_are_no_certainty() -> None:
    """Rules found always and rules found never, three cases each: the interval must not have zero width."""
    cases = [
        *(outcome("fraud", "violating", named=True) for _ in range(3)),
        *(outcome("fraud", "near_miss") for _ in range(3)),
        *(outcome("hate", "violating") for _ in range(3)),
        *(outcome("hate", "near_miss") for _ in range(3)),
    ]
    [macro] = [
        m
        for m in shipped_report(cases, subject="g").measurements
        if (m.name, m.slice) == ("macro_f1", "shipped")
    ]
    assert macro.value == 0.5
    assert macro.low is not None
    assert macro.high is not None
    assert macro.low < 0.42
    assert macro.high > 0.55
