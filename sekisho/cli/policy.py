"""`sekisho policy`: read, lint and compare policy documents."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sekisho.core import SekishoError

from .exits import Exit
from .terminal import DebugOption, JsonOption, LangOption, Terminal

app = typer.Typer(no_args_is_help=False, help="Read, lint and compare policy documents.")

PolicyArgument = Annotated[
    str,
    typer.Argument(
        metavar="NAME|FILE", help="A name in the library, or a Markdown file.", show_default=False
    ),
]


@app.callback(invoke_without_command=True)
def policy(context: typer.Context) -> None:
    """Read, lint and compare policy documents."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command(
    name="list",
    epilog="Examples:\n\nsekisho policy list\n\nsekisho policy list --json",
)
def list_policies(json: JsonOption = False, lang: LangOption = None, debug: DebugOption = False) -> None:
    """List the policies of the library."""
    from sekisho.policy import library, load_policy

    terminal = Terminal(lang=lang, json=json)
    documents = [(name, load_policy(name)) for name in library()]
    if json:
        terminal.document(
            [
                {
                    "name": name,
                    "id": document.policy.id,
                    "version": document.policy.version,
                    "title": document.policy.title,
                    "rules": len(document.policy.rules),
                    "languages": list(document.policy.languages),
                    "translations": sorted(document.overlays),
                    "digest": document.policy.digest,
                }
                for name, document in documents
            ]
        )
        return
    from .policy_view import library_table

    terminal.out.print(library_table(documents, terminal))


@app.command(
    epilog="Examples:\n\nsekisho policy show base\n\nsekisho policy show base --rule fraud --language ja\n\n"
    "sekisho policy show my-policy.md --json"
)
def show(
    file: PolicyArgument,
    *,
    rule: Annotated[str | None, typer.Option(metavar="ID", help="Show this rule in full.")] = None,
    language: Annotated[
        str | None,
        typer.Option(metavar="TAG", help="Read the text in this language.", show_default="as --lang"),
    ] = None,
    json: JsonOption = False,
    lang: LangOption = None,
    debug: DebugOption = False,
) -> None:
    """Show what a policy holds: its rules, or one rule with its examples."""
    from sekisho.policy import describe, load_policy

    terminal = Terminal(lang=lang, json=json)
    document = load_policy(file)
    if json:
        facts = describe(document)
        if language is not None:
            facts |= describe(document.in_language(language))
        if rule is not None:
            document.policy.rule(rule)  # raises for a rule that is not there
            facts = next(entry for entry in facts["rules"] if entry["id"] == rule)
        terminal.document(facts)
        return
    from .policy_view import show_policy, show_rule

    read = document.in_language(language or terminal.language.value)
    if rule is None:
        show_policy(read, document, terminal)
    else:
        show_rule(read.rule(rule), terminal)


@app.command(
    epilog="Examples:\n\nsekisho policy lint my-policy.md\n\nsekisho policy lint policies/*.md --json"
)
def lint(
    files: Annotated[
        list[str], typer.Argument(metavar="NAME|FILE…", help="Policies, or translations.", show_default=False)
    ],
    json: JsonOption = False,
    lang: LangOption = None,
    debug: DebugOption = False,
) -> None:
    """List everything that is wrong with policy documents, as file:line:column.

    Exit codes: 0 clean or warnings only, 1 errors, 2 a file cannot be opened.
    """
    from sekisho.policy import lint_file

    terminal = Terminal(lang=lang, json=json)
    problems = [problem for file in files for problem in lint_file(_opened(file))]
    errors = sum(problem.severity == "error" for problem in problems)
    counts = {"files": len(files), "errors": errors, "warnings": len(problems) - errors}
    if json:
        terminal.document({**counts, "problems": [problem.model_dump(mode="json") for problem in problems]})
    else:
        from .policy_view import problem_line

        for problem in problems:
            terminal.out.print(problem_line(problem), soft_wrap=True)
        terminal.note("lint.totals", **counts)
    raise typer.Exit(Exit.FOUND if errors else Exit.OK)


@app.command(
    epilog="Examples:\n\nsekisho policy diff base my-policy.md\n\n"
    "sekisho policy diff v1.md v2.md --guard fast --json"
)
def diff(
    old: PolicyArgument,
    new: PolicyArgument,
    *,
    guard: Annotated[
        str | None,
        typer.Option(
            "--guard", "-g", metavar="NAME", help="Also list the examples that this guard decides otherwise."
        ),
    ] = None,
    json: JsonOption = False,
    lang: LangOption = None,
    debug: DebugOption = False,
) -> None:
    """Show what changed between two policies, and which labelled examples flip.

    Exit codes: 0 the same, 1 different.
    """
    from sekisho.policy import diff as compare
    from sekisho.policy import flips, load_policy

    terminal = Terminal(lang=lang, json=json)
    before, after = load_policy(old), load_policy(new)
    difference = compare(before, after)
    judge = None
    if guard is not None:
        from sekisho.guards import load_guard_for

        judge = load_guard_for(guard)
    flipped = flips(difference, judge)
    same = difference.empty and not flipped
    if json:
        terminal.document(
            {
                "same": same,
                "old": before.policy.ref.model_dump(),
                "new": after.policy.ref.model_dump(),
                **difference.model_dump(mode="json", exclude={"old", "new"}),
                "flips": [flip.model_dump(mode="json") for flip in flipped],
            }
        )
    else:
        from .policy_view import show_difference

        show_difference(difference, flipped, terminal)
    raise typer.Exit(Exit.OK if same else Exit.FOUND)


@app.command(epilog="Examples:\n\nsekisho policy digest base\n\nsekisho policy digest my-policy.md --rules")
def digest(
    file: PolicyArgument,
    *,
    rules: Annotated[bool, typer.Option("--rules", help="Also print the digest of every rule.")] = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> None:
    """Print the digest of a policy: the same for the same decisions, whatever the wording of comments."""
    from sekisho.policy import load_policy

    found = load_policy(file).policy
    if json:
        facts = found.ref.model_dump()
        if rules:
            facts["rules"] = {rule.id: rule.digest for rule in found.rules}
        Terminal(json=True).document(facts)
        return
    lines = [found.digest] + [f"{rule.digest}  {rule.id}" for rule in found.rules if rules]
    sys.stdout.write("\n".join(lines) + "\n")


def _opened(file: str) -> str:
    """The same name, once it is clear that there is something to lint. Raises `SekishoError`."""
    from sekisho.data.records import Source
    from sekisho.policy import library

    if file not in library() or Path(file).exists():
        try:
            Source(file).close()
        except SekishoError as fault:
            if "/" in file or "\\" in file or file.endswith(".md") or Path(file).exists():
                raise
            del fault  # a name that the library lacks: its own error lists what there is
    return file
