"""The child process that reads an untrusted file: ``python -m engine.upload_reader SOURCE TARGET``.

Reads CSV, Parquet or Avro at SOURCE and writes a plain Arrow file (no compression, no dictionaries,
no extension types) to TARGET. Its parent watches its memory and time, because a few hundred bytes
of Parquet or Avro can unfold to gigabytes, and some files abort the process outright; between two
looks of the parent the address-space limit holds. It prints one JSON line (see
``engine.processes``).
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, cast

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

from engine import processes
from engine.errors import InputError, name_in_sentence, require

MAX_ROWS = 2_000_000
MAX_COLUMNS = 500
# the parent ends it at 2 GB resident; 0.3 GB are mapped before it reads a byte
ADDRESS_SPACE_BYTES = 3_000_000_000
N_THREADS = 2  # each maps address space of its own, and a machine may have a hundred cores
CPU_SECONDS = 240
AVRO_BATCH_ROWS = 10_000
MAGIC = {b"PAR1": ".parquet", b"Obj\x01": ".avro"}
FORMATS = {".csv": "CSV", ".parquet": "Parquet", ".avro": "Avro"}


def limit_self() -> None:
    """Cap this process's address space and its time on a processor where the platform can (not on
    macOS).

    No reader can hold more memory than that, however fast it takes it, and even if its parent is
    gone.
    """
    pa.set_memory_pool(
        pa.system_memory_pool()
    )  # Arrow's default one maps address space a gigabyte at a time
    pa.set_cpu_count(N_THREADS)
    pa.set_io_thread_count(N_THREADS)
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE_BYTES, ADDRESS_SPACE_BYTES))
    except (ImportError, ValueError, OSError):
        pass


def check_kind(path: Path) -> str:
    """Return the suffix of ``path`` after comparing it with the first bytes of the file.

    Raises
    ------
    InputError
        The content is another format than the name says.
    """
    with path.open("rb") as file:
        start = file.read(512)
    found = MAGIC.get(start[:4])
    suffix = path.suffix
    if found is None and suffix != ".csv":
        raise InputError(
            f"A {suffix} file must start with {'PAR1' if suffix == '.parquet' else 'Obj'}. Got"
            f" {start[:4]!r}: this is another format, or a damaged file. Check the file and its"
            " ending."
        )
    if found is not None and found != suffix:
        raise InputError(
            f"This file ends in {suffix} but holds {FORMATS[found]}. Rename it to end in {found}."
        )
    require(
        found is not None or b"\x00" not in start,
        "This CSV file holds binary data. Upload text with one row a line.",
    )
    return suffix


def _reason(error: Exception, path: Path) -> str:
    """Return the first line of what a library says, without the file's place on this machine."""
    return str(error).replace(str(path), "the file").partition("\n")[0][:300]


def read_csv(path: Path) -> pa.Table:
    """Read a CSV file with a header line; types are inferred."""
    try:
        return csv.read_csv(path)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"This CSV file cannot be read: {_reason(error, path)}. Every line must have as many"
            " cells as the header, in UTF-8."
        ) from error


def read_parquet(path: Path) -> pa.Table:
    """Read a Parquet file after checking rows and columns in its footer."""
    try:
        with pq.ParquetFile(path) as file:
            check_size(file.metadata.num_rows, len(file.schema_arrow.names))
            check_nested(
                field.name for field in file.schema_arrow if pa.types.is_nested(field.type)
            )
            return file.read(use_threads=False)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"This Parquet file is damaged or cut short: {_reason(error, path)}. Write it again"
            " from its source."
        ) from error


def read_avro(path: Path) -> pa.Table:
    """Read an Avro container file record by record, stopping at the row limit."""
    import fastavro

    try:
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            if (
                not isinstance(reader.writer_schema, dict)
                or reader.writer_schema.get("type") != "record"
            ):
                raise InputError(
                    "This Avro file must hold records. Wrap its values in a record with named"
                    " fields."
                )
            check_nested(
                field["name"]
                for field in reader.writer_schema["fields"]
                if _is_nested(field["type"])
            )
            batches: list[pa.RecordBatch] = []
            n_rows = 0
            records = cast("Iterator[dict[str, Any]]", reader)
            while rows := list(itertools.islice(records, AVRO_BATCH_ROWS)):
                n_rows += len(rows)
                check_size(n_rows, len(rows[0]))
                batches.append(
                    pa.RecordBatch.from_pylist(rows, schema=batches[0].schema if batches else None)
                )
            require(n_rows > 0, "This Avro file has no rows. Upload one with at least one row.")
            return pa.Table.from_batches(batches)
    except (InputError, MemoryError):
        raise
    # fastavro raises whatever its decoder met: EOFError, ValueError, IndexError, KeyError …
    except Exception as error:
        raise InputError(
            f"This Avro file is damaged or cut short ({type(error).__name__}: {str(error)[:200]}). "
            "Write it again from its source."
        ) from error


def check_size(n_rows: int, n_columns: int) -> None:
    """Raise ``InputError`` for more rows or columns than the labs can show."""
    require(
        n_rows <= MAX_ROWS,
        "The file must have at most {:,} rows. Got {:,} or more. Upload a sample.",
        MAX_ROWS,
        n_rows,
    )
    require(n_columns >= 1, "The file must have at least one column. Got none.")
    require(
        n_columns <= MAX_COLUMNS,
        "The file must have at most {} columns. Got {:,}. Upload fewer.",
        MAX_COLUMNS,
        n_columns,
    )


