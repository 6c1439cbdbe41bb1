"""What people see: at 80 columns, without colour, in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from rich.cells import cell_len

from .conftest import Run

SNAPSHOTS = Path(__file__).parent / "snapshots"
CHECK = ("check", "--guard", "obedient")


def compare(name: str, found: str) -> None:
    """With the stored text; set UPDATE in the environment to store it anew."""
    import os

    path = SNAPSHOTS / f"{name}.txt"
    found = re.sub(r"sha256:[0-9a-f]{64}|\b[0-9a-f]{8}\b|\d\.\d (?:s|秒)", "#", found)
    if os.environ.get("UPDATE"):
        path.write_text(found, encoding="utf-8")
    assert found == path.read_text(encoding="utf-8")
    assert max(map(cell_len, found.splitlines())) <= 80


@pytest.fixture
def records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    lines = [
        '{"id": "a", "text": "hello"}',
        '{"id": "b", "text": "pay me [fraud 3] and [hate 2] \\u001b[2J"}',
        "nonsense",
        '{"id": "c", "text": "I am [personal_data 3]."}',
        '{"id": "d", "text": "[timeout 0]"}',
        '{"id": "e", "text": 5}',
    ]
    Path("records.jsonl").write_text("\n".join(lines) + "\n")
    return "records.jsonl"


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("allowed", "hello"),
        ("violation", "pay me [fraud 3] and [hate 2] \x1b[2J"),
        ("undecided", "[timeout 0]"),
    ],
)
def test_one_text(run: Run, name: str, text: str, language: str) -> None:
    ran = run(*CHECK, text, "--lang", language, "--explain", "--redact")
    assert "\x1b" not in ran.out
    compare(f"{name}.{language}", ran.out)


@pytest.mark.parametrize("language", ["en", "ja"])
def test_many_records(run: Run, records: str, language: str) -> None:
    ran = run(*CHECK, records, "--lang", language, "--explain", "--redact")
    assert ran.code == 1
    compare(f"many.{language}", ran.out)


def test_one_record_that_cannot_be_read(run: Run) -> None:
    compare("bad", run(*CHECK, "-", "--format", "jsonl", stdin=b"nonsense").out)


def test_more_violations_than_are_listed(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "[fraud 3]"}\n' * 60)
    ran = run(*CHECK, str(path))
    assert "… and 10 more" in ran.out
    assert "60 records, 60 with a violation" in ran.out


def test_no_records(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("")
    ran = run(*CHECK, str(path))
    assert ran.code == 0
    assert "no record" in ran.err


@pytest.mark.parametrize(
    "arguments", [(), ("policy",), ("guards",), ("eval",), ("--help",), ("check", "--help")]
)
def test_help(run: Run, arguments: tuple[str, ...]) -> None:
    ran = run(*arguments)
    assert ran.code == 0
    assert "Usage: sekisho" in ran.out
    assert max(map(len, ran.out.splitlines())) <= 80


def test_version(run: Run) -> None:
    from sekisho import __version__

    assert run("--version").out == f"sekisho {__version__}\n"


def test_a_full_disk(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("sekisho.cli.terminal.Terminal.record", full)
    ran = run("check", "x", "--guard", "obedient", "--json")
    assert ran.code == 4
    assert "No space left on device" in ran.err


def test_an_unexpected_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ValueError("zebra text")

    monkeypatch.setattr("sekisho.policy.load_policy", broken)
    ran = run("check", "x", "--guard", "obedient")
    assert ran.code == 4
    assert ran.err.startswith("error: something unexpected happened (ValueError). ")
    assert "zebra" not in ran.err
    assert "Traceback" not in ran.err
    assert "Traceback" in run("check", "x", "--guard", "obedient", "--debug").err
