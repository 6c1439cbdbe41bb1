"""The command's tree."""

from __future__ import annotations

from typing import Annotated

import typer

from . import check, demo, evaluate, feedback, guards, policy
from .terminal import DebugOption

EXAMPLES = """Examples:

sekisho check "How do I reset my router?"

sekisho check prompts.jsonl --json

sekisho policy lint my-policy.md

sekisho demo"""

app = typer.Typer(
    name="sekisho",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True, epilog=EXAMPLES)
def sekisho(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
    debug: DebugOption = False,
) -> None:
    """Write your safety policy once, in Markdown; get a guard to run, attack, measure and answer for."""
    if version:
        from sekisho import __version__

        typer.echo(f"sekisho {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


app.command(epilog=check.EXAMPLES)(check.check)
app.command(epilog=demo.EXAMPLES)(demo.demo)
app.command(epilog=feedback.EXAMPLES)(feedback.feedback)
app.add_typer(policy.app, name="policy")
app.add_typer(guards.app, name="guards")
app.add_typer(evaluate.app, name="eval")
