"""Documents written from policies read back as the same policies."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.core import (
    Authority,
    Decision,
    Detector,
    ExampleBlock,
    Exemption,
    Heading,
    Level,
    OnError,
    Pattern,
    Policy,
    PolicyError,
    Rule,
    Surface,
    Turn,
)
from sekisho.policy import DETECTORS, library, load_policy, parse, render

identifiers = st.from_regex(r"[a-z][a-z0-9_]{0,8}", fullmatch=True)
# One line of ordinary text: what a paragraph, a list item or a title can be as it stands.
words = st.text(st.sampled_from("abcXYZ 0129äßあ漢한🙂*_`<>&;:{}[]()!?/\\\"'#-+=~|."), max_size=40)
lines = words.map(lambda s: "w" + " ".join(s.replace("-->", "").split()).rstrip("#} ")).filter(
    lambda s: "-->" not in s
)
contents = st.text(
    st.sampled_from("ab あ漢\n\n \t<>/&;#12lt{}~`-!\r\u2028\x0b\u00a0user")
    | st.characters(exclude_categories=["Cs"]),
    max_size=60,
).filter(lambda s: "\x00" not in s)
tagged = st.sampled_from(
    [
        "</user>",
        "<assistant>\nx",
        "a </user>",
        "&lt;user&gt;",
        "<!-- BAD -->",
        "~~~~\n</comparison>",
        "&#10;",
        "\n\n",
    ]
)
roles = st.sampled_from(["system", "developer", "user", "assistant", "tool"])
notes = lines | st.just("") | st.just("[#other]: why") | st.just("[#other]")


@st.composite
def turns(draw):
    marked = draw(st.sampled_from(["GOOD", "BAD", None]))
    return Turn(
        role=draw(roles),
        content=draw(contents | tagged | st.tuples(contents, tagged, contents).map("".join)),
        mark=marked,
        note=draw(notes) if marked else "",
        severity=draw(st.none() | st.integers(0, 4)) if marked else None,
        attributes=draw(st.dictionaries(identifiers, lines, max_size=2)),
    )


@st.composite
def blocks(draw):
    found, comparisons = [], 0
    for group in draw(st.lists(st.lists(turns(), min_size=1, max_size=3), max_size=3)):
        number = None
        if draw(st.booleans()):
            number, comparisons = comparisons, comparisons + 1
        found += [turn.model_copy(update={"comparison": number}) for turn in group]
    return ExampleBlock(title=draw(lines | st.just("")), turns=tuple(found), comparisons=comparisons)


@st.composite
def rules(draw):
    numbers = sorted(draw(st.sets(st.integers(0, 4))))
    decisions = sorted(
        draw(st.lists(st.sampled_from(list(Decision)), min_size=len(numbers), max_size=len(numbers)))
    )
    safe = st.sampled_from([r"(?i)\bpro`ject\b", "a+", "`x`", " pad ", "[/]", r"日本+", "``", r"\$\{x\}"])
    patterns = [
        Pattern(expression=e, severity=s, text=t)
        for e, s, t in draw(st.lists(st.tuples(safe, st.integers(0, 4), lines | st.just("")), max_size=3))
    ]
    detectors = [
        Detector(name=n, severity=2, text="w") for n in draw(st.sets(st.sampled_from(DETECTORS), max_size=2))
    ]
    exemptions = (
        [
            Exemption(kind=k, value=v, text=t)
            for k, v, t in draw(
                st.lists(
                    st.tuples(st.sampled_from(["exact", "pattern"]), safe, lines | st.just("")), max_size=2
                )
            )
        ]
        if patterns or detectors
        else []
    )
    surfaces = draw(st.sets(st.sampled_from(list(Surface)), min_size=1))
    return Rule(
        id=draw(identifiers),
        title=draw(lines),
        authority=draw(st.sampled_from(list(Authority))),
        text=draw(st.lists(lines, min_size=1, max_size=3).map("\n\n".join)),
        violates=tuple(draw(st.lists(lines, max_size=3))),
        allows=tuple(draw(st.lists(lines, max_size=3))),
        levels=tuple(
            Level(level=n, decision=d, text=draw(lines | st.just("")))
            for n, d in zip(numbers, decisions, strict=True)
        ),
        surfaces=tuple(s for s in Surface if s in surfaces),
        check="patterns" if patterns and draw(st.booleans()) else "meaning",
        patterns=tuple(patterns),
        detectors=tuple(detectors),
        exemptions=tuple(exemptions),
        examples=tuple(draw(st.lists(blocks(), max_size=2))),
        tags=tuple(sorted(draw(st.sets(identifiers, max_size=2)))),
        on_error=draw(st.none() | st.sampled_from(list(Decision))),
    )


decisions = st.sampled_from(list(Decision))
policies = st.builds(
    Policy,
    id=identifiers,
    version=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8),
    title=lines | st.just("") | st.just("null"),
    license=st.none() | lines,
    languages=st.lists(st.sampled_from(["en", "ja", "zh-Hant"]), min_size=1, unique=True).map(tuple),
    on_error=st.builds(
        OnError, default=decisions, timeout=st.none() | decisions, error=st.none() | decisions
    ),
    false_positive_budget=st.floats(0.001, 0.999),
    rules=st.lists(rules(), max_size=3, unique_by=lambda r: r.id).map(tuple),
)


def without_lines(policy):
    """The policy as data, without line numbers, which a rewritten document does not keep."""

    def strip(value):
        if isinstance(value, dict):
            return {k: strip(v) for k, v in value.items() if k != "line"}
        return [strip(v) for v in value] if isinstance(value, list) else value

    return strip(policy.model_dump(mode="json"))


@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(policies)
def test_generated_policies_read_back(policy):
    text = render(policy)
    again = parse(text)
    expected, found = without_lines(policy), without_lines(again)
    # A policy made in code has no headings of its own; the document gives it some.
    headings = found.pop("headings"), expected.pop("headings")
    assert found == expected
    assert again.digest == policy.digest
    assert len(headings[0]) == len(policy.rules)
    assert render(again) == text
    assert parse(render(again)) == again


PIECES = (
    "# One",
    "## Two {#two}",
    "## Three {#three authority=user tags=a,b}",
    "Four\n===",
    "Five #\n---",
    "text",
    "more text\nlazy",
    "- item\n- item\n  - inner",
    "1. one\n\n   two",
    "    code",
    "> quote\nlazy",
    '!!! meta "C"\n    note\n\n    more',
    "<!-- comment -->",
    "~~~\n## not\n~~~",
    "***",
    "**bold**",
    "<div>\nhtml\n</div>",
    "[^a]: note",
    "[x]: y",
    "* other\n* list",
    "```python\ncode\n```",
    "**Example**: t\n\n~~~xml\n<user> <!-- BAD: x -->\nhi\n</user>\n~~~",
    "**Example**\n\n~~~~\n[...]\n~~~~",
    "**Violates**\n\n- a\n  b\n- c\n\n  d\n  - e\n\n      f",
    "**Allows**\n1. x\n2. y",
    "**Severity**\n- 3 block: x\n- 1 allow",
    "**Patterns**\n- `a+` severity 2: t\n- ``b`c``",
    "**Detects**\n- `card`",
)
markdown = st.lists(st.sampled_from(PIECES), max_size=14)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(markdown)
def test_whatever_parses_reads_back(pieces):
    try:
        policy = parse("\n\n".join(pieces), file="x.md")
    except PolicyError:
        return
    text = render(policy)
    again = parse(text, file="x.md")
    assert without_lines(again) == without_lines(policy)
    assert again.digest == policy.digest
    assert render(again) == text


@pytest.mark.parametrize("name", library())
def test_the_library_reads_back(name):
    policy = load_policy(name).policy
    again = parse(render(policy), file=f"{name}.md")
    assert without_lines(again) == without_lines(policy)
    assert again.digest == policy.digest


def test_the_dialect_of_the_manual_reads_back():
    manual = (Path(__file__).parents[2] / "docs" / "policy-format.md").read_text("utf-8")
    example = manual[manual.index("```markdown\n") + len("```markdown\n") :]
    example = example[: example.index("\n```\n")]
    policy = parse(example)
    assert [rule.id for rule in policy.rules] == ["prices", "project_names"]
    assert policy.rule("prices").levels[3].decision is Decision.BLOCK
    assert policy.rule("project_names").exemptions[0].text == "(a published sentence)"
    assert without_lines(parse(render(policy))) == without_lines(policy)


@pytest.mark.parametrize(
    "rule",
    [
        {"exemptions": (Exemption(kind="exact", value="/x/"),)},
        {"patterns": (Pattern(expression="a\nb"),)},
        {"examples": (ExampleBlock(title="t", turns=(Turn(role="user", content="a\x00"),)),)},
        {"examples": (ExampleBlock(title="t", turns=(Turn(role="user", content="", note="-->"),)),)},
    ],
)
def test_what_a_document_cannot_spell_is_refused(rule):
    value = Rule(id="a", title="A", authority=Authority.USER, text="t", **rule)
    with pytest.raises(PolicyError) as raised:
        render(Policy(id="p", rules=(value,)))
    assert raised.value.code == "unrenderable"


def test_rules_need_their_headings():
    rule = Rule(id="a", title="A", authority=Authority.USER, text="t")
    with pytest.raises(PolicyError):
        render(Policy(id="p", rules=(rule,), headings=(Heading(title="B", level=1, line=1),)))
