"""A cursor on updated-at against transactions that commit later than their timestamp: what it
skips, and the lag window.

Real: every transaction that is open while the cursor reads is open in DuckDB (its own connection,
``BEGIN`` … ``COMMIT``), and which rows a read can see is what DuckDB shows at that moment.
Simulated from the seed: how long each transaction takes. Simplified: one day of flights, one row a
transaction; transactions that begin and end between two reads are inserted together, as no read can
tell. What a cursor with a lag window takes of the visible rows is computed here; the script asks
DuckDB for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from engine.etl.late.source import flights_of

QUICK_MINUTES = 0.02  # mean length of a transaction that is not slow
MINUTES = 24 * 60


@dataclass(frozen=True, slots=True, eq=False)
class Commits:
    """One day's transactions in order of their timestamps, in minutes from midnight."""

    updated_at: np.ndarray  # (n,) set when the transaction begins
    committed_at: np.ndarray  # (n,)
    slow: np.ndarray  # (n,) bool
    polls: np.ndarray  # (m,) when the cursor reads


@dataclass(frozen=True, slots=True, eq=False)
class CursorRun:
    """What one cursor read of the day's rows."""

    commits: Commits
    visible: np.ndarray  # (n,) the first read that could see the row
    missed: np.ndarray  # (n,) bool: no read took it
    n_reread: int  # rows taken again, all reads together
    lag_needed: int  # minutes of lag window from which on nothing is skipped

    @property
    def n_rows(self) -> int:
        """Transactions of the day."""
        return len(self.missed)

    @property
    def n_slow(self) -> int:
        """Transactions drawn as slow."""
        return int(self.commits.slow.sum())

    @property
    def n_missed(self) -> int:
        """Rows skipped for good."""
        return int(self.missed.sum())

    @property
    def delay_minutes(self) -> np.ndarray:
        """Minutes from each row's timestamp to its commit, (n,)."""
        return np.asarray(self.commits.committed_at - self.commits.updated_at)


@lru_cache(maxsize=32)
def commits(
    first_day: int, poll_minutes: int, slow_share: float, slow_minutes: int, seed: int
) -> Commits:
    """Return the transactions of the first day in view: a flight each, seconds and lengths drawn
    from the seed.
    """
    hours, _ = flights_of(first_day, 1)
    rng = np.random.default_rng([seed, 1])
    n = len(hours)
    updated = np.sort(hours * 60 + rng.random(n))
    slow = rng.random(n) < slow_share
    length = rng.exponential(1, n) * np.where(slow, slow_minutes, QUICK_MINUTES)
    committed = updated + length
    last = max(MINUTES, float(committed.max())) + poll_minutes
    return Commits(
        updated,
        committed,
        slow,
        np.arange(poll_minutes, last + poll_minutes, poll_minutes, dtype=float),
    )


def transact(connection: Any, stream: Commits) -> np.ndarray:
    """Run the transactions against a DuckDB connection and return the first read that sees each
    row, (n,).

    A transaction that is open at a read is held open on a connection of its own until its time has
    come.
    """
    connection.execute("CREATE OR REPLACE TABLE changes (id INTEGER, updated_at DOUBLE)")
    begun = np.searchsorted(
        stream.polls, stream.updated_at
    )  # the next read after the row's timestamp
    ended = np.searchsorted(stream.polls, stream.committed_at)
    visible = np.full(len(begun), len(stream.polls))
    still_open: dict[int, Any] = {}
    for poll in range(len(stream.polls)):
        for row in [row for row in still_open if ended[row] == poll]:
            still_open.pop(row).execute("COMMIT")
        quick = np.flatnonzero((begun == poll) & (ended == poll))
        if len(quick):
            block = [quick.tolist(), stream.updated_at[quick].tolist()]
            connection.execute("INSERT INTO changes SELECT unnest(?), unnest(?)", block)
        for row in np.flatnonzero((begun == poll) & (ended > poll)).tolist():
            still_open[row] = own = connection.cursor()
            own.execute("BEGIN")
            own.execute("INSERT INTO changes VALUES (?, ?)", [row, float(stream.updated_at[row])])
        seen = connection.execute("SELECT id FROM changes").fetchnumpy()["id"]
        visible[seen] = np.minimum(visible[seen], poll)
    return visible


@lru_cache(maxsize=32)
def _visible(
    first_day: int, poll_minutes: int, slow_share: float, slow_minutes: int, seed: int
) -> tuple[Commits, np.ndarray]:
    import duckdb

    stream = commits(first_day, poll_minutes, slow_share, slow_minutes, seed)
    with duckdb.connect(config={"threads": 1}) as connection:
        return stream, transact(connection, stream)


def follow(stream: Commits, visible: np.ndarray, lag_minutes: float) -> tuple[np.ndarray, int]:
    """Return which rows (n,) a cursor with a lag window takes at any read, and how many rows it
    takes again.
    """
    taken = np.zeros(len(visible), np.int64)
    cursor = -np.inf
    for poll in range(len(stream.polls)):
        got = (visible <= poll) & (stream.updated_at > cursor - lag_minutes)
        taken += got
        if got.any():
            cursor = max(cursor, float(stream.updated_at[got].max()))
    return taken > 0, int(np.maximum(taken - 1, 0).sum())


def needed_lag(stream: Commits, visible: np.ndarray) -> int:
    """Return the whole minutes of lag window from which on no row is skipped: the furthest that a
    cursor was ahead of a row.
    """
    order = np.argsort(visible, kind="stable")
    ahead = np.full(
        len(stream.polls) + 1, -np.inf
    )  # the highest timestamp visible before each read
    np.maximum.at(ahead, visible + 1, stream.updated_at)
    ahead = np.maximum.accumulate(ahead)
    gap = ahead[visible[order]] - stream.updated_at[order]
    return int(np.floor(max(0.0, float(gap.max())))) + 1 if (gap >= 0).any() else 0


def read(params: Any) -> CursorRun:
    """Return what the cursor of ``params`` (a ``LateParams``) reads."""
    p = params
    stream, visible = _visible(p.first_day, p.poll_minutes, p.slow_share, p.slow_minutes, p.seed)
    taken, n_reread = follow(stream, visible, p.lag_minutes)
    return CursorRun(stream, visible, ~taken, n_reread, needed_lag(stream, visible))
