"""How much an untrusted file may take, and what it must be: checked before and while it is read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa

from engine.errors import InputError, name_in_sentence, require

MAX_ROWS = 2_000_000
MAX_COLUMNS = 500
# the parent ends it at 2 GB resident; 0.3 GB are mapped before it reads a byte
ADDRESS_SPACE_BYTES = 3_000_000_000
N_THREADS = 2  # each maps address space of its own, and a machine may have a hundred cores
CPU_SECONDS = 240
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
        The content is another format than the name says, or encrypted Parquet.
    """
    with path.open("rb") as file:
        start = file.read(512)
    check_not_encrypted(start[:4])
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


def check_not_encrypted(magic: bytes, columns: Sequence[str] = ()) -> None:
    """Raise ``InputError`` if a Parquet file starts or ends in ``PARE``, which marks an encrypted
    footer, or if it has encrypted ``columns``.
    """
    require(
        magic != b"PARE" and not columns,
        "This Parquet file is encrypted{}, and there is no key here. Write it again without"
        " encryption.",
        f" ({'column' if len(columns) == 1 else 'columns'} {listed(columns)})" if columns else "",
    )


def reason(error: Exception, path: Path) -> str:
    """Return the first line of what a library says, without the file's place on this machine."""
    return str(error).replace(str(path), "the file").partition("\n")[0][:300]


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
        listed(nested),
    )


def listed(names: Sequence[str]) -> str:
    """Return the first five names as a part of a sentence."""
    return ", ".join(name_in_sentence(name) for name in names[:5])
