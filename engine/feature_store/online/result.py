"""What a week of materialization is asked for, and what came of it, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa

from engine.feature_store.flight_features import FEATURES, KEYS, Source
from engine.ranges import Choice, Params, Range
from engine.units import format_seconds, format_share

Store = Literal["SQLite", "Redis", "PostgreSQL"]  # the online store
Strategy = Literal["full", "incremental", "incremental, then a backfill"]
Feature = Literal["temp", "wind_speed", "precip", "visib"]
UNITS = {
    "temp": "°F",
    "wind_speed": "mph",
    "precip": "inches",
    "visib": "miles",
    "mean_delay": "minutes",
}
EVERY_HOURS = (1, 2, 3, 6, 12, 24, 48)
# the duckdb store refuses days and hours mixed, such as 36 h
TTL_HOURS = (0, 1, 3, 6, 12, 24, 48, 72, 168)
START = datetime(2013, 7, 1, tzinfo=UTC)
HISTORY_DAYS, WEEK_HOURS = 14, 168
BACKFILL_AT = 100  # hour of the week at which its first day is materialized again
N_KEYS_DRAWN = 3
GRID = np.arange(WEEK_HOURS + 1)  # hours of the week at which serving is asked
NONE = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class OnlineParams(Params):
    """Schedule of the runs, delay of the feed, what is plotted."""

    source: Source = "planes"
    strategy: Strategy = "incremental"
    every_hours: Annotated[int, Choice(EVERY_HOURS)] = 12
    delay_hours: Annotated[int, Range(0, 48)] = 0  # from the event to its row being there
    ttl_hours: Annotated[int, Choice(TTL_HOURS)] = 24  # of the feature view; 0: never expires
    at_hours: Annotated[int, Range(0, WEEK_HOURS)] = 90  # the chosen hour of the week
    key_number: Annotated[int, Range(1, N_KEYS_DRAWN)] = 1  # which of the drawn keys
    feature: Feature = "temp"  # drawn, of the weather
    store: Store = "SQLite"

    @property
    def job(self) -> OnlineParams:
        """What the runs on the real Feast depend on; another hour needs no new run."""
        d = OnlineParams()
        return replace(self, at_hours=d.at_hours, key_number=d.key_number, feature=d.feature)

    @property
    def shown(self) -> str:
        """The feature that is drawn."""
        return self.feature if self.source == "weather" else FEATURES["planes"][0]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Feature rows in order of key and event: ``key`` (n,) is a place in ``names``, ``hour`` (n,)
    counts from START.
    """

    names: tuple[str, ...]  # the drawn keys first, then the others
    key: np.ndarray
    hour: np.ndarray
    table: pa.Table

    def latest(self, hours: np.ndarray) -> np.ndarray:
        """Return the place of each key's latest row at each of ``hours``, NONE before the first:
        (hours, keys).
        """
        span = 1e6  # more than any hour: one sorted number for key and hour
        asked = (
            np.arange(len(self.names))[np.newaxis] * span + np.asarray(hours, float)[:, np.newaxis]
        )
        place = np.searchsorted(self.key * span + self.hour, asked, side="right") - 1
        known = (place >= 0) & (
            self.key[np.maximum(place, 0)] == np.arange(len(self.names))[np.newaxis]
        )
        return np.asarray(np.where(known, place, NONE))


@dataclass(frozen=True, slots=True)
class Run:
    """One materialization: at ``hour`` it asks for the rows of [start, end], hours since START."""

    hour: int
    start: int
    end: int
    incremental: bool


