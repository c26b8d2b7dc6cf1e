"""Race: the same rows written and read back as CSV, JSON Lines, Avro, Parquet and Arrow IPC, timed
run by run.

Real: every file is in the workspace, every call is the format's own library
(``engine.formats.race.contestants``), every time is one call's wall-clock time in this process. The
formats take turns in an order drawn again for each round, so that a slow moment of the machine does
not affect one of them alone. Simplified: files are warm in the operating system's cache (nothing
here is cold), and one machine's times are not another's: compare them within a run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from engine import workspace
from engine.errors import no_room
from engine.formats.race import contestants, fidelity
from engine.formats.race.contestants import FORMATS
from engine.formats.race.params import RaceParams, range_of, rows_of
from engine.formats.race.result import OPERATIONS, Lane, Operation, RaceResult
from engine.jobs import Progress, Steps, in_thread, timed, to_end

__all__ = [
    "FORMATS",
    "OPERATIONS",
    "RaceParams",
    "RaceResult",
    "default_job",
    "preview",
    "run",
    "steps",
]
PREVIEW_ROWS = 1_000


class _Race:
    """One race under way: runs the calls one after another, keeps what they gave."""

    def __init__(
        self, params: RaceParams, table: pa.Table, left_out: tuple[str, ...], folder: Path
    ) -> None:
        self.table, self.folder = table, folder
        self.wanted = range_of(params, table)
        self.result = RaceResult(
            params=params,
            lanes=tuple(Lane(name) for name in params.formats),
            n_rows=table.num_rows,
            n_columns=table.num_columns,
            table_bytes=table.nbytes,
            n_matching=self.wanted.rows(table).num_rows,
            left_out=left_out,
            measured_at=datetime.now(UTC),
        )
        self.started = time.perf_counter()

    def running(self) -> list[str]:
        """Return the formats that have not been refused."""
        return [lane.name for lane in self.result.lanes if not lane.refused]

    def path(self, name: str) -> Path:
        """Return the file of a format."""
        return self.folder / (name.replace(" ", "_") + FORMATS[name].suffix)

    def calls(self, name: str) -> dict[Operation, Callable[[], Any]]:
        """Return the four calls of a format, in the order in which they are made."""
        params, format_ = self.result.params, FORMATS[name]
        path = self.path(name)
        columns = list(params.columns)
        return {
            "write": lambda: contestants.write(self.table, format_, path, params.zstd_level),
            "read all": lambda: contestants.read(format_, path),
            "read columns": lambda: contestants.read(format_, path, columns=columns),
            "read filtered": lambda: contestants.read(format_, path, wanted=self.wanted),
        }

    def refuse(self, name: str, operation: Operation, error: Exception) -> None:
        """Take a format out of the race, with its library's reason."""
        reason = (str(error) or "no reason given").splitlines()[0][:160]
        self._set(
            Lane(name, refused=f"refuses to {operation}: {type(error).__name__}: {reason}"), 0.0
        )

    def take(self, name: str, operation: Operation, seconds: float, answer: Any) -> None:
        """Add one run to its lane."""
        lane = next(lane for lane in self.result.lanes if lane.name == name)
        lane = replace(
            lane, seconds={**lane.seconds, operation: (*lane.seconds.get(operation, ()), seconds)}
        )
        if operation == "write":
            lane = replace(lane, file_bytes=self.path(name).stat().st_size)
        elif operation == "read all" and lane.changes is None:
            lane = replace(lane, changes=fidelity.compare(self.table, answer))
        elif operation == "read filtered":
            lane = replace(lane, n_matching=answer.num_rows)
        self._set(lane, seconds)

    def _set(self, lane: Lane, timed_seconds: float) -> None:
        result = self.result
        self.result = replace(
            result,
            lanes=tuple(lane if old.name == lane.name else old for old in result.lanes),
            wall_seconds=time.perf_counter() - self.started,
            timed_seconds=result.timed_seconds + timed_seconds,
        )


def steps(params: RaceParams) -> Steps:
    """Run the race: a ``Progress`` before each call and twice a second during one, with the result
    so far.

    Returns
    -------
    RaceResult
        With ``complete`` set.

    Raises
    ------
    InputError
        The upload cannot be used, or the filter's column holds no value.
    """
    import fastavro  # noqa: F401  # imported here so that no timed call pays for it
    import polars  # noqa: F401

    table, left_out = rows_of(params)
    folder = workspace.scratch("race")
    rng = np.random.default_rng(params.seed)
    n_calls = params.repeats * len(params.formats) * len(OPERATIONS)
    n_done = 0
    with ThreadPoolExecutor(1) as caller:
        try:
            race = _Race(params, table, left_out, folder)
            for turn in range(params.repeats):
                for name in rng.permutation(race.running()):
                    for operation, call in race.calls(str(name)).items():
                        message = f"{name}, {operation} (repeat {turn + 1} of {params.repeats})"
                        progress = Progress(n_done / n_calls, message, race.result)
                        yield progress
                        n_done += 1
                        try:
                            seconds, answer = yield from in_thread(
                                caller, partial(timed, call), progress
                            )
                        # any library may refuse a table in its own way: a result, and shown
                        except Exception as error:
                            if no_room(error):  # that is not the format's refusal
                                raise
                            race.refuse(str(name), operation, error)
                            break
                        race.take(str(name), operation, seconds, answer)
        finally:
            caller.shutdown(wait=True)
            workspace.remove(folder)
    return replace(race.result, complete=True)


run: Callable[[RaceParams], RaceResult] = to_end(steps)


@lru_cache(maxsize=16)
def preview(params: RaceParams) -> RaceResult:
    """Return a race over a few rows, run once: shown until the asked one has measured something."""
    few = replace(params, n_rows=min(params.n_rows, PREVIEW_ROWS), repeats=1)
    return replace(run(few), params=params, preview=True, complete=False)


TYPICAL_SECONDS = 6.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return the steps and the Params that are computed when the server starts."""
    return steps, RaceParams()
