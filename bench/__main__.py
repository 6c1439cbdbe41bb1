"""Run benchmarks by name; without a name all that need no data, and with --data all."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from sekisho.core import SekishoError

from . import designs, evasion, guards, latency, peers, startup
from .result import RESULTS, Options

BENCHMARKS = {
    "startup": startup,
    "latency": latency,
    "evasion": evasion,
    "peers": peers,
    "designs": designs,
    "guards": guards,
}


def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of: {', '.join(BENCHMARKS)}.")] = None,
    data: Annotated[Path | None, typer.Option(help="Folder with eval/NAME.jsonl.gz.")] = None,
    guard: Annotated[list[str] | None, typer.Option(help="Guard; may be given several times.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most so many texts of a set.")] = None,
    out: Annotated[Path, typer.Option(help="Where results go.")] = RESULTS,
) -> None:
    """Measure and write bench/results/NAME.json."""
    unknown = [name for name in names or () if name not in BENCHMARKS]
    if unknown:
        raise typer.BadParameter(f"there is no benchmark {unknown[0]!r}; there are: {', '.join(BENCHMARKS)}")
    options = Options(
        data=data,
        guards=tuple(guard or ("fast", "base")),
        limit=limit,
        out=out,
        command=shlex.join(["python", "-m", "bench", *sys.argv[1:]]),
    )
    failed = False
    for name in names or [n for n, one in BENCHMARKS.items() if data is not None or not one.NEEDS_DATA]:
        typer.secho(name, bold=True)
        try:
            if BENCHMARKS[name].NEEDS_DATA and data is None:
                raise typer.BadParameter(f"{name} needs --data DIR")
            result = BENCHMARKS[name].run(options)
        except SekishoError as error:
            typer.secho(f"  {error}", fg="red", err=True)
            failed = True
            continue
        for line in result.lines():
            typer.echo(f"  {line}")
        typer.echo(f"  → {result.write(out)}")
    raise typer.Exit(1 if failed else 0)


typer.run(main)
