"""The source of the ETL lab: each flight of 2013 as a row that is announced, departs, lands or is
cancelled.

Real: every flight, its day, its schedule, its delays, whether it was cancelled; so is when it left.
Simplified, as the data does not say it: all flights of a day are announced at its first minute (New
York), a flight lands its air time and ``TAXI_MINUTES`` after it left (a diverted one, whose air
time is unknown, ``DIVERTED_HOURS`` after), and a cancelled one is taken out of the source
``CANCELLED_HOURS`` after it should have left. Times are UTC, without a zone in their type.

``rows_at`` is the source as it was at a moment, ``changes`` the same story as an append-only
stream of changes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.errors import require

KEYS: Final = ("flight_date", "carrier", "flight", "origin")
FIRST: Final = date(2013, 1, 1)
N_DAYS: Final = 365
TAXI_MINUTES: Final = 25
DIVERTED_HOURS: Final = 6
CANCELLED_HOURS: Final = 4
NEW_YORK: Final = ZoneInfo("America/New_York")
MINUTE: Final = np.timedelta64(60_000_000, "us")
NEVER: Final = np.datetime64("2100-01-01T00:00:00", "us")
SETTLED: Final = np.datetime64(
    "2014-06-01T00:00:00", "us"
)  # by then every flight has landed or is cancelled
SCHEMA: Final = pa.schema(
    {
        "flight_date": pa.date32(),
        "carrier": pa.string(),
        "flight": pa.int32(),
        "origin": pa.string(),
        "dest": pa.string(),
        "tailnum": pa.string(),
        "distance": pa.int32(),
        "sched_dep": pa.timestamp("us"),
        "dep_delay": pa.int32(),  # minutes, null until it has left
        "arr_delay": pa.int32(),  # minutes, null until it has landed
        "air_time": pa.int32(),  # minutes, null until it has landed
        "updated_at": pa.timestamp("us"),  # when the row last changed in the source
    }
)


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """All flights in order of day and schedule, and the moments (n,) of their changes; ``NEVER``
    for what does not happen.
    """

    rows: pa.Table  # as they are once all is settled; ``updated_at`` is the last change
    starts: np.ndarray  # (N_DAYS + 1,) place of each day's first row
    announced: np.ndarray
    departed: np.ndarray
    landed: np.ndarray
    cancelled: np.ndarray

    def places(self, first_day: int, n_days: int) -> slice:
        """Return where the rows of some days are; days count from 0, 1 January."""
        return slice(int(self.starts[first_day]), int(self.starts[first_day + n_days]))


def date_of(day: int) -> date:
    """Return the date of a day of the year, counted from 0."""
    return FIRST + timedelta(days=day)


def day_of(when: date) -> int:
    """Return the day of the year of a date, counted from 0."""
    return (when - FIRST).days


def midnight(day: int) -> np.datetime64:
    """Return the first moment of a day in New York, in UTC; ``midnight(day + 1)`` ends the day."""
    start = datetime.combine(date_of(day), datetime.min.time(), NEW_YORK)
    return np.datetime64(int(start.timestamp() * 1_000_000), "us")


def require_days(first_day: int, n_days: int) -> None:
    """Raise ``InputError`` unless the days are in the year."""
    require(
        0 <= first_day < N_DAYS,
        "first_day must be 0–{} (days of 2013). Got {}.",
        N_DAYS - 1,
        first_day,
    )
    left = N_DAYS - first_day
    require(
        1 <= n_days <= left,
        "n_days must be 1–{} from day {} on. Got {}.",
        left,
        first_day,
        n_days,
    )


@lru_cache(maxsize=1)
def history() -> History:
    """Return every flight of the year with its moments, computed once a process."""
    flights = data.load("flights")
    day = pc.subtract(pc.day_of_year(dates(flights)), 1)
    leaves = pc.add(
        flights["time_hour"].cast(pa.int64()),
        pc.multiply(flights["minute"].cast(pa.int64()), 60_000_000),
    )
    order = np.lexsort((np.asarray(flights["flight"]), np.asarray(leaves), np.asarray(day)))
    flights, day, leaves = (
        flights.take(pa.array(order)),
        np.asarray(day)[order],
        np.asarray(leaves)[order],
    )
    sched_dep = leaves.astype("datetime64[us]")
    gone = np.asarray(flights["dep_time"].is_null())
    delay, air_time = (
        np.nan_to_num(flights[name].to_numpy()).astype(np.int64)
        for name in ("dep_delay", "air_time")
    )
    flown = np.asarray(flights["air_time"].is_valid())
    departed = np.where(gone, NEVER, sched_dep + delay * MINUTE)
    underway = np.where(flown, air_time + TAXI_MINUTES, 60 * DIVERTED_HOURS)
    landed = np.where(gone, NEVER, sched_dep + (delay + underway) * MINUTE)
    cancelled = np.where(gone, sched_dep + 60 * CANCELLED_HOURS * MINUTE, NEVER)
    columns = {name: flights[name] for name in SCHEMA.names if name in flights.column_names}
    columns |= {"flight_date": dates(flights), "sched_dep": pa.array(sched_dep)}
    columns |= {"updated_at": pa.array(np.minimum(landed, cancelled))}
    starts = np.searchsorted(day, np.arange(N_DAYS + 1))
    announced = np.repeat(np.array([midnight(d) for d in range(N_DAYS)]), np.diff(starts))
    rows = pa.table({name: columns[name] for name in SCHEMA.names}).cast(SCHEMA).combine_chunks()
    return History(rows, starts, announced, departed, landed, cancelled)


def dates(flights: pa.Table) -> pa.Array:
    """Return the day of each flight, as New York has it."""
    texts = [pc.cast(flights[name], pa.string()) for name in ("year", "month", "day")]
    padded = [texts[0], *(pc.utf8_lpad(text, 2, "0") for text in texts[1:])]
    return pc.binary_join_element_wise(*padded, "-").cast(pa.date32())


def rows_at(
    moment: np.datetime64,
    first_day: int,
    n_days: int = 1,
    *,
    changed_since: np.datetime64 | None = None,
) -> pa.Table:
    """Return the rows of some days as the source held them at a moment.

    Parameters
    ----------
    moment
        UTC; ``SETTLED`` for the rows as they are in the end.
    first_day, n_days
        Days of the year, counted from 0.
    changed_since
        Only rows that changed after this moment: what an extract by a cursor on ``updated_at``
        sees. A row that was taken out of the source is in no extract.
    """
    require_days(first_day, n_days)
    past = history()
    at = past.places(first_day, n_days)
    announced, departed, landed, cancelled = (
        moments[at] for moments in (past.announced, past.departed, past.landed, past.cancelled)
    )
    has_left, has_landed = departed <= moment, landed <= moment
    updated_at = np.where(has_landed, landed, np.where(has_left, departed, announced))
    there = (announced <= moment) & (cancelled > moment)
    if changed_since is not None:
        there &= updated_at > changed_since
    rows = past.rows.slice(at.start, at.stop - at.start)
    for name, known in (
        ("dep_delay", has_left),
        ("arr_delay", has_landed),
        ("air_time", has_landed),
    ):
        column = pc.if_else(pa.array(known), rows[name], pa.scalar(None, pa.int32()))
        rows = rows.set_column(rows.column_names.index(name), SCHEMA.field(name), column)
    rows = rows.set_column(
        rows.column_names.index("updated_at"), SCHEMA.field("updated_at"), pa.array(updated_at)
    )
    return rows.filter(pa.array(there)).combine_chunks()


def truth(first_day: int, n_days: int = 1) -> pa.Table:
    """Return the rows of some days once all is settled: what a warehouse should hold in the end."""
    return rows_at(SETTLED, first_day, n_days)


def gone_between(
    after: np.datetime64, until: np.datetime64, first_day: int, n_days: int = 1
) -> pa.Table:
    """Return the rows of some days taken out of the source in (after, until]: their keys, and when,
    as ``updated_at``.
    """
    require_days(first_day, n_days)
    past = history()
    at = past.places(first_day, n_days)
    gone = (past.cancelled[at] > after) & (past.cancelled[at] <= until)
    return (
        past.rows.slice(at.start, at.stop - at.start)
        .select([*KEYS, "updated_at"])
        .filter(pa.array(gone))
    )


def changes(first_day: int, n_days: int = 1) -> pa.Table:
    """Return the append-only change stream of some days, in the order of its changes.

    Columns: ``lsn`` (int64, 1 … n, the place in the stream), ``op`` (insert, update or delete),
    ``at`` (when the source changed, UTC), then the row as it is after the change (for a delete: as
    it was when it was announced).
    """
    require_days(first_day, n_days)
    past = history()
    at = past.places(first_day, n_days)
    rows = past.rows.slice(at.start, at.stop - at.start)
    kinds = (
        ("insert", past.announced),
        ("update", past.departed),
        ("update", past.landed),
        ("delete", past.cancelled),
    )
    place = np.concatenate([np.flatnonzero(moments[at] < NEVER) for _, moments in kinds])
    stage = np.concatenate(
        [np.full((moments[at] < NEVER).sum(), i) for i, (_, moments) in enumerate(kinds)]
    )
    when = np.concatenate([moments[at][moments[at] < NEVER] for _, moments in kinds])
    order = np.lexsort((place, stage, when))
    place, stage, when = place[order], stage[order], when[order]
    table = rows.take(pa.array(place))
    for name, first_stage in (("dep_delay", 1), ("arr_delay", 2), ("air_time", 2)):
        known = pa.array((stage >= first_stage) & (stage < 3))
        column = pc.if_else(known, table[name], pa.scalar(None, pa.int32()))
        table = table.set_column(table.column_names.index(name), SCHEMA.field(name), column)
    table = table.set_column(
        table.column_names.index("updated_at"), SCHEMA.field("updated_at"), pa.array(when)
    )
    ops = pc.take(pa.array([op for op, _ in kinds]), pa.array(stage))
    head = {"lsn": pa.array(np.arange(1, len(when) + 1)), "op": ops, "at": pa.array(when)}
    return pa.table({**head, **{name: table[name] for name in SCHEMA.names}}).combine_chunks()
