"""The columns that a point-in-time join reads: keys and timestamps of labels and feature rows,
checked and made comparable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import require
from engine.feature_store.feast_repo import EVENT


def check_keys(labels: pa.Table, features: pa.Table, keys: Sequence[str]) -> None:
    """Raise ``InputError`` unless both tables have the join keys, in one type each."""
    for key in keys:
        for name, table in (("labels", labels), ("features", features)):
            require(
                key in table.column_names,
                "{} must have the join key {!r}. Got columns {}. Feast refuses labels without it.",
                *(name, key, ", ".join(table.column_names)),
            )
        kinds = [_kind(table[key].type) for table in (labels, features)]
        require(
            kinds[0] == kinds[1],
            "join key {!r} must have one type. Got {} in labels and {} in features:"
            " Feast's duckdb store refuses to compare them.",
            key,
            *kinds,
        )


def _kind(type_: pa.DataType) -> str:
    text = pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_null(type_)
    numbers = pa.types.is_integer(type_) or pa.types.is_floating(type_)
    return "text" if text else "numbers" if numbers else str(type_)


def _is_float(kind: Any) -> bool:
    return bool(kind.is_float())


def _is_int(kind: Any) -> bool:
    return bool(kind.is_integer())


def have_nanoseconds(labels: pa.Table, features: pa.Table, event: str, created: str | None) -> bool:
    """Return whether a timestamp of either table is finer than a microsecond."""
    columns = [(labels, EVENT), (features, event)] + ([(features, created)] if created else [])
    return any(
        getattr(table[name].type, "unit", "") == "ns"
        for table, name in columns
        if name in table.column_names
    )


def read_times(
    table: pa.Table,
    name: str,
    where: str,
    unit: str,
    *,
    missing: int | None = None,
    exact: bool = False,
) -> np.ndarray:
    """Return a timestamp column as integers of ``unit``, (rows,); naive ones are taken for UTC, as
    Feast does.

    The duckdb store keeps microseconds: finer features it rounds, finer labels (``exact``) it
    refuses.
    """
    require(
        name in table.column_names,
        "{} must have a column {!r}. Got columns {}.",
        where,
        name,
        ", ".join(table.column_names),
    )
    column = table[name]
    require(
        pa.types.is_timestamp(column.type),
        "{!r} of {} must be a timestamp. Got {}.",
        name,
        where,
        column.type,
    )
    require(
        missing is not None or column.null_count == 0,
        "{!r} must be there in every row of {}. Got {:,} rows without. Feast's stores differ on"
        " them: duckdb never joins such a row, file joins it to any label that has no other.",
        *(name, where, column.null_count),
    )
    try:
        numbers = column.cast(pa.timestamp(unit, column.type.tz)).cast(pa.int64())
    except pa.ArrowInvalid as error:
        require(
            not exact,
            "{!r} of {} must have whole microseconds, for the duckdb store refuses finer ones: {}",
            name,
            where,
            error,
        )
        nanoseconds = column.cast(pa.int64())
        numbers = pc.divide(pc.add(nanoseconds, 500), 1_000)  # half up
    return np.asarray(pc.fill_null(numbers, missing) if missing is not None else numbers)


def number_entities(
    labels: pa.Table, features: pa.Table, keys: Sequence[str], *, nulls_match: bool
) -> tuple[Any, Any]:
    """Return the number of each label's and each feature row's keys, (n,) and (m,); −1 where
    nothing can match. Whole and floating-point numbers are compared as floating-point ones, as both
    stores do.
    """
    import polars as pl

    names = list(keys)
    left, right = (cast(Any, pl.from_arrow(table.select(names))) for table in (labels, features))
    for name in names:
        kinds = {left.schema[name], right.schema[name]}
        kind = pl.Float64 if len(kinds) > 1 and any(map(_is_float, kinds)) else right.schema[name]
        if len(kinds) > 1 and all(map(_is_int, kinds)):
            kind = pl.Int128
        left, right = (side.with_columns(pl.col(name).cast(kind)) for side in (left, right))
    known = (
        right.unique(maintain_order=True)
        .with_row_index("entity")
        .with_columns(pl.col("entity").cast(pl.Int64))
    )
    if not nulls_match:
        known = known.drop_nulls(names)
    numbers = [
        side.join(known, on=names, how="left", nulls_equal=nulls_match, maintain_order="left")[
            "entity"
        ].fill_null(-1)
        for side in (left, right)
    ]
    return numbers[0].to_numpy(), numbers[1].to_numpy()
