"""Whatever stands in a file, every line, row or element gives exactly one record."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sekisho.data.records import (
    Fault,
    Format,
    Reading,
    Record,
    Source,
    is_path_like,
    read_records,
)

SETTINGS = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def of_bytes(data: bytes, format: Format | None = None, **options: Any) -> list[Record]:
    source = Source("in", stream=io.BytesIO(data), format=format)
    return list(read_records(source, reading=Reading(**options)))


def texts(records: list[Record]) -> list[str | None]:
    return [None if r.exchange is None else r.exchange.text for r in records]


def codes(records: list[Record]) -> list[str | None]:
    return [r.fault.code if r.fault else None for r in records]


@SETTINGS
@given(st.binary(max_size=300))
def test_any_bytes_as_json_lines(data: bytes) -> None:
    if data.startswith(b"\x1f\x8b"):
        return  # gzip, or something that says so
    records = of_bytes(data, Format.JSONL, encoding="utf-8")
    assert len(records) == data.count(b"\n") + (
        not data.endswith(b"\n") and bool(data) and data != b"\xef\xbb\xbf"
    )
    assert all((r.exchange is None) == (r.fault is not None) for r in records)


@SETTINGS
@given(st.binary(max_size=300), st.sampled_from(list(Format)))
def test_any_bytes_in_any_format(data: bytes, format: Format) -> None:
    try:
        records = of_bytes(data, format)
    except Fault:
        return  # nothing of it can be read: damaged gzip, no header, no Parquet
    assert all((r.exchange is None) == (r.fault is not None) for r in records)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ("id", "text", "messages", "role", "content", "choices", "message", "response", "tool_calls",
             "function", "name", "arguments", "type", "refusal")
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(JSON, max_size=4))
def test_any_json(values: list[Any]) -> None:
    lines = "".join(json.dumps(value) + "\n" for value in values)
    assert len(of_bytes(lines.encode(), Format.JSONL)) == len(values)
    of_bytes(json.dumps(values).encode(), Format.JSON)


@SETTINGS
@given(
    st.lists(st.text(max_size=40), min_size=1, max_size=6),
    st.sampled_from(("utf-8", "utf-8-sig", "utf-16", "utf-32")),
    st.integers(1, 9),
)
def test_texts_come_back_however_the_bytes_are_cut(values: list[str], encoding: str, size: int) -> None:
    data = "".join(json.dumps({"text": v}, ensure_ascii=False) + "\n" for v in values)
    stream = Trickle(data.encode(encoding), size)
    records = list(read_records(Source("in", stream=stream, format=Format.JSONL)))
    assert texts(records) == values


class Trickle(io.RawIOBase):
    """A pipe through which a few bytes come at a time."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data, self._size = data, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        piece = self._data[: min(self._size, len(buffer))]
        self._data = self._data[len(piece) :]
        buffer[: len(piece)] = piece
        return len(piece)


