"""Growth: what a point-in-time join costs as labels, feature rows and keys grow, in Feast's two
stores and three as-of joins.

Real: every time is one call's wall clock over the joins of ``growth.joins``; sizes and joins take
turns in an order drawn again for each round, so that a slow moment of the machine does not affect
one of them alone, and the fastest run of each is shown. Peak memory is that of a child process
(``growth.child``), sampled every 2 ms. All five must give the same answer. What would look at more
than MAX_PAIRS pairs is not run, and said before: the pairs are counted without joining. Simplified:
files are warm in the system's cache, one machine's times are not another's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, cast

import numpy as np

from engine import processes, workspace
from engine.feature_store import feast_repo
from engine.feature_store.growth import joins
from engine.feature_store.growth.joins import CONTESTANTS, Answer, Contestant, Rows
from engine.feature_store.growth.result import GrowthParams, GrowthResult, Point
from engine.jobs import Progress, Steps, in_thread, timed, to_end
from engine.units import format_bytes, format_seconds

__all__ = [
    "GrowthParams",
    "GrowthResult",
    "Point",
    "default_job",
    "expected",
    "left_out",
    "pairs_of",
    "run",
    "steps",
]
SHARES = (0.125, 0.25, 0.5, 1.0)  # of the full size, measured in turn
SWEEP_KEYS, SWEEP_SIZE = (1, 10, 100), 500  # the file store alone, at one size
MAX_PAIRS = 6_000_000
SECONDS_A_PAIR, BYTES_A_PAIR = 0.5e-6, 80  # measured once, for the warning alone


def pairs_of(contestant: str, rows: Rows) -> int:
    """Return the pairs that a contestant holds at once: all with equal keys, those in the window,
    or one a label.
    """
    if contestant == "Feast file":
        return rows.n_pairs
    return rows.n_window_pairs if contestant == "Feast duckdb" else rows.labels.num_rows


def left_out(params: GrowthParams) -> tuple[str, ...]:
    """Return, before anything runs, which join would take too long or not fit, with what it would
    take.
    """
    sentences = []
    for contestant in params.contestants:
        too_many = [
            rows for rows in map(params.rows, SHARES) if pairs_of(contestant, rows) > MAX_PAIRS
        ]
        if too_many:
            n, n_labels = pairs_of(contestant, too_many[0]), too_many[0].labels.num_rows
            sentences.append(
                f"{contestant} is left out from {n_labels:,} labels on: {n:,} pairs would need"
                f" about {format_seconds(n * SECONDS_A_PAIR)} and {format_bytes(n * BYTES_A_PAIR)}"
                " of memory."
            )
    return tuple(sentences)


class _Cell:
    """One contestant at one size, measured round by round."""

    def __init__(
        self, params: GrowthParams, share: float, name: str, folder: Path, number: int
    ) -> None:
        self.params, self.name, self.rows = params, cast(Contestant, name), params.rows(share)
        self.path = folder / f"rows_{number}.parquet"
        self.join: Callable[[], Answer] | None = None
        self.runs: list[float] = []
        self.answer: Answer = (0, 0.0)

    def prepare(self) -> Callable[[], Answer]:
        """Write the feature rows and return the join, ready to be timed."""
        path = feast_repo.write(self.rows.features, self.path)
        return joins.prepare(self.name, self.rows, path, self.params.time_to_live)

    @property
    def point(self) -> Point:
        """What has been measured."""
        n_pairs, sizes = (
            pairs_of(self.name, self.rows),
            (self.rows.labels.num_rows, self.rows.features.num_rows),
        )
        return Point(self.name, self.params.n_keys, *sizes, n_pairs, tuple(self.runs), self.answer)


def _cells(params: GrowthParams, folder: Path) -> list[_Cell]:
    """Return what is measured: all sizes of all contestants, and the file store with other numbers
    of keys; none too large.
    """
    asked = [(params, share, name) for share in SHARES for name in params.contestants]
    if "Feast file" in params.contestants:
        alone = replace(params, n_labels=SWEEP_SIZE, n_rows=SWEEP_SIZE)
        asked += [(replace(alone, n_keys=n), 1.0, "Feast file") for n in SWEEP_KEYS]
    cells = [_Cell(*cell, folder, number) for number, cell in enumerate(asked)]
    return [cell for cell in cells if pairs_of(cell.name, cell.rows) <= MAX_PAIRS]


@lru_cache(maxsize=16)
def expected(params: GrowthParams) -> GrowthResult:
    """Return the result before any run: the pairs of each join, and what is left out."""
    full = params.rows(1.0)
    sizes = [params.rows(share) for share in SHARES]
    return GrowthResult(
        params=params,
        n_labels=full.labels.num_rows,
        n_rows=full.features.num_rows,
        n_pairs=full.n_pairs,
        n_window_pairs=full.n_window_pairs,
        left_out=left_out(params),
        measured_at=datetime.now(UTC),
        counted=tuple(
            (name, rows.labels.num_rows, pairs_of(name, rows))
            for name in params.contestants
            for rows in sizes
            if pairs_of(name, rows) <= MAX_PAIRS
        ),
    )


def _plan(params: GrowthParams, folder: Path) -> tuple[GrowthResult, list[_Cell]]:
    """Return the result before any run, and what is to be measured."""
    import feast  # noqa: F401  # imported here so that no timed call pays for it

    result = replace(expected(params), measured_at=datetime.now(UTC))
    return result, _cells(params, folder)


def _with(result: GrowthResult, cells: list[_Cell]) -> GrowthResult:
    measured = [cell for cell in cells if cell.runs]
    return replace(
        result,
        points=tuple(cell.point for cell in measured if cell.params == result.params),
        sweep=tuple(cell.point for cell in measured if cell.params != result.params),
    )


def steps(params: GrowthParams) -> Steps:
    """Measure all cells, taking turns in an order drawn again for each round, then the memory.

    Returns
    -------
    GrowthResult
        With ``complete`` set.
    """
    rng = np.random.default_rng(params.seed)
    folder = workspace.scratch("growth")
    try:
        with ThreadPoolExecutor(1) as caller:
            counting = Progress(0.0, "counting the pairs")
            yield counting
            result, cells = yield from in_thread(caller, partial(_plan, params, folder), counting)
            yield from in_thread(
                caller, partial(_warm, params, folder), Progress(0.0, "warming up", result)
            )
            for turn in range(params.repeats):
                for number, place in enumerate(rng.permutation(len(cells))):
                    cell, share = cells[place], (turn + number / len(cells)) / params.repeats
                    what = (
                        f"{cell.name}, {cell.rows.labels.num_rows:,} labels (repeat {turn + 1} of"
                        f" {params.repeats})"
                    )
                    progress = Progress(share, what, result)
                    yield progress
                    if cell.join is None:
                        cell.join = yield from in_thread(caller, cell.prepare, progress)
                    seconds, cell.answer = yield from in_thread(
                        caller, partial(timed, cell.join), progress
                    )
                    cell.runs.append(seconds)
                    result = _with(result, cells)
        if params.memory:
            peak = yield from _memory(params, folder, result)
            result = replace(result, peak_bytes=peak)
    finally:
        workspace.remove(folder)
    return replace(result, complete=True)


def _warm(params: GrowthParams, folder: Path) -> None:
    """Run each contestant once on a handful of rows: first calls load code."""
    rows = joins.rows_of(20, 20, 3, params.time_to_live)
    path = feast_repo.write(rows.features, folder / "warm.parquet")
    for name in CONTESTANTS:
        if name in params.contestants:
            joins.prepare(name, rows, path, params.time_to_live)()


def _memory(
    params: GrowthParams, folder: Path, result: GrowthResult
) -> Generator[Progress, None, dict[str, int]]:
    """Return the peak memory of each contestant at the full size, beyond what its process held."""
    child = processes.steps(
        "engine.feature_store.growth.child", json.dumps(asdict(params)), str(folder)
    )
    while True:
        try:
            progress = next(child)
        except StopIteration as stop:
            peak: dict[str, int] = stop.value
            return peak
        yield Progress(0.95, progress.message or "peak memory, in a child process", result)


run: Callable[[GrowthParams], GrowthResult] = to_end(steps)


TYPICAL_SECONDS = 8.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return the steps and Params that the server computes before the first visit."""
    return steps, GrowthParams()
