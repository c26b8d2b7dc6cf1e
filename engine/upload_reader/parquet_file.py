"""Parquet, after a look at its footer."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from engine.errors import InputError
from engine.upload_reader.limits import check_nested, check_size, reason


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
            f"This Parquet file is damaged or cut short: {reason(error, path)}. Write it again"
            " from its source."
        ) from error
