"""What can be wrong with an input or a record, in words. None of them repeats what stood there."""

from __future__ import annotations

from typing import Final

from sekisho.core import InputError

FAULTS: Final[dict[str, tuple[str, str]]] = {
    # One record.
    "empty": ("the line is empty", "Remove it, or write a JSON object"),
    "json": ("the line is not JSON (column {column})", "Write one JSON object a line"),
    "value": ("the JSON cannot be read from character {column} on", "Repair the file at that place"),
    "nesting": ("the JSON is nested too deeply or holds a number that is too long", "Write a flat object"),
    "object": ("the record is {found}, not an object", 'Write an object with "text" or "messages"'),
    "id": ("the id is {found}", "Give a text or a number as id, or leave it out"),
    "no_text": (
        "the record has neither text nor messages",
        'Give "text" or "messages", or name the field with --column',
    ),
    "both": ("the record has text and messages", "Keep one of them, or name the field with --column"),
    "text_type": ("the text is {found}", "Give a JSON string"),
    "messages_type": ("the messages are {found}", "Give a list of objects with role and content"),
    "no_messages": ("the list of messages is empty", "Give at least the message to be judged"),
    "message": ("message {number}: {what}", "{remedy}"),
    "role": ("the role is not known", "Use system, developer, user, assistant or tool"),
    "choices": (
        "the response has {count} choices and one is judged at a time",
        "Write a record for each choice",
    ),
    "media": ("the last message has no text, only media", "Text guards cannot judge it; send it to a person"),
    "too_long": ("the record is longer than {limit} characters", "Split it, or raise --max-chars"),
    "encoding": (
        "the bytes from offset {offset} on are not {encoding}",
        "Convert the file to UTF-8, or name its encoding with --encoding",
    ),
    "binary": ("the text holds NUL characters", "Give a text file, or name its encoding with --encoding"),
    "cells": (
        "the row has {count} cells where the header has {expected}",
        "Quote the cells that hold the delimiter",
    ),
    "row": ("the row cannot be read", "Check its quotation marks"),
    "stream": (
        "the input breaks off here: {reason}",
        "The rest was not judged; repair the file and run again",
    ),
    # The whole input.
    "missing": ("there is no such file", "Check the path; --text takes the argument as text"),
    "folder": ("this is a folder", "Name the files in it; --text takes the argument as text"),
    "unreadable": ("the file cannot be opened ({reason})", "Check the path and its permissions"),
    "codec": (
        "there is no text encoding of that name",
        "Name one that Python knows, such as utf-8 or shift_jis",
    ),
    "no_column": ("there is no column {column}", "There are: {columns}"),
    "which_column": (
        "it is not clear which column holds the text",
        "Name it with --column; there are: {columns}",
    ),
    "header": ("the table has no header row", "Write the names of the columns in the first row"),
    "parquet": ("this is not a Parquet file", "Check the file, or name its format with --format"),
    "parquet_stream": ("a Parquet file cannot be read from a stream", "Save it as a plain .parquet file"),
}


class Fault(InputError):
    """One of `FAULTS`, filled in. `code` and `values` let a reader in another language word it anew."""

    def __init__(self, code: str, *, where: str | None = None, **values: str | int) -> None:
        self.code = code
        self.values = values
        what, remedy = FAULTS[code]
        super().__init__(what.format(**values), where=where, remedy=remedy.format(**values))


def kind_of(value: object) -> str:
    """What a JSON value is, for a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    for kind, name in (((int, float), "a number"), (str, "a string"), (list, "a list"), (dict, "an object")):
        if isinstance(value, kind):
            return name
    return "of another type"
