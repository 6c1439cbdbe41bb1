"""`sekisho eval`: measure guards."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from .bound import PolicyOption, load, warn_of_coverage
from .catalog import Language
from .terminal import DebugOption, JsonOption, LangOption, Terminal

app = typer.Typer(help="Measure guards.")


@app.callback(invoke_without_command=True)
def evaluate(context: typer.Context) -> None:
    """Measure guards."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(
    epilog="Examples:\n\nsekisho eval guard --shipped\n\nsekisho eval guard --data DIR --guard fast "
    "--guard base --out report\n\nsekisho eval guard --data DIR --limit 200 --json\n\n"
    "sekisho eval guard --data DIR --neighbours corpus --with-texts --out private"
)
def guard(
    *,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder with eval/NAME.jsonl.gz: the public sets.", show_default=False
        ),
    ] = None,
    guards: Annotated[
        list[str] | None,
        typer.Option(
            "--guard", "-g", metavar="NAME", help="Guard; may be given several times.", show_default="fast"
        ),
    ] = None,
    policy: PolicyOption = "base",
    shipped: Annotated[
        bool, typer.Option("--shipped", help="Measure on the 600 shipped cases too; alone without --data.")
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="At most N texts of each set.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write report.json and index.html there.", show_default=False),
    ] = None,
    with_texts: Annotated[
        bool,
        typer.Option(
            "--with-texts",
            help="Show the texts of public sets beside the errors on the page; never in report.json. "
            "They are not ours to pass on: keep such a page to yourself.",
        ),
    ] = False,
    neighbours: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="The training corpus (corpus/ of a checkout): show with every error the training texts that "
            "are nearest to it for the guard.",
            show_default=False,
        ),
    ] = None,
    language: Annotated[
        Language | None, typer.Option(help="Language of the report.", show_default="as --lang")
    ] = None,
    json: JsonOption = False,
    lang: LangOption = None,
    debug: DebugOption = False,
) -> None:
    """Measure guards on public sets and on the shipped cases, every figure with n and an interval."""
    from sekisho.evals import ReportFile, TrainingCorpus, eval_sets, measure_guard, write_report

    terminal = Terminal(lang=lang, json=json)
    sets = [] if data is None else eval_sets(data)
    corpus = None if neighbours is None else TrainingCorpus.read(neighbours)
    if with_texts and (out is None or data is None):
        terminal.warn(terminal.words("eval.no_texts"), remedy=terminal.words("eval.no_texts.remedy"))
    reports = []
    for name in guards or ["fast"]:
        bound, _ = load(name, policy)
        warn_of_coverage(bound, terminal)
        with _progress(terminal) as progress:
            reports.append(
                measure_guard(
                    bound,
                    sets,
                    shipped=shipped or data is None,
                    limit=limit,
                    command=shlex.join(["sekisho", *sys.argv[1:]]),
                    with_texts=with_texts,
                    neighbours=corpus,
                    progress=progress,
                )
            )
    if out is not None:
        write_report(reports, out, language=(language or terminal.language).value)
        terminal.note("eval.written", folder=str(out))
        if with_texts and data is not None:
            terminal.warn(terminal.words("eval.with_texts"), where=str(out / "index.html"))
    if json:
        terminal.document(ReportFile(reports=tuple(reports)).model_dump(mode="json"))
        return
    from .evaluate_view import headline_table

    terminal.out.print(headline_table(reports, terminal))


@contextmanager
def _progress(terminal: Terminal) -> Iterator[Callable[[str, int, int], None] | None]:
    """A bar for each set on stderr, where a person may be watching."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import Progress, TaskID

    with Progress(console=terminal.err, transient=True) as progress:
        tasks: dict[str, TaskID] = {}

        def advance(name: str, done: int, total: int) -> None:
            if name not in tasks:
                key = f"eval.progress.{name}"
                shown = terminal.words(key) if terminal.words.has(key) else name
                tasks[name] = progress.add_task(shown, total=total)
            progress.update(tasks[name], completed=done)

        yield advance
