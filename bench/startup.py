"""How long a person waits: the whole process of one check, and what the imports cost."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

from sekisho.core import Measurement

from .result import Options, Result, result

NEEDS_DATA = False
RUNS = 10
IMPORTS = ("pass", "import sekisho", "import sekisho.core", "import sekisho.evals", "import sekisho.cli")


def run(options: Options) -> Result:
    """Wall time in seconds: median, and the fastest and slowest run as ends."""
    sekisho = str(Path(sys.executable).with_name("sekisho"))
    commands = {
        "check --guard fast": [sekisho, "check", "x", "--guard", "fast"],
        "--help": [sekisho, "--help"],
    }
    found = [_timed("process_seconds", name, command) for name, command in commands.items()]
    found += [_timed("import_seconds", code, [sys.executable, "-c", code]) for code in IMPORTS]
    return result("startup", options, found)


def _timed(name: str, what: str, command: list[str]) -> Measurement:
    elapsed = []
    for _ in range(RUNS + 1):
        started = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        elapsed.append(time.perf_counter() - started)
    warm = elapsed[1:]  # the first run fills the system's file cache
    return Measurement(
        name=name,
        subject="sekisho",
        value=statistics.median(warm),
        low=min(warm),
        high=max(warm),
        n=len(warm),
        method="median of whole processes after one that is not counted; ends: fastest and slowest",
        slice=what,
    )
