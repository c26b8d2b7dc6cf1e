"""The schedule of *online* on the real Feast: every run materialized, the store compared after
each, reads timed; where Redis or PostgreSQL is picked, in both (``beside``).

One run of a visitor has a folder of its own (``workspace.scratch``) that goes when it ends, so that
nobody writes another's registry; what is looked at afterwards is in the result.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
from engine.feature_store.online import attached, beside, run
from engine.feature_store.online.attached import PROJECT, Space
from engine.feature_store.online.beside import EVENT_SECONDS, Answers, Beside
from engine.feature_store.online.result import (
    NONE,
    START,
    WEEK_HOURS,
    OnlineParams,
    OnlineResult,
    Run,
    Store,
)
from engine.feature_store.online.stored import look
from engine.feature_store.serving import OnlineRow
from engine.jobs import Progress, Steps, timed, to_end
from engine.units import format_bytes, format_seconds, format_time

if TYPE_CHECKING:
    from feast import FeatureStore

VIEW, TABLE = "served", "playground_served"
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
    # keys × runs in which the store's event times were compared with the explained ones
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
    beside: Beside | None = None  # where another store than SQLite is picked
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
            f"{badge} Feast's {self.params.store} store agrees with the simulation in"
            f" **{self.n_agree:,} of {self.n_cells:,}** cells after {len(self.seconds)} runs"
            f" (median {format_seconds(float(np.median(self.seconds)))} per run)."
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


def _made(folder: Path, params: OnlineParams, path: Path, space: Space | None) -> FeatureStore:
    """Return a repository with the one view that is served, over the rows at ``path``."""
    key = feast_repo.entity(KEYS[params.source])
    features = dict.fromkeys(_features(params), "Float64")
    ttl = timedelta(hours=params.ttl_hours)
    with serving.feast_alone():
        store = feast_repo.open_repo(folder, **attached.repository(space))
        view = feast_repo.view(VIEW, path, entities=[key], features=features, ttl=ttl)
        store.apply([key, view])
    return store


def _features(params: OnlineParams) -> tuple[str, ...]:
    return (EVENT_SECONDS, *FEATURES[params.source])


def _agreement(result: OnlineResult, number: int, held: Mapping[str, float]) -> int:
    """Return in how many keys a store holds the explained event time after a run."""
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


class _Week:
    """The week as it runs: SQLite, and the picked store beside it."""

    def __init__(self, params: OnlineParams, folder: Path, space: Space | None) -> None:
        self.params, self.folder, self.space = params, folder, space
        self.explained = run(self.params)
        self.everything = source_table(self.params)
        self.path = feast_repo.write(self.everything, self.folder / "rows.parquet")
        self.database = self.folder / "online.db"
        self.sqlite = _made(self.folder, self.params, self.path, None)
        self.picked = self.sqlite
        if self.space is not None:
            self.picked = _made(self.folder / "beside", self.params, self.path, self.space)
        key = KEYS[self.params.source]
        self.asked = [{key: name} for name in self.explained.rows.names]
        self.models = [
            run(replace(self.params, store=store)) for store in ("SQLite", self.params.store)
        ]

    def arrive(self, hour: int) -> None:
        """Leave in the source what has arrived by the hour."""
        if self.params.delay_hours:
            limit = _moment(hour - self.params.delay_hours).timestamp()
            arrived = pc.less_equal(self.everything[EVENT_SECONDS], limit)
            feast_repo.write(self.everything.filter(arrived), self.path)

    def answers(self, store: FeatureStore) -> Answers:
        """Ask a store for every key."""
        return beside.ask(store, VIEW, _features(self.params), self.asked)

    def step(self, number: int, served: ServedResult) -> ServedResult:
        """Make a run in each store and compare what is in them."""
        planned = self.explained.runs[number]
        self.arrive(planned.hour)
        seconds = timed(partial(_materialize, self.picked, planned))[0]
        found = served.beside
        if found is None:
            held = serving.event_seconds(self.database, TABLE, EVENT_SECONDS)
        else:
            _materialize(self.sqlite, planned)
            other = self.answers(self.picked)
            times = zip(self.explained.rows.names, other.values[EVENT_SECONDS], strict=True)
            held = {name: value for name, value in times if value is not None}
            found = beside.compared(found, number, self.answers(self.sqlite), other, self.models)
        return replace(
            served,
            seconds=(*served.seconds, seconds),
            n_cells=served.n_cells + len(self.asked),
            n_agree=served.n_agree + _agreement(self.explained, number, held),
            beside=found,
        )


def steps(params: OnlineParams) -> Steps:
    """Run the schedule on Feast: a ``Progress`` with what is known so far before each run.

    Returns
    -------
    ServedResult
        With ``complete`` set.

    Raises
    ------
    InputError
        The picked store is not named, or does not answer.
    """
    folder = workspace.scratch("feast-online")
    served = ServedResult(params)
    try:
        yield Progress(0.0, "making the repository", served)
        with attached.chosen(params.store) as space:
            week = _Week(params, folder, space)
            if space is not None:
                found = Beside(params.store, space.version, space.place.where)
                served = replace(served, beside=found)
            try:
                serving.materialize_incremental(week.sqlite, _moment(0), [VIEW])
                first = len(serving.raw_rows(week.database, TABLE))
                served = replace(served, first_incremental_rows=first)
                n_runs = len(week.explained.runs)
                for number in range(n_runs):
                    yield Progress(number / (n_runs + 2), f"run {number + 1} of {n_runs}", served)
                    served = week.step(number, served)
                yield Progress(0.95, "reading", served)
                feast_repo.write(week.everything, week.path)
                return _read(week, served)
            finally:
                if space is not None:
                    feast_internals.close_online_store(week.picked)
    finally:
        workspace.remove(folder)


def _read(week: _Week, served: ServedResult) -> ServedResult:
    """Time the reads, look into the stores, and hold training against serving at the week's end."""
    explained, names = week.explained, week.explained.rows.names
    key = KEYS[explained.params.source]
    answers = week.answers(week.picked)
    labels = pd.DataFrame(
        {key: list(names), feast_repo.EVENT: pd.Timestamp(_moment(WEEK_HOURS)).as_unit("us")}
    )
    joined = feast_repo.historical(week.picked, labels, [f"{VIEW}:{EVENT_SECONDS}"])
    null = joined.set_index(key)[EVENT_SECONDS].reindex(list(names)).isna().to_numpy()
    # not by the status: Redis gives PRESENT for a key without a row
    given = np.array([value is not None for value in answers.values[EVENT_SECONDS]])
    expected = explained.expired(WEEK_HOURS) & (explained.online[WEEK_HOURS] != NONE)
    return replace(
        _timed(week, served),
        rows=tuple(serving.online_rows(week.database, TABLE, project=PROJECT, limit=N_ROWS_SHOWN)),
        n_rows=len(serving.raw_rows(week.database, TABLE)),
        size_bytes=week.database.stat().st_size,
        statuses={name: answers.statuses.count(name) for name in dict.fromkeys(answers.statuses)},
        n_null_offline=int(null.sum()),
        n_null_present=int((null & given).sum()),
        n_expected=int(expected.sum()),
        complete=True,
    )


def _timed(week: _Week, served: ServedResult) -> ServedResult:
    """Time the reads of SQLite; with a store beside it, of both in turns, and look into that."""
    params = week.params
    features = [f"{VIEW}:{name}" for name in FEATURES[params.source]]
    batches = tuple(dict.fromkeys((1, min(BATCH, len(week.asked)))))
    if served.beside is None or week.space is None:
        reads = {
            n: serving.latencies(week.sqlite, features, week.asked[:n], N_READS) for n in batches
        }
        return replace(served, reads=reads)
    stores: dict[Store, FeatureStore] = {"SQLite": week.sqlite, params.store: week.picked}
    found = replace(
        served.beside,
        stored=look(week.space, VIEW, _features(params)),
        reads=beside.timed_reads(stores, features, week.asked, batches),
    )
    return replace(served, beside=found)


serve: Callable[[OnlineParams], ServedResult] = to_end(steps)


def default_job() -> tuple[Any, Any]:
    """Return the steps and Params that the server computes before the first visit."""
    return steps, OnlineParams().job
