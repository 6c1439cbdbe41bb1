"""Where output goes: results to stdout, everything else to stderr."""

from __future__ import annotations

import json
import sys
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .catalog import Language, Words, language_of

if TYPE_CHECKING:
    from rich.console import Console

LangOption = Annotated[
    Language | None,
    typer.Option(
        "--lang", help="Language of what is shown: en or ja.", show_default="SEKISHO_LANG or locale"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DebugOption = Annotated[bool, typer.Option("--debug", help="Show the traceback of an unexpected error.")]


class Terminal:
    """One command's output. In JSON mode people's words stay on stderr, and are JSON there too."""

    def __init__(self, *, lang: Language | None = None, json: bool = False) -> None:
        # JSON is for programs: its messages do not depend on the locale.
        self.language = lang or (Language.EN if json else language_of())
        self.is_json = json
        self.words = Words(self.language)

    @cached_property
    def out(self) -> Console:
        """For results."""
        return _console(sys.stdout)

    @cached_property
    def err(self) -> Console:
        """For notes, warnings and progress."""
        return _console(sys.stderr)

    def record(self, value: Any) -> None:
        """One JSON object on one line of stdout."""
        sys.stdout.write(dumped(value, stream=sys.stdout) + "\n")

    def document(self, value: Any) -> None:
        """One JSON value on stdout, indented."""
        sys.stdout.write(dumped(value, stream=sys.stdout, indent=2) + "\n")

    def note(self, key: str, /, **values: object) -> None:
        """A remark on stderr for people; programs do not need it."""
        if not self.is_json:
            self.err.print(self.words(key, **values), style="dim", markup=False, highlight=False)

    def warn(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        """A warning on stderr, loud."""
        if self.is_json:
            fields = {"what": what, "where": where, "remedy": remedy}
            sys.stderr.write(dumped({"warning": fields}, stream=sys.stderr) + "\n")
            sys.stderr.flush()
            return
        from rich.text import Text

        from .run import sentences
        from .shown import folded, printable

        head = self.words("warning")
        line = sentences(head, f"{where}: {what}" if where else what, remedy, words=self.words)
        text = Text(folded(printable(line), self.err.width), style="yellow")
        text.stylize("bold", 0, len(head))
        self.err.print(text)


def dumped(value: Any, *, stream: Any, indent: int | None = None) -> str:
    """JSON that the stream can carry."""
    plain = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "") not in ("utf8", "utf8sig")
    return json.dumps(value, ensure_ascii=plain, indent=indent)


def _console(stream: Any) -> Console:
    from rich.console import Console

    if hasattr(stream, "reconfigure"):
        stream.reconfigure(errors="replace")  # a character that the terminal lacks must not end the run
    # Widths that rich guesses for a pipe (80) are right for people who page or save the output.
    return Console(file=stream, highlight=False, soft_wrap=False)
