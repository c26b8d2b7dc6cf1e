"""Growth: what a point-in-time join costs as labels, feature rows and keys grow, in Feast's two
stores and three as-of joins.

Real: every time is one call's wall clock over the joins of ``growth.joins``; sizes and joins take
turns in an order drawn anew for each round, so that a slow moment of the machine does not hit one
of them alone, and the fastest run of each counts. Peak memory is that of a child process
(``growth.child``), sampled every 2 ms. All five must give the same answer. What would look at more
than MAX_PAIRS pairs is not run, and said before: the pairs are counted without joining. Simplified:
files are warm in the system's cache, one machine's times are not another's.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from statistics import median
from typing import cast

import numpy as np
import pyarrow as pa

from engine import processes, workspace
from engine.errors import require, require_choice
from engine.feature_store import feast_repo
from engine.feature_store.growth import joins
from engine.feature_store.growth.joins import CONTESTANTS, Answer, Contestant, Rows
from engine.jobs import Progress, Steps, beside, run_to_end, timed
from engine.units import human_bytes, human_factor, human_seconds

__all__ = ["CONTESTANTS", "GrowthParams", "GrowthResult", "run", "steps"]
SIZES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 300_000)
N_KEYS = (1, 3, 10, 30, 100, 300, 1_000, 3_000)
TTLS: dict[str, timedelta] = {
    "never expires": timedelta(0), "1 h": timedelta(hours=1), "1 day": timedelta(days=1), "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
}  # fmt: skip
SHARES = (0.125, 0.25, 0.5, 1.0)  # of the full size, measured in turn
SWEEP_KEYS, SWEEP_SIZE = (1, 10, 100), 500  # the file store alone, at one size
MAX_PAIRS = 6_000_000
SECONDS_A_PAIR, BYTES_A_PAIR = 0.5e-6, 80  # measured once, for the warning alone


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthParams:
    """How large the largest join is, and who takes part."""

    n_labels: int = 2_000  # of SIZES
    n_rows: int = 1_000  # of SIZES
    n_keys: int = 3  # groups of planes, 1 … 3,000
    ttl: str = "1 day"
    contestants: tuple[str, ...] = CONTESTANTS
    repeats: int = 2  # runs of each call, 1 … 5
    memory: bool = False  # peak memory as well, in a child process
    seed: int = 0  # of the order of turns

    def __post_init__(self) -> None:
        for name in ("n_labels", "n_rows"):
            require(
                100 <= getattr(self, name) <= SIZES[-1],
                name + " must be 100 … {:,}. Got {}.",
                SIZES[-1],
                getattr(self, name),
            )
        require(
            1 <= self.n_keys <= N_KEYS[-1],
            "n_keys must be 1 … {:,}. Got {}.",
            N_KEYS[-1],
            self.n_keys,
        )
        require_choice("ttl", self.ttl, tuple(TTLS))
        require(
            len(self.contestants) > 0,
            "contestants must name at least one join. Got none. Choose two to compare them.",
        )
        for contestant in self.contestants:
            require_choice("contestants", contestant, CONTESTANTS)
        require(1 <= self.repeats <= 5, "repeats must be 1 … 5. Got {}.", self.repeats)
        require(0 <= self.seed < 2**31, "seed must be 0 … 2,147,483,647. Got {}.", self.seed)

    @property
    def time_to_live(self) -> timedelta:
        """The TTL."""
        return TTLS[self.ttl]

    def rows(self, share: float) -> Rows:
        """Return the rows of a size."""
        sizes = (max(10, round(self.n_labels * share)), max(10, round(self.n_rows * share)))
        return joins.rows_of(*sizes, self.n_keys, self.time_to_live)


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
    told = []
    for contestant in params.contestants:
        too_many = [
            rows for rows in map(params.rows, SHARES) if pairs_of(contestant, rows) > MAX_PAIRS
        ]
        if too_many:
            n, n_labels = pairs_of(contestant, too_many[0]), too_many[0].labels.num_rows
            told.append(
                f"{contestant} is left out from {n_labels:,} labels on: it would join {n:,} pairs"
                f" first, about {human_seconds(n * SECONDS_A_PAIR)} and"
                f" {human_bytes(n * BYTES_A_PAIR)} of memory."
            )
    return tuple(told)


@dataclass(frozen=True, slots=True)
class Point:
    """One contestant at one size."""

    contestant: Contestant
    n_keys: int
    n_labels: int
    n_rows: int
    n_pairs: int  # see ``pairs_of``
    seconds: tuple[float, ...]  # every run
    answer: Answer

    @property
    def best_seconds(self) -> float:
        """The fastest of the runs: the one that the rest of the machine disturbed least."""
        return min(self.seconds)


@dataclass(frozen=True, slots=True, eq=False)
class GrowthResult:
    """Every run so far; ``sweep`` is the file store at one size with other numbers of keys."""

    params: GrowthParams
    n_labels: int
    n_rows: int
    n_pairs: int
    n_window_pairs: int
    left_out: tuple[str, ...]
    measured_at: datetime
    points: tuple[Point, ...] = ()
    sweep: tuple[Point, ...] = ()
    peak_bytes: dict[str, int] | None = None
    complete: bool = False

    def of(self, contestant: str) -> list[Point]:
        """Return a contestant's points, smallest first."""
        return [point for point in self.points if point.contestant == contestant]

    def slope(self, contestant: str) -> float | None:
        """Return the exponent of the growth in labels, fitted in log-log over the three largest
        sizes, or ``None``.
        """
        points = self.of(contestant)[-3:]
        if len(points) < 2:
            return None
        x, y = (
            [np.log(getattr(point, name)) for point in points]
            for name in ("n_labels", "best_seconds")
        )
        return float(np.polyfit(x, y, 1)[0])

    @property
    def agree(self) -> bool:
        """Whether all contestants gave the same answer at each size."""
        answers: dict[int, set[Answer]] = {}
        for point in self.points:
            answers.setdefault(point.n_labels, set()).add(point.answer)
        return all(len(same) == 1 for same in answers.values())

    @property
    def pairs_per_label(self) -> float:
        """Pairs that the file store joins for each label."""
        return self.n_pairs / self.n_labels

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        last = [
            points[-1] for contestant in self.params.contestants if (points := self.of(contestant))
        ]
        if not last:
            return (
                "Every join asked for would be too large."
                if self.complete
                else "Nothing has been measured yet."
            )
        n = max(point.n_labels for point in last)
        there = sorted(
            (point for point in last if point.n_labels == n), key=lambda point: point.best_seconds
        )
        slow, fast = there[-1], there[0]
        text = (
            f"{n:,} labels on {slow.n_rows:,} rows of {self.params.n_keys:,} keys:"
            f" {slow.contestant} takes "
        )
        text += f"**{human_seconds(slow.best_seconds)}**"
        if slow is fast:
            return text + "."
        factor = human_factor(slow.best_seconds / fast.best_seconds)
        return f"{text}, **{factor}** the {human_seconds(fast.best_seconds)} of {fast.contestant}."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        reasons = [
            (
                f"The file store first joins each label with all rows of its key, {self.n_pairs:,}"
                f" pairs ({self.pairs_per_label:,.0f} a label), and only then looks at the time:"
                " fewer keys, more pairs."
            ),
            (
                f"The duckdb store joins on key and time window: {self.n_window_pairs:,} pairs with"
                f" a TTL of {self.params.ttl}."
            ),
            (
                "The as-of joins sort both sides and walk them once: the cost follows the rows,"
                " whatever the keys and the TTL."
            ),
        ]
        slopes = [
            f"{name} {slope:.2f}"
            for name in self.params.contestants
            if (slope := self.slope(name)) is not None
        ]
        if slopes:
            reasons.append(
                "Slopes in log-log (2: four times the work for twice the rows; below 1: overhead):"
                f" {', '.join(slopes)}."
            )
        reasons += self.left_out
        if self.points:
            same = "All give the same values." if self.agree else "THEIR ANSWERS DIFFER."
            reasons.append(
                f"{same} Measured {self.measured_at:%Y-%m-%d %H:%M} UTC, {self._spread()}"
            )
        return reasons

    def _spread(self) -> str:
        ratios = [
            max(point.seconds) / min(point.seconds)
            for point in self.points
            if len(point.seconds) > 1
        ]
        worst = (
            f"; slowest over fastest {human_factor(median(ratios))} in the median" if ratios else ""
        )
        return (
            f"the fastest of {self.params.repeats} runs each, files warm in the system's"
            f" cache{worst}."
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: pairs and the answer, never a time."""
        n_with_value, value_sum = (
            self.points[-1].answer if self.complete and self.points else (0, 0.0)
        )
        return {
            "n_labels": self.n_labels,
            "n_rows": self.n_rows,
            "n_pairs": self.n_pairs,
            "n_window_pairs": self.n_window_pairs,
            "n_with_value": n_with_value,
            "value_sum": round(value_sum, 2),
        }

    def table(self) -> pa.Table:
        """Return one row for each contestant and size."""
        rows = [
            asdict(replace(point, seconds=(), answer=(0, 0.0)))
            | {
                "best_seconds": point.best_seconds,
                "runs_seconds": " ".join(f"{s:.6f}" for s in point.seconds),
            }
            for point in (*self.points, *self.sweep)
        ]
        return pa.Table.from_pylist(
            [{k: v for k, v in row.items() if k not in ("seconds", "answer")} for row in rows]
        )


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


def _plan(params: GrowthParams, folder: Path) -> tuple[GrowthResult, list[_Cell]]:
    """Return the empty result, with what is left out, and what is to be measured."""
    import feast  # noqa: F401  # imported here so that no timed call pays for it

    full = params.rows(1.0)
    result = GrowthResult(
        params=params, n_labels=full.labels.num_rows, n_rows=full.features.num_rows, n_pairs=full.n_pairs,
        n_window_pairs=full.n_window_pairs, left_out=left_out(params), measured_at=datetime.now(UTC),
    )  # fmt: skip
    return result, _cells(params, folder)


def _with(result: GrowthResult, cells: list[_Cell]) -> GrowthResult:
    measured = [cell for cell in cells if cell.runs]
    return replace(
        result,
        points=tuple(cell.point for cell in measured if cell.params == result.params),
        sweep=tuple(cell.point for cell in measured if cell.params != result.params),
    )


def steps(params: GrowthParams) -> Steps:
    """Measure all cells, taking turns in an order drawn anew for each round, then the memory.

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
            result, cells = yield from beside(caller, partial(_plan, params, folder), counting)
            yield from beside(
                caller, partial(_warm, params, folder), Progress(0.0, "warming up", result)
            )
            for turn in range(params.repeats):
                for number, place in enumerate(rng.permutation(len(cells))):
                    cell, share = cells[place], (turn + number / len(cells)) / params.repeats
                    what = (
                        f"{cell.name}, {cell.rows.labels.num_rows:,} labels (round {turn + 1} of"
                        f" {params.repeats})"
                    )
                    progress = Progress(share, what, result)
                    yield progress
                    if cell.join is None:
                        cell.join = yield from beside(caller, cell.prepare, progress)
                    seconds, cell.answer = yield from beside(
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
    """Return each contestant's peak memory at the full size, beyond what its process held before."""
    child = processes.steps(
        "engine.feature_store.growth.child", json.dumps(asdict(params)), str(folder)
    )
    peak: dict[str, int] = {}
    while True:
        try:
            progress = next(child)
        except StopIteration as stop:
            peak = stop.value
            return peak
        yield Progress(0.95, progress.message or "peak memory, in a child process", result)


def run(params: GrowthParams) -> GrowthResult:
    """Measure here and now."""
    result: GrowthResult = run_to_end(steps(params))
    return result
