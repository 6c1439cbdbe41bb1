"""What only a process of its own shows: streams, pipes, signals, start-up. Few, because they are slow."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SEKISHO = [sys.executable, "-m", "sekisho.cli"]
ENVIRONMENT = {**os.environ, "LC_ALL": "C.UTF-8", "COLUMNS": "80"}


def test_json_on_stdout_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'\xef\xbb\xbf{"text": "\xe3\x81\x82"}\r\nnonsense\r\n')
    done = subprocess.run(
        [*SEKISHO, "check", str(path), "--guard", "rules", "--json", "--redact"],
        capture_output=True, env={**ENVIRONMENT, "LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, check=False,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line.get("redacted") for line in lines] == ["あ", None]
    assert done.returncode == 3
    assert done.stdout.isascii()


def test_nothing_heavy_is_imported() -> None:
    code = (
        "import sys; from sekisho.cli import main; main(['check', 'x', '--guard', 'rules', '--json'])\n"
        "heavy = {'sklearn', 'scipy', 'pyarrow', 'onnxruntime', 'torch', 'altair', 'jinja2', 'phonenumbers',"
        " 'rich', 'pandas'}\n"
        "print(sorted(heavy & sys.modules.keys()), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=ENVIRONMENT, check=True
    )
    assert done.stderr.splitlines()[-1] == "[]"


@pytest.mark.skipif(os.name == "nt", reason="POSIX pipes")
def test_a_reader_who_leaves(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"text": "a"}\n' * 3000)
    for arguments in (("check", str(path), "--guard", "rules", "--json"), ("check", "--help")):
        process = subprocess.Popen(
            [*SEKISHO, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT
        )
        assert process.stdout is not None
        assert process.stderr is not None
        if arguments[-1] == "--json":
            process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read()
        process.stderr.close()
        assert b"Traceback" not in said
        assert b"BrokenPipe" not in said
        assert process.wait(30) in (141, 0)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_lines_are_judged_as_they_come_and_an_interrupt_keeps_them() -> None:
    process = subprocess.Popen(
        [*SEKISHO, "check", "-", "--guard", "rules", "--json", "--format", "jsonl", "--batch-size", "1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENVIRONMENT,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdin.write(b'{"id": "first", "text": "a"}\n')
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["id"] == "first"
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 130
    assert "interrupted" in json.loads(process.stderr.read().splitlines()[-1])["warning"]["what"]
    for stream in (process.stdin, process.stdout, process.stderr):
        stream.close()
