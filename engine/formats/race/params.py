"""What races: the table, the formats and the questions asked of them; the rows themselves, and the
range of the filter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

import pyarrow as pa

from engine import data
from engine.errors import require
from engine.formats import tables
from engine.formats.race.contestants import FORMATS, Between
from engine.formats.tables import TableName, column_names
from engine.ranges import SEED, Choices, Interval, Params, Range

Types = Literal["as they are", "rich"]
N_ROWS = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 336_776)
CARDINALITIES = (1, 10, 100, 1_000, 10_000)
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
class RaceParams(Params):
    """Which rows race in which formats, and what is asked of each."""

    table: TableName = "flights"
    # taken evenly from the table, at most all of it
    n_rows: Annotated[int, Range(1_000, N_ROWS[-1], options=N_ROWS)] = 20_000
    formats: Annotated[tuple[str, ...], Choices(tuple(FORMATS))] = (
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
    # of the predicate column's sorted values, as shares
    window: Annotated[tuple[float, float], Interval(step=0.01)] = (0.40, 0.45)
    zstd_level: Annotated[int, Range(1, 19)] = 3  # of Parquet zstd
    repeats: Annotated[int, Range(1, 9)] = 3  # rounds
    # the next five: of the synthetic table
    cardinality: Annotated[int, Range(1, 10_000, options=CARDINALITIES)] = 100
    null_share: Annotated[float, Range(0, 1, step=0.05)] = 0.0
    sortedness: Annotated[float, Range(0, 1, step=0.05)] = 0.0  # rows in order of the category
    entropy: Annotated[float, Range(0, 1, step=0.05)] = 0.5  # share of random bits
    zipf: Annotated[float, Range(0, 3, step=0.1)] = 0.0  # exponent of the category's frequencies
    seed: Annotated[int, SEED] = 0  # of the order of turns and of the synthetic table
    upload: str = ""  # path of the uploaded file, with table "upload"

    def check_together(self) -> None:
        """Raise ``InputError`` unless the table has the columns that are asked for."""
        tables.check_columns(self.table, self.upload, self.columns, self.predicate_column)

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
        whole = tables.source(params.table, params.n_rows, params.seed, params.upload)
    names = column_names(params.table, params.upload)
    table = tables.thin(whole.select(names), params.n_rows).combine_chunks()
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


def range_of(params: RaceParams, table: pa.Table) -> Between:
    """Return the filter of "read filtered": the values at the window's shares of the sorted column.

    Raises
    ------
    InputError
        The column holds no value.
    """
    values = tables.sort_values(table[params.predicate_column])
    require(
        len(values) > 0,
        "predicate_column must hold values. {!r} holds none. Choose another column.",
        params.predicate_column,
    )
    low, high = (values[round(share * (len(values) - 1))] for share in params.window)
    return Between(params.predicate_column, low, high)
