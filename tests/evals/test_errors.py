"""The error browser: which errors are kept, and whose texts are shown where."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

import sekisho
from sekisho.core import Decision, Example, Exchange, RuleScore, Status, Verdict, unjudged
from sekisho.evals import ErrorGroup, GuardReport, eval_sets, measure_guard, shipped_cases, write_report
from sekisho.evals.browser import SHORT, beginning, error_browser, shortened
from sekisho.evals.errors import LONGEST_TEXT, NEAREST, PER_GROUP, WorstErrors, judged_text
from sekisho.evals.report import read_reports, render
from sekisho.evals.shipped import case_outcome
from sekisho.guards import BoundGuard, Pipeline
from sekisho.guards.bound import to_exchange

from .scripted import POLICY, WORDS, KeywordGuard, rows_of, small_sets, write_set

[RULE] = [rule for rule in POLICY.rules if rule.id == "fraud"]
SECRET = "zebra"
"""In every text of the public set below."""


def example(
    number: int, label: bool, *, category: str = "", language: str = "en", text: str = "t"
) -> Example:
    return Example(
        id=f"e{number:03}",
        exchange=Exchange.of(text),
        violates=label,
        subject=category,
        language=language,
    )


def verdict(score: float, *, flagged: bool | None = None) -> Verdict:
    flagged = score >= 0.5 if flagged is None else flagged
    found = RuleScore.judged(RULE, score=score, violated=flagged, severity=3)
    return Verdict.of([found], policy=POLICY.ref, guard="g")


def undecided() -> Verdict:
    scores = unjudged([RULE], POLICY, status=Status.ERROR, reason="broken")
    return Verdict.of(scores, policy=POLICY.ref, guard="g")


def groups_of(
    rows: list[tuple[Example, Verdict]], *, per_set: int | None = None, with_texts: bool = False
) -> list[ErrorGroup]:
    worst = WorstErrors("s", per_set=per_set, with_texts=with_texts)
    for one, found in rows:
        worst.add([one], [found])
    return [picked.group for picked in worst.picked()]


def test_worst_first_and_no_more_than_a_group_holds() -> None:
    n = PER_GROUP + 10
    rows = [(example(i, False), verdict(0.5 + i / 100)) for i in range(n)]
    rows += [(example(100 + i, True), verdict(i / 100)) for i in range(n)]
    rows += [(example(200, False), verdict(0.1)), (example(201, True), verdict(0.9))]
    wrong, missed = groups_of(rows)
    assert (wrong.error, wrong.made, wrong.of, len(wrong.cases)) == ("false_positive", n, n + 1, PER_GROUP)
    assert [case.id for case in wrong.cases[:2]] == ["e029", "e028"]
    assert wrong.cases[0].cited == ("fraud",)
    assert wrong.cases[0].decision is Decision.BLOCK
    assert (missed.error, missed.made, missed.of) == ("false_negative", n, n + 1)
    assert [case.id for case in missed.cases[:2]] == ["e100", "e101"]
    assert missed.cases[0].cited == ()
    assert missed.cases[0].text is None


def test_of_equals_the_earlier_is_kept() -> None:
    rows = [(example(i, True), verdict(0.2)) for i in range(PER_GROUP + 5)]
    [missed] = groups_of(rows)
    assert [case.id for case in missed.cases] == [f"e{i:03}" for i in range(PER_GROUP)]


def test_groups_are_categories_and_languages_and_each_has_its_turn() -> None:
    rows = [(example(i, True, category="many"), verdict(0.01)) for i in range(10)]
    rows += [(example(20, True, category="few", language="ja"), verdict(0.4))]
    rows += [(example(21, True, category="few|other"), verdict(0.3))]
    groups = groups_of(rows, per_set=4)
    assert [(g.rule, g.language, len(g.cases)) for g in groups] == [
        ("many", "en", 2),
        ("few", "en", 1),
        ("few", "ja", 1),
    ]
    assert groups[0].made == 10
    assert groups[1].cases[0].category == "few|other"
    unlisted = groups_of(rows, per_set=2)
    assert [(g.made, len(g.cases)) for g in unlisted] == [(10, 1), (1, 1), (1, 0)]


def test_few_false_positives_are_followed_by_what_came_nearest() -> None:
    rows = [(example(i, False), verdict(i / 100)) for i in range(30)]
    rows += [(example(40, False), verdict(0.7)), (example(41, True), verdict(0.8))]
    [group] = groups_of(rows)
    assert (group.made, len(group.cases)) == (1, NEAREST)
    assert [(case.id, case.state) for case in group.cases[:2]] == [("e040", "wrong"), ("e029", "near")]
    many = [(example(i, False), verdict(0.9)) for i in range(NEAREST)]
    [full] = groups_of([*rows, *many])
    assert {case.state for case in full.cases} == {"wrong"}


def test_undecided_texts_stand_last_and_cite_nothing() -> None:
    rows = [(example(i, True), undecided()) for i in range(9)]
    rows += [(example(10, True), verdict(0.3)), (example(11, False), undecided())]
    wrong, missed = groups_of(rows)
    assert (wrong.made, wrong.undecided) == (0, 1)
    assert (missed.made, missed.undecided) == (1, 9)
    assert [case.state for case in missed.cases] == ["wrong", "undecided", "undecided", "undecided"]
    assert missed.cases[1].cited == ()
    assert missed.cases[1].decision is Decision.ESCALATE


def test_a_guard_without_errors_has_none() -> None:
    assert groups_of([(example(1, True), verdict(0.9))]) == []
    assert WorstErrors("s").picked() == []


def test_shipped_cases_are_read_as_for_their_figures() -> None:
    """A redaction is a find, and a find under another rule is an error of its own kind."""
    policy = sekisho.load_policy("base")
    guard = BoundGuard(KeywordGuard(WORDS), policy)
    cases = shipped_cases()
    by_id = {case.id: case for case in cases}
    bad, near = by_id["en-fraud-input-violating"], by_id["en-fraud-input-near_miss"]
    texts = {bad.id: "kill", near.id: "poison"}
    rows = [
        case.model_copy(update={"exchange": Exchange.of(texts.get(case.id, "bread"))})
        for case in cases
        if case.rule == "fraud" and case.surface == "input"
    ]
    verdicts = guard.check([case.exchange for case in rows])
    worst = WorstErrors("shipped", per_set=None)
    worst.add_cases(rows, [case_outcome(c, v) for c, v in zip(rows, verdicts, strict=True)], verdicts)
    found = {
        (g.error, g.language): g
        for g in (p.group for p in worst.picked())
        if any(c.state == "wrong" for c in g.cases)
    }
    assert set(found) == {
        ("false_positive", "en"),
        ("wrong_rule", "en"),
        *(("false_negative", language) for language in ("ja", "zh", "ko")),
    }
    stopped = found["wrong_rule", "en"]
    assert (stopped.made, stopped.of, stopped.rule) == (1, 1, "fraud")
    [case] = stopped.cases
    assert case.cited == ("violent_crime",)
    assert (case.rule_score or 0) < 0.2 < (case.score or 0)
    assert case.text is not None
    assert case.text.text == "kill"


def test_texts_are_cut_and_carry_what_was_asked() -> None:
    talk = to_exchange(
        [{"role": "user", "content": "how?"}, {"role": "assistant", "content": "x" * (LONGEST_TEXT + 7)}]
    )
    found = judged_text(talk)
    assert (len(found.text), found.left_out, found.context) == (LONGEST_TEXT, 7, "how?")


# ---- whose texts are where


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("sets")
    rows = rows_of([(f"{SECRET} poison {n}", 0) for n in range(3)], category="wells")
    rows += rows_of(
        [(f"{SECRET} wish {n} " + "far away " * 60, 1) for n in range(3)], lang="ja", category=["a & b", "c"]
    )
    write_set(place, "of_others", [{**row, "id": f"row-{n}"} for n, row in enumerate(rows)])
    return place


def report_of(folder: Path, *, guard: Any = None, **more: Any) -> GuardReport:
    bound = BoundGuard(guard or KeywordGuard(WORDS), sekisho.load_policy("base"))
    return measure_guard(bound, eval_sets(folder), latency_sample=2, resamples=10, **more)


@pytest.fixture(scope="module")
def plain(folder: Path) -> GuardReport:
    return report_of(folder)


@pytest.fixture(scope="module")
def private(folder: Path) -> GuardReport:
    return report_of(folder, with_texts=True)


def test_public_texts_are_not_kept_unless_asked_for(plain: GuardReport) -> None:
    page = render([plain])
    assert SECRET not in page + plain.model_dump_json() + repr(plain)
    for said in ("row-0", "wells", "a &amp; b", "--with-texts", "--neighbours"):
        assert said in page
    own = next(case for case in shipped_cases() if case.id == "en-fraud-input-violating")
    assert own.exchange.text[:20] in plain.model_dump_json()


def test_public_texts_that_were_asked_for_stand_on_the_page_alone(
    private: GuardReport, tmp_path: Path
) -> None:
    page, data = write_report(private, tmp_path)
    shown = page.read_text(encoding="utf-8")
    assert f"{SECRET} poison 0" in shown
    assert "Keep the page to yourself" in shown
    assert "whole text" in shown
    assert SECRET not in data.read_text(encoding="utf-8")
    assert SECRET not in json.dumps(private.model_dump())
    assert SECRET not in repr(private)
    [again] = read_reports(data)
    assert SECRET not in render([again])


def test_the_page_lists_by_set_kind_rule_and_language(plain: GuardReport) -> None:
    words = json.loads(
        (Path(sekisho.__file__).parent / "evals/templates/words.json").read_text(encoding="utf-8")
    )
    browser = error_browser([plain], words["en"], script="")
    assert browser is not None
    [sets] = browser.sets
    assert [one.name for one in sets] == ["shipped", "of_others"]
    false, missed = sets[1].tables
    assert [(t.error, t.made, t.listed) for t in (false, missed)] == [
        ("false_positive", 3, 3),
        ("false_negative", 3, 3),
    ]
    assert not false.explained
    assert sets[0].tables[0].explained
    assert [(group.rule, group.language) for group, _ in missed.groups] == [("a & b", "ja")]
    assert browser.choices.categories == (("of_others", "of_others", ("a & b", "wells")),)
    assert "fraud" in browser.choices.rules
    assert "violent_crime" in browser.choices.rules  # cited
    assert browser.choices.languages == ("en", "ja", "ko", "zh")
    assert (browser.public, browser.borrowed, browser.not_asked) == (True, False, True)


def test_the_one_script_is_the_one_that_the_page_allows(plain: GuardReport) -> None:
    page = render([plain], language="ja")
    [script] = re.findall(r"<script>(.*?)</script>", page, flags=re.S)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in page
    assert not re.search(r"fetch|import\(|innerHTML|eval\(|https?:", script)


def test_no_neighbours_without_a_classifier(folder: Path, plain: GuardReport) -> None:
    assert plain.errors.neighbours.status == "not_asked"
    assert plain.errors.training == ()


@pytest.mark.parametrize(
    ("text", "head", "whole"),
    [
        ("short", "short", False),
        ("a" * (SHORT + 20), "a" * (SHORT + 20), False),
        ("word " * 100, ("word " * 60)[:-1], True),
        ("字" * 400, "字" * SHORT, True),
        ("turned \u202e round\x00", "turned \ufffd round\ufffd", False),
    ],
)
def test_shortened(text: str, head: str, whole: bool) -> None:
    shown = shortened(text, SHORT)
    assert shown.head == head
    assert bool(shown.whole) is whole
    assert len(beginning(text)) < 221


def test_categories_in_every_form(tmp_path: Path) -> None:
    forms = ["one", "one|two", ["one", "two"], "['one, really', 'two']", None, 7]
    rows = [{**rows_of([("x", 1)])[0], "category": form} for form in forms]
    write_set(tmp_path, "s", rows)
    [one] = eval_sets(tmp_path)
    assert [e.subject for e in one] == ["one", "one|two", "one|two", "one, really|two", "", "7"]


def test_a_failing_guard_in_a_pipeline(folder: Path) -> None:
    pair = Pipeline([KeywordGuard(WORDS), KeywordGuard(WORDS, broken="wish")])
    report = report_of(folder, guard=pair)
    states = {
        case.state for group in report.errors.groups if group.set == "of_others" for case in group.cases
    }
    assert states >= {"wrong", "undecided"}
    assert "undecided" in render([report])


def test_small_sets_have_errors_of_both_kinds(tmp_path: Path) -> None:
    report = report_of(small_sets(tmp_path), shipped=False)
    seen = {(group.set, group.error): group for group in report.errors.groups}
    assert seen["toxicchat_test", "false_positive"].made == 60
    assert seen["toxicchat_test", "false_negative"].made == 20
    assert len(seen["toxicchat_test", "false_positive"].cases) == PER_GROUP
    assert ("simplesafetytests", "false_positive") not in seen
