"""Training set: Feast joins each flight with what was known at its moment of prediction.

The moment is the scheduled departure less the lead. A flight that never arrived has no answer and
cannot be trained on; it is counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as dataset
import pyarrow.parquet as pq

from engine.feature_store import feast_repo
from engine.feature_store.feast_repo import EVENT
from engine.feature_store.serving import feast_alone
from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task
from engine.pipeline.stages.features import WEATHER
from engine.pipeline.stages.load import TABLE

if TYPE_CHECKING:
    from feast import FeatureStore

LATE_MINUTES = 15
NO_ANSWER = "never arrived: cancelled or diverted, no answer"  # why a flight is dropped
MOST_ROWS = 1_000_000  # of the training set in memory at once: three times the real year
MOST_JOINED = 100_000  # by one call of Feast, whose join pairs a flight with all rows of its plane
# view -> (entity, features with their Feast type, how old a value may be)
VIEWS: dict[str, tuple[str, dict[str, str], timedelta]] = {
    "airports": (
        "origin",
        {"recent_departures": "Int64", "recent_delay": "Float64"},
        timedelta(hours=2),
    ),
    "planes": (
        "tailnum",
        {"last_delay": "Float64", "mean_delay": "Float64", "landings": "Int64"},
        timedelta(days=7),
    ),
    "weather": ("origin", dict.fromkeys(WEATHER, "Float64"), timedelta(hours=6)),
}
FEATURES = [f"{view}:{name}" for view, (_, features, _) in VIEWS.items() for name in features]
NAMES = [name for _, features, _ in VIEWS.values() for name in features]  # their columns
# what is known of a flight from its schedule, its plane and its airline
SCHEDULE = ["carrier", "origin", "dest", "distance", "hour", "weekday", "plane_year", "seats"]
LABELS = """
SELECT carrier, flight, coalesce(tailnum, '') AS tailnum, origin, dest, distance, hour,
  isodow(flight_date)::INTEGER AS weekday, plane_year, seats, flight_date, sched_dep,
  sched_dep - to_minutes($lead) AS event_timestamp, file, line, dep_delay, arr_delay,
  arr_delay > $late AS late
FROM read_parquet($files, hive_partitioning = true)
WHERE flight_date = $day ORDER BY file, line
"""


def open_store(folder: Path, features: Path) -> FeatureStore:
    """Return the Feast repository in ``folder`` with the three views over the files in
    ``features``.
    """
    with feast_alone():
        store = feast_repo.open_repo(folder, "duckdb", "pipeline")
        entities = {key: feast_repo.entity(key) for key, _, _ in VIEWS.values()}
        views = [
            feast_repo.view(
                name,
                features / f"{name}.parquet",
                entities=[entities[key]],
                features=given,
                ttl=ttl,
            )
            for name, (key, given, ttl) in VIEWS.items()
        ]
        store.apply([*entities.values(), *views])
    return store


def label_rows(task: Task) -> Iterator[pa.Table]:
    """Yield the flights of each day with their moment and answer; null where a flight never
    arrived.
    """
    import duckdb

    files = str(task.read("load", TABLE) / "*" / "*.parquet")
    with duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        for day in task.params.dates:
            given: dict[str, Any] = {"files": files, "day": day}
            given |= {"lead": task.params.lead_minutes, "late": LATE_MINUTES}
            yield connection.sql(LABELS, params=given).to_arrow_table()


def join(store: FeatureStore, labels: pa.Table) -> pa.Table:
    """Return the flights with their features as of their moments, in the order of ``labels``."""
    asked = labels.append_column("row", pa.array(range(len(labels)), pa.int64()))
    entity_rows = asked.select(["row", "origin", "tailnum", EVENT]).to_pandas()
    with feast_alone():
        got = feast_repo.historical(store, entity_rows, FEATURES, filter_by_created=True)
    found = pa.Table.from_pandas(got[["row", *NAMES]], preserve_index=False).sort_by("row")
    for name in NAMES:
        labels = labels.append_column(name, found[name].cast(pa.float64()))
    return labels


def rows_of(
    path: Path, columns: list[str], where: pc.Expression | None = None, most: int = MOST_ROWS
) -> pa.Table:
    """Return rows of the training set in its order: all that ``where`` takes, or every k-th of them
    where these are more than ``most``, so that memory stays bounded at any scale.
    """
    rows = dataset.dataset(path)
    step = max(1, -(-rows.count_rows(filter=where) // most))
    scanner = rows.scanner(columns, where, batch_readahead=2, fragment_readahead=1)
    parts, n_seen = [], 0
    for batch in scanner.to_batches():
        chosen = np.arange(-n_seen % step, len(batch), step)
        parts.append(batch if step == 1 else batch.take(pa.array(chosen)))
        n_seen += len(batch)
    return pa.Table.from_batches(parts, scanner.projected_schema)


def count(path: Path, where: pc.Expression | None = None) -> int:
    """Return how many rows of the training set ``where`` takes."""
    return int(dataset.dataset(path).count_rows(filter=where))


def chunks(task: Task) -> Iterator[tuple[date, pa.Table]]:
    """Yield the flights with their moments and answers, some days at a time, with the last day: a
    month, or fewer days where it has more than ``MOST_JOINED``.
    """
    waiting: list[pa.Table] = []
    for day, labels in zip(task.params.dates, label_rows(task), strict=True):
        waiting.append(labels)
        ends = day == task.params.days[1] or (day + timedelta(1)).month != day.month
        if ends or sum(map(len, waiting)) >= MOST_JOINED:
            yield day, pa.concat_tables(waiting)
            waiting = []


def work(task: Task) -> Count:
    """Join the days chunk by chunk, so that memory stays bounded at any scale."""
    store = open_store(task.folder / "_feast", task.inputs["features"])
    n_in = n_out = n_without = 0
    writer = None
    for day, labels in chunks(task):
        rows = join(store, labels).combine_chunks()
        n_in += len(rows)
        known = len(rows) - rows["late"].null_count
        n_out, n_without = n_out + known, n_without + len(rows) - known
        writer = writer or pq.ParquetWriter(task.folder / "rows.parquet", rows.schema)
        writer.write_table(rows)
        task.report(((day - task.params.days[0]).days + 1) / task.params.n_days)
    if writer is not None:
        writer.close()
    missing = _missing_shares(task.folder / "rows.parquet")
    dropped = {NO_ANSWER: n_without}
    return Count(n_in, n_out, dropped, {"missing_shares": missing})


def _missing_shares(path: Path) -> dict[str, float]:
    n = count(path)
    return {name: count(path, pc.field(name).is_null()) / max(1, n) for name in NAMES}


STAGE = Stage("training_set", "Training set", ("load", "features"), ("days", "lead_minutes"), work)
