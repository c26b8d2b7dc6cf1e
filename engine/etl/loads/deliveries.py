"""Deliveries: how the days of a source reach a warehouse as a folder of files, one per batch.

Real: the rows, as the source had them when each file was written (``engine.etl.flight_days``), and
the Parquet files. A file has the columns of the table and ``deleted``: true for a key that was
taken out of the source since the file before (a tombstone), if the delivery carries them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.etl import flight_days
from engine.etl.flight_days import SCHEMA, midnight, rows_at
from engine.units import format_day

Delivery = Literal["once", "twice", "out of order", "overlapping", "late rows"]
DELIVERIES: tuple[Delivery, ...] = get_args(Delivery)
ABOUT: dict[Delivery, str] = {
    "once": "one file per day, written when all flights have landed",
    "twice": "the same files, each delivered twice",
    "out of order": "files of late rows, not in the order in which they were written",
    "overlapping": "a file every midnight with this day and the day before",
    "late rows": (
        "a file every midnight with this day, and only the changed rows of the day before"
    ),
}
SETTLING = np.timedelta64(24, "h")  # after midnight; by then every flight of a day has landed


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """One file to deliver: its rows, when it was cut, and how many of the days it reaches."""

    name: str
    rows: pa.Table  # SCHEMA and ``deleted``
    cut_at: np.datetime64
    n_days: int  # from the first day of the delivery on

    def write(self, path: Path) -> None:
        """Write the file."""
        pq.write_table(self.rows, path)


def _rows(tables: list[pa.Table], gone: list[pa.Table]) -> pa.Table:
    """Return rows and tombstones as one table with ``deleted``; a tombstone has its key, when it
    was deleted, and nulls.
    """
    held = pa.concat_tables(tables)
    held = held.append_column("deleted", pa.repeat(False, held.num_rows))
    missing = [key.append_column("deleted", pa.repeat(True, key.num_rows)) for key in gone]
    return (
        pa.concat_tables([held, *missing], promote_options="default")
        .select([*SCHEMA.names, "deleted"])
        .combine_chunks()
    )


def _nightly(first_day: int, n_days: int, window: bool, tombstones: bool) -> list[Batch]:
    """Return a batch cut every midnight: the day, and of the day before all rows (``window``) or
    only what changed.
    """
    batches = []
    for number in range(n_days + 1):
        day = first_day + number
        last = number == n_days  # a closing batch: only the day before
        cut_at = midnight(day) + SETTLING if last else midnight(day + 1)
        tables, gone = [], []
        if not last:
            tables.append(rows_at(cut_at, day))
        if number > 0:
            since = midnight(day)
            tables.append(rows_at(cut_at, day - 1, changed_since=None if window else since))
            gone = [flight_days.gone_between(since, cut_at, day - 1)] if tombstones else []
        name = format_day(flight_days.date_of(day - last)) + (" again" if last else "")
        batches.append(Batch(name, _rows(tables, gone), cut_at, min(number + 1, n_days)))
    return batches


def make(
    delivery: Delivery, first_day: int, n_days: int, tombstones: bool = False, seed: int = 0
) -> list[Batch]:
    """Return the batches of a delivery in the order in which they arrive.

    Parameters
    ----------
    delivery
        One of ``DELIVERIES``; ``ABOUT`` says what each is.
    first_day, n_days
        Days of the year, counted from 0.
    tombstones
        Whether files name the keys that were taken out of the source.
    seed
        Of the order in "out of order".
    """
    flight_days.require_days(first_day, n_days)
    if delivery in ("once", "twice"):
        batches = [
            Batch(
                format_day(flight_days.date_of(day)),
                _rows([flight_days.truth(day)], []),
                midnight(day + 1) + SETTLING,
                i + 1,
            )
            for i, day in enumerate(range(first_day, first_day + n_days))
        ]
        return batches if delivery == "once" else [batch for batch in batches for _ in range(2)]
    batches = _nightly(first_day, n_days, delivery == "overlapping", tombstones)
    if delivery == "out of order":
        order = np.random.default_rng(seed).permutation(len(batches))
        if (np.diff(order) > 0).all():  # the order in which they were cut: turn it round
            order = order[::-1]
        batches = [batches[place] for place in order]
    return batches


def write(batches: list[Batch], folder: Path) -> list[Path]:
    """Write the batches into a landing folder, numbered as they arrive, and return their files."""
    paths = [folder / f"{number:02d} {batch.name}.parquet" for number, batch in enumerate(batches)]
    for batch, path in zip(batches, paths, strict=True):
        batch.write(path)
    return paths
