"""Loading by name and path, translations, lint's advice, describe."""

import json
import subprocess
import sys
import time

import pytest

from sekisho.core import Decision, PolicyError, Surface, UnknownName
from sekisho.policy import describe, library, lint, lint_file, load_policy, parse, parse_overlay

MAIN = """---
id: shop
version: 2
languages: [en, ja]
---

# Shop {#shop}

About the shop.

## Prices {#prices authority=developer surfaces=output,input on_error=block tags=money,trust}

No invented discounts.

**Violates**

- promises a discount
- guesses a price

**Allows**

- quotes the catalogue

**Severity**

- 2 flag: vague
- 4 block: binding

**Example**: voucher

~~~xml
<user> <!-- BAD severity=4: asks for one -->
Give me a voucher.
</user>
<assistant> <!-- GOOD: declines -->
There is none.
</assistant>
~~~
"""
JA = """---
translation_of: shop
language: ja
title: 店
---

# 店 {#shop}

店について。

## 価格 {#prices}

値引きを作り出さない。

**Violates**

- 値引きを約束する
- 価格を推測する

**Allows**

- カタログを引用する

**Severity**

- 2: あいまい
- 4 block：拘束力がある
"""


@pytest.fixture
def shop(tmp_path):
    (tmp_path / "shop.md").write_text(MAIN, "utf-8")
    (tmp_path / "shop.ja.md").write_text(JA, "utf-8")
    (tmp_path / "shop.draft.md").write_text("# Notes on the shop\n", "utf-8")
    (tmp_path / "shopping.md").write_text("# Another\n", "utf-8")
    return tmp_path / "shop.md"


def test_a_document_with_its_translation(shop):
    document = load_policy(shop)
    assert list(document.overlays) == ["ja"]
    assert document.source == MAIN
    japanese = document.in_language("ja")
    assert japanese.title == "店"
    assert japanese.digest == document.policy.digest
    rule, original = japanese.rule("prices"), document.policy.rule("prices")
    assert rule.digest == original.digest
    assert (rule.title, rule.text) == ("価格", "値引きを作り出さない。")
    assert rule.violates == ("値引きを約束する", "価格を推測する")
    assert [(s.level, s.decision, s.text) for s in rule.levels] == [
        (2, Decision.FLAG, "あいまい"),
        (4, Decision.BLOCK, "拘束力がある"),
    ]
    assert rule.examples == original.examples
    assert japanese.headings[0].text == "店について。"
    assert document.in_language("ja-JP") == japanese
    assert document.in_language("ko") == document.policy
    assert lint_file(shop) == ()
    assert lint_file(shop.with_name("shop.ja.md")) == ()


def test_a_rule_is_read(shop):
    rule = load_policy(str(shop)).policy.rule("prices")
    assert rule.surfaces == (Surface.INPUT, Surface.OUTPUT)
    assert rule.on_error is Decision.BLOCK
    assert rule.tags == ("money", "trust")
    assert [rule.action(s).value for s in range(5)] == ["allow", "allow", "flag", "flag", "block"]


@pytest.mark.parametrize(
    ("old", "new", "code", "severity"),
    [
        ("{#prices}", "{#price}", {"translation-unknown", "translation-missing"}, "error"),
        ("- 価格を推測する\n", "", {"translation-items"}, "error"),
        ("- 2: あいまい\n", "", {"translation-levels"}, "error"),
        ("4 block：", "4 flag：", {"translation-decision"}, "error"),
        ("値引きを作り出さない。", "", {"translation-text"}, "error"),
        ("{#prices}", "{#prices authority=root}", {"translation-attribute"}, "error"),
        ("**Allows**", "**Patterns**\n\n- `a`\n\n**Allows**", {"translation-block"}, "error"),
        ("title: 店", "on_error: block", {"translation-key"}, "error"),
        (
            JA[-5:],
            JA[-5:] + "\n**Example**\n~~~\n~~~\n\n**Example**\n~~~\n~~~\n",
            {"translation-examples"},
            "warning",
        ),
    ],
)
def test_translations_are_compared(shop, old, new, code, severity):
    assert old in JA
    beside = shop.with_name("shop.ja.md")
    beside.write_text(JA.replace(old, new, 1), "utf-8")
    found = [p for p in lint_file(shop) if p.code in code]
    assert {p.code for p in found} == code
    assert all(p.severity == severity and p.file == str(beside) and p.remedy for p in found)


def test_no_examples_are_no_difference(shop):
    text = JA + "\n**Example**\n\n~~~xml\n<user> <!-- BAD -->\n券をください。\n</user>\n~~~\n"
    shop.with_name("shop.ja.md").write_text(text, "utf-8")
    assert lint_file(shop) == ()
    assert load_policy(shop).in_language("ja").rule("prices").examples[0].turns[0].content == "券をください。"


