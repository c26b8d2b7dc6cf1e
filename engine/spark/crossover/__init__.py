"""Spark or pandas: one piece of work at growing sizes in pandas, Spark, DuckDB and Polars, and
where the lines cross.

Real: every second is a run from CSV files on disk (derived from TPC-H) to an answer that all
engines must agree on. pandas, DuckDB and Polars run in child processes of their own (killed on
cancel, and when they hold more memory than allowed); Spark runs in the server's warm session, whose
start-up is reported apart. Files are warm in the operating system's cache. Each engine and
size is measured in one go, not in turns. The cluster on the sliders is a model
(``contest.curves``).
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from engine import processes
from engine.errors import InputError, no_room, require
from engine.jobs import Progress, Steps, to_end
from engine.spark import session, tasks
from engine.spark.contest import data, engines, memory
from engine.spark.contest.child import runs
from engine.spark.contest.data import N_ROWS, Files
from engine.spark.contest.engines import CONTESTANTS, WORKS, Contestant, Work
from engine.spark.crossover.cells import Cell, keep, load, recall
from engine.spark.crossover.params import MEMORY_GB, CrossoverParams
from engine.spark.crossover.result import CrossoverResult
from engine.spark.restarts import SparkEnded, repeated
from engine.units import format_bytes

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = [
    "CONTESTANTS",
    "MEMORY_GB",
    "N_ROWS",
    "WORKS",
    "CrossoverParams",
    "CrossoverResult",
    "run",
    "steps",
]

TOGETHER_ROWS = 100_000  # sizes up to it share one child an engine
BUDGET_SECONDS = 20.0  # of the runs of one cell: beyond it no further repeat begins
START_ROWS = 500_000  # what starting a run costs, in rows: for the progress bar alone
CHILD = "engine.spark.contest.child"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _spark_cell(
    live: SparkSession, work: Work, files: Files, asked: int, repeats: int, warm: set[str]
) -> Cell:
    """Run one size on Spark; the first run of a job in a Spark (``warm``: by name) is preceded by
    a warm-up run (not timed).
    """
    call = partial(engines.spark_answer, live, work, files)
    if live.sparkContext.applicationId not in warm:
        call()
        warm.add(live.sparkContext.applicationId)
    local = session.ENGINE.target.kind == "local"
    gateway: Any = live.sparkContext._gateway
    if local:
        memory.forget_peak(gateway.proc.pid)
    answer, trace = tasks.traced(live, call)
    more = (
        runs(call, repeats - 1, BUDGET_SECONDS - trace.seconds)[0]
        if repeats > 1 and trace.seconds < BUDGET_SECONDS
        else []
    )
    return Cell(
        "Spark",
        asked,
        files.n_rows,
        files.size_bytes,
        _now(),
        (trace.seconds, *more),
        memory.peak_bytes(gateway.proc.pid) if local else 0,
        engines.to_python(answer),
        session.ENGINE.start_seconds,
        trace.shuffle_bytes,
        trace.spill_bytes,
        load=load(),
    )


class _Ladder:
    """One run under way: the result so far, and how far it is."""

    def __init__(self, params: CrossoverParams) -> None:
        self.params = params
        self.result = CrossoverResult(params, (), recall(params.work))
        self.files: dict[int, Files] = {}
        self.warm: set[str] = set()
        self.done = 0.0
        self.total = sum((n + START_ROWS) * (len(params.asked) + 1) for n in params.sizes)

    def progress(self, message: str) -> Progress:
        """Return where the run is."""
        return Progress(min(0.99, self.done / self.total), message, self.result)

    def add(self, cell: Cell) -> None:
        """Take a cell in, and keep it in the record if it was measured."""
        self.done += cell.asked + START_ROWS
        self.result = replace(self.result, cells=(*self.result.cells, cell))
        if cell.seconds:
            keep(self.params.work, cell)

    def refuse(self, contestant: Contestant, asked: int, reason: str) -> None:
        """Take in that an engine did not run, or did not end."""
        files = self.files[asked]
        self.add(Cell(contestant, asked, files.n_rows, files.size_bytes, _now(), refused=reason))

    def make(self, asked: int) -> Generator[Progress, None, None]:
        """Make the files of a size."""
        started, weight = self.done, asked + START_ROWS
        making = data.steps(asked)
        try:
            while True:
                try:
                    progress = next(making)
                except StopIteration as stop:
                    self.files[asked] = stop.value
                    break
                self.done = started + progress.share * weight
                yield self.progress(progress.message)
        finally:
            making.close()
        self.done = started + weight

    def measure(self, contestant: Contestant, sizes: list[int]) -> Generator[Progress, None, None]:
        """Measure sizes of one engine, each only if it fits."""
        if contestant == "Spark":
            for asked in sizes:
                yield from self._in_spark(asked)
            return
        allowed = memory.allowed_bytes(self.params.memory_gb)
        fitting = [asked for asked in sizes if self._fits(contestant, asked, allowed)]
        if fitting:
            yield from self._in_child(contestant, fitting, allowed)

    def _in_spark(self, asked: int) -> Generator[Progress, None, None]:
        files = self.files[asked]
        call = partial(
            _spark_cell,
            work=self.params.work,
            files=files,
            asked=asked,
            repeats=self.params.repeats,
            warm=self.warm,
        )
        waking = "" if session.ENGINE.state == "ready" else ", which is starting"
        progress = self.progress(f"Spark{waking}, {files.n_rows:,} rows")
        try:
            cell = yield from repeated(partial(session.act, call, progress))
        except SparkEnded as error:
            self.refuse("Spark", asked, str(error))
        except InputError:
            raise
        except Exception as error:
            if no_room(error):  # of the disk: nothing that Spark can help
                raise
            # Py4J raises many kinds when a job fails: a result, and shown
            cause = (str(error).splitlines() or [""])[0][:200]
            self.refuse("Spark", asked, f"Spark gave up: {type(error).__name__}: {cause}")
        else:
            self.add(cell)

    def _fits(self, contestant: Contestant, asked: int, allowed: int) -> bool:
        """Whether a size fits into ``allowed`` bytes by the growth measured so far; one that does
        not is refused.
        """
        if contestant == "DuckDB":  # which works on disk with what its memory cannot hold
            return True
        files, growth = self.files[asked], self.result.growth(contestant)
        try:
            memory.check_fits(contestant, files.n_rows, files.size_bytes, growth, allowed)
        except InputError as error:
            self.refuse(contestant, asked, str(error))
            return False
        return True

    def _in_child(
        self, contestant: Contestant, sizes: list[int], allowed: int
    ) -> Generator[Progress, None, None]:
        settings = {
            "contestant": contestant,
            "work": self.params.work,
            "sizes": sizes,
            "repeats": self.params.repeats,
            "budget_seconds": BUDGET_SECONDS,
            # what DuckDB gives its own buffers: the process holds more
            "memory_bytes": int(0.7 * allowed),
        }
        left = list(sizes)
        child = processes.steps(CHILD, json.dumps(settings), memory_bytes=allowed)
        try:
            for progress in child:
                if progress.partial and progress.partial["asked"] in left:
                    left.remove(progress.partial["asked"])
                    files, found = self.files[progress.partial["asked"]], progress.partial
                    cell = Cell(
                        contestant,
                        n_rows=files.n_rows,
                        size_bytes=files.size_bytes,
                        measured_at=_now(),
                        load=load(),
                        **{**found, "seconds": tuple(found["seconds"])},
                    )
                    self.add(cell)
                yield self.progress(
                    f"{contestant}, {self.files[left[0]].n_rows:,} rows" if left else contestant
                )
        except processes.OutOfMemory:
            for asked in left:
                self.refuse(
                    contestant,
                    asked,
                    f"{contestant} was stopped: it held more than the {format_bytes(allowed)}"
                    " allowed.",
                )
        except processes.ChildError as error:
            if no_room(error):
                raise
            # an engine that gives up (DuckDB's own limit, the kernel's killer) is a result
            for asked in left:
                self.refuse(
                    contestant,
                    asked,
                    f"{contestant} gave up: {str(error).partition(': ')[2] or error}",
                )
        finally:
            child.close()


def steps(params: CrossoverParams) -> Steps:
    """Run the ladder, smallest sizes first; a ``Progress`` with the result so far twice a second
    and after each cell.

    Returns
    -------
    CrossoverResult
        With ``complete`` set.

    Raises
    ------
    InputError
        No Spark to be had, or one without a SparkContext (Spark Connect); too little disk for a
        size.
    """
    require(session.ENGINE.target.kind != "connect", session.NO_CONNECT, "tasks to measure")
    ladder = _Ladder(params)
    yield ladder.progress("reading the record")
    together = [n for n in params.sizes if n <= TOGETHER_ROWS]
    for leg in (together, *([n] for n in params.sizes if n > TOGETHER_ROWS)):
        for asked in leg:
            yield from ladder.make(asked)
        for contestant in params.asked:
            yield from ladder.measure(contestant, leg)
    return replace(ladder.result, complete=True)


TYPICAL_SECONDS = 90.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server's warm-up runs."""
    return steps, CrossoverParams()


run: Callable[[CrossoverParams], CrossoverResult] = to_end(steps)


def remembered(params: CrossoverParams) -> CrossoverResult | None:
    """Return what the record knows; ``None`` without a record."""
    known = CrossoverResult(params, (), recall(params.work))
    return known if known.largest else None


def refresh(result: CrossoverResult) -> CrossoverResult:
    """Return the result beside what the record knows now: others may have measured larger sizes
    since.
    """
    return replace(result, recalled=recall(result.params.work))


def own_cores() -> int:
    """Return this machine's cores: those of the measured curves."""
    return os.cpu_count() or 1
