"""The contract of `sekisho check`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from .conftest import Run

CHECK = ("check", "--guard", "obedient")
KEYS = {
    "id",
    "decision",
    "flagged",
    "status",
    "score",
    "severity",
    "rules",
    "refusal",
    "guard",
    "policy",
    "elapsed_ms",
}


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        (["hello"], 0),
        (["hello", "[fraud 3]"], 1),
        (["[fraud 2]"], 1),
        (["[personal_data 3]"], 1),
        (["[child_sexual_exploitation 2]"], 1),
        (["[fraud 1]"], 0),
        (["[timeout 0]"], 3),
        (["hello", "[error 0]"], 3),
        (["crash"], 3),
        (["[timeout 0]", "[fraud 3]"], 1),
        (["[fraud 3]", None], 1),
        (["hello", None], 3),
        ([], 0),
    ],
)
def test_exit_codes(run: Run, tmp_path: Path, texts: list[str | None], code: int) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    ran = run(*CHECK, str(path), "--json")
    assert ran.code == code
    assert len(ran.lines) == len(texts)
    assert run(*CHECK, str(path)).code == code


def test_where_no_rule_applies_nothing_looks_judged(run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "shop.md"
    policy.write_text(
        "---\nid: shop\n---\n\n## P {#p authority=developer surfaces=output}\n\nNo discounts.\n", "utf-8"
    )
    ran = run("check", "x", "--policy", str(policy), "--json")
    assert ran.code == 3
    assert ran.lines[0]["status"] == "abstained"
    assert ran.lines[0]["notes"]
    assert "No rule of the policy applies" in run("check", "x", "--policy", str(policy)).out


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "x", "--guard", "no-such"),
        ("check", "x", "--guard", "a?b"),
        ("check", "x", "--guard", "rules?pii"),
        ("check", "x", "--policy", "no-such"),
        ("check", "x", "--policy", "./no-such.md"),
        ("check", "./no-such.jsonl"),
        ("check", "no-such.csv.gz"),
        ("check", "x", "--no-such-option"),
        ("check", "-nonsense"),
        ("check", "several", "words"),
        ("check", "--text"),
        ("check",),
        ("check", ""),
        ("check", " ", "--text"),
        ("check", "."),
        ("check", "x", "--batch-size", "0"),
        ("check", "x", "--role", "nobody"),
        ("nonsense",),
        ("policy", "lint", "no-such.md"),
        ("policy", "show", "base", "--rule", "no-such"),
        ("guards", "show", "no-such"),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_what_cannot_be_used(run: Run, arguments: tuple[str, ...], as_json: bool) -> None:
    ran = run(*arguments, *(["--json"] if as_json else []))
    assert ran.code == 2
    assert ran.out == ""
    last = ran.err.splitlines()[-1]
    if as_json:
        error = json.loads(last)["error"]
        assert error["what"]
        assert error["remedy"]
    else:
        assert last.startswith("error: ")
    assert "Traceback" not in ran.err


def test_the_shape_of_a_line(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"id": "a", "text": "pay me [fraud 3]"}\n')
    (line,) = run(*CHECK, str(path), "--json").lines
    assert line.keys() == KEYS
    assert (line["id"], line["decision"], line["flagged"], line["status"]) == ("a", "block", True, "ok")
    assert (line["score"], line["severity"], line["guard"]) == (0.9, 3, "obedient")
    assert line["policy"].keys() == {"id", "version", "digest"}
    assert line["policy"]["digest"].startswith("sha256:")
    fraud = next(rule for rule in line["rules"] if rule["id"] == "fraud")
    assert fraud == {
        "id": "fraud",
        "score": 0.9,
        "status": "ok",
        "decision": "block",
        "severity": 3,
        "spans": [{"start": 7, "end": 16, "label": "fraud"}],
        "reasons": ["told to"],
    }


def test_flagged_is_not_for_what_is_only_redacted(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "I am [personal_data 3]."}\n')
    (line,) = run(*CHECK, str(path), "--json", "--redact").lines
    assert (line["decision"], line["flagged"]) == ("redact", False)
    assert line["redacted"] == "I am [personal_data]."
    (line,) = run(*CHECK, str(path), "--json").lines
    assert "redacted" not in line


BAD = [
    ("{not json", "1:"),
    ("", "empty"),
    ("[1, 2]", "list"),
    ('"text"', "string"),
    ('{"text": 5}', "number"),
    ('{"text": null}', "null"),
    ('{"other": "zebra words"}', "neither"),
    ('{"messages": []}', "empty"),
    ('{"messages": "zebra words"}', "string"),
    ('{"messages": [{"role": "pope", "content": "zebra words"}]}', "role"),
    ('{"messages": [{"role": "user", "content": {"zebra": "words"}}]}', "message 1"),
    ('{"messages": [{"role": ["user"], "content": "zebra words"}]}', "message 1"),
    ('{"text": "zebra words", "role": "pope"}', "role"),
    ('{"id": ["zebra"], "text": "words"}', "id"),
    ('{"text": "zebra", "messages": [{"role": "user", "content": "words"}]}', "text and messages"),
    ('{"choices": [{"message": {"content": "a"}}, {"message": {"content": "b"}}]}', "2 choices"),
    ('{"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}', "media"),
    ("[" * 100_000, "nested"),
    ("1" * 5_000, "nested"),
]


def test_bad_lines_are_lines(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    lines = [line for pair in BAD for line in (pair[0], '{"id": "good", "text": "hello"}')]
    path.write_text("\n".join(lines) + "\n")
    ran = run(*CHECK, str(path), "--json")
    assert ran.code == 3
    found = ran.lines
    assert len(found) == len(lines)
    assert {line["id"] for line in found[1::2]} == {"good"}
    for number, (line, (_, said)) in enumerate(zip(found[::2], BAD, strict=True)):
        assert line.keys() == KEYS | {"error"}
        assert line["id"] == 2 * number + 1
        assert (line["status"], line["decision"], line["flagged"]) == ("error", "escalate", True)
        assert line["error"].keys() == {"what", "where", "remedy"}
        assert line["error"]["where"] == f"{path}:{2 * number + 1}"
        assert said in line["error"]["what"] or said == "1:"
    assert "zebra" not in ran.out + ran.err


def test_on_error_decides_for_bad_records(run: Run, tmp_path: Path) -> None:
    policy = tmp_path / "p.md"
    policy.write_text(
        "---\nid: p\non_error:\n  default: escalate\n  error: block\n---\n\n"
        "# Rule {#r authority=user}\n\nText.\n"
    )
    path = tmp_path / "a.jsonl"
    path.write_text("nonsense\n")
    ran = run(*CHECK, str(path), "--json", "--policy", str(policy))
    assert ran.lines[0]["decision"] == "block"
    assert ran.code == 3


def test_a_crash_is_one_record(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"text": "{text}"}}\n' for text in ("a", "crash", "[fraud 3]")))
    ran = run(*CHECK, str(path), "--json")
    assert [line["status"] for line in ran.lines] == ["ok", "error", "ok"]
    assert ran.code == 1
    assert "zebra" not in ran.out + ran.err


def test_ids(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        '{"text": "a"}\n{"id": 7, "text": "b"}\n{"id": "x", "text": "c"}\n{"id": null, "text": "d"}\n'
    )
    assert [line["id"] for line in run(*CHECK, str(path), "--json").lines] == [1, 7, "x", 4]


def test_batches_do_not_matter(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(
        "".join(f'{{"text": "{"[fraud 3]" if n % 3 == 0 else "x"}"}}\n' for n in range(50)) + "bad\n"
    )
    one = run(*CHECK, str(path), "--json", "--batch-size", "1")
    many = run(*CHECK, str(path), "--json", "--batch-size", "7")
    assert one.out == many.out
    assert len(one.lines) == 51


def test_the_last_message_is_judged(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    turns = [{"role": "user", "content": "[fraud 3]"}, {"role": "assistant", "content": "no"}]
    records = [
        {"messages": turns},
        {"messages": turns[:1]},
        {"choices": [{"message": {"role": "assistant", "content": "[fraud 3]"}}]},
        {"request": {"messages": turns[:1]}, "response": {"choices": [{"message": {"content": "fine"}}]}},
        {"choices": [{"message": {"role": "assistant", "content": None, "refusal": "No."}}]},
    ]
    path.write_text("".join(json.dumps(record) + "\n" for record in records))
    decisions = [line["decision"] for line in run(*CHECK, str(path), "--json").lines]
    assert decisions == ["allow", "block", "block", "allow", "allow"]


def test_text_and_files(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fraud").write_text("hello")
    assert "Reading the file fraud" in run(*CHECK, "fraud").err
    assert run(*CHECK, "--text", "fraud").err == ""
    assert run(*CHECK, "no-such.jsonl", "--text").code == 0
    assert run(*CHECK, "What is in data.csv, please?").code == 0
    assert run(*CHECK, "--", "-1 [fraud 3]").code == 1
    assert "hyphen" in run(*CHECK, "-1 [fraud 3]").err


def test_standard_input(run: Run) -> None:
    assert run(*CHECK, stdin=b"[fraud 3]").code == 1
    assert run(*CHECK, "-", stdin=b"hello\n").code == 0
    ran = run(*CHECK, "-", "--json", stdin=b'{"text": "a"}\nbad\n')
    assert [line["status"] for line in ran.lines] == ["ok", "error"]
    ran = run(*CHECK, "--json", stdin=b'[{"text": "a"}, {"text": "[fraud 3]"}]')
    assert [line["decision"] for line in ran.lines] == ["allow", "block"]
    assert run(*CHECK, "--json", "--format", "jsonl", stdin=b"").code == 0
    ran = run(*CHECK, "--json", "--format", "lines", stdin="一\r\n二".encode())
    assert [line["id"] for line in ran.lines] == [1, 2]
    assert run(*CHECK, stdin=b"").code == 2


def test_several_files(run: Run, tmp_path: Path) -> None:
    first, second, third = tmp_path / "a.jsonl", tmp_path / "b.csv", tmp_path / "c.jsonl.gz"
    first.write_text('{"text": "a"}\n')
    second.write_text("answer,other\nx,y\n")
    third.write_bytes(gzip.compress(b'{"id": "c", "text": "[fraud 3]"}\n'))
    ran = run(*CHECK, str(first), str(second), str(third), "--json")
    assert [line["status"] for line in ran.lines] == ["ok", "error", "ok"]
    assert ran.lines[1]["error"]["remedy"].endswith("answer, other")
    assert ran.code == 1
    assert run(*CHECK, str(second), "--json").code == 2
    assert run(*CHECK, str(second), "--json", "--column", "answer").code == 0


def test_role_says_the_surface(run: Run) -> None:
    asked = run(*CHECK, "x", "--json").lines[0]["rules"]
    brought = run(*CHECK, "x", "--json", "--role", "tool").lines[0]["rules"]
    assert {rule["id"] for rule in asked} != {rule["id"] for rule in brought}


def test_limits(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text(json.dumps({"id": "long", "text": "x" * 101}) + "\n" + '{"text": "short"}\n')
    ran = run(*CHECK, str(path), "--json", "--max-chars", "100")
    assert [line["status"] for line in ran.lines] == ["error", "ok"]
    assert ran.lines[0]["id"] == "long"
    assert ran.code == 3


def test_summary(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n{"text": "[fraud 3]"}\nbad\n{"text": "[timeout 0]"}\n')
    ran = run(*CHECK, str(path), "--json", "--summary")
    summary = json.loads(ran.err.splitlines()[-1])
    assert summary["records"] == 4
    assert summary["violations"] == 1
    assert summary["undecided"] == 2
    assert summary["errors"] == 1
    assert summary["decisions"] == {"allow": 1, "block": 1, "escalate": 2}
    assert summary["rules"] == {"fraud": 1}
    assert summary["exit"] == ran.code == 1


def test_interrupted(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from .conftest import Obedient

    before = Obedient.check

    def check(self, exchanges, policy):  # type: ignore[no-untyped-def]
        if "stop" in exchanges[0].text:
            raise KeyboardInterrupt
        return before(self, exchanges, policy)

    monkeypatch.setattr(Obedient, "check", check)
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n{"text": "stop"}\n{"text": "c"}\n')
    ran = run(*CHECK, str(path), "--json", "--batch-size", "1")
    assert ran.code == 130
    assert len(ran.lines) == 1
    assert "1 records" in json.loads(ran.err)["warning"]["what"]


def test_coverage_is_told_before_the_results(run: Run) -> None:
    ran = run("check", "hello", "--guard", "rules")
    assert ran.code == 3
    assert "cannot judge 23 of the 25 rules" in " ".join(ran.err.split())
    ran = run("check", "hello", "--guard", "rules", "--json")
    assert "23" in json.loads(ran.err.splitlines()[0])["warning"]["what"]