@dataclass(frozen=True, slots=True, eq=False)
class OnlineResult:
    """The week as training sees it and as serving does. Arrays are (hours of GRID, keys): places in
    ``rows``, NONE without.
    """

    params: OnlineParams
    rows: Rows
    runs: tuple[Run, ...]
    after_run: np.ndarray  # (runs, keys)
    offline: np.ndarray
    online: np.ndarray

    def _hours(self, places: np.ndarray) -> np.ndarray:
        return np.asarray(np.where(places == NONE, np.nan, self.rows.hour[np.maximum(places, 0)]))

    @property
    def lag_hours(self) -> np.ndarray:
        """How much older the served row is than the one that training joins, (hours, keys); nan
        where one is missing.
        """
        return np.asarray(self._hours(self.offline) - self._hours(self.online))

    @property
    def stale_share(self) -> float:
        """Share of key-hours that serve another row than training joins (or none), 0–1."""
        asked = self.offline != NONE
        return float((self.offline != self.online)[asked].mean())

    @property
    def mean_lag_hours(self) -> float:
        """Mean of ``lag_hours`` where both have a row."""
        lag = self.lag_hours
        return float(np.nanmean(lag)) if np.isfinite(lag).any() else float("nan")

    @property
    def worst_lag_hours(self) -> float:
        """Largest lag of any key at any hour."""
        lag = self.lag_hours
        return float(np.nanmax(lag)) if np.isfinite(lag).any() else float("nan")

    def expired(self, hour: int) -> np.ndarray:
        """Return which keys are null in training for their age at an hour (a TTL of 0 never
        expires), (keys,) bool.
        """
        age = hour - self._hours(self.offline[hour])
        return np.asarray((age > self.params.ttl_hours) & (self.params.ttl_hours > 0))

    @property
    def n_expired_present(self) -> int:
        """Keys that at the chosen hour are null in training and PRESENT in serving."""
        at = self.params.at_hours
        return int((self.expired(at) & (self.online[at] != NONE)).sum())

    @property
    def n_stale(self) -> int:
        """Keys that at the chosen hour are served another row than training joins."""
        at = self.params.at_hours
        return int((self.offline[at] != self.online[at]).sum())

    @property
    def n_online(self) -> int:
        """Keys that have a value in the online store at the chosen hour."""
        return int((self.online[self.params.at_hours] != NONE).sum())

    @property
    def n_runs_until(self) -> int:
        """Runs up to the chosen hour."""
        return sum(run.hour <= self.params.at_hours for run in self.runs)

    @property
    def verdict(self) -> str:
        """How often serving and training differ, and the keys that are null in training only."""
        p = self.params
        ttl = f"TTL {p.ttl_hours} h" if p.ttl_hours else "no TTL"
        return (
            f"Serving is stale **{format_share(self.stale_share)}** of the time, by"
            f" {self.mean_lag_hours:.1f} h on average. At hour {p.at_hours},"
            f" **{self.n_expired_present:,}** of {len(self.rows.names):,} keys are null in training"
            f" ({ttl}) but served as PRESENT."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        how = {
            "full": f"reads {HISTORY_DAYS} days of rows",
            "incremental": "reads rows with an event time after the end of the last run",
            "incremental, then a backfill": (
                f"reads new rows; at hour {BACKFILL_AT} the first day is run again"
            ),
        }[p.strategy]
        arrived = f" Here that is {p.delay_hours} h after the event." if p.delay_hours else ""
        reasons = [
            f"**{len(self.runs):,} runs**, one every {p.every_hours} h. Each {how}, and keeps one"
            " row per key.",
            "**Between two runs** the online store does not change: at worst a served row is"
            f" {self.worst_lag_hours:.0f} h older.",
            "**Training** joins the latest row by event time, even if it arrived later than the"
            f" label's time.{arrived}",
        ]
        if p.delay_hours and p.strategy != "full":
            reasons.append(
                f"**Late rows**: a row that arrives {p.delay_hours} h late misses its window."
                " Incremental runs never bring it. Overlap the windows, or run fully sometimes."
            )
        if p.strategy.endswith("backfill"):
            reasons.append(
                "**Backfill**: Feast's Redis store compares event times and skips a row that is not"
                " newer. SQLite and PostgreSQL overwrite."
                if p.store == "Redis"
                else f"**Backfill**: in {p.store} Feast compares no times, so old rows overwrite"
                " newer ones until a later run has a row of the key."
            )
        if p.store == "Redis":
            reasons.append(
                "**Redis** has one hash per key and one event time per view. A key without a row"
                " comes back PRESENT and null, not NOT_FOUND."
            )
        reasons.append(
            "**TTL** applies to the training join only: get_online_features never checks it."
        )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces with Feast itself."""
        return {
            "n_runs": self.n_runs_until,
            "n_online": self.n_online,
            "n_stale": self.n_stale,
            "n_expired_present": self.n_expired_present,
        }

    def table(self) -> pa.Table:
        """Return the drawn key hour by hour: both rows' event hours and values."""
        key = self.params.key_number - 1
        values = self.values(self.params.shown)
        columns = {"hour": pa.array(GRID)}
        for name, places in (("training", self.offline[:, key]), ("serving", self.online[:, key])):
            known = places == NONE
            columns[f"{name}_event_hour"] = pa.array(self._hours(places), mask=known)
            columns[f"{name}_value"] = pa.array(values[np.maximum(places, 0)], mask=known)
        return pa.table(columns)

    def values(self, feature: str) -> np.ndarray:
        """Return a feature of all rows, nan for nulls."""
        return np.asarray(self.rows.table[feature].to_numpy(zero_copy_only=False), float)

    def status(self, place: int) -> str:
        """Return the status that serving gives a row; in Redis a missing one is a present null."""
        return "NOT_FOUND" if place == NONE and self.params.store != "Redis" else "PRESENT"

    def keys_at(self, hour: int) -> list[dict[str, str]]:
        """Return the drawn keys as both sides have them at an hour, as texts."""
        values, expired, rows = self.values(self.params.shown), self.expired(hour), []
        for key, name in enumerate(self.rows.names[:N_KEYS_DRAWN]):
            off, on = int(self.offline[hour, key]), int(self.online[hour, key])
            age = (
                "no row"
                if on == NONE
                else format_seconds(3600 * max(0.0, hour - float(self.rows.hour[on])))
            )
            rows.append(
                {
                    KEYS[self.params.source]: name,
                    "training joins": (
                        "null" if off == NONE or expired[key] else f"{values[off]:.3g}"
                    ),
                    "why null": (
                        "older than the TTL"
                        if off != NONE and expired[key]
                        else "no row"
                        if off == NONE
                        else ""
                    ),
                    "serving answers": "null" if on == NONE else f"{values[on]:.3g}",
                    "status": self.status(on),
                    "age of the served row": age,
                }
            )
        return rows