def check_nested(names: Iterable[str]) -> None:
    """Raise ``InputError`` if there are columns of lists, structs or maps: before they are read,
    for they can be endless.
    """
    nested = list(names)
    require(
        not nested,
        "Columns must hold one value a cell. {} is nested (list, struct or map): flatten or drop"
        " it, then upload again.",
        _listed(nested),
    )


def _is_nested(type_: Any) -> bool:
    """Whether an Avro type is, or may be, an array, a map or a record."""
    if isinstance(type_, list):
        return any(_is_nested(choice) for choice in type_)
    kind = type_["type"] if isinstance(type_, dict) else type_
    return (isinstance(kind, dict | list) and _is_nested(kind)) or kind in (
        "array",
        "map",
        "record",
        "error",
    )


def normalize(table: pa.Table) -> pa.Table:
    """Return ``table`` with each column in its storage's type, refusing what the labs cannot use.

    Dictionaries and runs are decoded, an extension type (UUID, JSON, a library's own) gives what it
    is stored as, a column without any value, which has no type in CSV, counts as text, and a number
    of more than 38 digits becomes a float.

    Raises
    ------
    InputError
        No rows, nested columns, a column name twice, times out of every calendar.
    """
    require(table.num_rows > 0, "The file must have at least one row. Got a header without rows.")
    names = table.column_names
    twice = sorted({name for name in names if names.count(name) > 1})
    require(not twice, "Column names must differ. {} appears more than once.", _listed(twice))
    for number, name in enumerate(names):
        table = table.set_column(number, name, _stored(table.column(number), name))
    check_nested(field.name for field in table.schema if pa.types.is_nested(field.type))
    return table.replace_schema_metadata(None).combine_chunks()


def _listed(names: list[str]) -> str:
    return ", ".join(name_in_sentence(name) for name in names[:5])


def _stored(column: pa.ChunkedArray, name: str) -> pa.ChunkedArray:
    """Return a column in the type that its values are stored in, or the nearest one that every
    library here can take.
    """
    given = column.type
    try:
        while (step := _next_type(column)) is not None:
            column = step
        if pa.types.is_temporal(column.type):
            _check_times(column, name)
        return column
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(
            f"Columns must hold numbers, text, dates or times. {name_in_sentence(name)} is of type"
            f" {given}: drop or convert it, then upload again."
        ) from error


def _next_type(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Return the column one step nearer to a type that every library here can take, ``None`` where
    it has one.
    """
    type_ = column.type
    if isinstance(type_, pa.BaseExtensionType):
        return pa.chunked_array([chunk.storage for chunk in column.chunks], type_.storage_type)
    if pa.types.is_dictionary(type_):
        return column.cast(type_.value_type)
    if pa.types.is_run_end_encoded(type_):
        return pa.chunked_array(
            [pc.run_end_decode(chunk) for chunk in column.chunks], type_.value_type
        )
    if pa.types.is_null(type_) or pa.types.is_string_view(type_):
        return column.cast(pa.string())
    if pa.types.is_binary_view(type_):
        return column.cast(pa.binary())
    if pa.types.is_float16(type_):
        return column.cast(pa.float32())
    if pa.types.is_decimal32(type_) or pa.types.is_decimal64(type_):
        return column.cast(pa.decimal128(type_.precision, type_.scale))
    if pa.types.is_decimal256(type_):
        return column.cast(pa.float64())
    return None


def _check_times(column: pa.ChunkedArray, name: str) -> None:
    """Raise ``InputError`` unless the first and the last of the dates or times can be had as
    Python's own.
    """
    bits = pa.int64() if column.type.bit_width == 64 else pa.int32()
    ends = pc.min_max(pa.chunked_array([chunk.view(bits) for chunk in column.chunks], bits))
    try:
        for end in ends.values():
            pa.scalar(end.as_py(), bits).cast(column.type).as_py()
    except (
        ValueError,
        OverflowError,
        LookupError,
    ) as error:  # a year that no calendar has, an unknown time zone
        raise InputError(
            "Dates and times must be in the years 1 to 9999, in a known time zone."
            f" {name_in_sentence(name)} has others ({type(error).__name__}): correct or drop it,"
            " then upload again."
        ) from error


def main(source: str, target: str) -> None:
    """Read SOURCE, write TARGET, print the result line or the sentence for the visitor."""
    limit_self()
    path = Path(source)
    try:
        reader = {".csv": read_csv, ".parquet": read_parquet, ".avro": read_avro}[check_kind(path)]
        table = reader(path)
        check_size(table.num_rows, table.num_columns)
        table = normalize(table)
        partial = Path(target + ".part")
        with pa.OSFile(str(partial), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        partial.rename(target)
    except InputError as error:
        processes.report(error=str(error))
    except (MemoryError, pa.ArrowMemoryError):
        processes.report(
            error=(
                "This file unfolds to more memory than the playground gives it. Use a smaller file,"
                " or fewer columns or rows."
            )
        )
    else:
        processes.report(result={"n_rows": table.num_rows, "n_columns": table.num_columns})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
