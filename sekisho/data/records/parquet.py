"""Parquet files, batch by batch (extra `tables`)."""

from __future__ import annotations

from collections.abc import Iterator

from sekisho.core import MissingExtra

from .faults import Fault
from .formats import ROW, record_of_row, text_column
from .record import Reading, Record
from .source import Source

ROWS = 256
"""Rows that are in memory at once."""


def read_parquet(source: Source, reading: Reading) -> Iterator[Record]:
    """The rows. Raises `MissingExtra` without pyarrow, `Fault` for what is not Parquet."""
    if source.path is None or source.path.name.lower().endswith(".gz"):
        raise Fault("parquet_stream", where=source.name)
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra(
            "Parquet files need pyarrow", where=source.name, remedy="Run: pip install 'sekisho[tables]'"
        ) from None
    try:
        file = parquet.ParquetFile(source.path)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowException, OSError):
        raise Fault("parquet", where=source.name) from None
    number = 0
    try:
        names = list(file.schema_arrow.names)
        chosen = text_column(names, reading, source.name)
        wanted = [name for name in dict.fromkeys((*ROW[:2], chosen)) if name in names]
        for batch in file.iter_batches(batch_size=ROWS, columns=wanted):
            for row in batch.to_pylist():
                number += 1
                where = f"{source.name}:{number}"
                yield record_of_row(row, chosen, number=number, where=where, reading=reading)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError):
        where = f"{source.name}:{number + 1}"
        reason = "the table is damaged"
        yield Record(number + 1, where, fault=Fault("stream", where=where, reason=reason))
    finally:
        file.close()
