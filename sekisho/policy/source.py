"""The text of a policy document: bytes to lines, with limits, and nothing that hides in them."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from sekisho.core import PolicyError

from .problem import START, Position, Problems

MAX_BYTES = 5 * 1024 * 1024
MAX_LINES = 100_000
_UNICODE_MARKS = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)
_BROKEN = re.compile("[\x00\ud800-\udfff]")
_HIDDEN = re.compile(
    "[\x01-\x08\x0b\x0e-\x1f\x7f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]"
)
_NEWLINE = re.compile(r"\r\n?")


def read_bytes(data: bytes, *, file: str) -> str:
    """UTF-8 text with or without a byte order mark. Raises `PolicyError` naming the bad byte."""
    if len(data) > MAX_BYTES:
        raise _too_large(file)
    for mark, name in _UNICODE_MARKS:
        if data.startswith(mark):
            raise _encoding(f"the file is encoded in {name}, not in UTF-8", file, START)
    # Without a byte order mark: Latin letters with a zero byte before or after each.
    if len(data) >= 4 and [byte == 0 for byte in data[:4]] in ([False, True] * 2, [True, False] * 2):
        raise _encoding("the file is encoded in UTF-16, not in UTF-8", file, START)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        # The decoder counts from after the byte order mark.
        skipped = len(codecs.BOM_UTF8) if data.startswith(codecs.BOM_UTF8) else 0
        at = error.start + skipped
        before = _NEWLINE.sub("\n", data[skipped:at].decode("utf-8"))
        place = Position(before.count("\n") + 1, len(before) - before.rfind("\n"))
        raise _encoding(f"byte 0x{data[at]:02x} is not UTF-8", file, place) from None


def read_path(path: Path) -> str:
    """The document in a file, read no further than the size limit."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise PolicyError(
            f"the policy cannot be read ({error.strerror})",
            file=str(path),
            remedy="Give the path of a Markdown file, or the name of a policy of the library",
            code="unreadable",
        ) from None
    return read_bytes(data, file=str(path))


class Source:
    """A document's text as lines: newlines normalised, white space at line ends gone."""

    def __init__(self, text: str, problems: Problems) -> None:
        self.file = problems.file
        if len(text) > MAX_BYTES or len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
            raise _too_large(self.file)
        text = text.removeprefix("\ufeff")
        if "\r" in text:
            text = _NEWLINE.sub("\n", text)
        if _BROKEN.search(text):
            self._report_broken(text, problems)
            text = _BROKEN.sub("\ufffd", text)
        if text.count("\n") >= MAX_LINES:
            raise _too_large(self.file, f"{MAX_LINES:,} lines")
        self.lines = [line.rstrip(" \t") for line in text.split("\n")]
        self.text = "\n".join(self.lines)

    def slice(self, start: int, end: int) -> str:
        """Lines `start` (from 0) up to `end`, without blank lines at the end."""
        while end > start and not self.lines[end - 1]:
            end -= 1
        return "\n".join(self.lines[start:end])

    def start_of(self, line: int) -> Position:
        """Where the text of a line (from 0) begins."""
        text = self.lines[line]
        return Position(line + 1, len(text) - len(text.lstrip(" \t")) + 1)

    def report_hidden(self, problems: Problems) -> None:
        """Warn of characters that a model reads and a reviewer does not see."""
        if not _HIDDEN.search(self.text):
            return
        for number, line in enumerate(self.lines, 1):
            found = _HIDDEN.search(line)
            if found:
                problems.warning(
                    "hidden-character",
                    Position(number, found.start() + 1),
                    f"the invisible character U+{ord(found[0]):04X} stands here",
                    "Remove it: people who review the policy do not see what a model would read",
                )

    def _report_broken(self, text: str, problems: Problems) -> None:
        for number, line in enumerate(text.split("\n"), 1):
            for found in _BROKEN.finditer(line):
                name = "a NUL character" if found[0] == "\x00" else "half of a surrogate pair"
                problems.error(
                    "broken-character",
                    Position(number, found.start() + 1),
                    f"{name} stands in the text",
                    "Remove it, and save the file as UTF-8",
                )


def _too_large(file: str, limit: str = f"{MAX_BYTES // (1024 * 1024)} MB") -> PolicyError:
    return PolicyError(
        f"the document is larger than {limit}",
        file=file,
        remedy="Split it into several policies",
        code="too-large",
    )


def _encoding(what: str, file: str, at: Position) -> PolicyError:
    return PolicyError(
        what, file=file, line=at.line, column=at.column, remedy="Save the file as UTF-8", code="encoding"
    )
