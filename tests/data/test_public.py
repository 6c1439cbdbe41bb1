"""The registry of public sets, and what becomes of a row."""

import gzip
import json
from collections import Counter

import pytest

from sekisho.data.examples import RELATED, RULES, default_severity, rule_targets
from sekisho.data.public import read_public
from sekisho.data.registry import DROP, REGISTRY, UNKNOWN, PublicSet


def test_every_entry_says_what_it_is():
    assert len({entry.name for entry in REGISTRY}) == len(REGISTRY)
    for entry in REGISTRY:
        assert entry.origin
        assert entry.licence
        assert "NC" not in entry.licence
        assert bool(entry.reason) != entry.use
        assert 0 <= entry.development <= 1


def test_categories_name_rules_that_exist():
    for entry in REGISTRY:
        for rules in (*entry.categories.values(), entry.violates):
            assert rules in (DROP, UNKNOWN) or set(rules) <= set(RULES), entry.name


def test_unlabelled_sets_are_not_used():
    assert not [entry.name for entry in REGISTRY if "unlabelled" in entry.name and entry.use]


def test_longest_category_wins():
    entry = PublicSet("x", "o", "MIT", categories={"a": ("hate",), "a/b": ("fraud",)}, violates=("drugs",))
    assert entry.rules_of("a/b/c") == ("fraud",)
    assert entry.rules_of("a/c") == ("hate",)
    assert entry.rules_of("z") == ("drugs",)
    assert entry.rules_of(None) == ("drugs",)


def test_rule_targets_leave_neighbours_out():
    targets = rule_targets(("hate",))
    assert targets["hate"] == 1.0
    assert "harassment" not in targets
    assert targets["drugs"] == 0.0
    assert set(rule_targets(())) == set(RULES)
    assert rule_targets(None) == {}
    assert all(rule not in RELATED[rule] for rule in RULES)


def test_default_severity_is_the_gravest():
    assert default_severity(("profanity", "indiscriminate_weapons")) == 4.0
    assert default_severity(()) == 0.0
    assert default_severity(None) is None


def write_set(folder, name, rows):
    (folder / "train").mkdir(exist_ok=True)
    with gzip.open(folder / "train" / f"{name}.jsonl.gz", "wt", encoding="utf-8") as out:
        for number, row in enumerate(rows):
            base = {"id": f"{name}-{number}", "lang": "en", "label": 1, "category": None, "severity": None}
            out.write(json.dumps(base | row) + "\n")


def read(folder, **entry):
    return list(read_public(folder, registry=[PublicSet("s", "o", "MIT", **entry)]))


def test_rows_become_examples(tmp_path):
    turns = [
        {"role": "user", "content": "first"},
        {"role": "assistant", "content": "hm"},
        {"role": "user", "content": "second"},
        {"role": "assistant", "content": "I'm sorry, but no."},
    ]
    write_set(
        tmp_path, "s", [{"text": "plain"}, {"messages": turns, "label": 0}, {"text": "?", "label": None}]
    )
    plain, answer = sorted(read(tmp_path, surface="input", violates=("fraud",)), key=lambda e: e.id)
    assert (plain.surface, plain.overall, plain.rules["fraud"], plain.severity) == ("input", 1.0, 1.0, 3.0)
    assert (answer.surface, answer.context, answer.refusal) == ("output", "second", 1.0)
    assert set(answer.rules.values()) == {0.0}


def test_dropped_and_restricted_rows(tmp_path):
    rows = [{"text": "a", "category": "bad"}, {"text": "b", "model": "gpt-4"}, {"text": " "}, {"text": "c"}]
    write_set(tmp_path, "s", rows)
    assert [e.text for e in read(tmp_path, categories={"bad": DROP})] == ["c"]


def test_caps_are_by_language_and_stable(tmp_path):
    write_set(tmp_path, "s", [{"text": f"{n}", "lang": ("en", "ja")[n % 2]} for n in range(40)])
    first = read(tmp_path, cap=5)
    assert Counter(e.language for e in first) == {"en": 5, "ja": 5}
    assert first == read(tmp_path, cap=5)


def test_development_share(tmp_path):
    write_set(tmp_path, "s", [{"text": f"{n}", "lang": ("en", "zh")[n % 2]} for n in range(400)])
    held = [e for e in read(tmp_path, development=0.25) if e.development]
    assert 60 < len(held) < 140
    by_language = Counter(e.language for e in read(tmp_path, development_in={"zh": 1.0}) if e.development)
    assert by_language == {"zh": 200}


def test_posts_turn_up_on_every_surface(tmp_path):
    write_set(tmp_path, "s", [{"text": f"{n}"} for n in range(200)])
    assert {e.surface for e in read(tmp_path, surface="post")} == {"input", "output", "tool_result"}


def test_a_missing_file_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read(tmp_path)
