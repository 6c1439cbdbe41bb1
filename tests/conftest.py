"""What all suites share: time budgets, and where the public sets are."""

from __future__ import annotations

import os
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# Machines that run tests are busy: how long one example takes says nothing.
settings.register_profile("sekisho", deadline=None)
settings.load_profile("sekisho")

# Seconds of test time a suite (a folder of tests/) may take on two cores, so that later suites have room.
# Checked when SEKISHO_BUDGET is set, as `make test` does.
BUDGETS = {
    "core": 30,
    "policy": 60,
    "guards": 150,
    "evals": 120,
    "cli": 120,
    "data": 40,
    "train": 60,
    "docs": 60,
}
DEFAULT_BUDGET = 20


@pytest.fixture(scope="session")
def public_data() -> Path:
    """The folder with `eval/`, `train/` and `model_spec/` that SEKISHO_DATA names."""
    folder = os.environ.get("SEKISHO_DATA")
    if not folder:
        pytest.skip("SEKISHO_DATA is not set: the public sets are not here")
    return Path(folder)


_spent: dict[str, float] = defaultdict(float)


def pytest_runtest_logreport(report: Any) -> None:
    parts = Path(report.nodeid.split("::", 1)[0]).parts
    if len(parts) > 2:
        _spent[parts[1]] += report.duration


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    if not os.environ.get("SEKISHO_BUDGET") or hasattr(session.config, "workerinput"):
        return
    over = [suite for suite, spent in _spent.items() if spent > BUDGETS.get(suite, DEFAULT_BUDGET)]
    if over and exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if not os.environ.get("SEKISHO_BUDGET"):
        return
    terminalreporter.section("time by suite")
    for suite, spent in sorted(_spent.items()):
        budget = BUDGETS.get(suite, DEFAULT_BUDGET)
        word = "OVER BUDGET" if spent > budget else "ok"
        terminalreporter.write_line(f"{suite:10} {spent:6.1f} s of {budget:4} s  {word}")
    for report in terminalreporter.stats.get("skipped", []):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        terminalreporter.write_line(f"SKIPPED {report.nodeid}: {reason}", yellow=True)
