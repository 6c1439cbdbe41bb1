"""Where records come from: a file or a stream of bytes, opened, unpacked and decoded as it is read."""

from __future__ import annotations

import codecs
import gzip
import io
import os
import re
import stat
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import IO, Final, cast

from .faults import Fault
from .record import Reading

CHUNK: Final = 1 << 16
_GZIP = b"\x1f\x8b"
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16, whose mark it begins with
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
    (codecs.BOM_UTF8, "utf-8"),
)
_PATH = re.compile(r"(\.{1,2}[/\\]|[/\\]|~[/\\]|[A-Za-z]:[/\\])\S+\Z")
_NAMED = re.compile(r".*\.(jsonl|ndjson|json|csv|tsv|parquet|txt|md|log)(\.gz)?\Z|.*\.gz\Z", re.IGNORECASE)
BAD = re.compile("[\udc80-\udcff]")
"""A byte that could not be decoded."""


class Format(StrEnum):
    """What a file's bytes are."""

    JSONL = "jsonl"
    JSON = "json"
    CSV = "csv"
    TSV = "tsv"
    PARQUET = "parquet"
    TEXT = "text"
    """The whole input is one text."""
    LINES = "lines"
    """Every line is a text."""

    @classmethod
    def of_name(cls, name: str) -> Format:
        """By the ending; what has none that we know is a text."""
        ending = Path(name.lower().removesuffix(".gz")).suffix
        return {".jsonl": cls.JSONL, ".ndjson": cls.JSONL, ".json": cls.JSON, ".csv": cls.CSV,
                ".tsv": cls.TSV, ".parquet": cls.PARQUET}.get(ending, cls.TEXT)  # fmt: skip


def is_path_like(text: str) -> bool:
    """Would a person who typed this mean a file? Asked only of what does not exist."""
    return "\n" not in text and len(text) < 260 and bool(_PATH.match(text) or _NAMED.match(text))


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end. `fault` is set when it could not be read whole."""

    number: int
    text: str
    fault: Fault | None = None


class Source:
    """An input that is read once, from its beginning to its end.

    name: what messages call it. stream: bytes that are already open (standard input); otherwise `name`
    is the path of a file. Raises `Fault` for a path that cannot be read.
    """

    def __init__(self, name: str, *, stream: IO[bytes] | None = None, format: Format | None = None) -> None:
        self.name = name
        self.path = None if stream is not None else Path(name)
        self.size: int | None = None
        """Bytes on disk; None for a stream."""
        if self.path is not None:
            self.size = _checked_size(self.path, name)
        self._given = stream
        self._raw: IO[bytes] | None = None
        self._read = 0
        self._format = format
        self._head: bytes | None = None

    @property
    def format(self) -> Format:
        """As given, or by the name; of a stream by how it begins."""
        if self._format is None:
            self._format = Format.of_name(self.name) if self.path is not None else _format_of(self.head)
        return self._format

    @property
    def position(self) -> int:
        """Bytes read so far, as they lie on disk."""
        if self._raw is None or self._given is not None:
            return self._read
        try:
            return self._raw.tell()
        except (OSError, ValueError):
            return self._read

    @property
    def head(self) -> bytes:
        """The first bytes."""
        if self._head is None:
            self._stream = self._open()
            head = piece = self._more()
            while piece and len(head) < 4 and b"\n" not in head:  # a byte order mark may arrive in pieces
                piece = self._more()
                head += piece
            self._head = head
        return self._head

    def pieces(self) -> Iterator[bytes]:
        """The bytes, unpacked. Raises `Fault` where they break off."""
        piece = self.head
        while piece:
            self._read += len(piece)
            yield piece
            piece = self._more()

    def close(self) -> None:
        if self._raw is not None and self._given is None:
            self._raw.close()

    def _open(self) -> IO[bytes]:
        if self._given is not None:
            self._raw = self._given
        else:
            assert self.path is not None
            try:
                self._raw = self.path.open("rb")
            except OSError as error:
                raise Fault("unreadable", where=self.name, reason=error.strerror or "error") from None
        raw = self._raw
        buffered = raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw)  # type: ignore[type-var]
        try:
            packed = buffered.peek(2)[:2] == _GZIP
        except OSError as error:
            raise Fault("unreadable", where=self.name, reason=error.strerror or "error") from None
        return cast(IO[bytes], gzip.GzipFile(fileobj=buffered) if packed else buffered)

    def _more(self) -> bytes:
        """What has arrived, not what would fill a buffer: a line on a pipe is judged when it is there."""
        try:
            piece: bytes = self._stream.read1(CHUNK)  # type: ignore[attr-defined]
        except (OSError, EOFError, zlib.error) as error:
            packed = isinstance(error, EOFError | zlib.error | gzip.BadGzipFile)
            reason = "the compressed data is damaged" if packed else "it cannot be read"
            raise Fault("stream", where=self.name, reason=reason) from None
        return piece


class Decoded:
    """A source's characters. Bytes that are not in the encoding become `BAD` marks, to be found by record."""

    def __init__(self, source: Source, reading: Reading) -> None:
        self.source = source
        self._encoding, self._skip = _encoding(source, reading.encoding)
        wide = self._encoding.startswith(("utf-16", "utf-32"))
        self._errors = "surrogatepass" if wide else "surrogateescape"
        self._decoder = codecs.getincrementaldecoder(self._encoding)("sekisho.mark" if wide else self._errors)

    def pieces(self) -> Iterator[str]:
        """Characters as they arrive; never an empty string. Raises `Fault` where the bytes break off."""
        skip = self._skip
        for piece in self.source.pieces():
            text = self._decoder.decode(piece[skip:])
            skip = 0
            if text:
                yield text
        text = self._decoder.decode(b"", True)
        if text:
            yield text

    def length(self, text: str) -> int:
        """How many bytes these characters were."""
        try:
            return len(text.encode(self._encoding, self._errors))
        except UnicodeError:
            return len(text)

    def bad(self, text: str, *, at: int, where: str) -> Fault | None:
        """The fault of a text that begins at byte `at`, if some of its bytes are not in the encoding."""
        found = BAD.search(text)
        if found is None:
            return None
        offset = at + self.length(text[: found.start()])
        return Fault("encoding", where=where, offset=offset, encoding=self._encoding.upper())

    @property
    def start(self) -> int:
        """The byte at which the text begins."""
        return self._skip

    def lines(self, limit: int) -> Iterator[Line]:
        r"""Lines as `wc` counts them: ended by \n, with a \r before it taken off.

        A line of more than `limit` characters is not kept and has a fault. Where the input breaks off,
        the last line says so.
        """
        number, base = 0, self.start
        pending: list[str] = []  # of a line that has not ended yet
        kept = lost = 0  # characters in `pending`; bytes of a line that is too long
        broken: Fault | None = None
        pieces = self.pieces()
        while broken is None:
            try:
                piece = next(pieces, None)
            except Fault as fault:
                broken, piece = fault, None
            if piece is None:
                break
            if "\n" not in piece:
                if kept <= limit:
                    pending.append(piece)
                    kept += len(piece)
                else:
                    lost += self.length(piece)
                continue
            text = "".join((*pending, piece))
            end = text.rindex("\n") + 1
            at = 0
            while at < end:
                number += 1
                stop = text.index("\n", at)
                line = text[at:stop]
                first = base + self.length(text[:at]) if BAD.search(line) else 0
                yield self._line(number, line, first, limit)
                at, base, lost = stop + 1, base + lost, 0
            base += self.length(text[:end])
            pending, kept = [text[end:]], len(text) - end
        number += 1
        if broken is not None:  # what there is of the last line is not judged for the whole of it
            where = f"{self.source.name}:{number}"
            yield Line(number, "", Fault("stream", where=where, **broken.values))
        elif kept:
            yield self._line(number, "".join(pending), base, limit)

    def _line(self, number: int, text: str, at: int, limit: int) -> Line:
        where = f"{self.source.name}:{number}"
        if len(text) > limit:
            return Line(number, "", Fault("too_long", where=where, limit=limit))
        return Line(number, text.removesuffix("\r"), self.bad(text, at=at, where=where))


