"""The Model Spec's notation: the public document, and a small one that uses all of it."""

import os
from pathlib import Path

import pytest

from sekisho.core import Authority, Surface
from sekisho.policy import describe, examples, lint, load_policy, parse, render

SMALL = Path(__file__).with_name("notation.md")


@pytest.fixture(scope="module")
def small():
    return load_policy(SMALL).policy


@pytest.fixture(scope="module")
def public():
    folder = os.environ.get("SEKISHO_DATA")
    path = Path(folder or "/nowhere") / "model_spec" / "model_spec.md"
    if not path.is_file():
        pytest.skip("SEKISHO_DATA is not set to a folder with model_spec/model_spec.md: NOT TESTED")
    return load_policy(path)


@pytest.mark.data
def test_the_public_document_is_counted(public):
    described = describe(public)
    assert described["counts"] == {
        "headings": 80,
        "rules": 59,
        "examples": 183,
        "good": 193,
        "bad": 196,
        "comparisons": 189,
    }
    assert sum(len(h["examples"]) for h in described["headings"] if h["authority"] is None) == 2
    assert [rule["authority"] for rule in described["rules"]].count("root") == 22
    assert sum(len(rule["examples"]) for rule in described["rules"]) == 181


@pytest.mark.data
def test_the_public_document_has_no_errors(public):
    assert [p for p in lint(public.source, file=public.file) if p.severity == "error"] == []


@pytest.mark.data
def test_the_public_document_becomes_examples(public):
    found = examples(public.policy)
    assert len(found) == 193 + 196
    assert len({example.id for example in found}) == len(found)
    assert sum(example.violates is True for example in found) == 196


@pytest.mark.data
def test_the_public_document_is_written_back(public):
    written = render(public)
    again = parse(written, file=public.file)
    assert again.digest == public.policy.digest
    assert render(again) == written


def test_headings(small):
    assert [(h.id, h.level, h.authority) for h in small.headings] == [
        ("overview", 1, None),
        ("rules", 1, None),
        ("greeting", 2, Authority.USER),
        ("untrusted", 3, Authority.ROOT),
    ]
    assert [rule.id for rule in small.rules] == ["greeting", "untrusted"]
    assert small.rules[1].tags == ("under_18",)
    assert small.headings[2].line == 33


def test_counts(small):
    assert describe(load_policy(SMALL))["counts"] == {
        "headings": 4,
        "rules": 2,
        "examples": 4,
        "good": 3,
        "bad": 3,
        "comparisons": 4,
    }


def test_text_is_kept_as_written(small):
    overview, _, greeting, _ = small.headings
    assert "[^ab12]. See [?](#greeting) and [rules](#rules)." in overview.text
    assert "- first\n    - nested `code`\n    - nested too\n- second\ncontinued lazily" in overview.text
    assert '!!! meta "Commentary"\n    Kept, and part of no rule.\n\n    # Not a heading' in overview.text
    assert small.rule("greeting").text == (
        "The assistant greets people[^c3d4].\n\nText between examples.\n\n[^ab12]: A footnote's text stays."
    )
    assert greeting.text == small.rule("greeting").text


def test_commentary_belongs_to_no_rule():
    policy = parse('## A {#a authority=user}\n\nOne.\n\n!!! meta "C"\n    Note.\n\nTwo.\n')
    assert policy.rules[0].text == "One.\n\nTwo."
    assert policy.headings[0].text == 'One.\n\n!!! meta "C"\n    Note.\n\nTwo.'
    bare = parse("## A {#a authority=user}\n\nOne.\n\nTwo.\n")
    assert bare.digest == policy.digest


def test_several_comparisons(small):
    block = small.rule("greeting").examples[0]
    assert block.title == "several comparisons, and [a link](#overview) in the title"
    assert block.line == 38
    assert block.comparisons == 2
    assert [(t.role, t.mark, t.note, t.comparison) for t in block.turns] == [
        ("system", None, "", None),
        ("developer", None, "", None),
        ("user", None, "", None),
        ("assistant", "BAD", "", 0),
        ("assistant", "GOOD", "polite", 0),
        ("assistant", None, "OK: terse", 0),
        ("user", None, "", None),
        ("assistant", "BAD", "[#rules]: forgets", 1),
        ("assistant", "GOOD", "given the time", 1),
    ]
    assert block.turns[0].content == "<settings>\nunder_18: true\n</settings>"
    assert block.turns[2].attributes == {"comment": "in Korean: 'hello'"}
    assert block.turns[4].content == "안녕하세요!\n\n# Not a heading"
    assert block.turns[8].attributes == {"channel": "commentary", "recipient": "functions.clock"}


def test_fences_inside_the_fence(small):
    user, answer = small.rule("greeting").examples[1].turns
    assert user.content == (
        'Why does this fail?\n\n```python\n# not a heading either\nprint("<b>")\n```\n\n~~~\n## nor this\n~~~'
    )
    assert answer.content == "Use `&lt;`."


def test_examples_of_the_small_document(small):
    found = examples(small)
    assert [e.targets for e in found] == [
        {"greeting": True},
        {"greeting": False},
        {},  # `BAD[#rules]` speaks of a section that is no rule
        {"greeting": False},
        {"greeting": False},
        {"untrusted": True},
    ]
    later = found[3].exchange
    assert [m.text for m in later.messages[2:]] == [
        "안녕하세요",
        "안녕하세요!\n\n# Not a heading",  # the conversation goes on from the GOOD candidate
        "And now?",
        'functions.clock {"zone": "Asia/Tokyo"}',
    ]
    assert later.surface is Surface.TOOL_CALL
    assert found[5].exchange.messages[1].name == "browser"
    assert found[5].severity == 3
    assert found[1].severity == 0


def test_the_small_document_has_no_problems():
    assert lint(SMALL.read_text("utf-8"), file=str(SMALL)) == ()


def test_front_matter_turns_advice_on():
    found = lint("---\nid: small\n---\n" + SMALL.read_text("utf-8"))
    assert {p.code for p in found} == {"rule-without-violates", "bad-without-good"}
    assert all(p.severity == "warning" for p in found)


@pytest.mark.parametrize(
    ("lines", "code", "line"),
    [
        ("<user>\nHi", "unclosed-turn", 6),
        ("<user>\nHi\n</user>\n<comparison>\n<assistant>\nx\n</assistant>", "unclosed-comparison", 9),
        ("<user>\nHi\n<user>\nHo\n</user>", "unclosed-turn", 6),
        ("<user> <!-- BAD\nHi\n</user>", "unclosed-comment", 6),
        ("<comparison>\n<comparison>\n<user>\nx\n</user>\n</comparison>", "unclosed-comparison", 6),
        ("<settings>\na: b\n</settings>\n<user>\nx\n</user>", "unknown-tag", 6),
        ("<user> <!-- BAD because -->\nx\n</user>", "mark-syntax", 6),
        ("</user>", "unexpected-tag", 6),
    ],
)
def test_faulty_conversations(lines, code, line):
    text = f"## A {{#a authority=user}}\n\nText.\n\n**Example**\n~~~xml\n{lines}\n~~~\n"
    found = lint(text)
    assert [(p.code, p.line) for p in found] == [(code, line + 1)]


def test_turns_on_one_line():
    text = "## A {#a authority=user}\n\nText.\n\n**Example**\n~~~xml\n<user> <!-- BAD: b -->Hi</user>\n~~~\n"
    turn = parse(text).rules[0].examples[0].turns[0]
    assert (turn.content, turn.mark, turn.note) == ("Hi", "BAD", "b")
