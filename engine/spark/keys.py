"""Rows to partition: real flights by their own keys, a Zipf key from a seed, or a visitor's own
file.

Real: flights and uploads. Synthetic: ``zipf``, whole numbers of which the r-th most frequent has a
frequency of r to the power −exponent; an exponent of 0 makes all keys equally common.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.errors import InputError, require, require_choice

TableName = Literal["flights", "zipf", "upload"]
TABLES: tuple[TableName, ...] = get_args(TableName)
FLIGHT_KEYS = (
    "carrier",
    "dest",
    "origin",
    "tailnum",
    "date",
    "month",
    "flight",
    "time_hour",
    "distance",
)
N_DISTINCT = 1_000  # of the Zipf key
SHOWN_TYPES = (
    pa.types.is_integer,
    pa.types.is_floating,
    pa.types.is_string,
    pa.types.is_large_string,
    pa.types.is_boolean,
    pa.types.is_date32,
    pa.types.is_timestamp,
)


@dataclass(frozen=True, slots=True)
class Source:
    """Which rows: hashable, so that what is computed from them can be cached."""

    table: TableName
    exponent: float = 1.2  # of the Zipf key
    n_rows: int = 200_000  # of the Zipf key
    seed: int = 0  # of the Zipf key
    upload: str = ""  # path of the uploaded file


@lru_cache(maxsize=4)
def load(source: Source) -> pa.Table:
    """Return the columns that can be keys, all rows.

    Raises
    ------
    InputError
        An unknown table, or an upload that cannot be read or has no column that can be a key.
    """
    require_choice("table", source.table, TABLES)
    if source.table == "zipf":
        rng = np.random.default_rng(source.seed)
        weights = np.arange(1, N_DISTINCT + 1, dtype=np.float64) ** -source.exponent
        ranks = np.searchsorted(
            np.cumsum(weights) / weights.sum(), rng.random(source.n_rows), side="right"
        )
        return pa.table({"key": pa.array(np.minimum(ranks, N_DISTINCT - 1) + 1)})
    if source.table == "upload":
        table = data.read_upload(Path(source.upload))
        names = [
            field.name for field in table.schema if any(test(field.type) for test in SHOWN_TYPES)
        ]
        require(
            len(names) > 0,
            "The file must have a column of numbers, text, dates or times. Got {}.",
            table.schema.names,
        )
        return table.select(names).combine_chunks()
    flights = data.load("flights")
    local = pc.add(pc.multiply(flights["month"], 100), flights["day"])
    days = {
        int(code): dt.date(2013, int(code) // 100, int(code) % 100)
        for code in pc.unique(local).to_pylist()
    }
    encoded = local.combine_chunks().dictionary_encode()
    date = pc.take(
        pa.array([days[code] for code in encoded.dictionary.to_pylist()], pa.date32()),
        encoded.indices,
    )
    return flights.append_column("date", date).select(FLIGHT_KEYS)


def key_columns(source: Source) -> tuple[str, ...]:
    """Return the names of the columns that can be keys."""
    return tuple(load(source).column_names)


@lru_cache(maxsize=8)
def distinct(source: Source, keys: tuple[str, ...]) -> pa.Table:
    """Return each distinct key with ``n_rows``, the most frequent first; ties in order of
    appearance.
    """
    table = load(source)
    if len(keys) == 1:  # a third of the time of a group-by
        counts = pc.value_counts(table[keys[0]].combine_chunks())
        found = pa.table({keys[0]: counts.field("values"), "n_rows": counts.field("counts")})
    else:
        found = (
            table.select(keys)
            .group_by(list(keys), use_threads=False)
            .aggregate([([], "count_all")])
        )
        found = found.rename_columns([*keys, "n_rows"])
    return found.take(pa.array(np.argsort(-found["n_rows"].to_numpy(), kind="stable")))


def parse(text: str, kind: pa.DataType, name: str) -> Any:
    """Return what a person typed as a value of a column; an empty text or ``null`` is null.

    Raises
    ------
    InputError
        The text is no value of this type.
    """
    text = text.strip()
    if text in ("", "null"):
        return None
    if pa.types.is_boolean(kind):
        require(text in ("true", "false"), "{} must be true or false. Got {!r}.", name, text)
        return text == "true"
    try:
        return pc.cast(pa.array([text]), kind)[0].as_py()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise InputError(f"{name} must be a value of type {kind}. Got {text!r}.") from error
