"""Capturing change: full reload, cursor, change log and micro-batch follow one table; what each
moves, how soon it shows a change, and what it misses.

Real: the changes of one day of flights (``engine.etl.change_capture.changes`` says what is
simulated about them), four targets in DuckDB (``engine.etl.change_capture.targets``), each
reconciled with the source by the ledger. A slowly changing dimension (SCD) of type 1 keeps a row's
last version, of type 2 all of them with the times from which and until which they held (Kimball &
Ross, 2013).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.etl.change_capture import changes, targets
from engine.etl.change_capture.changes import Stream
from engine.etl.change_capture.targets import APPLIES, Apply, Loaded
from engine.etl.ledger import Ledger, reconcile
from engine.ranges import SEED, Choice, Params, Range
from engine.units import format_factor

__all__ = [
    "APPLIES",
    "BATCHES",
    "POLLS",
    "STRATEGIES",
    "ChangeCaptureParams",
    "ChangeCaptureResult",
    "Outcome",
    "run",
]

Strategy = Literal["full reload", "cursor", "change log", "micro-batch"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
POLLS = (15, 30, 60, 120, 240, 480)  # minutes
BATCHES = (5, 10, 15, 30, 60)  # minutes
MAX_FLIGHTS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCaptureParams(Params):
    """How often each strategy loads, how the log is delivered and applied, and the day that is
    followed.
    """

    # between two runs of full reload and cursor
    poll_minutes: Annotated[int, Choice(POLLS)] = 120
    batch_minutes: Annotated[int, Choice(BATCHES)] = 30
    # a change is delivered up to so much later
    reorder_minutes: Annotated[int, Range(0, 240, step=5)] = 30
    # of the changes that come twice
    duplicate_share: Annotated[float, Range(0.0, 0.5, step=0.05)] = 0.1
    apply: Apply = "by log position"
    day: Annotated[int, Range(1, 365)] = 39  # of 2013; 39 is the blizzard of 8 February
    n_flights: Annotated[int, Range(20, MAX_FLIGHTS, step=20)] = 1_000  # at most
    # estimates of the delay before a flight leaves
    n_revisions: Annotated[int, Range(0, 5)] = 2
    seed: Annotated[int, SEED] = 0


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """What one strategy made of the day."""

    strategy: Strategy
    loaded: Loaded
    ledger: Ledger  # the target against the source at the end
    history: Ledger  # its versions and their ends against those of the source
    key: np.ndarray  # (a,) of each change applied to the target, in the order in which they were
    # (a,) up to which the target then followed that flight; 0 − lsn where the row went away
    lsn: np.ndarray
    applied_at: np.ndarray  # (a,) minutes
    # (n,) from each change of the source until the target showed it or a later one; inf: never
    minutes: np.ndarray

    @property
    def n_wrong(self) -> int:
        """Rows lost, stale, duplicated or gone at the source, at the end."""
        return sum(n for kind, n in self.ledger.counts().items() if kind != "correct")

    @property
    def n_versions(self) -> int:
        """Versions of the source's history that the target's history holds."""
        return self.history.n_source - self.history.n_lost


@dataclass(frozen=True, slots=True, eq=False)
class ChangeCaptureResult:
    """Four outcomes of one stream of changes."""

    params: ChangeCaptureParams
    stream: Stream
    outcomes: tuple[Outcome, ...]  # in the order of STRATEGIES

    def outcome(self, strategy: Strategy) -> Outcome:
        """Return the outcome of one strategy."""
        return self.outcomes[STRATEGIES.index(strategy)]

    @property
    def n_deletes(self) -> int:
        """Flights that the source deleted."""
        return int(self.stream.deleted.sum())

    @property
    def n_versions(self) -> int:
        """Versions in the history of the source."""
        return self.stream.n - self.n_deletes

    @property
    def cursor_undeleted(self) -> int:
        """Deleted flights that the cursor's target still has at the end."""
        return self.outcome("cursor").ledger.n_undeleted

    @property
    def reload_factor(self) -> float:
        """Rows that full reload moves for each change."""
        return self.outcome("full reload").loaded.n_moved / self.stream.n

    @property
    def reload_versions_share(self) -> float:
        """Share of the source's versions that full reload has in its history, 0–1."""
        return self.outcome("full reload").n_versions / self.n_versions

    @property
    def verdict(self) -> str:
        """Rows moved and rows wrong at the end: full reload, cursor and change log."""
        log = self.outcome("change log")
        minutes = f"{np.median(log.minutes):.0f} min"
        head = (
            f"**CDC matches the source**, {minutes} behind."
            if log.ledger.exact
            else f"**CDC has {log.n_wrong:,} wrong rows** (applied {self.params.apply})."
        )
        missed = (
            f"The cursor misses all **{self.n_deletes:,} deletes**."
            if self.n_deletes
            else "There were no deletes to miss."
        )
        return (
            f"{head} {missed} Full reload moves {format_factor(self.reload_factor)} as many rows as"
            " changed."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p, (reload, cursor, log, batch) = self.params, self.outcomes
        ignored = log.loaded.n_moved - log.loaded.n_written
        counts = log.ledger.counts()
        applied = (
            f"**Log position**: {ignored:,} of {log.loaded.n_moved:,} deliveries were copies or"
            " older than what was there. The target ignored them."
            if p.apply == "by log position"
            else f"**As they arrive**, the last one wins: {counts['stale']:,} rows are stale,"
            f" {counts['not deleted']:,} deleted flights are back, {log.history.n_duplicated:,}"
            " versions are doubled."
        )
        return [
            "**Deletes**: a query returns rows that exist. “updated-at newer than the cursor” never"
            f" returns a deleted row: {self.cursor_undeleted:,} stay in its target.",
            f"**Polling** every {p.poll_minutes} min sees only a row's last version: full reload"
            f" keeps {reload.n_versions:,} of {self.n_versions:,} versions, the cursor"
            f" {cursor.n_versions:,}, CDC {log.n_versions:,}.",
            applied,
            f"**Micro-batch**: the last change of each flight in {p.batch_minutes} min, one MERGE:"
            f" {batch.loaded.n_loads:,} transactions, not {log.loaded.n_loads:,}.",
        ]

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        numbers: dict[str, int | float | str] = {"n_changes": self.stream.n}
        for outcome in self.outcomes:
            numbers |= {
                f"{outcome.strategy}: rows moved": outcome.loaded.n_moved,
                f"{outcome.strategy}: stale": outcome.ledger.n_stale,
                f"{outcome.strategy}: not deleted": outcome.ledger.n_undeleted,
            }
        return numbers

    def table(self) -> pa.Table:
        """Return one row for each strategy."""
        rows = []
        for outcome in self.outcomes:
            seen = outcome.minutes[np.isfinite(outcome.minutes)]
            rows.append(
                {
                    "strategy": outcome.strategy,
                    "rows_moved": outcome.loaded.n_moved,
                    "rows_written": outcome.loaded.n_written,
                    "loads": outcome.loaded.n_loads,
                    "visible_minutes_median": float(np.median(seen)),
                    "visible_minutes_p95": float(np.percentile(seen, 95)),
                    "changes_never_seen": int(np.isinf(outcome.minutes).sum()),
                    **{
                        f"rows_{kind.replace(' ', '_')}": n
                        for kind, n in outcome.ledger.counts().items()
                    },
                    "versions_kept": outcome.n_versions,
                    "versions_duplicated": outcome.history.n_duplicated,
                    "versions_with_wrong_valid_to": outcome.history.n_stale,
                }
            )
        return pa.Table.from_pylist(rows)

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each strategy, as texts."""
        return [
            {
                "strategy": row["strategy"],
                "rows moved": f"{row['rows_moved']:,}",
                "transactions": f"{row['loads']:,}",
                "delay, min: median (p95)": (
                    f"{row['visible_minutes_median']:.0f} ({row['visible_minutes_p95']:.0f})"
                ),
                "deletes missed": f"{row['rows_not_deleted']:,}",
                "stale": f"{row['rows_stale']:,}",
                "SCD 1": "exact" if outcome.ledger.exact else f"{outcome.n_wrong:,} wrong",
                "SCD 2, versions": f"{row['versions_kept']:,} of {self.n_versions:,}",
                "duplicate versions": f"{row['versions_duplicated']:,}",
                "wrong valid_to": f"{row['versions_with_wrong_valid_to']:,}",
            }
            for row, outcome in zip(self.table().to_pylist(), self.outcomes, strict=True)
        ]

    def most_divergent(self) -> int:
        """Return the flight (its key) on which the strategies disagree most."""
        score = np.bincount(self.stream.key, minlength=self.stream.n_flights).astype(float)
        for outcome in self.outcomes:
            wrong = pc.index_in(outcome.ledger.target["flight"], self.stream.labels).to_numpy()[
                outcome.ledger.undeleted
            ]
            score[wrong] += 10 if outcome.strategy != "cursor" else 2
            stale = pc.index_in(outcome.ledger.source["flight"], self.stream.labels).to_numpy()[
                outcome.ledger.stale[:, 0]
            ]
            score[stale] += 10
        return int(np.argmax(score))


# ---- how far a target follows


def until_visible(
    stream: Stream, key: np.ndarray, lsn: np.ndarray, applied_at: np.ndarray
) -> np.ndarray:
    """Return the minutes from each change until its flight first showed that change or a later
    one; inf: never.
    """
    n, far = stream.n + 1, 1e5  # minutes, more than any day lasts
    order = np.lexsort((np.abs(lsn), key))[
        ::-1
    ]  # flights downwards, in each from its last change back
    code = key[order] * n + np.abs(lsn)[order]
    # the earliest time from here on in a flight: each further flight starts below whatever came
    # before it
    shifted = np.minimum.accumulate(applied_at[order] + key[order] * far) - key[order] * far
    code, shifted = code[::-1], shifted[::-1]
    mine = stream.key * n + np.arange(1, n)
    place = np.minimum(np.searchsorted(code, mine), len(code) - 1)
    found = (code[place] >= mine) & (code[place] // n == stream.key)
    return np.where(found, np.maximum(shifted[place] - stream.at, 0), np.inf)


def versions_at(
    key: np.ndarray, lsn: np.ndarray, at: np.ndarray, n_flights: int, moments: np.ndarray
) -> np.ndarray:
    """Return the last change applied to each flight at each moment (moments, flights); 0: none."""
    span = max(float(at.max()), float(moments.max())) + 1
    order = np.lexsort((np.arange(len(at)), at, key))
    code = key[order] * span + at[order]
    wanted = np.arange(n_flights)[np.newaxis, :] * span + moments[:, np.newaxis]
    place = np.searchsorted(code, wanted, side="right") - 1
    known = (place >= 0) & (key[order][np.maximum(place, 0)] == np.arange(n_flights)[np.newaxis, :])
    return np.where(known, np.maximum(lsn[order][np.maximum(place, 0)], 0), 0)


def wrong_rows(result: ChangeCaptureResult, moments: np.ndarray) -> dict[Strategy, np.ndarray]:
    """Return how many flights of each target differ from the source at each moment."""
    stream = result.stream
    signed = np.where(stream.deleted, -1, 1) * np.arange(1, stream.n + 1)
    truth = versions_at(stream.key, signed, stream.at, stream.n_flights, moments)
    return {
        outcome.strategy: (
            (
                versions_at(outcome.key, outcome.lsn, outcome.applied_at, stream.n_flights, moments)
                != truth
            ).sum(axis=1)
        )
        for outcome in result.outcomes
    }


@lru_cache(maxsize=16)
def _truth(day: int, n_flights: int, n_revisions: int, seed: int) -> tuple[pa.Table, pa.Table]:
    """Return what the source holds in the end, and its history."""
    loaded = targets.logged(
        changes.deliver(day, n_flights, n_revisions, seed, 0, 0), "by log position"
    )
    return loaded.target, loaded.history


def _outcome(strategy: Strategy, loaded: Loaded, of_day: tuple[int, int, int, int]) -> Outcome:
    stream, (target, history) = changes.stream(*of_day), _truth(*of_day)
    key = pc.index_in(loaded.applied["flight"], stream.labels).to_numpy().astype(np.int64)
    lsn, deleted = loaded.applied["lsn"].to_numpy(), loaded.applied["deleted"].to_numpy()
    gone = np.zeros(stream.n_flights, np.int64)
    gone[stream.key[stream.deleted]] = np.flatnonzero(stream.deleted) + 1
    lsn = np.where(
        deleted, -gone[key], lsn
    )  # a reload that finds a row gone has followed the flight to its deletion
    applied_at = loaded.applied["applied_at"].to_numpy()
    return Outcome(
        strategy,
        loaded,
        reconcile(target, loaded.target, ("flight",)),
        reconcile(history, loaded.history, ("flight", "lsn")),
        key,
        lsn,
        applied_at,
        until_visible(stream, key, lsn, applied_at),
    )


@lru_cache(maxsize=32)
def _polled(of_day: tuple[int, int, int, int], poll_minutes: int) -> tuple[Outcome, Outcome]:
    reload, cursor = targets.polled(*of_day, poll_minutes)
    return _outcome("full reload", reload, of_day), _outcome("cursor", cursor, of_day)


@lru_cache(maxsize=64)
def _followed(
    of_day: tuple[int, int, int, int],
    reorder: int,
    duplicates: float,
    apply: Apply,
    batch_minutes: int,
) -> tuple[Outcome, Outcome]:
    log = changes.deliver(*of_day, reorder, duplicates)
    batched = targets.micro_batched(log, apply, batch_minutes)
    return _outcome("change log", targets.logged(log, apply), of_day), _outcome(
        "micro-batch", batched, of_day
    )


def run(params: ChangeCaptureParams) -> ChangeCaptureResult:
    """Follow the day with all four strategies; what a setting does not touch is not run again."""
    p = params
    of_day = (p.day, p.n_flights, p.n_revisions, p.seed)
    followed = _followed(of_day, p.reorder_minutes, p.duplicate_share, p.apply, p.batch_minutes)
    return ChangeCaptureResult(
        p, changes.stream(*of_day), (*_polled(of_day, p.poll_minutes), *followed)
    )
