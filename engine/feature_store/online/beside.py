"""The same week in Redis or PostgreSQL beside SQLite: the same view and rows, each run
materialized by Feast into both, every answer compared, reads timed in turns.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.feature_store import feast_internals, serving
from engine.feature_store.online.result import NONE, OnlineResult, Store
from engine.feature_store.online.stored import Stored
from engine.units import format_range, format_seconds, format_time

if TYPE_CHECKING:
    from feast import FeatureStore

N_ROUNDS, N_CALLS = 4, 75  # reads of a store in a round; the stores take turns
N_KEYS_LISTED = 40
EVENT_SECONDS = "event_seconds"  # the feature that holds its own row's event time


@dataclass(frozen=True, slots=True)
class Answers:
    """What ``get_online_features`` answers for all keys: features × keys, and the statuses."""

    values: Mapping[str, Sequence[float | None]]
    statuses: Sequence[str]

    def of(self, number: int) -> tuple[float | None, ...]:
        """Return the values of a key."""
        return tuple(listed[number] for listed in self.values.values())


def ask(store: FeatureStore, view: str, features: Sequence[str], asked: list[Any]) -> Answers:
    """Ask for all features of all keys."""
    with serving.feast_alone():
        answer = store.get_online_features([f"{view}:{name}" for name in features], asked)
    found = answer.to_dict()
    return Answers(
        {name: found[name] for name in features}, feast_internals.statuses_of(answer, features[0])
    )


def _same(one: float | None, other: float | None) -> bool:
    """Whether two values are the same; a nan is a nan, and null is something else."""
    return one == other or (one != one and other != other)


@dataclass(frozen=True, slots=True, eq=False)
class Beside:
    """The picked store against SQLite. An answer is all values of a key, event time included."""

    store: Store
    version: str
    where: str
    n_keys: int = 0
    n_runs: int = 0
    n_equal: int = 0  # answers of keys after runs
    n_expected: int = 0  # the same number, by what is known of both stores
    n_null_present: int = 0  # keys without a row that the picked store answers PRESENT
    n_missing: int = 0  # keys without a row at the end
    rows: tuple[dict[str, str], ...] = ()  # cell by cell after the run with most differences
    rows_hour: int = 0  # of that run
    n_differ: int = 0  # keys with another answer after it
    stored: Stored | None = None
    # (store, keys asked for) -> (N_ROUNDS, N_CALLS) seconds
    reads: Mapping[tuple[Store, int], np.ndarray] = field(default_factory=dict)

    @property
    def n_answers(self) -> int:
        """Answers compared: keys × runs."""
        return self.n_keys * self.n_runs

    @property
    def agrees(self) -> bool:
        """Whether the two stores differ exactly where they should."""
        return self.n_equal == self.n_expected

    @property
    def verdict(self) -> str:
        """How many answers are the same, and why others are not."""
        if not self.n_runs:
            return ""
        badge = ":material/verified:" if self.agrees else ":material/error:"
        text = (
            f"{badge} {self.version} at {self.where} and SQLite give the same answer in"
            f" **{self.n_equal:,} of {self.n_answers:,}** cases ({self.n_keys:,} keys after"
            f" {self.n_runs} runs)."
        )
        if self.n_equal < self.n_answers:
            text += f" Predicted: {self.n_expected:,}. {self.store} kept newer rows."
        if self.n_null_present:
            text += (
                f" {self.n_null_present:,} keys without a row are PRESENT and null in {self.store},"
                " NOT_FOUND in SQLite."
            )
        return text

    @property
    def rows_caption(self) -> str:
        """Which answers ``rows`` are."""
        if not self.n_differ:
            return f"After the last run, hour {self.rows_hour}: no answer differs."
        return (
            f"After the run at hour {self.rows_hour}, when most answers differ:"
            f" {self.n_differ:,} of {self.n_keys:,} keys."
        )

    def latency_rows(self) -> list[dict[str, str]]:
        """Return the timed reads as texts, with their spread over the rounds."""
        return [
            {
                "store": store,
                "keys asked for": f"{n_keys:,}",
                "calls": f"{seconds.size:,}",
                "p50": format_seconds(float(np.median(seconds))),
                "p50 of each round": format_range(
                    float(np.median(seconds, axis=1).min()),
                    float(np.median(seconds, axis=1).max()),
                    format_seconds,
                ),
                "p99": format_seconds(float(np.percentile(seconds, 99))),
            }
            for (store, n_keys), seconds in self.reads.items()
        ]


def compared(
    so_far: Beside, run: int, sqlite: Answers, other: Answers, models: Sequence[OnlineResult]
) -> Beside:
    """Count one more run; ``models`` explain the week in SQLite and in the picked store."""
    keys = range(len(sqlite.statuses))
    equal = [all(map(_same, sqlite.of(key), other.of(key))) for key in keys]
    explained = [model.after_run[run] for model in models]
    missing = explained[1] == NONE
    null_present = [other.statuses[key] == "PRESENT" for key in np.flatnonzero(missing).tolist()]
    n_differ = equal.count(False)
    if n_differ >= so_far.n_differ:
        names, hour = models[1].rows.names, models[1].runs[run].hour
        rows = cells(so_far.store, names, sqlite, other)
        so_far = replace(so_far, rows=rows, rows_hour=hour, n_differ=n_differ)
    return replace(
        so_far,
        n_keys=len(equal),
        n_runs=so_far.n_runs + 1,
        n_equal=so_far.n_equal + sum(equal),
        n_expected=so_far.n_expected + int((explained[0] == explained[1]).sum()),
        n_missing=int(missing.sum()),
        n_null_present=sum(null_present),
    )


def cells(
    store: Store, names: Sequence[str], sqlite: Answers, other: Answers
) -> tuple[dict[str, str], ...]:
    """Return the answers cell by cell as texts, keys that differ first."""
    rows = []
    for number, name in enumerate(names):
        for feature in sqlite.values:
            one, two = sqlite.values[feature][number], other.values[feature][number]
            rows.append(
                {
                    "key": name,
                    "feature": feature,
                    "SQLite": _written(feature, one),
                    store: _written(feature, two),
                    "same": "yes" if _same(one, two) else "no",
                    "SQLite status": sqlite.statuses[number],
                    f"{store} status": other.statuses[number],
                }
            )
    n_rows = N_KEYS_LISTED * len(sqlite.values)
    return tuple(sorted(rows, key=lambda row: row["same"] == "yes")[:n_rows])


def _written(feature: str, value: float | None) -> str:
    if value is None:
        return "null"
    if feature == EVENT_SECONDS:
        return format_time(datetime.fromtimestamp(value, UTC), seconds=True)
    return f"{value:,.10g}"


def timed_reads(
    stores: Mapping[Store, FeatureStore],
    features: list[str],
    asked: list[Any],
    batches: Sequence[int],
) -> dict[tuple[Store, int], np.ndarray]:
    """Return the seconds of reads, the stores in turns so that a busy moment meets each."""
    found: dict[tuple[Store, int], list[np.ndarray]] = {
        (name, n): [] for n in batches for name in stores
    }
    for _ in range(N_ROUNDS):
        for (name, n), rounds in found.items():
            rounds.append(serving.latencies(stores[name], features, asked[:n], N_CALLS))
    return {key: np.array(rounds) for key, rounds in found.items()}
