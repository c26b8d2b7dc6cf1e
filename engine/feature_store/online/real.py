"""The schedule of *online* on the real Feast: every run materialized, the SQLite store compared
after each, reads timed.

One run of a visitor has a folder of its own (``workspace.scratch``) that goes when it ends, so that
nobody writes another's registry; what is looked at afterwards is in the result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from engine import workspace
from engine.feature_store import feast_internals, feast_repo, serving
from engine.feature_store.flight_features import FEATURES, KEYS
from engine.feature_store.online import run
from engine.feature_store.online.result import (
    NONE,
    START,
    WEEK_HOURS,
    OnlineParams,
    OnlineResult,
    Run,
)
from engine.feature_store.serving import OnlineRow
from engine.jobs import Progress, Steps, timed, to_end
from engine.units import format_bytes, format_seconds, format_time

if TYPE_CHECKING:
    from feast import FeatureStore

VIEW, PROJECT, TABLE = "served", "playground", "playground_served"
N_READS = 300
BATCH = 100  # keys in the larger of the two requests that are timed
N_ROWS_SHOWN = 60


@dataclass(frozen=True, slots=True, eq=False)
class ServedResult:
    """What Feast did. ``seconds`` (runs,) of each materialization, ``reads`` (N_READS,) of each
    call by keys asked for.
    """

    params: OnlineParams
    seconds: tuple[float, ...] = ()
    # keys × runs in which the SQLite store's event times were compared with the explained ones
    n_cells: int = 0
    n_agree: int = 0
    first_incremental_rows: int = 0  # rows after an incremental run on an empty store: none
    rows: tuple[OnlineRow, ...] = ()
    n_rows: int = 0
    size_bytes: int = 0
    reads: dict[int, np.ndarray] | None = None
    statuses: dict[str, int] | None = None  # at the week's end, by Feast's own name
    n_null_offline: int = 0  # keys that are null in get_historical_features at the week's end
    n_null_present: int = 0  # of these, keys that get_online_features answers PRESENT
    n_expected: int = 0  # the same number, explained
    complete: bool = False

    @property
    def agrees(self) -> bool:
        """Whether Feast's store and the explained one are the same, cell by cell, TTL included."""
        return self.n_agree == self.n_cells and (
            not self.complete or self.n_null_present == self.n_expected
        )

    @property
    def verdict(self) -> str:
        """What the runs say, in one sentence."""
        if not self.seconds:
            return "Feast is starting its first run."
        badge = ":material/verified:" if self.agrees else ":material/error:"
        text = (
            f"{badge} Feast's SQLite store agrees with the simulation in **{self.n_agree:,} of"
            f" {self.n_cells:,}** cells after {len(self.seconds)} runs (median"
            f" {format_seconds(float(np.median(self.seconds)))} per run)."
        )
        if self.complete:
            text += (
                f" At the end of the week {self.n_null_offline:,} keys are null in training, and"
                f" **{self.n_null_present:,}** of them are PRESENT in serving (predicted:"
                f" {self.n_expected:,})."
            )
        return text

    def percentile_seconds(self, n_keys: int, percent: float) -> float:
        """Return a percentile of the timed calls that ask for ``n_keys`` keys."""
        return float(np.percentile((self.reads or {})[n_keys], percent))

    @property
    def facts(self) -> str:
        """Sizes and the trap of the first incremental run, in one line."""
        return (
            f"{self.n_rows:,} rows in SQLite, {format_bytes(self.size_bytes)}."
            " `materialize_incremental` on an empty store wrote"
            f" **{self.first_incremental_rows}** rows: without an earlier run it starts at *now −"
            " TTL* of the machine's clock, long after 2013. The first run of a backfill must be a"
            " full one."
        )

    def row_texts(self) -> list[dict[str, Any]]:
        """Return the decoded rows as texts."""
        return [
            {
                "key": row.key,
                "feature": row.feature,
                "value": (
                    "null"
                    if row.value is None
                    else f"{row.value:,.10g}"
                    if isinstance(row.value, float)
                    else row.value
                ),
                "event_ts (UTC)": format_time(row.event_time, seconds=True),
                "created_ts": (
                    "null"
                    if row.created_time is None
                    else format_time(row.created_time, seconds=True)
                ),
                "key as stored": row.stored_key,
                "value as stored": row.stored_value,
            }
            for row in self.rows
        ]


def _moment(hour: float) -> datetime:
    return START + timedelta(hours=hour)


def source_table(params: OnlineParams) -> pa.Table:
    """Return all feature rows with the time at which each arrives."""
    table = run(params).rows.table
    micros = pa.array((table["event_seconds"].to_numpy() + 3600 * params.delay_hours) * 1e6).cast(
        pa.int64()
    )
    return table.append_column(feast_repo.CREATED, micros.cast(feast_repo.TIMESTAMP))


