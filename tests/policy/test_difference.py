"""What changed between two policies, and which examples flip."""

import pytest

from sekisho.core import Decision, PolicyRef, RuleScore, Verdict
from sekisho.policy import diff, examples, flips, parse

OLD = """---
id: shop
version: 1
---

# Shop

## Prices {#prices authority=developer}

No invented discounts.

**Violates**

- promises a discount

**Allows**

- quotes the catalogue

**Severity**

- 2 flag: vague
- 3 block: exact

**Patterns**

- `voucher`

**Example**: voucher

~~~xml
<user>
Any discount?
</user>
<comparison>
<assistant> <!-- BAD severity=2: vague -->
Perhaps.
</assistant>
<assistant> <!-- BAD: exact -->
Ten percent.
</assistant>
<assistant> <!-- GOOD: honest -->
No.
</assistant>
</comparison>
~~~

## Names {#names authority=user}

No names.

**Example**: a name

~~~xml
<user> <!-- BAD: a name -->
Kingfisher
</user>
<assistant> <!-- GOOD: none -->
Which?
</assistant>
~~~

## Last {#last authority=guideline}

Be kind.
"""


def changed(*pairs):
    text = OLD
    for old, new in pairs:
        assert old in text
        text = text.replace(old, new, 1)
    return parse(text)


@pytest.fixture
def old():
    return parse(OLD)


def test_nothing_changed(old):
    same = diff(old, changed(("No invented", "No invented")))
    assert same.empty
    assert flips(same) == ()
    assert diff(old, parse("\n" * 0 + OLD.replace("\n", "  \n"))).empty


@pytest.mark.parametrize(
    ("before", "after", "fields"),
    [
        ("authority=developer", "authority=root", ("authority",)),
        ("No invented discounts.", "No discounts.", ("text",)),
        ("- promises a discount", "- promises a discount\n- guesses", ("violates",)),
        ("- quotes the catalogue", "- quotes", ("allows",)),
        ("2 flag: vague", "2 flag: foggy", ("severity",)),
        ("2 flag: vague", "2 escalate: vague", ("actions",)),
        ("- 2 flag: vague\n", "", ("severity", "actions")),
        ("authority=developer", "authority=developer surfaces=output", ("surfaces",)),
        ("`voucher`", "`vouchers?`", ("patterns",)),
        (
            "**Patterns**",
            "**Exceptions**\n\n- `x`\n\n**Detects**\n\n- `card`\n\n**Patterns**",
            ("detectors", "exceptions"),
        ),
        ("authority=developer", "authority=developer on_error=block", ("on_error",)),
        ("authority=developer", "authority=developer check=patterns", ("check",)),
        ("authority=developer", "authority=developer tags=a", ("tags",)),
        ("## Prices", "## Price", ("title",)),
        ("Perhaps.", "Maybe.", ("examples",)),
    ],
)
def test_fields(old, before, after, fields):
    found = diff(old, changed((before, after)))
    assert [(c.rule, c.fields) for c in found.changed] == [("prices", fields)]
    assert not found.empty
    assert (found.added, found.removed, found.front_matter) == ((), (), ())


def test_rules_and_front_matter(old):
    found = diff(old, changed(("version: 1", "version: 2\non_error: block"), ("#names", "#people")))
    assert found.added == ("people",)
    assert found.removed == ("names",)
    version = found.front_matter[0]
    assert (version.field, version.before, version.after) == ("version", "1", "2")
    assert [c.field for c in found.front_matter] == ["version", "on_error"]
    assert not found.reordered


def test_order(old):
    rules = old.rules
    turned = old.model_copy(update={"rules": (rules[1], rules[0], rules[2])})
    assert diff(old, turned).reordered


def test_labels_flip(old):
    found = flips(diff(old, changed(("BAD: exact", "GOOD: exact"))))
    assert [(f.kind, f.rule, f.title, f.before, f.after) for f in found] == [
        ("label", "prices", "voucher", "BAD", "GOOD")
    ]
    assert found[0].line == 29


def test_actions_flip(old):
    found = flips(diff(old, changed(("2 flag: vague", "2 block: vague"))))
    assert [(f.kind, f.before, f.after) for f in found] == [("action", "flag", "block")]
    found = flips(diff(old, changed(("BAD severity=2", "BAD severity=1"))))
    assert [(f.kind, f.before, f.after) for f in found] == [("action", "flag", "allow")]
    assert flips(diff(old, changed(("3 block: exact", "3 block: precise")))) == ()


def test_removed_rules_flip_their_examples(old):
    found = flips(diff(old, changed(("#names", "#people"))))
    assert [(f.kind, f.rule, f.before, f.after) for f in found] == [("action", "names", "block", "allow")]


class ByWord:
    """Blocks what contains the first word of a rule's text."""

    name = "by-word"

    def coverage(self, policy):
        return ()

    def check(self, exchanges, policy):
        ref = PolicyRef(id=policy.id, version=policy.version, digest=policy.digest)
        verdicts = []
        for exchange in exchanges:
            bad = any(rule.text.split()[0] in exchange.text for rule in policy.rules)
            score = RuleScore(id="x", decision=Decision.BLOCK if bad else Decision.ALLOW)
            verdicts.append(Verdict.of([score], policy=ref, guard=self.name))
        return verdicts

    def open(self, context, policy):
        raise NotImplementedError


def test_a_guard_flips(old):
    difference = diff(
        old, changed(("No invented discounts.", "Ten is too much."), ("No names.", "None of them."))
    )
    assert flips(difference) == ()
    found = flips(difference, guard=ByWord())
    assert [(f.kind, f.rule, f.before, f.after) for f in found] == [
        ("guard", "prices", "allow", "block"),  # "Ten percent."
        ("guard", "prices", "block", "allow"),  # "No."
    ]
    assert [f.line for f in found] == [29, 29]


def test_examples_have_stable_ids(old):
    found = examples(old)
    assert [(e.targets, e.severity, e.violates) for e in found] == [
        ({"prices": True}, 2, True),
        ({"prices": True}, 3, True),
        ({"prices": False}, 0, None),
        ({"names": True}, 3, True),
        ({"names": False}, 0, None),
    ]
    moved = examples(changed(("# Shop\n", "# Shop\n\nMore.\n"), ("Perhaps.", "Maybe.")))
    assert [a.id == b.id for a, b in zip(found, moved, strict=True)] == [False, True, True, True, True]
    assert [m.text for m in found[1].exchange.messages] == ["Any discount?", "Ten percent."]
    assert found[0].id.startswith("shop/prices/")
    assert {e.origin for e in found} == {"policy:shop@1"}


def test_the_same_example_twice_has_two_ids():
    block = "**Example**\n\n~~~xml\n<user> <!-- BAD -->\nx\n</user>\n~~~\n\n"
    found = examples(parse("## A {#a authority=user}\n\nT.\n\n" + block * 2))
    assert len({e.id for e in found}) == 2
    assert found[1].id == found[0].id + "-2"


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("hello", "en"),
        ("こんにちは", "ja"),
        ("안녕", "ko"),
        ("你好", "zh"),
        ("привет", "und"),
        ("漢字かな", "ja"),
    ],
)
def test_languages_by_script(text, language):
    rule = "## A {#a authority=user}\n\nT.\n\n**Example**\n\n~~~xml\n"
    policy = parse(f"{rule}<user> <!-- BAD -->\n{text}\n</user>\n~~~\n")
    assert examples(policy)[0].language == language
