"""JSON files: an array of records, one conversation, or values one after the other.

Read value by value, so that an array of any length fits into memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from .faults import Fault
from .record import Reading, Record, is_conversation, read_conversation, read_record
from .source import Decoded, Source

_SPACE: Final = " \t\r\n"
_NEAR_END: Final = 12
"""A literal or an escape that the buffer's end cuts in two begins at most so far before it."""


def read_json_values(source: Source, decoded: Decoded, reading: Reading) -> Iterator[Record]:
    """A record for each element of the array, or for each value.

    What follows a fault in the JSON itself cannot be found again: that fault is the last record.
    """
    text = _Text(source, decoded, reading.max_line)
    try:
        if text.peek() == "[":
            text.skip()
            yield from _array(text, reading)
            if text.peek():
                raise text.fault("value", column=text.column)
        else:
            while text.peek():
                yield _record(text, reading)
    except Fault as fault:
        yield Record(text.count + 1, text.where, fault=Fault(fault.code, where=text.where, **fault.values))


def _array(text: _Text, reading: Reading) -> Iterator[Record]:
    """The elements: records, or the messages of one conversation."""
    if text.peek() == "]":
        text.skip()
        return
    where = text.where
    value, fault = text.value()
    if fault is None and is_conversation(value):
        turns, fault = _turns(value, text, reading)
        text.count = 1
        if fault is None:
            try:
                exchange = read_conversation(turns, where=where, max_chars=reading.max_chars)
                yield Record(1, where, exchange)
                return
            except Fault as wrong:
                fault = wrong
        yield Record(1, where, fault=fault)
        return
    yield _made(text, value, fault, where, reading)
    while text.between():
        yield _record(text, reading)


def _turns(first: Any, text: _Text, reading: Reading) -> tuple[list[Any], Fault | None]:
    turns, faulty, size = [first], None, 0
    while text.between():
        begin = text.column
        value, fault = text.value()
        faulty = faulty or fault
        size += text.column - begin
        if size <= reading.max_line:
            turns.append(value)
    if size > reading.max_line:
        faulty = faulty or text.fault("too_long", limit=reading.max_chars)
    return turns, faulty


def _record(text: _Text, reading: Reading) -> Record:
    text.peek()
    where = text.where
    value, fault = text.value()
    return _made(text, value, fault, where, reading)


def _made(text: _Text, value: Any, fault: Fault | None, where: str, reading: Reading) -> Record:
    text.count += 1
    if fault is not None:
        return Record(text.count, where, fault=fault)
    return read_record(value, number=text.count, where=where, reading=reading)


class _Text:
    """The characters that are not read yet, as many of them as one value needs."""

    def __init__(self, source: Source, decoded: Decoded, limit: int) -> None:
        self.count = 0
        """Records made so far."""
        self._name = source.name
        self._decoded = decoded
        self._limit = limit
        self._pieces = decoded.pieces()
        self._buffer = ""
        self._at = 0
        self._line = 1
        self._gone = 0  # characters before the buffer
        self._bytes = decoded.start  # bytes before the buffer
        self._decode = json.JSONDecoder().raw_decode

    @property
    def where(self) -> str:
        return f"{self._name}:{self._line}"

    @property
    def column(self) -> int:
        """Of the next character, counted from the file's beginning, from 1."""
        return self._gone + self._at + 1

    def fault(self, code: str, **values: str | int) -> Fault:
        return Fault(code, where=self.where, **values)

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            while self._at < len(self._buffer):
                character = self._buffer[self._at]
                if character not in _SPACE:
                    return character
                self._line += character == "\n"
                self._at += 1
            if not self._grow(1):
                return ""

    def skip(self) -> None:
        self._at += 1

    def between(self) -> bool:
        """After an element: is there another one? Raises `Fault` for anything but `,` and `]`."""
        character = self.peek()
        if character not in (",", "]") or not character:
            raise self.fault("value", column=self.column)
        self.skip()
        return character == ","

    def value(self) -> tuple[Any, Fault | None]:
        """The next value, or why that value alone cannot be used. Raises `Fault` if its end is unknown."""
        self.peek()
        while True:
            try:
                value, end = self._decode(self._buffer, self._at)
            except json.JSONDecodeError as error:
                size = len(self._buffer) - self._at
                cut = error.pos >= len(self._buffer) - _NEAR_END or error.msg.startswith("Unterminated")
                if cut and size > self._limit:
                    raise self.fault("too_long", limit=self._limit) from None
                if not cut or not self._grow(size):
                    column = self._gone + min(error.pos, len(self._buffer)) + 1
                    raise self.fault("value", column=column) from None
                continue
            except (ValueError, RecursionError):
                raise self.fault("nesting") from None
            if end == len(self._buffer) and isinstance(value, int | float) and self._grow(1):
                continue  # more digits may follow
            raw = self._buffer[self._at : end]
            at = self._bytes + self._decoded.length(self._buffer[: self._at]) if not raw.isascii() else 0
            fault = self._decoded.bad(raw, at=at, where=self.where)
            self._line += raw.count("\n")
            self._at = end
            return value, fault

    def _grow(self, by: int) -> bool:
        """Read at least `by` characters more, if there are any; what was consumed is dropped."""
        got: list[str] = []
        length = 0
        while length < by:
            piece = next(self._pieces, None)
            if piece is None:
                break
            got.append(piece)
            length += len(piece)
        if not got:
            return False
        consumed = self._buffer[: self._at]
        self._gone += len(consumed)
        self._bytes += self._decoded.length(consumed)
        self._buffer = "".join((self._buffer[self._at :], *got))
        self._at = 0
        return True
