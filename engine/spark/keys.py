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
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.errors import InputError, require, require_choice
from engine.spark import column_types

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
    """Return the columns that can be keys, all rows, in the types that Spark gives them.

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
        return _uploaded(source.upload)[0]
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


@lru_cache(maxsize=4)
def _uploaded(path: str) -> tuple[pa.Table, dict[str, str], dict[str, str]]:
    """Return the columns of an upload that can be keys, why others cannot, and how Spark reads
    those that it reads in another type, by name.
    """
    table = data.read_upload(Path(path))
    columns: dict[str, pa.Array] = {}
    refused: dict[str, str] = {}
    for field in table.schema:
        try:
            columns[field.name] = column_types.as_spark(table[field.name])
        except InputError as error:
            refused[field.name] = str(error)
    require(
        len(columns) > 0,
        "The file must have a column that can be a key. Got {}. {}",
        ", ".join(table.column_names[:5]),
        next(iter(refused.values()), ""),
    )
    notes = {
        field.name: text
        for field in table.schema
        if field.name in columns and (text := column_types.note(field.type))
    }
    return pa.table(columns), refused, notes


def refused_columns(source: Source) -> dict[str, str]:
    """Return why columns of an upload cannot be keys, by name."""
    return _uploaded(source.upload)[1] if source.table == "upload" else {}


def notes(source: Source) -> dict[str, str]:
    """Return how Spark reads the columns of an upload that it reads in another type, by name."""
    return _uploaded(source.upload)[2] if source.table == "upload" else {}


def key_columns(source: Source) -> tuple[str, ...]:
    """Return the names of the columns that can be keys."""
    return tuple(load(source).column_names)


@lru_cache(maxsize=8)
def _grouped(source: Source, names: tuple[str, ...]) -> tuple[pa.Table, np.ndarray]:
    """Return the distinct keys, and for each row which of them it has (n,)."""
    table = load(source)
    place = np.zeros(table.num_rows, np.int64)
    for name in names:
        encoded = pc.dictionary_encode(table[name].combine_chunks(), null_encoding="encode")
        place = place * max(len(encoded.dictionary), 1) + encoded.indices.to_numpy()
        if len(names) > 1:  # dense again, else the product of many columns would overflow
            place = np.unique(place, return_inverse=True)[1]
    counts = np.bincount(place)
    first = np.empty(len(counts), np.int64)
    first[place[::-1]] = np.arange(len(place))[::-1]
    order = np.lexsort((first, -counts))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    found = table.select(names).take(pa.array(first[order]))
    return found.append_column("n_rows", pa.array(counts[order])), rank[place]


def distinct(source: Source, names: tuple[str, ...]) -> pa.Table:
    """Return each distinct key with ``n_rows`` in a last column, the most frequent first; ties in
    order of appearance.
    """
    return _grouped(source, names)[0]


def places(source: Source, names: tuple[str, ...]) -> np.ndarray:
    """Return for each row its key's place in ``distinct`` (n,)."""
    return _grouped(source, names)[1]