def _made(folder: Path, params: OnlineParams) -> tuple[FeatureStore, Path]:
    """Return a repository with the one view that is served, and the path of its source."""
    path = feast_repo.write(source_table(params), folder / "rows.parquet")
    key = feast_repo.entity(KEYS[params.source])
    features = dict.fromkeys((*FEATURES[params.source], "event_seconds"), "Float64")
    ttl = timedelta(hours=params.ttl_hours)
    with serving.feast_alone():
        store = feast_repo.open_repo(folder, project=PROJECT)
        view = feast_repo.view(VIEW, path, entities=[key], features=features, ttl=ttl)
        store.apply([key, view])
    return store, path


def _agreement(result: OnlineResult, number: int, database: Path) -> int:
    """Return in how many keys the SQLite store holds the explained event time after a run."""
    held = serving.event_seconds(database, TABLE, "event_seconds")
    places = result.after_run[number]
    explained = START.timestamp() + 3600 * result.rows.hour[np.maximum(places, 0)]
    return sum(
        name not in held if place == NONE else abs(held.get(name, np.inf) - seconds) < 1
        for name, place, seconds in zip(result.rows.names, places, explained, strict=True)
    )


def _materialize(store: FeatureStore, planned: Run) -> None:
    end = _moment(planned.end)
    if planned.incremental:
        serving.materialize_incremental(store, end, [VIEW])
    else:
        serving.materialize(store, _moment(planned.start), end, [VIEW])


def steps(params: OnlineParams) -> Steps:
    """Run the schedule on Feast: a ``Progress`` with what is known so far before each run.

    Returns
    -------
    ServedResult
        With ``complete`` set.
    """
    folder = workspace.scratch("feast-online")
    explained = run(params)
    served = ServedResult(params)
    try:
        yield Progress(0.0, "making the repository", served)
        store, path = _made(folder, params)
        serving.materialize_incremental(store, _moment(0), [VIEW])
        served = replace(
            served, first_incremental_rows=len(serving.raw_rows(folder / "online.db", TABLE))
        )
        seconds: list[float] = []
        everything = source_table(params)
        n_runs = len(explained.runs)
        for number, planned in enumerate(explained.runs):
            yield Progress(number / (n_runs + 2), f"run {number + 1} of {n_runs}", served)
            if params.delay_hours:
                limit = _moment(planned.hour - params.delay_hours).timestamp()
                arrived = pc.less_equal(everything["event_seconds"], limit)
                feast_repo.write(everything.filter(arrived), path)
            seconds.append(timed(partial(_materialize, store, planned))[0])
            served = replace(
                served,
                seconds=tuple(seconds),
                n_cells=served.n_cells + len(explained.rows.names),
                n_agree=served.n_agree + _agreement(explained, number, folder / "online.db"),
            )
        yield Progress(0.95, "reading", served)
        feast_repo.write(everything, path)
        return _read(store, served, explained, folder / "online.db")
    finally:
        workspace.remove(folder)


def _read(
    store: FeatureStore, served: ServedResult, explained: OnlineResult, database: Path
) -> ServedResult:
    """Time the reads, look into the store, and hold training against serving at the week's end."""
    key, names = KEYS[explained.params.source], explained.rows.names
    features = [f"{VIEW}:{name}" for name in FEATURES[explained.params.source]]
    asked = [{key: name} for name in names]
    reads = {
        n: serving.latencies(store, features, asked[:n], N_READS)
        for n in dict.fromkeys((1, min(BATCH, len(names))))
    }
    with serving.feast_alone():
        answer = store.get_online_features([f"{VIEW}:event_seconds"], asked)
    status = feast_internals.statuses_of(answer, "event_seconds")
    labels = pd.DataFrame(
        {key: list(names), feast_repo.EVENT: pd.Timestamp(_moment(WEEK_HOURS)).as_unit("us")}
    )
    joined = feast_repo.historical(store, labels, [f"{VIEW}:event_seconds"]).set_index(key)[
        "event_seconds"
    ]
    null = joined.reindex(list(names)).isna().to_numpy()
    present = np.array([name == "PRESENT" for name in status])
    expected = explained.expired(WEEK_HOURS) & (explained.online[WEEK_HOURS] != NONE)
    return replace(
        served,
        rows=tuple(serving.online_rows(database, TABLE, project=PROJECT, limit=N_ROWS_SHOWN)),
        n_rows=len(serving.raw_rows(database, TABLE)),
        size_bytes=database.stat().st_size,
        reads=reads,
        statuses={name: status.count(name) for name in dict.fromkeys(status)},
        n_null_offline=int(null.sum()),
        n_null_present=int((null & present).sum()),
        n_expected=int(expected.sum()),
        complete=True,
    )


serve: Callable[[OnlineParams], ServedResult] = to_end(steps)


def default_job() -> tuple[Any, Any]:
    """Return the steps and Params that the server computes before the first visit."""
    return steps, OnlineParams().job
