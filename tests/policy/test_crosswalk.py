"""The crosswalk is complete in both directions: from every taxonomy to our rules, and back."""

import json
import re
from collections import Counter
from pathlib import Path

import pytest

LIBRARY = Path(__file__).parents[2] / "sekisho" / "policy" / "library"
CROSSWALK = json.loads((LIBRARY / "crosswalk.json").read_text(encoding="utf-8"))
RULES = re.findall(
    r"^#+ .*\{#([a-z][a-z0-9_]*) [^}]*\bauthority=",
    (LIBRARY / "base.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)
LINKS = CROSSWALK["links"]
COUNTS = {
    "llama_guard": 14,
    "qwen3guard": 9,
    "bingoguard": 11,
    "mlcommons": 12,
    "openai_moderation": 13,
}
CATEGORIES = [
    (name, category)
    for name, taxonomy in CROSSWALK["taxonomies"].items()
    for category in taxonomy["categories"]
]


def test_the_base_policy_has_25_different_rules():
    assert len(RULES) == len(set(RULES)) == 25


def test_the_taxonomies_are_the_five_with_their_category_counts():
    counts = {name: len(t["categories"]) for name, t in CROSSWALK["taxonomies"].items()}
    assert counts == COUNTS


@pytest.mark.parametrize("name", COUNTS)
def test_a_taxonomy_says_what_it_is_and_names_its_categories(name):
    taxonomy = CROSSWALK["taxonomies"][name]
    assert taxonomy["title"]
    assert taxonomy["source"]
    assert taxonomy["url"].startswith("https://")
    assert all(category["name"] for category in taxonomy["categories"].values())


@pytest.mark.parametrize(("name", "category"), CATEGORIES)
def test_every_category_leads_to_a_rule(name, category):
    assert any(link["taxonomy"] == name and link["category"] == category for link in LINKS)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_has_a_category_or_says_why_not(rule):
    linked = any(link["rule"] == rule for link in LINKS)
    assert linked != bool(CROSSWALK["own"].get(rule))


def test_links_and_own_rules_name_only_what_exists():
    assert {link["rule"] for link in LINKS} | set(CROSSWALK["own"]) <= set(RULES)
    assert {(link["taxonomy"], link["category"]) for link in LINKS} <= set(CATEGORIES)


@pytest.mark.parametrize("link", LINKS, ids=lambda link: "-".join(list(link.values())[:3]))
def test_a_link_has_a_known_shape(link):
    assert {"taxonomy", "category", "rule", "relation"} <= link.keys()
    assert link.keys() <= {"taxonomy", "category", "rule", "relation", "note"}
    assert link["relation"] in {"equal", "broader", "narrower", "overlaps"}


def test_no_link_is_given_twice():
    counts = Counter((link["taxonomy"], link["category"], link["rule"]) for link in LINKS)
    assert [triple for triple, n in counts.items() if n > 1] == []


def test_an_equal_pair_stands_alone():
    """A category equal to a rule is equal to no other, and is narrower or broader than none."""
    for link in LINKS:
        if link["relation"] == "equal":
            others = [
                other
                for other in LINKS
                if other is not link
                and other["taxonomy"] == link["taxonomy"]
                and other["category"] == link["category"]
            ]
            assert {other["relation"] for other in others} <= {"overlaps"}
