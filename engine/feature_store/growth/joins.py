"""Five ways to the same point-in-time join, each from labels in memory and feature rows in a
Parquet file.

Real: Feast's two offline stores, pandas' ``merge_asof``, Polars' ``join_asof``, DuckDB's ``ASOF
JOIN``. The rows are landings and flights of 2013, thinned evenly; made up is only to which of
``n_keys`` groups a plane belongs: 3 are like airports, 3,000 nearly one for each plane. No two rows
of a group have the same event time, so that all five must agree.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
import pyarrow as pa

from engine.feature_store import feast_repo, flight_features
from engine.feature_store.feast_repo import EVENT, Store

Contestant = Literal[
    "Feast file", "Feast duckdb", "pandas merge_asof", "Polars join_asof", "DuckDB ASOF JOIN"
]
CONTESTANTS: tuple[Contestant, ...] = get_args(Contestant)
Answer = tuple[int, float]  # labels with a value, sum of the values
KEY, FEATURE = "plane_group", "mean_delay"


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Labels and feature rows of one size, both in order of time, and the pairs that joins must
    look at.
    """

    labels: pa.Table
    features: pa.Table
    n_pairs: int  # with equal keys
    n_window_pairs: int  # of those, with the event in the label's window


def _thin(table: pa.Table, n: int) -> pa.Table:
    return table.take(
        pa.array(np.unique(np.linspace(0, table.num_rows - 1, min(n, table.num_rows)).astype(int)))
    )


@lru_cache(maxsize=4)
def _grouped(n_keys: int) -> tuple[pa.Table, pa.Table]:
    """Return all labels and feature rows with their group, without duplicates of group and time, in
    order of time.
    """
    import polars as pl

    planes = flight_features.label_rows("planes")["tailnum"].unique().sort()
    number = pl.DataFrame(
        {"tailnum": pl.Series(values=planes.to_pylist()), "group": np.arange(len(planes)) % n_keys}
    )
    sides = []
    for table, time in (
        (flight_features.label_rows("planes"), "departure"),
        (flight_features.feature_rows("planes"), EVENT),
    ):
        frame = cast(pl.DataFrame, pl.from_arrow(table)).rename(
            {time: EVENT} if time != EVENT else {}
        )
        frame = frame.join(number, on="tailnum").with_columns(
            pl.format("group {}", "group").alias(KEY)
        )
        frame = frame.sort(EVENT, "tailnum")
        frame = frame.unique([KEY, EVENT], keep="first", maintain_order=True)
        sides.append(
            frame.select(
                [KEY, EVENT, FEATURE] if FEATURE in frame.columns else [KEY, EVENT]
            ).to_arrow()
        )
    return sides[0], sides[1]


@lru_cache(maxsize=16)
def rows_of(n_labels: int, n_rows: int, n_keys: int, ttl: timedelta) -> Rows:
    """Return evenly thinned labels and feature rows in ``n_keys`` groups, and count the pairs
    without joining them.
    """
    import polars as pl

    labels, features = (
        _thin(table, n) for table, n in zip(_grouped(n_keys), (n_labels, n_rows), strict=True)
    )
    left, right = (cast(pl.DataFrame, pl.from_arrow(table)) for table in (labels, features))
    counts = [frame.group_by(KEY).len() for frame in (left, right)]
    n_pairs = int(
        (counts[0].join(counts[1], on=KEY).select(pl.col("len") * pl.col("len_right"))).sum().item()
        or 0
    )
    seen = (
        right.with_columns(n=pl.int_range(1, pl.len() + 1).over(KEY))
        .select(KEY, EVENT, "n")
        .sort(EVENT)
    )
    options: dict[str, Any] = {"on": EVENT, "by": KEY, "check_sortedness": False}
    upto: Any = left.sort(EVENT).join_asof(seen, **options)["n"].fill_null(0).sum()
    expired: Any = 0
    if ttl:
        before = left.with_columns(pl.col(EVENT) - ttl).sort(EVENT)
        expired = (
            before.join_asof(seen, **options, allow_exact_matches=False)["n"].fill_null(0).sum()
        )
    return Rows(labels, features, n_pairs, int(upto) - int(expired))


def _answer(values: Any) -> Answer:
    numbers = np.asarray(values, float)
    return int(np.count_nonzero(~np.isnan(numbers))), round(float(np.nansum(numbers)), 3)


def _feast(store: Store, rows: Rows, path: Path, ttl: timedelta) -> Callable[[], Answer]:
    repo = feast_repo.open_repo(path.parent / store, store)
    entity = feast_repo.entity(KEY)
    name = path.stem
    view = feast_repo.view(
        name, path, entities=[entity], features={FEATURE: "Float64"}, ttl=ttl, created=None
    )
    repo.apply([entity, view])
    labels = feast_repo.plain_types(rows.labels).to_pandas()
    return lambda: _answer(feast_repo.historical(repo, labels, [f"{name}:{FEATURE}"])[FEATURE])


def _pandas(rows: Rows, path: Path, ttl: timedelta) -> Callable[[], Answer]:
    import pandas as pd

    labels = feast_repo.plain_types(rows.labels).to_pandas()

    def join() -> Answer:
        right = pd.read_parquet(path)
        tolerance = pd.Timedelta(ttl) if ttl else None
        return _answer(pd.merge_asof(labels, right, on=EVENT, by=KEY, tolerance=tolerance)[FEATURE])

    return join


def _polars(rows: Rows, path: Path, ttl: timedelta) -> Callable[[], Answer]:
    import polars as pl

    labels = cast(pl.DataFrame, pl.from_arrow(rows.labels))

    def join() -> Answer:
        right = pl.read_parquet(path)
        joined = labels.join_asof(
            right, on=EVENT, by=KEY, tolerance=ttl or None, check_sortedness=False
        )
        return _answer(joined[FEATURE].to_numpy())

    return join


def _duckdb(rows: Rows, path: Path, ttl: timedelta) -> Callable[[], Answer]:
    import duckdb

    window = (
        f"f.{EVENT} >= l.{EVENT} - INTERVAL {round(ttl.total_seconds())} SECOND" if ttl else "true"
    )
    sql = f"""
        SELECT CASE WHEN {window} THEN f.{FEATURE} END AS value
        FROM labels l ASOF LEFT JOIN read_parquet('{path}') f
            ON l.{KEY} = f.{KEY} AND l.{EVENT} >= f.{EVENT}
    """

    def join() -> Answer:
        with duckdb.connect() as connection:
            connection.register("labels", rows.labels)
            return _answer(connection.sql(sql).to_arrow_table()["value"].to_numpy())

    return join


def prepare(name: Contestant, rows: Rows, path: Path, ttl: timedelta) -> Callable[[], Answer]:
    """Return the join of a contestant over the Parquet file ``path`` of these rows, ready to be
    timed.
    """
    if name == "Feast file":
        return _feast("file", rows, path, ttl)
    if name == "Feast duckdb":
        return _feast("duckdb", rows, path, ttl)
    return {"pandas merge_asof": _pandas, "Polars join_asof": _polars, "DuckDB ASOF JOIN": _duckdb}[
        name
    ](rows, path, ttl)
