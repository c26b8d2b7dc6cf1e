"""Parquet, after a look at its footer; what cannot be read is looked at again for the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NoReturn

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.errors import InputError, name_in_sentence
from engine.formats.parquet.footer import Footer, read_footer
from engine.formats.parquet.pages import check_pages
from engine.upload_reader.columns import check_times
from engine.upload_reader.limits import (
    check_nested,
    check_not_encrypted,
    check_size,
    listed,
    reason,
)

# what pyarrow raises: the last for a name that is not UTF-8
READ_ERRORS = (pa.ArrowException, OSError, UnicodeDecodeError)
READ_CODECS = ("UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW")
# years 1677 to 2262, in microseconds: what nanoseconds can hold
NANOSECONDS_FROM, NANOSECONDS_TO = -(2**63) // 1_000 + 1, (2**63 - 1) // 1_000


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file after checking rows and columns in its footer; each page that has a
    checksum is held against it.

    INT96, the old type of timestamps, is read in microseconds, as Spark does; in nanoseconds where
    a value has them and all fit.

    Raises
    ------
    InputError
        Too large, nested, encrypted or damaged; times out of the calendar.
    """
    try:
        with _open(path) as file:
            check_size(file.metadata.num_rows, len(file.schema_arrow.names))
            nested = [field.name for field in file.schema_arrow if pa.types.is_nested(field.type)]
            if nested:
                check_not_encrypted(b"", _footer(path).encrypted)
                check_nested(nested)
            return _with_int96(file.read(use_threads=False), file.schema, path)
    except MemoryError:  # Arrow's own is one too, and an ArrowException
        raise
    except READ_ERRORS as error:
        _refuse(path, error)


def _open(path: Path, int96_unit: Literal["s", "us", "ns"] = "us") -> pq.ParquetFile:
    return pq.ParquetFile(
        path, coerce_int96_timestamp_unit=int96_unit, page_checksum_verification=True
    )


def _with_int96(table: pa.Table, schema: pq.ParquetSchema, path: Path) -> pa.Table:
    """Return ``table`` after a check of its INT96 columns, which it has in microseconds.

    INT96 is a day and nanoseconds of that day: where 64 bits of microseconds do not hold it,
    pyarrow lets it wrap around. Seconds always fit.
    """
    for number, name in enumerate(table.column_names):
        # a name that is there twice is refused later
        if schema.column(number).physical_type != "INT96" or table.column_names.count(name) > 1:
            continue
        with _open(path, "s") as file:
            check_times(file.read([name], use_threads=False).column(name), name)
        ends = pc.min_max(table.column(number).cast(pa.int64()))
        if (ends["min"].as_py() or 0) < NANOSECONDS_FROM or (
            ends["max"].as_py() or 0
        ) > NANOSECONDS_TO:
            continue
        with _open(path, "ns") as file:
            nano = file.read([name], use_threads=False).column(name)
        back = pc.multiply(table.column(number).cast(pa.int64()), 1_000)
        if pc.any(pc.not_equal(nano.cast(pa.int64()), back)).as_py():
            table = table.set_column(number, name, nano)
    return table


def _footer(path: Path) -> Footer:
    with pa.memory_map(str(path)) as file:
        return read_footer(file.read_buffer())


def _refuse(path: Path, error: Exception) -> NoReturn:
    """Raise ``InputError`` with the reason why pyarrow could not read a file."""
    footer = _footer(path)
    check_not_encrypted(b"", footer.encrypted)
    check_nested(footer.nested)
    if isinstance(error, UnicodeDecodeError):
        names = [name for name in footer.columns if "\ufffd" in name]
        raise InputError(
            f"Column names must be in UTF-8. {listed(names)} holds other bytes: rename the column,"
            " or write the file again from its source if it is damaged."
        ) from error
    unread = sorted({chunk.compression for _, chunk in footer.chunks} - {*READ_CODECS})
    if unread or isinstance(error, NotImplementedError):
        raise InputError(
            "pyarrow, which reads Parquet here, cannot read this file:"
            f" {', '.join(unread) or reason(error, path)}. Write it again with other types, or"
            " another codec, such as snappy or zstd."
        ) from error
    with pa.memory_map(str(path)) as file:
        check_pages(file.read_buffer(), footer)
    unreadable = [name for name in footer.columns if not _can_read(path, name)]
    # all of several: what is damaged is the file's, the footer for instance
    is_one = unreadable and (unreadable != [*footer.columns] or len(unreadable) == 1)
    where = f" in column {name_in_sentence(unreadable[0])}" if is_one else ""
    raise InputError(
        f"This Parquet file is damaged or cut short{where}: {reason(error, path)}. Write it again"
        " from its source."
    ) from error


def _can_read(path: Path, name: str) -> bool:
    try:
        with _open(path) as file:
            file.read([name], use_threads=False)
        return True
    except READ_ERRORS:
        return False
