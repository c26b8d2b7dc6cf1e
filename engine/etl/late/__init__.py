"""Late data: which rows have arrived when a day is published, which a lookback corrects, which are
never counted; and the cost.

Real: the flights and their event times (scheduled departures, New York time); the transactions of
the cursor, held open in DuckDB (``engine.etl.late.cursor``). Simulated from the seed: when each row
arrives. Most come within minutes, a share comes late with a log-normal tail (median
``late_hours``), and La Guardia's link is down for ``outage_hours`` and then delivers all together.
The daily run is counted in closed form; the tests replay it row by row, the script in DuckDB.
Source of the terms: Akidau et al., "The Dataflow Model", 2015.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pyarrow as pa

from engine.errors import require
from engine.etl.late import cursor as late_cursor
from engine.etl.late.cursor import CursorRun
from engine.etl.late.source import Rows, arrivals
from engine.ranges import SEED, Choice, Params, Range
from engine.units import day_of_2013, format_day, format_share

__all__ = [
    "LOOKBACKS",
    "POLLS",
    "LateParams",
    "LateResult",
    "Rows",
    "completeness",
    "run",
    "runs_late",
    "stream",
]

POLLS = (15, 30, 60, 120)  # minutes
LOOKBACKS = (0, 1, 2, 3, 7, 14)  # drawn against each other
N_DAYS_OF_YEAR = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class LateParams(Params):
    """When a day is published, what is rebuilt, and how late the rows are."""

    # after midnight, when the day that ended is published
    watermark_hours: Annotated[int, Range(0, 72)] = 6
    lookback_days: Annotated[int, Range(0, 14)] = 1  # earlier days that each run rebuilds
    late_share: Annotated[float, Range(0.0, 0.5, step=0.01)] = 0.08  # of the rows
    late_hours: Annotated[int, Range(1, 72)] = 12  # median delay of a late row
    outage_hours: Annotated[int, Range(0, 96)] = 30  # La Guardia's link is down
    # the cursor reads again what is that much older than it
    lag_minutes: Annotated[int, Range(0, 240, step=5)] = 0
    first_day: Annotated[int, Range(1, N_DAYS_OF_YEAR, most=338)] = 32  # of 2013
    n_days: Annotated[int, Range(5, 28)] = 14
    poll_minutes: Annotated[int, Choice(POLLS)] = 60  # between two reads of the cursor
    slow_share: Annotated[float, Range(0.0, 0.5, step=0.01)] = 0.05  # of the transactions
    slow_minutes: Annotated[int, Range(1, 120)] = 20  # mean length of a slow transaction
    seed: Annotated[int, SEED] = 0

    def check_together(self) -> None:
        """Raise ``InputError`` where the days would reach into the next year."""
        last = N_DAYS_OF_YEAR - self.n_days + 1
        rule = "first_day must be 1–{} for {} days. Got {}."
        require(self.first_day <= last, rule, last, self.n_days, self.first_day)


def runs_late(rows: Rows, watermark_hours: float) -> np.ndarray:
    """Return how many daily runs after its own day's first one each row needs to be seen, (n,)
    ints; 0: it is on time.
    """
    published = (rows.day + 1) * 24.0 + watermark_hours
    return np.ceil(np.maximum(rows.arrival_hour - published, 0) / 24).astype(np.int64)


def completeness(rows: Rows, watermarks: np.ndarray, lookbacks: tuple[int, ...]) -> np.ndarray:
    """Return the share of rows that are counted in the end, (watermarks, lookbacks)."""
    needed = [
        np.bincount(runs_late(rows, hours), minlength=max(lookbacks) + 2) for hours in watermarks
    ]
    return np.array([np.cumsum(counts)[list(lookbacks)] for counts in needed]) / len(rows.day)


@dataclass(frozen=True, slots=True, eq=False)
class LateResult:
    """What the daily run counts: ``arrived[d, k]`` rows of day ``d`` are there at its ``k``-th run
    (0: first publication).
    """

    params: LateParams
    rows: Rows
    late: np.ndarray  # (n,) runs after the first one that each row needs
    arrived: np.ndarray  # (n_days, last run needed + 1)
    cursor: CursorRun

    @property
    def n_rows(self) -> int:
        """Rows of the days in view."""
        return len(self.late)

    @property
    def n_first(self) -> int:
        """Rows that are in when their day is first published."""
        return int((self.late == 0).sum())

    @property
    def n_missed(self) -> int:
        """Rows that no run counts."""
        return int((self.late > self.params.lookback_days).sum())

    @property
    def n_corrected(self) -> int:
        """Rows that the lookback counts later."""
        return self.n_rows - self.n_first - self.n_missed

    @property
    def missed_share(self) -> float:
        """Share of the rows that no run counts, 0–1."""
        return self.n_missed / self.n_rows

    @property
    def first_share(self) -> float:
        """Share of the rows that are in at first publication, 0–1."""
        return self.n_first / self.n_rows

    @property
    def lookback_needed(self) -> int:
        """Days of lookback with which no row is missed."""
        return int(self.late.max())

    @property
    def n_rewritten(self) -> int:
        """Rows written by all runs: each run writes its day and the days of the lookback again."""
        return int(np.maximum(self.params.lookback_days + 1 - self.late, 0).sum())

    @property
    def n_rewritten_touched(self) -> int:
        """Rows written if each run rebuilt its day and just those earlier days of which rows have
        come since; misses none.
        """
        return int(self.arrived[self._touched()].sum())

    @property
    def rewrite_factor(self) -> float:
        """Rows written for each row of the source."""
        return self.n_rewritten / self.n_rows

    @property
    def touched_factor(self) -> float:
        """The same, if just the days that late rows touch were rebuilt."""
        return self.n_rewritten_touched / self.n_rows

    @property
    def visible_hours(self) -> float:
        """Median hours from a row's event to the publication that first counts it."""
        counted = self.late <= self.params.lookback_days
        published = (self.rows.day + 1 + self.late) * 24.0 + self.params.watermark_hours
        return float(np.median((published - self.rows.event_hour)[counted]))

    def _touched(self) -> np.ndarray:
        new = np.diff(self.arrived, axis=1, prepend=0) > 0
        new[:, 0] = True
        return new

    def day_name(self, day: int) -> str:
        """Return a day in view as ``"8 Feb 2013"``."""
        return format_day(day_of_2013(self.params.first_day + day))

    @property
    def verdict(self) -> str:
        """Rows that are never counted, and the lookback that misses none."""
        p = self.params
        how = f"publication at {p.watermark_hours} h and a lookback of {p.lookback_days} days"
        if not self.n_missed:
            return (
                f"**All {self.n_rows:,} rows** are counted with {how},"
                f" {format_share(self.first_share)} of them at first publication."
            )
        return (
            f"**{self.n_missed:,} of {self.n_rows:,} rows ({format_share(self.missed_share)}) are"
            f" never counted** with {how}. To miss none: {self.lookback_needed} days of lookback,"
            " or rebuild only the days with late rows."
        )

    @property
    def why(self) -> list[str]:
        """The answer to the interview question, written from this run."""
        p, c, n_late = self.params, self.cursor, self.n_rows - self.n_first
        return [
            f"**Keep both times**: event time decides the day, arrival time says what is new."
            f" {n_late:,} of {self.n_rows:,} rows came after their day was published.",
            f"**Publish with a completeness**: {format_share(self.first_share)} are in after"
            f" {p.watermark_hours} h. Waiting longer is more complete and less fresh"
            f" (median age {self.visible_hours:.0f} h).",
            f"**Rebuild whole days**, so a rerun changes nothing. The lookback corrects"
            f" {self.n_corrected:,} rows and writes {self.rewrite_factor:.1f} rows per source row;"
            f" to miss none: {self._full_factor():.1f}.",
            "**Or rebuild only days with new rows** (their arrival times say which): none missed,"
            f" {self.touched_factor:.1f} rows per source row.",
            f"**A cursor skips rows**: {c.n_missed:,} of {c.n_rows:,} were committed after the"
            f" cursor had passed. A lag window of {c.lag_needed} min skips none; rows read twice"
            " need an idempotent load.",
        ]

    def _full_factor(self) -> float:
        return float(np.maximum(self.lookback_needed + 1 - self.late, 0).sum() / self.n_rows)

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "n_rows": self.n_rows,
            "n_first": self.n_first,
            "n_corrected": self.n_corrected,
            "n_missed": self.n_missed,
            "n_rewritten": self.n_rewritten,
            "n_cursor_missed": self.cursor.n_missed,
            "n_cursor_reread": self.cursor.n_reread,
        }

    def table(self) -> pa.Table:
        """Return one row for each event day: rows, completeness, freshness, recompute cost."""
        p, n = self.params, self.params.n_days
        everything, first, missed = (
            np.bincount(self.rows.day[chosen], minlength=n)
            for chosen in (self.late >= 0, self.late == 0, self.late > p.lookback_days)
        )
        written = np.bincount(
            self.rows.day, np.maximum(p.lookback_days + 1 - self.late, 0), n
        ).astype(np.int64)
        return pa.table(
            {
                "event_day": [self.day_name(day) for day in range(n)],
                "n_rows": everything,
                "n_first": first,
                "n_corrected": everything - first - missed,
                "n_missed": missed,
                "first_share": first / np.maximum(everything, 1),
                "final_share": 1 - missed / np.maximum(everything, 1),
                "published_after_hours": np.full(n, p.watermark_hours),
                "n_rewritten": written,
            }
        )


def stream(params: LateParams) -> Rows:
    """Return the flights in view with their simulated arrival."""
    p = params
    return arrivals(p.first_day, p.n_days, p.late_share, p.late_hours, p.outage_hours, p.seed)


def run(params: LateParams) -> LateResult:
    """Count what each daily run sees; the transactions of the cursor are run once for the same
    stream.
    """
    rows = stream(params)
    late = runs_late(rows, params.watermark_hours)
    counts = np.zeros((params.n_days, int(late.max()) + 1), np.int64)
    np.add.at(counts, (rows.day, late), 1)
    return LateResult(params, rows, late, counts.cumsum(axis=1), late_cursor.read(params))
