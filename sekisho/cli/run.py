"""Run the command and turn what goes wrong into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import typer

from sekisho.core import SekishoError

from .catalog import Language, Words, language_of
from .exits import Exit


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `sekisho` with these arguments (default: the process's own). Returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        return _run(given)
    except BrokenPipeError:
        # Whoever read our output has left (`| head`): nobody is there to be told.
        _forget_output()
        return Exit.BROKEN_PIPE


def _run(given: list[str]) -> int:
    from .app import app

    told = _Told(given)
    try:
        code = app(args=given, prog_name="sekisho", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else Exit.OK
    except SekishoError as error:
        told.expected(error)
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        told.interrupted()
        return Exit.INTERRUPTED
    except BrokenPipeError:
        raise
    except SystemExit:  # how typer ends when the reader of its help has left
        raise BrokenPipeError from None
    except OSError as error:
        _forget_output()
        told.system(error)
        return Exit.FAULT
    except Exception as error:
        # The class of typer's own errors has moved between its releases; what they can do has not.
        if hasattr(error, "format_message") and hasattr(error, "exit_code"):
            told.usage(error)
            return Exit.USAGE
        told.unexpected(error)
        return Exit.FAULT


def _forget_output() -> None:
    """Without this the interpreter would complain when it flushes stdout at the end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


class _Told:
    """How errors are told. Read from the raw arguments, because those may be what is wrong."""

    def __init__(self, given: list[str]) -> None:
        options = given[: given.index("--")] if "--" in given else given
        self.json = "--json" in options
        self.debug = "--debug" in options or bool(os.environ.get("SEKISHO_DEBUG"))
        language = Language.EN if self.json else language_of()
        for place, option in enumerate(options):
            value = option.partition("=")[2] if option.startswith("--lang=") else None
            if option == "--lang" and place + 1 < len(options):
                value = options[place + 1]
            if value in set(Language):
                language = Language(value)
        self.words = Words(language)

    def expected(self, error: SekishoError) -> None:
        what, remedy = worded(error, self.words)
        self._line(what, where=error.where, remedy=remedy)

    def usage(self, error: Any) -> None:
        option = getattr(error, "option_name", None)
        if option is not None and (not option.startswith("--") or " " in option):
            # Probably a text that begins with a hyphen; it is not repeated.
            return self._line(self.words("usage.hyphen"), remedy=self.words("usage.hyphen.remedy"))
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "sekisho"
        what = " ".join(str(error.format_message()).split()).rstrip(".")
        return self._line(what, where=path, remedy=self.words("usage.help", command=path))

    def interrupted(self) -> None:
        self._line(self.words("interrupted"))

    def system(self, error: OSError) -> None:
        if self.debug:
            import traceback

            traceback.print_exception(error)
        what = self.words("system", reason=error.strerror or type(error).__name__)
        self._line(what, remedy=self.words("system.remedy"))

    def unexpected(self, error: Exception) -> None:
        if self.debug:
            import traceback

            traceback.print_exception(error)
        self._line(
            self.words("unexpected", kind=type(error).__name__), remedy=self.words("unexpected.remedy")
        )

    def _line(self, what: str, *, where: str | None = None, remedy: str | None = None) -> None:
        if self.json:
            from .terminal import dumped

            fields = {"what": what, "where": where, "remedy": remedy}
            text = dumped({"error": fields}, stream=sys.stderr)
        else:
            said = f"{where}: {what}" if where else what
            text = sentences(self.words("error"), said, remedy, words=self.words)
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


def worded(error: SekishoError, words: Words) -> tuple[str, str | None]:
    """What happened and what to do, in the language of `words` where the catalogue has it."""
    code, values = getattr(error, "code", None), getattr(error, "values", None)
    if values is None or not words.has(f"fault.{code}"):
        return error.what, error.remedy
    kind = f"kind.{values.get('found')}"
    filled = {**values, "found": words(kind)} if words.has(kind) else values
    return words(f"fault.{code}", **filled), words(f"fault.{code}.remedy", **filled)


def sentences(head: str, *pieces: str | None, words: Words) -> str:
    """Sentences with full stops after a head. What the rooms say is English in every language."""
    text = head
    for piece in pieces:
        if piece:
            text += "" if not text or text.endswith(("。", "：")) else " "
            stop = "." if piece.isascii() else words("full_stop")
            text += piece if piece.endswith((".", "。", "?", "!", "…")) else piece + stop
    return text
