"""The corpus and our labels: every line keeps its promises, and nothing of the shipped set is in it."""

import collections
import json
import os
from pathlib import Path

import pytest

from sekisho.data.corpus import CORPUS, as_example, faults, in_development, read_cases, read_corpus
from sekisho.data.decontaminate import Contamination, measured_texts, normalised
from sekisho.data.examples import RULES
from sekisho.data.relabelled import LABELS, read_labels, read_relabelled
from sekisho.train.mixture import CASES

pytest.importorskip("torch")  # `sekisho.train.mixture` is of the training extra


@pytest.fixture(scope="module")
def cases():
    return list(read_cases())


def test_every_case_is_sound(cases):
    ids = collections.Counter(case["id"] for case in cases)
    assert [name for name, count in ids.items() if count > 1] == []
    for case in cases:
        assert case["language"] in ("en", "ja", "zh", "ko"), case["id"]


def test_no_case_stands_twice(cases):
    seen = collections.Counter(
        tuple((m["role"], normalised(m["content"]) or m["content"]) for m in case["messages"])
        for case in cases
    )
    assert [key for key, count in seen.items() if count > 1] == []


def test_rules_kinds_languages_and_surfaces_are_all_there(cases):
    seen = {(case["rule"], case["kind"], case["language"]) for case in cases}
    for language in ("en", "ja", "zh", "ko"):
        assert (None, "ordinary", language) in seen
        for rule in RULES:
            assert (rule, "near_miss", language) in seen
            assert ((rule, "violating", language) in seen) == (rule != "child_sexual_exploitation")
    assert {case["surface"] for case in cases} == {"input", "output", "tool_result"}


def test_no_shipped_case_is_in_the_corpus(cases):
    shipped = Contamination(measured_texts(Path("nowhere"), cases=CASES))
    assert [case["id"] for case in cases if case["messages"][-1]["content"] in shipped] == []


def test_a_subject_stays_on_one_side(cases):
    sides = collections.defaultdict(set)
    for example, case in zip(map(as_example, cases), cases, strict=True):
        sides[case["language"], case["subject"]].add(example.development)
    assert all(len(side) == 1 for side in sides.values())
    share = sum(example.development for example in map(as_example, cases)) / len(cases)
    assert 0.09 < share < 0.15
    assert in_development("a", share=1.0)
    assert not in_development("a", share=0.0)


def test_faults_are_named():
    case = {
        "id": "x", "language": "en", "rule": "fraud", "surface": "input", "kind": "violating", "severity": 3,
        "subject": "s", "messages": [{"role": "user", "content": "text"}],
    }  # fmt: skip
    assert faults(case) == []
    assert faults(case | {"kind": "odd"})
    assert faults(case | {"severity": 1})
    assert faults(case | {"rule": "no_such"})
    assert faults(case | {"surface": "output"})
    assert faults(case | {"rule": "child_sexual_exploitation"})
    assert faults(case | {"messages": [{"role": "user", "content": " "}]})


def test_examples_say_what_the_case_says():
    by_kind = {e.overall for e in read_corpus() if e.hard}
    assert by_kind == {0.0}
    answer = next(e for e in read_corpus() if e.surface == "output")
    assert answer.context


def test_labels_hold_no_text():
    for path in sorted(LABELS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            assert row.keys() <= {"id", "judged", "rules", "severity", "refusal"}
            assert set(row["rules"]) <= set(RULES)
            assert (row["severity"] >= 2) == bool(row["rules"])
        assert read_labels(path)


@pytest.mark.data
@pytest.mark.skipif("SEKISHO_DATA" not in os.environ, reason="SEKISHO_DATA is not set: no public sets here")
def test_labels_meet_their_rows():
    found = list(read_relabelled(Path(os.environ["SEKISHO_DATA"])))
    labelled = sum(len(read_labels(path)) for path in LABELS.glob("*.jsonl"))
    assert len(found) >= labelled
    assert {e.surface for e in found} == {"input", "output"}
    sides = collections.defaultdict(set)
    for example in found:
        sides[example.source, (example.context if example.surface == "output" else example.text)[:200]].add(
            example.development
        )
    assert all(len(side) == 1 for side in sides.values())


def test_corpus_is_the_checkouts():
    assert CORPUS.name == "corpus"


def test_the_card_counts_what_is_there():
    import runpy

    card = runpy.run_path(str(CORPUS.parent / "docs" / "make_corpus.py"))
    text = (CORPUS / "README.md").read_text(encoding="utf-8")
    assert card["page"](text) == text, "run python docs/make_corpus.py"
