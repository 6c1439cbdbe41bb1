"""What a benchmark is given and what it leaves behind."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sekisho.core import ArtefactError, Measurement, Run, Value
from sekisho.evals.guard_report import Machine
from sekisho.evals.record import installed_versions, this_machine
from sekisho.guards import BoundGuard

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Options:
    """What was asked for on the command line."""

    data: Path | None
    guards: tuple[str, ...]
    limit: int | None
    out: Path
    command: str


class Result(Value):
    """The file `NAME.json`."""

    schema_version: str = "sekisho.bench/1"
    run: Run
    machine: Machine
    measurements: tuple[Measurement, ...]
    left_out: tuple[str, ...] = ()
    """What could not be measured here, and why."""

    def lines(self) -> list[str]:
        """One line a measurement, for the terminal."""
        shown = []
        for m in self.measurements:
            if m.value is None:
                continue
            ends = "" if m.low is None or m.high is None else f"  [{m.low:.4g}, {m.high:.4g}]"
            shown.append(f"{m.subject:16} {m.name:34} {m.slice:24} {m.value:10.4g}{ends}  n={m.n}")
        return [*shown, *(f"left out: {line}" for line in self.left_out)]

    def write(self, folder: Path) -> Path:
        """Write `folder/NAME.json` and return its path."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.run.name}.json"
        path.write_text(self.model_dump_json(indent=1) + "\n", encoding="utf-8")
        return path


def result(
    name: str, options: Options, measurements: Iterable[Measurement], *, left_out: Iterable[str] = ()
) -> Result:
    """The record of a benchmark that has just ended."""
    return Result(
        run=Run(
            name=name,
            command=options.command,
            started=datetime.now(UTC).isoformat(timespec="seconds"),
            versions=installed_versions(),
            arguments={"guards": ",".join(options.guards)},
        ),
        machine=this_machine(),
        measurements=tuple(measurements),
        left_out=tuple(left_out),
    )


def told(name: str, done: int, total: int) -> None:
    """Progress on stderr: one line a set or disguise."""
    if done >= total or name not in _TOLD:
        _TOLD.add(name)
        print(f"  {name} {done}/{total}", file=sys.stderr, flush=True)


_TOLD: set[str] = set()


def loaded(options: Options) -> tuple[list[BoundGuard], list[str]]:
    """The guards asked for, and those whose weights are not here."""
    import sekisho

    guards, missing = [], []
    for name in options.guards:
        try:
            guards.append(sekisho.load_guard(name))
        except ArtefactError as error:
            missing.append(f"{name}: {error.what}")
    return guards, missing
