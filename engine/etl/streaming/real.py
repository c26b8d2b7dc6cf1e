"""*Streaming* on the real Spark: a query that runs while files arrive in its folder, and what Spark
reports of each micro-batch.

Real: every number. A file appears, Spark's micro-batches of it are waited for, their
``StreamingQueryProgress`` is kept, and the sink and the state store are read.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from engine import workspace
from engine.etl import streaming
from engine.etl.streaming.params import StreamingParams
from engine.etl.streaming.result import Batch, File, StreamingResult, Windows, clock
from engine.etl.streaming.source import Rows, rows_of
from engine.jobs import Progress, Steps, to_end
from engine.spark import session
from engine.spark.restarts import repeat_if_spark_ends
from engine.units import day_of_2013

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SCHEMA = "flight STRING, event TIMESTAMP"


class _Stream:
    """One streaming query and the folder that its files arrive in; ``close`` ends both."""

    def __init__(self, params: StreamingParams, rows: Rows) -> None:
        self.params, self.rows = params, rows
        self.folder = workspace.scratch("streaming")
        self.name = f"sink_{uuid.uuid4().hex[:12]}"
        date = day_of_2013(params.day)
        self.midnight = datetime(date.year, date.month, date.day, tzinfo=UTC)
        self.live: Any = None
        self.query: Any = None
        self.n_batches = self.n_out = 0  # of which the numbers were taken

    def start(self, live: SparkSession) -> None:
        """Start the query on ``live``, on an empty folder."""
        from pyspark.sql import functions as sf

        p, self.live = self.params, live
        (self.folder / "in").mkdir()
        live.conf.set("spark.sql.session.timeZone", "UTC")
        live.conf.set("spark.sql.shuffle.partitions", "1")  # of the state
        rows = live.readStream.schema(SCHEMA).json(str(self.folder / "in"))
        counts = (
            rows.withWatermark("event", f"{p.delay_minutes} minutes")
            .groupBy(sf.window("event", f"{p.window_minutes} minutes"))
            .count()
        )
        self.query = (
            counts.writeStream.outputMode(p.mode)
            .format("memory")
            .queryName(self.name)
            .option("checkpointLocation", str(self.folder / "checkpoint"))
            .start()
        )

    def add(self, _: SparkSession, hour: int) -> File:
        """Let the file of an hour arrive, and return what Spark makes of it."""
        mine = np.flatnonzero(self.rows.hour == hour)
        lines = [
            {"flight": self.rows.flight[i], "event": self._written(int(self.rows.event[i]))}
            for i in mine
        ]
        text = "".join(f"{json.dumps(line)}\n" for line in lines)
        workspace.write(self.folder / "in" / f"{hour:02}.json", text)
        self.query.processAllAvailable()
        fresh = [one for one in self.query.recentProgress if self._is_new(one)]
        self.n_batches += len(fresh)
        return File(hour, tuple(map(self._batch, fresh)), self._out(), self._state())

    def _is_new(self, progress: Any) -> bool:
        """Whether this is a batch that ran and was not taken yet; a query that waits reports too,
        with the number of the batch to come.
        """
        return progress["batchId"] >= self.n_batches and "addBatch" in progress["durationMs"]

    def _written(self, minute: int) -> str:
        return (self.midnight + timedelta(minutes=minute)).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _minute(self, moment: datetime) -> int:
        return round((moment - self.midnight).total_seconds() / 60)

    def _batch(self, progress: Any) -> Batch:
        times = {
            name: None if text.startswith("1970") else self._minute(datetime.fromisoformat(text))
            for name, text in progress["eventTime"].items()
        }
        state = progress["stateOperators"][0]
        return Batch(
            progress["numInputRows"],
            times.get("max"),
            times["watermark"],
            state["numRowsDroppedByWatermark"],
            state["numRowsTotal"],
            state["memoryUsedBytes"],
        )

    def _out(self) -> Windows:
        """Return what the sink got since the last file; in mode complete it holds all each time."""
        found = self.live.table(self.name).selectExpr("unix_seconds(window.start)", "count")
        rows = found.collect()
        fresh = rows if self.params.mode == "complete" else rows[self.n_out :]
        self.n_out = len(rows)
        return self._windows(fresh)

    def _state(self) -> Windows:
        """Return what the state store holds, by Spark's own reader of checkpoints."""
        store = self.live.read.format("statestore").load(str(self.folder / "checkpoint"))
        return self._windows(
            store.selectExpr("unix_seconds(key.window.start)", "value.count").collect()
        )

    def _windows(self, rows: list[Any]) -> Windows:
        first = int(self.midnight.timestamp())
        return tuple(sorted(((start - first) // 60, count) for start, count in rows))

    def close(self) -> None:
        """Stop the query and delete its files."""
        with suppress(Exception):  # Py4J raises many kinds when Spark's process has ended: it did
            if self.query is not None:
                self.query.stop()
                self.live.catalog.dropTempView(self.name)
        workspace.remove(self.folder)


def arriving(rows: Rows, params: StreamingParams) -> Steps:
    """Let the files of ``rows`` arrive one after the other on the server's Spark; the result so far
    comes after each.
    """
    result: StreamingResult = streaming.count(rows, params)
    yield from session.begin("streams of this machine's files", result)
    stream = _Stream(params, rows)
    try:
        yield from session.act(stream.start, Progress(0.02, "the query starts", result))
        for i, file in enumerate(result.files):
            progress = Progress(i / len(result.files), f"file of {clock(file.hour * 60)}", result)
            found = yield from session.act(partial(stream.add, hour=file.hour), progress)
            result = replace(result, measured=(*result.measured, found))
        return result
    finally:
        stream.close()


@repeat_if_spark_ends
def steps(params: StreamingParams) -> Steps:
    """Run the query while the day's files arrive.

    Returns
    -------
    StreamingResult
        With all files ``measured``.

    Raises
    ------
    InputError
        No Spark to be had, or Spark Connect, whose server may be elsewhere.
    """
    return arriving(rows_of(params), params)


run_on_spark: Callable[[StreamingParams], StreamingResult] = to_end(steps)

TYPICAL_SECONDS = 20.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server's warm-up runs."""
    return steps, StreamingParams()
