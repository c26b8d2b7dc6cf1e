"""What the growth is asked for, and what was measured, in numbers and in words."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Annotated

import numpy as np
import pyarrow as pa

from engine.feature_store.growth import joins
from engine.feature_store.growth.joins import CONTESTANTS, Answer, Contestant, Rows
from engine.ranges import SEED, Choice, Choices, Params, Range
from engine.units import format_factor, format_seconds, format_time

SIZES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 300_000)
N_KEYS = (1, 3, 10, 30, 100, 300, 1_000, 3_000)
TTLS: dict[str, timedelta] = {
    "never expires": timedelta(0),
    "1 h": timedelta(hours=1),
    "1 day": timedelta(days=1),
    "7 days": timedelta(days=7),
    "30 days": timedelta(days=30),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthParams(Params):
    """The size of the largest join, and the joins to compare."""

    n_labels: Annotated[int, Range(100, SIZES[-1], options=SIZES)] = 2_000
    n_rows: Annotated[int, Range(100, SIZES[-1], options=SIZES)] = 1_000
    n_keys: Annotated[int, Range(1, N_KEYS[-1], options=N_KEYS)] = 3  # groups of planes
    ttl: Annotated[str, Choice(tuple(TTLS))] = "1 day"
    contestants: Annotated[tuple[str, ...], Choices(CONTESTANTS)] = CONTESTANTS
    repeats: Annotated[int, Range(1, 5)] = 2  # runs of each call
    memory: bool = False  # peak memory as well, in a child process
    seed: Annotated[int, SEED] = 0  # of the order of turns

    @property
    def time_to_live(self) -> timedelta:
        """The TTL."""
        return TTLS[self.ttl]

    def rows(self, share: float) -> Rows:
        """Return the rows of a size."""
        sizes = (max(10, round(self.n_labels * share)), max(10, round(self.n_rows * share)))
        return joins.rows_of(*sizes, self.n_keys, self.time_to_live)


@dataclass(frozen=True, slots=True)
class Point:
    """One contestant at one size."""

    contestant: Contestant
    n_keys: int
    n_labels: int
    n_rows: int
    n_pairs: int  # that it holds at once
    seconds: tuple[float, ...]  # every run
    answer: Answer

    @property
    def best_seconds(self) -> float:
        """The fastest of the runs: the one that the rest of the machine disturbed least."""
        return min(self.seconds)


@dataclass(frozen=True, slots=True, eq=False)
class GrowthResult:
    """Every run so far; ``sweep`` is the file store at one size with other numbers of keys.

    ``counted`` has, before any run, the pairs of each join at each size: contestant, labels, pairs.
    """

    params: GrowthParams
    n_labels: int
    n_rows: int
    n_pairs: int
    n_window_pairs: int
    left_out: tuple[str, ...]
    measured_at: datetime
    counted: tuple[tuple[str, int, int], ...] = ()
    points: tuple[Point, ...] = ()
    sweep: tuple[Point, ...] = ()
    peak_bytes: dict[str, int] | None = None
    complete: bool = False

    def points_of(self, contestant: str) -> list[Point]:
        """Return the points of a contestant, smallest first."""
        return [point for point in self.points if point.contestant == contestant]

    def slope(self, contestant: str) -> float | None:
        """Return the exponent of the growth in labels, fitted in log-log over the three largest
        sizes, or ``None``.
        """
        points = self.points_of(contestant)[-3:]
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
        """The slowest join against the fastest, at the largest size measured."""
        last = [
            points[-1]
            for contestant in self.params.contestants
            if (points := self.points_of(contestant))
        ]
        if not last:
            return (
                "Every selected join is too large to run."
                if self.complete or not self.counted
                else self._expected()
            )
        n = max(point.n_labels for point in last)
        there = sorted(
            (point for point in last if point.n_labels == n), key=lambda point: point.best_seconds
        )
        slow, fast = there[-1], there[0]
        size = f"{n:,} labels, {slow.n_rows:,} rows, {self.params.n_keys:,} keys"
        text = f"{slow.contestant} takes **{format_seconds(slow.best_seconds)}**"
        if slow is not fast:
            factor = format_factor(slow.best_seconds / fast.best_seconds)
            text += (
                f", **{factor}** the time of {fast.contestant}"
                f" ({format_seconds(fast.best_seconds)})"
            )
        return f"{text}, for {size}."

    def _expected(self) -> str:
        """The joins with most and fewest pairs, before any run."""
        n = max(n_labels for _, n_labels, _ in self.counted)
        there = sorted((pairs, name) for name, n_labels, pairs in self.counted if n_labels == n)
        (few, fast), (many, slow) = there[0], there[-1]
        text = f"Not measured yet. Expected: {slow} is slowest, it joins **{many:,}** pairs"
        return f"{text}." if slow == fast else f"{text}, {fast} **{few:,}**, for {n:,} labels."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        reasons = [
            f"**File store**: joins each label with all rows of its key, {self.n_pairs:,} pairs"
            f" ({self.pairs_per_label:,.0f} per label), then filters by time. Fewer keys, more"
            " pairs.",
            f"**duckdb store**: joins on key and time window, {self.n_window_pairs:,} pairs. TTL:"
            f" {self.params.ttl}.",
            "**As-of joins**: sort both sides and read them once. Keys and TTL hardly change the"
            " time.",
        ]
        slopes = [
            f"{name} {slope:.2f}"
            for name in self.params.contestants
            if (slope := self.slope(name)) is not None
        ]
        if slopes:
            reasons.append(
                f"**Slopes**: {', '.join(slopes)}. 2 means four times the time for twice the rows;"
                " below 1, overhead dominates."
            )
        reasons += self.left_out
        if self.points:
            same = "All give the same values." if self.agree else "THEIR ANSWERS DIFFER."
            reasons.append(f"{same} Measured {format_time(self.measured_at)} UTC, {self._spread()}")
        return reasons

    def _spread(self) -> str:
        ratios = [
            max(point.seconds) / min(point.seconds)
            for point in self.points
            if len(point.seconds) > 1
        ]
        worst = f"; slowest / fastest run: median {format_factor(median(ratios))}" if ratios else ""
        return f"fastest of {self.params.repeats} runs each, files in the system's cache{worst}."

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
