"""Hostile and odd input: wrong encodings, broken characters, size, depth, and time."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.core import PolicyError
from sekisho.policy import lint, lint_file, load_policy, parse, read_bytes
from sekisho.policy.source import MAX_BYTES, MAX_LINES

RULE = "## A {#a authority=user}\n\nText.\n\n"


def test_byte_order_mark_and_line_ends_do_not_count():
    plain = parse(RULE + "**Violates**\n\n- one\n- two\n")
    windows = read_bytes(
        ("\ufeff" + RULE + "**Violates**\n\n- one\n- two\n").replace("\n", "\r\n").encode(), file="x"
    )
    old_mac = (RULE + "**Violates**  \n\n- one \t\n- two\n").replace("\n", "\r")
    assert parse(windows).rules == plain.rules
    assert parse(old_mac).rules == plain.rules
    assert parse(old_mac).digest == plain.digest


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-16-le", "utf-16-be"])
def test_other_encodings_are_named(encoding):
    with pytest.raises(PolicyError) as raised:
        read_bytes("# Grüße {#a}\n".encode(encoding), file="x.md")
    error = raised.value
    assert error.code == "encoding"
    assert ("UTF-32" if "32" in encoding else "UTF-16") in error.what
    assert (error.line, error.column) == (1, 1)


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"abc\xff", 1, 4),
        (b"\xef\xbb\xbfabc\n\xe6\x97\xa5\xff", 2, 2),
        (b"a\r\nb\rcd\x80", 3, 3),
        (b"\xc3", 1, 1),
    ],
)
def test_the_bad_byte_has_a_place(data, line, column):
    with pytest.raises(PolicyError) as raised:
        read_bytes(data, file="x.md")
    assert (raised.value.line, raised.value.column) == (line, column)
    assert raised.value.remedy


def test_broken_characters_have_places():
    found = lint("# A\n\nb\x00c \ud800\n")
    assert [(p.code, p.line, p.column) for p in found] == [
        ("broken-character", 3, 2),
        ("broken-character", 3, 5),
    ]


def test_hidden_characters_are_warned_of():
    found = lint(RULE + "Be\u202ekind.\nTag\U000e0041s.\n")
    assert [(p.code, p.severity, p.line, p.column) for p in found] == [
        ("hidden-character", "warning", 5, 3),
        ("hidden-character", "warning", 6, 4),
    ]


def test_size_is_limited(tmp_path):
    for text in ("a" * (MAX_BYTES + 1), "é" * (MAX_BYTES // 2 + 1), "\n" * MAX_LINES):
        with pytest.raises(PolicyError) as raised:
            parse(text)
        assert raised.value.code == "too-large"
        assert lint(text)[0].code == "too-large"
    big = tmp_path / "big.md"
    big.write_bytes(b"a" * (MAX_BYTES + 1))
    assert [p.code for p in lint_file(big)] == ["too-large"]


def test_files_that_cannot_be_read(tmp_path):
    for path in (tmp_path / "none.md", tmp_path):
        with pytest.raises(PolicyError) as raised:
            load_policy(path)
        assert raised.value.code == "unreadable"
        assert raised.value.remedy


YAML_BOMB = "---\na: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\n---\n"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (YAML_BOMB, "yaml-alias"),
        ("---\nid: !!python/object:os.system x\n---\n", "yaml-tag"),
        ("---\nid: " + "[" * 20_000 + "\n---\n", "yaml-depth"),
        ("---\nid: [[[[[x]]]]]\n---\n", "yaml-depth"),
        ("---\nid: " + "x" * 60_000 + "\n---\n", "front-matter-too-large"),
        ("---\n- a\n---\n", "wrong-type"),
        ("---\nword\n---\n", "wrong-type"),
        ("---\nid: \x07\n---\n", "yaml-syntax"),
        ("---\nid: 'x\n---\n", "yaml-syntax"),
        ("---\nversion:\n---\n", "empty-value"),
        ("---\nversion: {a: 1}\n---\n", "wrong-type"),
        ("---\nfalse_positive_budget: .nan\n---\n", "wrong-type"),
        ("---\nfalse_positive_budget: 0\n---\n", "budget-range"),
        ("---\nlanguages: en\n---\n", "wrong-type"),
        ("---\nlanguages: []\n---\n", "empty-value"),
        ("---\non_error: [block]\n---\n", "wrong-type"),
        ("---\n? [a]\n: b\n---\n", "unknown-key"),
    ],
)
def test_front_matter_is_refused(text, code):
    assert [p.code for p in lint(text) if p.severity == "error"] == [code]


def test_front_matter_is_read():
    policy = parse(
        '---\nid: shop\nversion: 1.10\ntitle: "A: b"\nlicense: CC0-1.0\nlanguages: [en, ja]\n'
        "on_error:\n  default: block\n  timeout: flag\nfalse_positive_budget: 1e-3\n---\n# Other\n"
    )
    assert (policy.id, policy.version, policy.title, policy.license) == ("shop", "1.10", "A: b", "CC0-1.0")
    assert policy.languages == ("en", "ja")
    assert (policy.on_error.default, policy.on_error.timeout) == ("block", "flag")
    assert policy.false_positive_budget == 0.001


def test_defaults_come_from_the_file():
    policy = parse("# First\n", file="/somewhere/My Shop.md")
    assert (policy.id, policy.version, policy.title) == ("my-shop", "0", "First")
    assert parse("").id == "policy"
    assert parse("\ufeff---\n---\n").rules == ()


HOSTILE = {
    "quotes": lambda n: (">" * 50 + "a\n") * (n // 50),
    "nested list": lambda n: "- " * n,
    "staircase": lambda n: "".join(" " * (2 * i) + "- a\n" for i in range(int(n**0.5))),
    "items": lambda n: RULE + "**Violates**\n\n" + "- a\n" * (n // 4),
    "long item": lambda n: RULE + "**Violates**\n\n- " + "a\n" * (n // 4),
    "ticks": lambda n: RULE + "**Patterns**\n\n- `" + "`` `" * n,
    "headings": lambda n: "# a {#b}\n" * (n // 16),
    "attributes": lambda n: "# a {#b " + "c=d " * (n // 8) + "}",
    "braces": lambda n: "# " + "{" * n + "}",
    "turns": lambda n: RULE + "**Example**\n~~~\n" + "<user>\nx\n</user>\n" * (n // 16) + "~~~\n",
    "tag": lambda n: RULE + "**Example**\n~~~\n<user" + ' a="b"' * n + "\n~~~\n",
    "mark": lambda n: (
        RULE + "**Example**\n~~~\n<user> <!-- BAD" + " " * n + "x" + "[" * n + " -->\n</user>\n~~~\n"
    ),
    "references": lambda n: RULE + "**Example**\n~~~\n<user>\n" + "&#" * n + "\n</user>\n~~~\n",
    "bold": lambda n: "**Violate**\n\n" * (n // 32),
    "html": lambda n: "<!--\n" * (n // 4),
    "link definitions": lambda n: "[a]: b\n" * (n // 8),
    "admonitions": lambda n: "!!! a\n" * (n // 8),
    "expression": lambda n: RULE + "**Patterns**\n\n" + "- `((a{90}){90}){90}`\n" * (n // 200),
    "severity": lambda n: RULE + "**Severity**\n\n- 1" + " " * n + "x" + " " * n + "y\n",
    "nul": lambda n: "\x00" * n,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_the_text(name):
    """Four times the text must not take sixteen times as long; small times are noise."""
    make = HOSTILE[name]
    times = []
    for size in (10_000, 40_000):
        text = make(size)
        best = float("inf")
        for _ in range(2):
            start = time.process_time()
            lint(text)
            best = min(best, time.process_time() - start)
        times.append(best)
    assert times[1] < max(10 * times[0], 0.25)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.lists(
        st.sampled_from(
            [
                "---\n",
                "id: x\n",
                "# a",
                "## ",
                "{#a authority=user}",
                "{",
                "}",
                "\n\n",
                "\n",
                "- ",
                "  ",
                "\t",
                "**Violates**",
                "**Severity**",
                "**Patterns**",
                "**Example**",
                "~~~xml\n",
                "~~~\n",
                "`",
                "<user>",
                "</user>",
                "<comparison>",
                "</comparison>",
                "<!-- BAD",
                " -->",
                "severity=3",
                "3 block: x",
                "!!! x\n",
                "    ",
                ">",
                "1. ",
                "&#x41;",
                "\x00",
                "\ud800",
                "\u2028",
                "\x0c",
                "\r",
                "🙂",
                ":",
                "`(`",
                "<pre>",
            ]
        )
        | st.text(max_size=4),
        max_size=40,
    ).map("".join)
)
def test_nothing_crashes(text):
    problems = lint(text, file="x.md")
    for problem in problems:
        assert problem.message
        assert problem.remedy
        assert problem.line >= 1
        assert problem.column >= 1
    errors = [(p.code, p.line, p.column) for p in problems if p.severity == "error"]
    if not errors:
        parse(text, file="x.md")
        return
    with pytest.raises(PolicyError) as raised:
        parse(text, file="x.md")
    assert (raised.value.code, raised.value.line, raised.value.column) == errors[0]


@given(st.binary(max_size=60))
def test_bytes_are_read_or_refused(data):
    try:
        text = read_bytes(data, file="x")
    except PolicyError as error:
        text, code = "", error.code
    else:
        code = ""
    assert code == "encoding" or text.encode() in (data, data[3:])
