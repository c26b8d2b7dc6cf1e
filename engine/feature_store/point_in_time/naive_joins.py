"""The two joins that look right and are not: the latest value of each key, and equality on key and
hour.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import pyarrow as pa

from engine.feature_store.feast_repo import CREATED, EVENT


@dataclass(frozen=True, slots=True, eq=False)
class Joined:
    """What a naive join gives to each of n labels."""

    row: np.ndarray  # (n,) feature row, −1 without one
    value: np.ndarray  # (n,) NaN without one
    future: np.ndarray  # (n,) the value became true, or arrived, only after the label's moment


def _joined(labels: pa.Table, features: pa.Table, feature: str, row: np.ndarray) -> Joined:
    if not features.num_rows:
        return Joined(row, np.full(len(row), np.nan), np.zeros(len(row), bool))
    moment = _micros(labels[EVENT])
    known = np.maximum(_micros(features[EVENT]), _micros(features[CREATED]))[np.maximum(row, 0)]
    value = np.asarray(features[feature].to_numpy(zero_copy_only=False), float)[np.maximum(row, 0)]
    return Joined(row, np.where(row >= 0, value, np.nan), (row >= 0) & (known > moment))


def _micros(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()))


def _last_of(labels: pa.Table, features: pa.Table, on: list[str]) -> np.ndarray:
    """Return the last row, by event time and arrival, of those equal to each label in ``on``, (n,);
    −1 without one.
    """
    import polars as pl

    frame: Any = pl.from_arrow(features.select(list(dict.fromkeys([*on, EVENT, CREATED]))))
    last = (
        frame.with_row_index("row")
        .sort(EVENT, CREATED, "row")
        .unique(on, keep="last")
        .select(*on, pl.col("row").cast(pl.Int64))
    )
    left: Any = pl.from_arrow(labels.select(on))
    return cast(
        np.ndarray,
        left.join(last, on=on, how="left", maintain_order="left")["row"].fill_null(-1).to_numpy(),
    )


def latest_value(labels: pa.Table, features: pa.Table, feature: str, key: str) -> Joined:
    """Give every label of a key the key's newest row of all: what a table of current values does to
    training data.
    """
    return _joined(labels, features, feature, _last_of(labels, features, [key]))


def equi_join(labels: pa.Table, features: pa.Table, feature: str, key: str) -> Joined:
    """Give each label the row with its key and its ``match_time``: the hour of the flight itself,
    known or not by then.
    """
    return _joined(labels, features, feature, _last_of(labels, features, [key, "match_time"]))