def test_a_translation_of_something_else_is_left_alone(shop):
    shop.with_name("shop.ja.md").write_text(
        JA.replace("translation_of: shop", "translation_of: kiosk"), "utf-8"
    )
    assert load_policy(shop).overlays == {}
    assert {p.code for p in lint_file(shop.with_name("shop.ja.md"))} == {"translation-of"}


def test_two_files_for_one_language(shop):
    shop.with_name("shop.jp.md").write_text(JA, "utf-8")
    with pytest.raises(PolicyError) as raised:
        load_policy(shop)
    assert raised.value.code == "translation-twice"


def test_a_translation_is_no_policy(shop):
    with pytest.raises(PolicyError) as raised:
        load_policy(shop.with_name("shop.ja.md"))
    assert raised.value.code == "translation"
    assert parse_overlay(JA).language == "ja"
    with pytest.raises(PolicyError):
        parse_overlay(MAIN)


def test_names_and_paths(shop, monkeypatch):
    with pytest.raises(UnknownName) as raised:
        load_policy("no-such-policy")
    assert "base" in str(raised.value)
    monkeypatch.chdir(shop.parent)
    assert load_policy("shop.md").policy == load_policy("./shop.md").policy


@pytest.mark.parametrize("name", library())
def test_the_library_has_no_problems(name):
    errors = [str(p) for p in lint_file(name) if p.severity == "error"]
    assert errors == []


def test_advice():
    text = MAIN.replace("version: 2", "version: 2\non_error: allow")
    text = text.replace("BAD severity=4", "BAD severity=1").replace("GOOD: declines", "BAD[#price]: declines")
    text += (
        "\n## Wide {#wide authority=user on_error=allow}\n\nText.\n\n**Severity**\n\n- 3 allow: never\n\n"
        "**Patterns**\n\n- `\\w+`\n\n**Exceptions**\n\n- `/./`\n\n"
        "**Example**\n\n~~~xml\n<comparison>\n<assistant>\nHm.\n</assistant>\n</comparison>\n~~~\n"
    )
    assert [(p.code, p.line, p.column) for p in lint(text)] == [
        ("on-error-allow", 4, 11),
        ("bad-without-good", 12, 1),
        ("mark-contradicts-severity", 33, 1),
        ("unknown-reference", 36, 1),
        ("rule-without-violates", 41, 1),
        ("on-error-allow", 41, 40),
        ("severity-never-acts", 45, 1),
        ("expression-too-wide", 51, 4),
        ("expression-too-wide", 55, 5),
        ("candidate-without-mark", 61, 1),
    ]


def test_a_policy_without_rules_is_warned_of():
    assert [p.code for p in lint("---\nid: empty\n---\n# Empty\n")] == ["no-rules"]


def test_describe_is_json(shop):
    described = json.loads(json.dumps(describe(load_policy(shop))))
    assert list(described["translations"]) == ["ja"]
    assert described["languages"] == ["en", "ja"]
    assert [h["id"] for h in described["headings"]] == ["shop", "prices"]
    (rule,) = described["rules"]
    assert {"id", "title", "authority", "digest", "text", "violates", "allows", "levels"} <= set(rule)
    assert {"surfaces", "check", "patterns", "detectors", "exceptions", "tags", "line", "examples"} <= set(
        rule
    )
    assert (rule["examples"][0]["good"], rule["examples"][0]["bad"]) == (1, 1)
    assert {"role", "content", "mark", "note", "severity", "comparison"} <= set(
        rule["examples"][0]["turns"][0]
    )


def test_items_keep_their_inner_structure():
    policy = parse(
        "## A {#a authority=user}\n\nT.\n\n**Violates**\n\n"
        "1. one\n   wrapped\n2. two\n   - inner\n\n     more\n3. three\n"
    )
    assert policy.rules[0].violates == ("one wrapped", "two\n- inner\n\n  more", "three")


def test_positions_in_wrapped_items():
    text = "## A {#a authority=user}\n\nT.\n\n**Patterns**\n\n- `fine`\n- `a b\n  c(` severity 9\n"
    assert [(p.code, p.line, p.column) for p in lint(text)] == [
        ("invalid-expression", 8, 4),
        ("severity-level", 9, 16),
    ]


def test_reading_is_quick():
    start = time.process_time()
    document = load_policy("base")
    first = time.process_time() - start
    times = []
    for _ in range(3):
        start = time.process_time()
        parse(document.source)
        times.append(time.process_time() - start)
    assert len(document.source.splitlines()) > 1200
    # Measured on two idle cores: 0.03 s, and 0.1 s with imports and a translation. Busy ones take longer.
    assert min(times) < 0.25
    assert first < 1.0


def test_importing_is_light():
    heavy = ("markdown_it", "ruamel.yaml", "re2", "numpy", "onnxruntime")
    code = f"import sys, sekisho.policy; print([m for m in {heavy} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
