"""What `check` was given: a text, files, or standard input."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sekisho.core import InputError
from sekisho.data.records import Fault, Format, Reading, Record, Source, is_path_like, read_records, read_text

from .catalog import Words


@dataclass(frozen=True, slots=True)
class Given:
    """Either a text, or sources that are read one after the other."""

    text: str | None = None
    sources: tuple[Source, ...] = ()

    @property
    def size(self) -> int | None:
        """Bytes of all sources; None when one of them is a stream."""
        sizes = [source.size for source in self.sources]
        return None if None in sizes or not sizes else sum(size or 0 for size in sizes)

    @property
    def position(self) -> int:
        return sum(source.position for source in self.sources)

    def records(self, reading: Reading) -> Iterator[Record]:
        """Raises `Fault` for a source that cannot be used at all, unless others were read before it: then
        the fault is a record, so that the run goes on."""
        if self.text is not None:
            yield read_text(self.text, id=1, where="text", reading=reading)
            return
        begun = False
        for source in self.sources:
            try:
                for record in read_records(source, reading=reading):
                    begun = True
                    yield record
            except Fault as fault:
                if not begun:
                    raise
                yield Record(source.name, source.name, fault=fault)


def find_inputs(
    arguments: Sequence[str],
    *,
    as_text: bool,
    format: Format | None,
    words: Words,
    note: Callable[..., None],
) -> Given:
    """Tell texts from files: what exists is a file; what looks like a path has to exist; the rest is text."""
    if as_text:
        if len(arguments) != 1:
            raise InputError(words("input.one_text"), remedy=words("input.one_text.remedy"))
        return _text(arguments[0], words)
    if not arguments or list(arguments) == ["-"]:
        if not arguments and sys.stdin.isatty():
            raise InputError(words("input.nothing"), remedy=words("input.nothing.remedy"))
        source = Source("-", stream=sys.stdin.buffer, format=format)
        if format is None and not source.head:
            raise InputError(words("input.nothing"), where="-", remedy=words("input.nothing.remedy"))
        return Given(sources=(source,))
    texts = [a for a in arguments if not _is_file(a)]
    if len(arguments) == 1 and texts:
        return _text(arguments[0], words)
    if texts:
        raise InputError(words("input.several", n=len(arguments)), remedy=words("input.several.remedy"))
    sources = tuple(
        Source("-", stream=sys.stdin.buffer, format=format) if a == "-" else Source(a, format=format)
        for a in arguments
    )
    if len(sources) == 1:
        note("input.file", name=sources[0].name)
    else:
        note("input.files", n=len(sources))
    return Given(sources=sources)


def _text(text: str, words: Words) -> Given:
    """Refuses an empty one: in a script that is a variable that nobody has set, and no text to allow."""
    if not text.strip():
        raise InputError(words("input.nothing"), remedy=words("input.nothing.remedy"))
    return Given(text=text)


def _is_file(argument: str) -> bool:
    return argument == "-" or os.path.lexists(argument) or is_path_like(argument)
