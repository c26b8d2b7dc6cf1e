"""Four ways to keep a copy of a changing table, each really applied to a DuckDB target.

Real: the source is a SQLite table to which the changes are made in order; full reload and cursor
read it by SQL and load what they get into DuckDB, poll by poll. The log lands whole in DuckDB, and
the tables of change log and micro-batch are one query over it each: what an apply change by change,
or a MERGE per batch, comes to (the tests and the script do that). Simplified: an extract takes no
time.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa

from engine.etl.change_capture import changes as change_stream
from engine.etl.change_capture.changes import Stream

Apply = Literal["by log position", "as they arrive"]
APPLIES: tuple[Apply, ...] = get_args(Apply)
COLUMNS = "flight, lsn, dep_delay, arr_delay, updated_at"
SCHEMA = pa.schema(
    {
        "flight": pa.string(),
        "lsn": pa.int64(),
        "dep_delay": pa.int32(),
        "arr_delay": pa.int32(),
        "updated_at": pa.float64(),
    }
)
# what a strategy did to its target, when: `known_at` is the time that the history gives it
APPLIED = (
    "(flight VARCHAR, lsn BIGINT, dep_delay INTEGER, deleted BOOLEAN, applied_at DOUBLE, known_at"
    " DOUBLE)"
)
NOTED = "flight, lsn, dep_delay, op = 'delete' AS deleted, changed_at AS known_at, seq"
NEWER = """QUALIFY lsn > coalesce(max(lsn) OVER (
  PARTITION BY flight ORDER BY {by} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"""
HISTORY = """SELECT flight, lsn, dep_delay, valid_from, valid_to FROM (
  SELECT *, known_at AS valid_from,
    lead(known_at) OVER (PARTITION BY flight ORDER BY {order}) AS valid_to
  FROM {rows}
) WHERE NOT deleted ORDER BY flight, lsn, valid_from"""


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """What one strategy left behind and what it cost."""

    target: pa.Table  # the rows that a reader sees at the end, columns of SCHEMA
    history: (
        pa.Table
    )  # slowly changing dimension type 2: flight, lsn, dep_delay, valid_from, valid_to
    applied: pa.Table  # flight, lsn, deleted, applied_at in the order in which the target changed
    n_moved: int  # rows that left the source or the log
    n_written: int  # rows written to the target
    n_loads: int  # transactions on the target


@lru_cache(maxsize=1)
def _database() -> Any:
    import duckdb

    return duckdb.connect(config={"threads": 1})


def _connect() -> Any:
    """Return a connection of its own to the one database in memory; its tables are temporary, so no
    other sees them.
    """
    return _database().cursor()


def _arrow(connection: Any, query: str) -> pa.Table:
    return connection.sql(query).to_arrow_table()


def source_changes(source: sqlite3.Connection, changes: list[tuple[Any, ...]]) -> None:
    """Make changes (flight, lsn, dep_delay, arr_delay, at, op) to the source table, in one
    transaction.
    """
    upserts = [change[:5] for change in changes if change[5] != "delete"]
    source.executemany("INSERT OR REPLACE INTO flights VALUES (?, ?, ?, ?, ?)", upserts)
    # a flight's deletion is its last change: the deletes can come after all upserts
    source.executemany(
        "DELETE FROM flights WHERE flight = ?",
        [change[:1] for change in changes if change[5] == "delete"],
    )
    source.commit()


def _extract(source: sqlite3.Connection, where: str, values: tuple[float, ...] = ()) -> pa.Table:
    rows = source.execute(f"SELECT {COLUMNS} FROM flights {where}", values).fetchall()
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(SCHEMA)
    return pa.table(
        [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)],
        schema=SCHEMA,
    )


def polls(changes: Stream, poll_minutes: int) -> np.ndarray:
    """Return when full reload and cursor read the source: the last time after the last change."""
    return np.arange(poll_minutes, changes.end + poll_minutes, poll_minutes, dtype=float)


@lru_cache(maxsize=16)
def polled(
    day: int, n_flights: int, n_revisions: int, seed: int, poll_minutes: int
) -> tuple[Loaded, Loaded]:
    """Run full reload and cursor side by side, poll by poll, and return what each left."""
    changes = change_stream.stream(day, n_flights, n_revisions, seed)
    table = changes.table
    rows = list(
        zip(
            *(
                table[name].to_pylist()
                for name in ("flight", "lsn", "dep_delay", "arr_delay", "changed_at", "op")
            ),
            strict=True,
        )
    )
    source = sqlite3.connect(":memory:")
    source.execute(f"CREATE TABLE flights ({COLUMNS}, PRIMARY KEY (flight))")
    source.execute("CREATE INDEX by_time ON flights (updated_at)")
    whole, part = _connect(), _connect()
    for target in (whole, part):
        target.register("extract", SCHEMA.empty_table())
        target.execute("CREATE TEMP TABLE target AS FROM extract")
        target.execute(f"CREATE TEMP TABLE applied {APPLIED}")
    n_moved, done, cursor = [0, 0], 0, -1.0
    for poll in polls(changes, poll_minutes).tolist():
        until = int(np.searchsorted(changes.at, poll, side="right"))
        source_changes(source, rows[done:until])
        done = until
        everything, newer = (
            _extract(source, ""),
            _extract(source, "WHERE updated_at > ?", (cursor,)),
        )
        _reload(whole, everything, poll)
        _upsert(part, newer, poll)
        cursor = max([cursor, *newer["updated_at"].to_pylist()])
        n_moved[0] += len(everything)
        n_moved[1] += len(newer)
    n_loads = len(polls(changes, poll_minutes))
    source.close()
    return _close(whole, n_moved[0], n_moved[0], n_loads), _close(
        part, n_moved[1], n_moved[1], n_loads
    )


def _reload(target: Any, extract: pa.Table, now: float) -> None:
    """Replace the target by the extract; what changed or went since the last poll is noted for the
    history.
    """
    target.register("extract", extract)
    target.execute("BEGIN")
    known = f"lsn, dep_delay, false, {now}, updated_at"
    target.execute(
        f"INSERT INTO applied SELECT flight, {known} FROM extract ANTI JOIN target USING (flight,"
        " lsn)"
    )
    gone = f"lsn, NULL, true, {now}, {now}"
    target.execute(
        f"INSERT INTO applied SELECT flight, {gone} FROM target ANTI JOIN extract USING (flight)"
    )
    target.execute("CREATE OR REPLACE TEMP TABLE target AS FROM extract")
    target.execute("COMMIT")


def _upsert(target: Any, extract: pa.Table, now: float) -> None:
    if not len(extract):
        return
    target.register("extract", extract)
    target.execute("BEGIN")
    target.execute(
        f"INSERT INTO applied SELECT flight, lsn, dep_delay, false, {now}, updated_at FROM extract"
    )
    target.execute(
        "MERGE INTO target USING extract USING (flight) WHEN MATCHED THEN UPDATE WHEN NOT MATCHED"
        " THEN INSERT"
    )
    target.execute("COMMIT")


def _close(
    target: Any, n_moved: int, n_written: int, n_loads: int, order: str = "applied_at, lsn, deleted"
) -> Loaded:
    loaded = Loaded(
        target=_arrow(target, f"SELECT {COLUMNS} FROM target ORDER BY flight"),
        history=_arrow(target, HISTORY.format(rows="applied", order=order)),
        applied=_arrow(
            target, f"SELECT flight, lsn, deleted, applied_at FROM applied ORDER BY {order}"
        ),
        n_moved=n_moved,
        n_written=n_written,
        n_loads=n_loads,
    )
    target.close()
    return loaded


def _latest(order: str, by: str) -> str:
    return (
        f"SELECT * FROM log QUALIFY row_number() OVER (PARTITION BY {by} ORDER BY {order} DESC) = 1"
    )


def logged(log: pa.Table, apply: Apply) -> Loaded:
    """Apply the delivered log change by change, as two queries over it; the guard is the log
    position.

    By log position, a change is applied only if no later one of its flight has been, and the
    history is put in the order of the log, each change once. As they arrive, each is applied when
    it comes, copies and late ones too.
    """
    order = "lsn" if apply == "by log position" else "seq"
    guard = NEWER.format(by="seq") if order == "lsn" else ""
    target = _connect()
    target.register("log", log)
    renamed = "flight, lsn, dep_delay, arr_delay, changed_at AS updated_at"
    target.execute(
        f"CREATE TEMP TABLE target AS SELECT {renamed} FROM ({_latest(order, 'flight')}) WHERE op"
        " <> 'delete'"
    )
    noted = f"SELECT {NOTED}, arrived_at AS applied_at FROM log"
    target.execute(f"CREATE TEMP TABLE applied AS {noted} {guard}")
    once = "QUALIFY row_number() OVER (PARTITION BY lsn ORDER BY seq) = 1" if order == "lsn" else ""
    history = _arrow(target, HISTORY.format(rows=f"({noted} {once})", order=order))
    n_written = target.execute("SELECT count(*) FROM applied").fetchall()[0][0]
    return replace(_close(target, len(log), n_written, len(log), "seq"), history=history)


def micro_batched(log: pa.Table, apply: Apply, batch_minutes: int) -> Loaded:
    """Load the delivered log in batches: the last change of each flight in a batch.

    As for ``logged``, the target is one query: what a MERGE per batch comes to (the tests and the
    script apply them one by one). By log position a flight has its latest change of all batches,
    as a deleted one leaves a tombstone; as they arrive, that of its last batch.
    """
    order = "lsn" if apply == "by log position" else "seq"
    batch = np.ceil(log["arrived_at"].to_numpy() / batch_minutes).astype(np.int64)
    target = _connect()
    target.register("log", log.append_column("batch", pa.array(batch)))
    target.execute(
        f"CREATE TEMP TABLE compacted AS {_latest(order, 'batch, flight')} ORDER BY batch"
    )
    by = "lsn" if order == "lsn" else "batch"
    last = f"QUALIFY row_number() OVER (PARTITION BY flight ORDER BY {by} DESC) = 1"
    renamed = "flight, lsn, dep_delay, arr_delay, changed_at AS updated_at"
    target.execute(
        f"CREATE TEMP TABLE target AS SELECT {renamed} FROM (FROM compacted {last})"
        " WHERE op <> 'delete'"
    )
    guard = NEWER.format(by="batch") if order == "lsn" else ""
    noted = f"SELECT {NOTED}, (batch * {batch_minutes})::DOUBLE AS applied_at FROM compacted"
    target.execute(f"CREATE TEMP TABLE applied AS {noted} {guard}")
    n_written = target.execute("SELECT count(*) FROM applied").fetchall()[0][0]
    return _close(target, len(log), n_written, len(np.unique(batch)), "applied_at, seq")