def _checked_size(path: Path, name: str) -> int | None:
    try:
        facts = path.stat()
    except (OSError, ValueError) as error:
        if isinstance(error, PermissionError):
            raise Fault("unreadable", where=name, reason=error.strerror or "error") from None
        raise Fault("missing", where=name) from None
    if stat.S_ISDIR(facts.st_mode):
        raise Fault("folder", where=name)
    if not os.access(path, os.R_OK):
        raise Fault("unreadable", where=name, reason="Permission denied")
    return facts.st_size if stat.S_ISREG(facts.st_mode) else None


def _encoding(source: Source, given: str | None) -> tuple[str, int]:
    """The encoding, and how many bytes its mark takes."""
    head = source.head
    found = next(((name, len(mark)) for mark, name in _MARKS if head.startswith(mark)), None)
    if given is None:
        return found or ("utf-8", 0)
    try:
        name = codecs.lookup(given).name
        io.TextIOWrapper(io.BytesIO(), encoding=name)  # there are codecs that are none of texts, such as hex
    except (LookupError, ValueError):
        raise Fault("codec", where="--encoding") from None
    if name in ("utf-8", "utf-8-sig"):
        return ("utf-8", 3) if head.startswith(codecs.BOM_UTF8) else ("utf-8", 0)
    if name in ("utf-16", "utf-32"):
        return found if found and found[0].startswith(name) else (f"{name}-le", 0)
    return (name, found[1]) if found and found[0] == name else (name, 0)


def _format_of(head: bytes) -> Format:
    """What a stream holds: JSON begins with a brace or a bracket, and prose seldom does."""
    for mark, name in _MARKS:
        if head.startswith(mark):
            head = head[len(mark) :].decode(name, "replace").encode()
            break
    begin = head.lstrip()[:64]
    if begin.startswith(b"{"):
        return Format.JSONL
    if begin.startswith(b"[") and begin[1:].lstrip()[:1] in (b"{", b"]", b""):
        return Format.JSON
    return Format.PARQUET if begin.startswith(b"PAR1") else Format.TEXT


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udcff", error.end


codecs.register_error("sekisho.mark", _mark)
