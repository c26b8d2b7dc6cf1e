"""More flights of a day than there were: a larger year whose columns are distributed as the real
one's.

Each further flight is a real one of the same day, drawn with replacement, with its times moved
together by up to ``SHIFT_MINUTES``, its delays by up to ``JITTER_MINUTES``, its time in the air by
up to ``AIR_MINUTES`` (and its arrival with it), and a flight number of its own. So the days,
airports, carriers, planes and weather keep their shares, delays keep theirs within the jitter, and
no two rows are equal: files compress as real ones do. ``faithful`` says how close it is. A plane is
then in several places at once, which the real year's are not.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

SHIFT_MINUTES, JITTER_MINUTES, AIR_MINUTES = 25, 3, 2
MOST_NUMBER = 9_999  # of a flight


def enlarge(rows: pa.Table, scale: int, seed: int) -> pa.Table:
    """Return ``scale`` times as many rows as ``rows``, the real ones first."""
    if scale == 1 or not len(rows):
        return rows
    rng = np.random.default_rng(seed)
    n = len(rows) * (scale - 1)
    drawn = rows.take(pa.array(rng.integers(0, len(rows), n)))
    minute_of_hour = drawn["minute"].to_numpy()
    shift = np.clip(
        minute_of_hour + rng.integers(-SHIFT_MINUTES, SHIFT_MINUTES + 1, n), 0, 59
    )  # within its hour, so that hour, day and weather stay
    jitter = rng.integers(-JITTER_MINUTES, JITTER_MINUTES + 1, n)
    air = rng.integers(-AIR_MINUTES, AIR_MINUTES + 1, n)
    moved = shift - minute_of_hour
    columns = {name: drawn[name] for name in rows.column_names}
    columns["minute"] = pa.array(shift.astype(np.int32))
    for name, change in (
        ("sched_dep_time", moved),
        ("dep_delay", jitter),
        ("arr_delay", jitter + air),
        ("air_time", air),
    ):
        columns[name] = pc.add(drawn[name], pa.array(change.astype(np.int32)))
    for name, change in (
        ("dep_time", moved + jitter),
        ("arr_time", moved + jitter + air),
        ("sched_arr_time", moved),
    ):
        columns[name] = _clock(drawn[name], change)
    columns["flight"] = pa.array(_numbers(rows, drawn))
    return pa.concat_tables([rows, pa.table(columns).cast(rows.schema)]).combine_chunks()


def _numbers(rows: pa.Table, drawn: pa.Table) -> np.ndarray:
    """Return a flight number for each further flight that its airline has not used in that hour."""
    keys = [table.select(["carrier", "time_hour"]).to_pandas() for table in (rows, drawn)]
    used = keys[0].assign(flight=rows["flight"].to_numpy()).groupby(["carrier", "time_hour"])
    taken = {key: group["flight"].to_numpy() for key, group in used}
    numbers = np.zeros(len(drawn), np.int32)
    for key, places in keys[1].groupby(["carrier", "time_hour"]).indices.items():
        free = np.ones(MOST_NUMBER + 1, bool)
        free[0] = False
        free[taken[key]] = False
        numbers[places] = np.flatnonzero(free)[::-1][: len(places)]
    return numbers


def _clock(times: pa.ChunkedArray, minutes: np.ndarray) -> pa.Array:
    """Return clock times (hhmm as a number) moved by minutes, around midnight too."""
    given = times.to_numpy(zero_copy_only=False).astype(float)
    total = (np.floor(given / 100) * 60 + given % 100 + minutes) % 1440
    moved = np.floor(total / 60) * 100 + total % 60
    return pa.array(moved, pa.float64(), from_pandas=True).cast(pa.int32())
