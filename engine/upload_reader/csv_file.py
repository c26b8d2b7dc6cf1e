"""CSV: text with one row a line."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv

from engine.errors import InputError
from engine.upload_reader.limits import reason


def read_csv(path: Path) -> pa.Table:
    """Read a CSV file with a header line; types are inferred."""
    try:
        return csv.read_csv(path)
    except pa.ArrowInvalid as error:
        raise InputError(
            f"This CSV file cannot be read: {reason(error, path)}. Every line must have as many"
            " cells as the header, in UTF-8."
        ) from error
