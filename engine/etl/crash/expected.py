"""What the crash lab is expected to find, before anything is killed: the loads as counts per key.

Each key of the day has copies with the source's values and, from before the run, at most one older
row. A strategy adds, replaces or removes these by parts (pages or chunks); a transaction undoes
them unless the commit was reached. Independent of the SQL that the worker runs: the tests compare
the two.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pyarrow as pa

from engine.etl import flight_days, ledger
from engine.etl.crash import CELLS, Cell, CrashParams, CrashResult, Lane, api
from engine.etl.crash.daily import N_CHUNKS
from engine.etl.ledger import Ledger


@dataclass(slots=True, eq=False)
class _Table:
    """One table: per key the copies with the source's values, and if the older row is there."""

    copies: np.ndarray  # (n,) ints
    older: np.ndarray  # (n,) bool

    def load(self, cell: Cell, parts: list[np.ndarray], deleted: np.ndarray) -> None:
        """Load parts (each keys by place); ``deleted`` (n,) marks the tombstones."""
        if parts and cell.strategy.startswith("overwrite"):
            self.copies, self.older = np.zeros_like(self.copies), np.zeros_like(self.older)
        for part in parts:
            alive = part[~deleted[part]]
            if cell.strategy in ("upsert", "delete-insert"):
                self.older[part] = False
                self.copies[alive] = 1
            else:
                self.copies[alive] += 1


def _parts(day: int, rows: pa.Table, staging: bool) -> list[np.ndarray]:
    """Return the places of the rows in each chunk of a staged load, or on each page."""
    if not staging:
        pages = range(api.n_pages(day))
        places = np.arange(rows.num_rows)
        return [places[api.PAGE_ROWS * page : api.PAGE_ROWS * (page + 1)] for page in pages]
    order = rows.sort_by([(name, "ascending") for name in flight_days.KEYS])["__place"].to_numpy()
    return np.array_split(order, N_CHUNKS)


def _reached(crash_at: str, parts: list[np.ndarray], staging: bool) -> list[np.ndarray]:
    """Return the parts that a crashed attempt has loaded."""
    if crash_at in ("load", "commit"):
        return parts
    if staging:
        return parts[: N_CHUNKS // 2] if crash_at == "in load" else []
    middle = (len(parts) - 1) // 2
    return parts[: middle + (crash_at == "in load")]


@lru_cache(maxsize=32)
def run(params: CrashParams) -> CrashResult:
    """Return the tables that the crash and the rerun should leave, without endings and costs."""
    source, rows = flight_days.truth(params.day), api.day_rows(params.day)
    held, deleted = params.rows_before(), rows["deleted"].to_numpy()
    placed = rows.append_column("__place", pa.array(np.arange(rows.num_rows)))
    before = ledger.reconcile(source, held, flight_days.KEYS)
    keys = {key: place for place, key in enumerate(_keys(rows))}
    older = np.zeros(rows.num_rows, bool)
    where = np.array([keys[key] for key in _keys(held)], np.int64)
    older[where] = True
    of_place = np.zeros(rows.num_rows, np.int64)
    of_place[where] = np.arange(held.num_rows)
    known: dict[bytes, Ledger] = {}

    def found(table: _Table) -> Ledger:
        state = table.copies.tobytes() + table.older.tobytes()
        if state not in known:
            fresh = rows.select(source.column_names).take(
                pa.array(np.repeat(np.arange(rows.num_rows), table.copies))
            )
            target = pa.concat_tables([held.take(pa.array(of_place[table.older])), fresh])
            known[state] = ledger.reconcile(source, target, flight_days.KEYS)
        return known[state]

    lanes = []
    for cell in CELLS:
        table = _Table(np.zeros(rows.num_rows, np.int64), older.copy())
        parts = _parts(params.day, placed, cell.staging)
        if params.crash_at == "commit":  # the first attempt is done; the others find its note
            table.load(cell, parts, deleted)
        elif not cell.transaction:
            for _ in range(params.n_crashes):
                table.load(cell, _reached(params.crash_at, parts, cell.staging), deleted)
        crashed = found(table)
        if params.crash_at != "commit":
            table.load(cell, parts, deleted)
        lanes.append(Lane(cell, crashed, (), found(table), ()))
    return CrashResult(
        params, tuple(lanes), source, before, api.n_pages(params.day), complete=False
    )


def _keys(rows: pa.Table) -> list[tuple[object, ...]]:
    return list(zip(*(rows[name].to_pylist() for name in flight_days.KEYS), strict=True))