@SETTINGS
@given(st.lists(st.lists(st.text(alphabet="a,;\"'\n\t 漢", max_size=8), min_size=2, max_size=2), max_size=5))
def test_csv_round_trip(rows: list[list[str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow(["text", "other"])
    writer.writerows(rows)
    records = of_bytes(out.getvalue().encode(), Format.CSV)
    assert texts(records) == [text if text or other else None for text, other in rows]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_json_arrays_however_the_bytes_are_cut(size: int) -> None:
    values = [{"text": 'a\\n"漢字😀'}, {"id": 1.5, "text": "b"}, 12345, {"text": None}, "x", {"text": "c"}]
    for data in (json.dumps(values, indent=1), "\n".join(map(json.dumps, values))):
        stream = Trickle(data.encode(), size)
        records = list(read_records(Source("in", stream=stream, format=Format.JSON)))
        assert texts(records) == ['a\\n"漢字😀', "b", None, None, None, "c"]
        assert [r.id for r in records] == [1, 1.5, 3, 4, 5, 6]


def test_a_conversation_as_a_json_file() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    (record,) = of_bytes(json.dumps(turns).encode(), Format.JSON)
    assert record.exchange is not None
    assert len(record.exchange.messages) == 2
    (record,) = of_bytes(json.dumps({"model": "m", "messages": turns}).encode(), Format.JSON)
    assert texts([record]) == ["b"]
    assert codes(of_bytes(json.dumps([*turns, {"role": "x"}]).encode(), Format.JSON)) == ["message"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("", []),
        ("[]", []),
        ("[", ["value"]),
        ('[{"text": "a"}', [None, "value"]),
        ('[{"text": "a"},]', [None, "value"]),
        ('[{"text": "a"} {"text": "b"}]', [None, "value"]),
        ('[{"text": "a"}] x', [None, "value"]),
        ('[{"text": "a"}, {"text": "b]', [None, "value"]),
        ('{"text": "a"}{"text": "b"}', [None, None]),
        ("[" * 100_000, ["nesting"]),
        ("[" + "9" * 5000 + "]", ["nesting"]),
    ],
)
def test_faulty_json_files(data: str, expected: list[str | None]) -> None:
    assert codes(of_bytes(data.encode(), Format.JSON)) == expected


@pytest.mark.parametrize(
    ("data", "encoding", "offset"),
    [
        (b'{"text": "a"}\n{"text": "\xff"}\n', "UTF-8", 24),
        (b'\xef\xbb\xbf{"text": "a"}\n{"text": "\xff"}\n', "UTF-8", 27),
        ('{"text": "あ"}\n{"text": "い'.encode() + b'\x80"}\n', "UTF-8", 29),
        (
            b"\xff\xfe" + '{"text": "a"}\n{"text": "\ud800"}\n'.encode("utf-16-le", "surrogatepass"),
            "UTF-16-LE",
            50,
        ),
    ],
)
def test_the_offset_of_a_bad_byte(data: bytes, encoding: str, offset: int) -> None:
    records = of_bytes(data, Format.JSONL)
    assert codes(records) == [None, "encoding"]
    assert records[1].fault is not None
    assert records[1].fault.values == {"offset": offset, "encoding": encoding}
    assert f"offset {offset}" in records[1].fault.what
    assert codes(of_bytes(data, Format.JSON))[1] == "encoding"


def test_other_encodings() -> None:
    line = '{"text": "関所"}\n'
    for encoding in ("shift_jis", "euc_jp", "iso2022_jp", "gb18030", "utf-16-be", "utf-7"):
        assert texts(of_bytes(line.encode(encoding), Format.JSONL, encoding=encoding)) == ["関所"]
    assert codes(of_bytes(line.encode("shift_jis"), Format.JSONL)) == ["encoding"]
    for name in ("no-such", "hex", "base64", ""):
        with pytest.raises(Fault) as caught:
            of_bytes(line.encode(), Format.JSONL, encoding=name)
        assert caught.value.code == "codec"


def test_lone_surrogates_are_judged() -> None:
    assert texts(of_bytes(b'{"text": "a\\ud800b"}\n', Format.JSONL)) == ["a\ufffdb"]
    line = b'{"messages": [{"role": "user", "content": [{"type": "text", "text": "\\udfff"}]}]}'
    assert texts(of_bytes(line, Format.JSONL)) == ["\ufffd"]


def test_line_ends() -> None:
    data = '{"text": "a"}\r\n{"text": "b\u2028c\u0085d"}\r\n{"text": "e"}'.encode()
    assert texts(of_bytes(data, Format.JSONL)) == ["a", "b\u2028c\u0085d", "e"]
    assert texts(of_bytes(b"a\r\nb\n\nc", Format.LINES)) == ["a", "b", "", "c"]
    assert texts(of_bytes(b"a\r\nb\r\n", Format.TEXT)) == ["a\r\nb"]


def test_long_records() -> None:
    reading = {"max_chars": 10}
    assert codes(of_bytes(b'{"text": "0123456789"}\n{"text": "0123456789a"}', Format.JSONL, **reading)) == [
        None,
        "too_long",
    ]
    turns = [{"role": "user", "content": "0123456789"}, {"role": "assistant", "content": "a"}]
    data = json.dumps({"messages": turns}).encode()
    assert codes(of_bytes(data, Format.JSONL, **reading)) == ["too_long"]
    assert codes(of_bytes(b"0123456789a", Format.TEXT, **reading)) == ["too_long"]
    escaped = b'{"text": "' + b"\\ud83d\\ude00" * 10 + b'"}'
    assert texts(of_bytes(escaped, Format.JSONL, **reading)) == ["😀" * 10]


@pytest.mark.parametrize("format", [Format.JSONL, Format.JSON, Format.CSV, Format.LINES, Format.TEXT])
def test_memory_does_not_grow_with_a_line(format: Format) -> None:
    class Endless(io.RawIOBase):
        left = 64 * 1024 * 1024

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any) -> int:
            size = min(len(buffer), self.left)
            type(self).left -= size
            buffer[:size] = b"a" * size
            return size

    Endless.left = 64 * 1024 * 1024
    source = Source("in", stream=Endless(), format=format)  # type: ignore[arg-type]
    tracemalloc.start()
    try:
        list(read_records(source, reading=Reading(max_chars=1000)))
    except Fault as fault:
        assert fault.code in ("too_long", "header", "which_column")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * 1024 * 1024


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("text\na\nb\n", ["a", "b"]),
        ("id,text\n7,a\n,b\n", ["a", "b"]),
        ("answer\na\n", ["a"]),
        ("text;other\na;b\n", ["a"]),
        ("text,other\na\nb,c,d\ne,f\n", [None, None, "e"]),
        ('text,other\n"a\nb",c\nd,e\n', ["a\nb", "d"]),
        ("text\n", []),
        ("", []),
        ("text,other\na,\n\nb,c\n", ["a", None, "b"]),
        ('messages\n"[{""role"": ""user"", ""content"": ""a""}]"\nnonsense\n', ["a", None]),
        ("text,role\na,tool\nb,pope\n", ["a", None]),
    ],
)
def test_tables(data: str, expected: list[str | None]) -> None:
    assert texts(of_bytes(data.encode(), Format.CSV)) == expected


