"""What races: the table, the formats and the questions asked of them; the rows themselves, and the
range of the filter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import pyarrow as pa

from engine import data
from engine.errors import require, require_choice
from engine.formats import byte_files
from engine.formats.byte_files import TABLES, TableName, column_names, predicate_columns
from engine.formats.race.contestants import FORMATS, Range

Types = Literal["as they are", "rich"]
TYPES: tuple[Types, ...] = get_args(Types)
N_ROWS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 336_776)
NEW_YORK = pa.timestamp("us", tz="America/New_York")
CATEGORY = pa.dictionary(pa.int32(), pa.string())
RICH: dict[TableName, dict[str, pa.DataType]] = {
    "flights": {
        "carrier": CATEGORY,
        "month": pa.int8(),
        "distance": pa.decimal128(12, 1),
        "time_hour": NEW_YORK,
    },
    "weather": {
        "origin": CATEGORY,
        "month": pa.int8(),
        "precip": pa.decimal128(12, 2),
        "time_hour": NEW_YORK,
    },
    "synthetic": {"category": CATEGORY, "amount": pa.decimal128(12, 6), "event_time": NEW_YORK},
    "upload": {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RaceParams:
    """Which rows race in which formats, and what is asked of each."""

    table: TableName = "flights"
    n_rows: int = 20_000  # 1,000 … 336,776, taken evenly from the table, at most all of it
    formats: tuple[str, ...] = (
        "CSV",
        "CSV gzip",
        "JSON Lines",
        "Avro deflate",
        "Parquet snappy",
        "Parquet zstd",
        "Arrow IPC",
    )
    # rich: category, narrow integer, decimal and New York time where the table has them
    types: Types = "as they are"
    columns: tuple[str, ...] = ("origin", "arr_delay")  # of "read columns"
    predicate_column: str = "time_hour"  # of "read filtered"
    window: tuple[float, float] = (
        0.40,
        0.45,
    )  # of the predicate column's sorted values, as shares 0–1
    zstd_level: int = 3  # of Parquet zstd, 1 … 19
    repeats: int = 3  # rounds, 1 … 9
    cardinality: int = 100  # synthetic: distinct categories, 1 … 10,000
    null_share: float = 0.0  # synthetic, 0–1
    sortedness: float = 0.0  # synthetic: share of rows in order of the category, 0–1
    entropy: float = 0.5  # synthetic: share of random bits, 0–1
    zipf: float = 0.0  # synthetic: exponent of the category's frequencies, 0 … 3
    seed: int = 0  # of the order of turns and of the synthetic table
    upload: str = ""  # path of the uploaded file, with table "upload"

    def __post_init__(self) -> None:
        require_choice("table", self.table, TABLES)
        require_choice("types", self.types, TYPES)
        require(
            1_000 <= self.n_rows <= N_ROWS[-1],
            "n_rows must be 1,000 … {:,}. Got {}.",
            N_ROWS[-1],
            self.n_rows,
        )
        require(
            len(self.formats) > 0,
            "formats must name at least one format. Got none. Choose two to compare them.",
        )
        for name in self.formats:
            require_choice("formats", name, tuple(FORMATS))
        require(1 <= self.zstd_level <= 19, "zstd_level must be 1 … 19. Got {}.", self.zstd_level)
        require(1 <= self.repeats <= 9, "repeats must be 1 … 9. Got {}.", self.repeats)
        require(
            len(self.window) == 2 and 0 <= self.window[0] <= self.window[1] <= 1,
            "window must be two shares, 0 ≤ low ≤ high ≤ 1. Got {}.",
            self.window,
        )
        require(
            1 <= self.cardinality <= 10_000,
            "cardinality must be 1 … 10,000. Got {}.",
            self.cardinality,
        )
        _ = self.synthetic  # its own rules
        require(
            len(self.columns) > 0, "columns must name at least one column. Got none. Choose one."
        )
        for name in self.columns:
            require_choice("columns", name, column_names(self.table, self.upload))
        require_choice(
            "predicate_column", self.predicate_column, predicate_columns(self.table, self.upload)
        )

    @property
    def synthetic(self) -> data.SyntheticParams:
        """The knobs of the synthetic table."""
        return data.SyntheticParams(
            n_rows=self.n_rows,
            cardinality=min(self.cardinality, self.n_rows),
            null_share=self.null_share,
            sortedness=self.sortedness,
            entropy=self.entropy,
            zipf=self.zipf,
            seed=self.seed,
        )


def rows_of(params: RaceParams) -> tuple[pa.Table, tuple[str, ...]]:
    """Return the rows that race, in one chunk, and the columns that were left out.

    Raises
    ------
    InputError
        The upload is not a file of the workspace or no table; a rich type cannot hold a column's
        values.
    """
    if params.table == "synthetic":
        whole = data.make_synthetic(params.synthetic)
    else:
        whole = byte_files.source(params.table, params.n_rows, params.seed, params.upload)
    names = column_names(params.table, params.upload)
    table = byte_files.thin(whole.select(names), params.n_rows).combine_chunks()
    if params.types == "rich":
        for name, type_ in RICH[params.table].items():
            table = table.set_column(
                table.column_names.index(name), name, _cast(table[name], type_)
            )
    return table, tuple(name for name in whole.column_names if name not in names)


def _cast(values: pa.ChunkedArray, type_: pa.DataType) -> pa.ChunkedArray:
    if pa.types.is_dictionary(type_):
        return values.dictionary_encode()
    return values.cast(
        type_, safe=not pa.types.is_decimal(type_)
    )  # a decimal rounds what does not fit its scale


def range_of(params: RaceParams, table: pa.Table) -> Range:
    """Return the filter of "read filtered": the values at the window's shares of the sorted column.

    Raises
    ------
    InputError
        The column holds no value.
    """
    values = byte_files.sort_values(table[params.predicate_column])
    require(
        len(values) > 0,
        "predicate_column must hold values. {!r} holds none. Choose another column.",
        params.predicate_column,
    )
    low, high = (values[round(share * (len(values) - 1))] for share in params.window)
    return Range(params.predicate_column, low, high)
