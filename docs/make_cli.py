"""Write the reference in docs/cli.md from the command itself: `python docs/make_cli.py`.

What stands above the mark is written by hand. A test compares, so the page cannot fall behind.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer.main

from sekisho.cli.app import app

PAGE = Path(__file__).with_name("cli.md")
MARK = "<!-- Below this line: made from the command by docs/make_cli.py. -->\n"
_MARKUP = re.compile(r"\\(\[)")


def page(before: str) -> str:
    """The whole page, its upper part taken from the page as it was."""
    command = typer.main.get_command(app)
    return before.partition(MARK)[0] + MARK + "".join(f"\n{part}\n" for part in _sections(command, "sekisho"))


def _sections(command: Any, path: str) -> Iterator[str]:
    children = getattr(command, "commands", {})
    if not children or path == "sekisho":
        yield _section(command, path)
    for name, child in children.items():
        yield from _sections(child, f"{path} {name}")


def _section(command: Any, path: str) -> str:
    arguments = [p for p in command.params if p.param_type_name == "argument"]
    options = [p for p in command.params if p.param_type_name == "option"]
    usage = " ".join([path, *(_metavar(p) for p in arguments), "[OPTIONS]" if options else ""]).strip()
    lines = [f"## `{path}`", "", *_paragraphs(command.help or ""), "```", usage, "```"]
    if arguments or options:
        lines += ["", "| option | meaning | default |", "|---|---|---|"]
        lines += [f"| `{_cell(_metavar(p))}` | {_cell(p.help)} | {_default(p)} |" for p in arguments]
        lines += [f"| {_names(p)} | {_cell(p.help)} | {_default(p)} |" for p in options]
    return "\n".join(lines + _examples(command.epilog))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in text.split("\n\n"):
        yield " ".join(_MARKUP.sub(r"\1", paragraph).split())
        yield ""


def _metavar(parameter: Any) -> str:
    return str(parameter.metavar or parameter.name.upper())


def _names(parameter: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*parameter.opts, *parameter.secondary_opts])
    return f"{names} `{_cell(parameter.metavar)}`" if parameter.metavar else names


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _default(parameter: Any) -> str:
    shown = getattr(parameter, "show_default", None)
    if isinstance(shown, str):
        return shown
    value = parameter.default
    if value is None or value is False or not isinstance(value, str | int):
        return ""
    return f"`{getattr(value, 'value', value)}`"


def _examples(epilog: str | None) -> list[str]:
    if not epilog:
        return []
    kept = [" ".join(line.split()) for line in epilog.split("\n\n")]
    return ["", "```", *(line for line in kept if line.startswith(("sekisho", "curl"))), "```"]


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