def test_the_ids_of_rows_are_their_lines() -> None:
    records = of_bytes(b'text,other\n"a\nb",c\nd,e\n', Format.CSV)
    assert [(r.id, r.where) for r in records] == [(2, "in:2"), (4, "in:4")]


@pytest.mark.parametrize(
    ("data", "options", "code"),
    [
        (b"a,b\n1,2\n", {}, "which_column"),
        (b"a,b\n1,2\n", {"column": "c"}, "no_column"),
        (b"text,messages\n1,2\n", {}, "which_column"),
        (b"\n1,2\n", {}, "header"),
        (b"\xff\n", {}, "encoding"),
    ],
)
def test_tables_that_cannot_be_used(data: bytes, options: dict[str, str], code: str) -> None:
    with pytest.raises(Fault) as caught:
        of_bytes(data, Format.CSV, **options)
    assert caught.value.code == code


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    turns = [[{"role": "user", "content": "hi"}], None]
    parquet.write_table(pa.table({"id": [1, None], "text": ["a", None], "n": [1.5, 2.5]}), path)
    records = list(read_records(Source(str(path))))
    assert texts(records) == ["a", None]
    assert [r.id for r in records] == [1, 2]
    parquet.write_table(pa.table({"messages": turns}), path)
    assert texts(list(read_records(Source(str(path))))) == ["hi", None]
    (record,) = list(read_records(Source(str(path)), reading=Reading(column="messages")))[:1]
    assert texts([record]) == ["hi"]
    path.write_bytes(b"PAR1nonsense")
    with pytest.raises(Fault) as caught:
        list(read_records(Source(str(path))))
    assert caught.value.code == "parquet"


def test_parquet_without_the_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from sekisho.core import MissingExtra

    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtra, match="pip install"):
        list(read_records(Source(str(path))))


def test_compressed(tmp_path: Path) -> None:
    data = b"".join(b'{"text": "%d"}\n' % n for n in range(5000))
    packed = gzip.compress(data)
    path = tmp_path / "a.jsonl.gz"
    path.write_bytes(packed)
    assert len(list(read_records(Source(str(path))))) == 5000
    path.write_bytes(packed[: len(packed) // 2])
    records = list(read_records(Source(str(path))))
    assert codes(records)[-1] == "stream"
    assert codes(records)[:-1] == [None] * (len(records) - 1)
    path.write_bytes(packed[:-6] + b"xxxxxx")
    assert codes(list(read_records(Source(str(path)))))[-1] == "stream"
    text = tmp_path / "a.txt.gz"
    text.write_bytes(packed[: len(packed) // 2])
    assert codes(list(read_records(Source(str(text))))) == ["stream"]


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda folder: folder / "no-such.jsonl", "missing"),
        (lambda folder: folder, "folder"),
        (lambda folder: Path("a\0b"), "missing"),
        (lambda folder: folder / ("x" * 5000), "missing"),
    ],
)
def test_inputs_that_cannot_be_used(tmp_path: Path, make: Callable[[Path], Path], code: str) -> None:
    with pytest.raises(Fault) as caught:
        Source(str(make(tmp_path)))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.jsonl", Format.JSONL),
        ("a.JSONL.GZ", Format.JSONL),
        ("a.json", Format.JSON),
        ("a.csv", Format.CSV),
        ("a.tsv.gz", Format.TSV),
        ("a.parquet", Format.PARQUET),
        ("a.txt", Format.TEXT),
        ("README", Format.TEXT),
        ("a.html", Format.TEXT),
    ],
)
def test_formats_by_name(name: str, format: Format) -> None:
    assert Format.of_name(name) is format


@pytest.mark.parametrize(
    ("text", "path_like"),
    [
        ("prompts.jsonl", True),
        ("my prompts.jsonl", True),
        ("./a", True),
        ("../a/b", True),
        ("/etc/hosts", True),
        ("~/a", True),
        ("C:\\a\\b", True),
        ("a.csv.gz", True),
        ("/imagine a cat", False),
        ("and/or", False),
        ("hello", False),
        ("What is in a.csv?", False),
        ("a\nb.csv", False),
    ],
)
def test_what_looks_like_a_path(text: str, path_like: bool) -> None:
    assert is_path_like(text) is path_like
