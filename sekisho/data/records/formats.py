"""One reader a format. Each gives exactly one record per line, row or element, in order."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from typing import Any, Final

from .faults import Fault
from .jsons import read_json_values
from .record import Reading, Record, read_record, read_text
from .source import Decoded, Format, Line, Source


def read_records(source: Source, *, reading: Reading | None = None) -> Iterator[Record]:
    """The records of one source. Raises `Fault` for what concerns the whole source."""
    reading = reading or Reading()
    try:
        match source.format:
            case Format.PARQUET:
                from .parquet import read_parquet

                yield from read_parquet(source, reading)
            case Format.JSON:
                yield from read_json_values(source, Decoded(source, reading), reading)
            case Format.CSV | Format.TSV:
                yield from _table(source, reading, delimiter="\t" if source.format is Format.TSV else ",")
            case Format.JSONL:
                yield from _json_lines(source, reading)
            case Format.LINES:
                yield from _text_lines(source, reading)
            case Format.TEXT:
                yield _text(source, reading)
    finally:
        source.close()


def _json_lines(source: Source, reading: Reading) -> Iterator[Record]:
    for line in Decoded(source, reading).lines(reading.max_line):
        where = f"{source.name}:{line.number}"
        fault = line.fault
        if fault is None and not line.text.strip():
            fault = Fault("empty", where=where)
        if fault is None:
            try:
                value = json.loads(line.text)
            except json.JSONDecodeError as error:
                fault = Fault("json", where=where, column=error.colno)
            except (ValueError, RecursionError):  # a number of thousands of digits; thousands of brackets
                fault = Fault("nesting", where=where)
        if fault is not None:
            yield Record(line.number, where, fault=fault)
        else:
            yield read_record(value, number=line.number, where=where, reading=reading)


def _text_lines(source: Source, reading: Reading) -> Iterator[Record]:
    for line in Decoded(source, reading).lines(reading.max_line):
        where = f"{source.name}:{line.number}"
        fault = line.fault or _binary(line.text, where)
        if fault is not None:
            yield Record(line.number, where, fault=fault)
        else:
            yield read_text(line.text, id=line.number, where=where, reading=reading)


def _text(source: Source, reading: Reading) -> Record:
    """All of it, without the line end that an editor or `echo` adds."""
    key = source.name if source.path is not None else 1
    decoded = Decoded(source, reading)
    kept: list[str] = []
    length = 0
    try:
        for piece in decoded.pieces():
            kept.append(piece)
            length += len(piece)
            if length > reading.max_chars + 2:
                break
    except Fault as fault:
        return Record(key, source.name, fault=fault)
    text = "".join(kept)
    fault_ = decoded.bad(text, at=decoded.start, where=source.name) or _binary(text, source.name)
    if fault_ is not None:
        return Record(key, source.name, fault=fault_)
    text = text.removesuffix("\n").removesuffix("\r")
    return read_text(text, id=key, where=source.name, reading=reading)


def _binary(text: str, where: str) -> Fault | None:
    return Fault("binary", where=where) if "\0" in text else None


ROW: Final = ("id", "role", "text", "messages")
"""Columns with a meaning."""


class _Physical:
    """Feeds lines to the csv reader and remembers what was wrong with those of the present row."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self.first = self.last = 0
        self.fault: Fault | None = None

    def __iter__(self) -> _Physical:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.first = self.first or line.number
        self.last = line.number
        self.fault = self.fault or line.fault
        return line.text + "\n"

    def forget(self) -> None:
        self.first, self.fault = 0, None


def _table(source: Source, reading: Reading, *, delimiter: str) -> Iterator[Record]:
    # The csv module refuses cells of more than 128 kB unless told otherwise, for the whole process.
    csv.field_size_limit(max(csv.field_size_limit(), reading.max_line))
    lines = Decoded(source, reading).lines(reading.max_line)
    header_line = next(lines, None)
    if header_line is None:
        return
    if header_line.fault is not None:
        raise header_line.fault
    if delimiter == "," and "," not in header_line.text:  # spreadsheets write what their country writes
        delimiter = next((d for d in ";\t" if d in header_line.text), ",")
    try:
        header = [name.strip() for name in next(csv.reader([header_line.text], delimiter=delimiter), [])]
    except csv.Error:
        header = []
    chosen = text_column(header, reading, source.name)
    physical = _Physical(lines)
    rows = csv.reader(physical, delimiter=delimiter)
    while True:
        physical.forget()
        cells: list[str] = []
        fault: Fault | None = None
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error:
            fault = Fault("row", where=f"{source.name}:{physical.first}")
        number = physical.first
        where = f"{source.name}:{number}"
        if fault is None:
            fault = physical.fault or _misshapen(cells, header, where)
        if fault is not None:
            yield Record(number, where, fault=fault)
        else:
            row = dict(zip(header, cells, strict=True))
            yield record_of_row(row, chosen, number=number, where=where, reading=reading)


def _misshapen(cells: list[str], header: list[str], where: str) -> Fault | None:
    if not any(cells):
        return Fault("empty", where=where)
    if len(cells) != len(header):
        return Fault("cells", where=where, count=len(cells), expected=len(header))
    return None


def text_column(names: list[str], reading: Reading, source: str) -> str:
    """The column that holds what is to be judged. Raises `Fault` when there is none, or no telling."""
    if not any(names):
        raise Fault("header", where=source)
    listed = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")
    if reading.column is not None:
        if reading.column not in names:
            raise Fault("no_column", where=source, column=reading.column, columns=listed)
        return reading.column
    found = [name for name in ("text", "messages") if name in names]
    if len(found) == 1:
        return found[0]
    if not found and len(names) == 1:
        return names[0]
    raise Fault("which_column", where=source, columns=listed)


def record_of_row(row: dict[str, Any], chosen: str, *, number: int, where: str, reading: Reading) -> Record:
    """A row as a record. Messages in a cell are JSON, or what Parquet has for it."""
    value: dict[str, Any] = {"id": row.get("id") or None}
    content = row.get(chosen)
    if chosen != "messages":
        value |= {"text": content, "role": row.get("role") or None}
    elif isinstance(content, str):
        try:
            value["messages"] = json.loads(content)
        except (ValueError, RecursionError):
            return Record(value["id"] or number, where, fault=Fault("json", where=where, column=1))
    else:
        value["messages"] = content
    plain = Reading(role=reading.role, max_chars=reading.max_chars)
    return read_record(value, number=number, where=where, reading=plain)
