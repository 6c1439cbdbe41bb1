"""`sekisho check`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sekisho.core import Role
from sekisho.data.records import MAX_CHARS, Format, Reading

from .bound import GuardOption, PolicyOption, load, warn_of_coverage
from .exits import Exit
from .inputs import Given, find_inputs
from .outcome import Totals, outcomes
from .terminal import DebugOption, JsonOption, LangOption, Terminal, dumped

if TYPE_CHECKING:
    from .results import Results

EXAMPLES = """Examples:

sekisho check "How do I reset my router?"

sekisho check prompts.jsonl --json > verdicts.jsonl

sekisho check answers.csv --column answer --role assistant

curl -s https://example.org | sekisho check - --role tool --explain

sekisho check "My card is 4111 1111 1111 1111" --redact

Exit codes: 0 everything allowed · 1 at least one violation · 2 the command cannot be used ·
3 no violation, but something could not be judged · 4 unexpected error. 1 wins over 3."""


def check(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT|FILE…|-]",
            help="A text in quotation marks, files (.jsonl .json .csv .tsv .parquet .txt, also .gz), or - "
            "for standard input. What exists is a file; anything else is a text.",
            show_default=False,
        ),
    ] = None,
    *,
    guard: GuardOption = "fast",
    policy: PolicyOption = "base",
    role: Annotated[Role, typer.Option(help="Who speaks, where a record does not say.")] = Role.USER,
    text: Annotated[
        bool, typer.Option("--text", help="Take the argument as text, whatever it looks like.")
    ] = False,
    format: Annotated[
        Format | None,
        typer.Option(
            help="Format of the input.", show_default="by the file's name, or by how standard input begins"
        ),
    ] = None,
    column: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Column or field with the text.", show_default="text or messages"),
    ] = None,
    encoding: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Encoding of the input.", show_default="UTF-8, or the byte order mark's"
        ),
    ] = None,
    redact: Annotated[
        bool, typer.Option("--redact", help="Give the text without what the policy redacts.")
    ] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show which passages, and why.")] = False,
    json: JsonOption = False,
    summary: Annotated[bool, typer.Option("--summary", help="Print totals as JSON on stderr.")] = False,
    batch_size: Annotated[
        int, typer.Option(min=1, max=100_000, help="Records that the guard gets at once.")
    ] = 64,
    max_chars: Annotated[
        int, typer.Option(min=1, max=100_000_000, help="A longer record is an error, not judged.")
    ] = MAX_CHARS,
    lang: LangOption = None,
    debug: DebugOption = False,
) -> None:
    """Check texts, conversations or whole files against a policy.

    A conversation is judged by its last message. Prints a verdict, or one JSON object per record with --json.
    """
    terminal = Terminal(lang=lang, json=json)
    reading = Reading(role=role, column=column, encoding=encoding, max_chars=max_chars)
    given = find_inputs(inputs or (), as_text=text, format=format, words=terminal.words, note=terminal.note)
    bound, document = load(guard, policy)
    warn_of_coverage(bound, terminal)
    totals = Totals()
    results: Results | None = None
    if not json:
        from .results import Results

        shown = document.in_language(terminal.language.value)
        results = Results(terminal, shown, redact=redact, explain=explain)
    interrupted = False
    try:
        with _progress(given, terminal) as advance:
            for pack in outcomes(given.records(reading), bound, batch=batch_size):
                for outcome in pack:
                    totals.add(outcome)
                    if results is not None:
                        results.add(outcome)
                    else:
                        terminal.record(
                            outcome.line(guard=bound.name, policy=bound.policy.ref, redacted=redact)
                        )
                sys.stdout.flush()
                advance()
    except KeyboardInterrupt:
        interrupted = True
    if results is not None:
        results.show(totals, guard=bound.name)
    if interrupted:
        terminal.warn(terminal.words("check.interrupted", n=totals.records))
    elif not totals.records:
        terminal.warn(terminal.words("check.no_records"))
    if summary:
        facts: dict[str, Any] = {
            "guard": bound.name,
            "policy": bound.policy.ref.model_dump(),
            **totals.line(),
        }
        sys.stderr.write(dumped(facts, stream=sys.stderr) + "\n")
    raise typer.Exit(Exit.INTERRUPTED if interrupted else totals.exit)


@contextmanager
def _progress(given: Given, terminal: Terminal) -> Iterator[Any]:
    """A bar on stderr while files are read, where a person may be watching it."""
    total = given.size
    if not total or not sys.stderr.isatty() or (terminal.is_json and sys.stdout.isatty()):
        yield lambda: None
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=terminal.err, transient=True) as progress:
        task = progress.add_task(terminal.words("check.progress"), total=total)
        yield lambda: progress.update(task, completed=given.position)
