"""The changes of one day of flights, and how a change log delivers them: out of order, some of them
twice.

Real: each flight is inserted when it is announced, updated when it leaves and when it lands,
deleted when it is cancelled (``engine.etl.flight_days.changes``). Simulated from the seed:
estimates of the delay before that (``n_revisions`` updates of each flight in the four hours before
it leaves or goes), how long each change takes to be delivered, which are delivered again (up to six
hours later). Simplified: a flight that is deleted does not come back. Minutes count from New York
midnight.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.etl import flight_days

REVISED_WITHIN_MINUTES = 240.0
AGAIN_WITHIN_MINUTES = 360.0
MINUTE = np.timedelta64(60_000_000, "us")


@dataclass(frozen=True, slots=True, eq=False)
class Stream:
    """Changes in the order of the log. ``table``: key, flight, lsn (1 … n), op, changed_at,
    dep_delay, arr_delay.
    """

    table: pa.Table
    labels: pa.Array  # of the flights, by key
    key: np.ndarray  # (n,) 0 … n_flights − 1
    at: np.ndarray  # (n,) minutes from midnight
    deleted: np.ndarray  # (n,) bool: the change takes the row away

    @property
    def n(self) -> int:
        """Changes in all."""
        return len(self.key)

    @property
    def n_flights(self) -> int:
        """Flights that change."""
        return len(self.labels)

    @property
    def end(self) -> float:
        """When the last change is made, minutes."""
        return float(self.at[-1])


@lru_cache(maxsize=16)
def stream(day: int, n_flights: int, n_revisions: int, seed: int) -> Stream:
    """Return the changes of a day (1 … 365), of ``n_flights`` flights evenly spaced over it."""
    table = flight_days.changes(day - 1, 1)
    names = [table[name].cast(pa.string()) for name in ("carrier", "flight", "origin")]
    coded = pc.binary_join_element_wise(*names, " ").combine_chunks().dictionary_encode()
    code, labels = np.asarray(coded.indices), coded.dictionary
    chosen = np.unique(np.linspace(0, len(labels) - 1, min(n_flights, len(labels))).astype(int))
    rank = np.full(len(labels), -1)
    rank[chosen] = np.arange(len(chosen))
    kept = np.flatnonzero(rank[code] >= 0)
    table, key = table.take(pa.array(kept)), rank[code][kept]
    at = (table["at"].to_numpy() - flight_days.midnight(day - 1)) / MINUTE
    op = np.asarray(table["op"].to_pylist())
    columns = [
        key,
        at,
        op,
        *(
            table[name].to_numpy(zero_copy_only=False).astype(float)
            for name in ("dep_delay", "arr_delay")
        ),
    ]
    columns = _revised(columns, n_revisions, np.random.default_rng([seed, 2]))
    key, at, op, dep, arr = (column[np.argsort(columns[1], kind="stable")] for column in columns)
    everything = pa.table(
        {
            "key": pa.array(key.astype(np.int32)),
            "flight": labels.take(pa.array(chosen)).take(pa.array(key)),
            "lsn": pa.array(np.arange(1, len(key) + 1)),
            "op": pa.array(op),
            "changed_at": pa.array(at),
            "dep_delay": pa.array(dep, pa.float64(), from_pandas=True).cast(pa.int32()),
            "arr_delay": pa.array(arr, pa.float64(), from_pandas=True).cast(pa.int32()),
        }
    )
    return Stream(
        everything, labels.take(pa.array(chosen)), key.astype(np.int64), at, op == "delete"
    )


def _revised(
    columns: list[np.ndarray], n_revisions: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Return the changes with ``n_revisions`` estimates of each flight's delay before it leaves or
    is taken away.
    """
    key, at, op, dep, _ = columns
    later = np.flatnonzero(op != "insert")
    _, first = np.unique(key[later], return_index=True)
    goes = np.repeat(later[first], n_revisions)
    n = len(goes)
    when = np.maximum(at[goes] - rng.uniform(1, REVISED_WITHIN_MINUTES, n), 1 + rng.random(n))
    when = np.minimum(when, at[goes] - 0.5)
    estimate = np.round(
        np.where(np.isnan(dep[goes]), rng.uniform(0, 180, n), dep[goes] * rng.random(n))
    )
    made = [key[goes], when, np.full(n, "update"), estimate, np.full(n, np.nan)]
    return [np.concatenate(pair) for pair in zip(columns, made, strict=True)]


@lru_cache(maxsize=16)
def deliver(
    day: int,
    n_flights: int,
    n_revisions: int,
    seed: int,
    reorder_minutes: float,
    duplicate_share: float,
) -> pa.Table:
    """Return the log as it is delivered: the stream's columns with ``arrived_at`` and ``seq`` (0
    …), in order of arrival.

    Every change takes 0 … ``reorder_minutes``; a share comes again, 0 … 360 minutes after that.
    """
    changes = stream(day, n_flights, n_revisions, seed)
    rng = np.random.default_rng([seed, 3])
    first = changes.at + rng.random(changes.n) * reorder_minutes
    again = np.flatnonzero(rng.random(changes.n) < duplicate_share)
    place = np.concatenate([np.arange(changes.n), again])
    arrived = np.concatenate([first, first[again] + rng.random(len(again)) * AGAIN_WITHIN_MINUTES])
    order = np.lexsort((place, arrived))
    log = changes.table.take(pa.array(place[order]))
    return log.append_column("arrived_at", pa.array(arrived[order])).append_column(
        "seq", pa.array(np.arange(len(order)))
    )
