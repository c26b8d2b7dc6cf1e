"""The five cases of *availability*: the leak-free and the leaky variants of the columns, ready
to be fitted.

Real: every join and every count. Shares are counted on all flights, with Wilson's interval.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
import pandas as pd

from engine.leakage import flights
from engine.leakage.flights import MICROSECONDS_AN_HOUR, Split
from engine.statistics import share_interval
from engine.units import format_interval, format_share

Case = Literal[
    "Missing tail number", "Time zone", "Nearest weather", "Target encoding", "Rolling delay"
]
CASES: tuple[Case, ...] = get_args(Case)
Matrices = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
N_FOLDS = 5  # of the encoding that never uses a row's own answer
KNOWN_HOURS_BEFORE, WINDOW_HOURS = 2, 3  # of the rolling mean


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """One variant of the columns: its name, whether it leaks, and the matrices of given training
    and test rows.
    """

    name: str
    leaks: bool
    matrices: Matrices


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """A case ready to be fitted: answers (n,) in time order, how to split, the ways to compare, and
    what was counted.
    """

    y: np.ndarray
    split: Split
    variants: tuple[Variant, ...]  # the leak-free variant first, the leak second
    facts: tuple[str, ...]


def count_share(holds: np.ndarray) -> str:
    """Return how many rows ``holds`` is true of, (n,) bool, as a share with Wilson's interval.

    >>> count_share(np.arange(100) < 10)
    '10% (10 of 100; 95% CI 5.5% to 17%)'
    """
    count, n = int(holds.sum()), len(holds)
    low, high = share_interval(count, n)
    return (
        f"{format_share(count / n)} ({count:,} of {n:,};"
        f" {format_interval(low, high, format_share)})"
    )


def stacked(*parts: np.ndarray) -> Matrices:
    """Return what makes matrices of columns that are the same for every split."""
    return lambda train, test: (
        np.column_stack([part[train] for part in parts]).astype(float),
        np.column_stack([part[test] for part in parts]).astype(float),
    )


def _missing_tail_number() -> Setting:
    everything = flights.frame().sort_values("departs", kind="stable").reset_index(drop=True)
    cancelled, missing = (
        everything["dep_time"].isna().to_numpy(),
        everything["tailnum"].isna().to_numpy(),
    )
    known = np.column_stack(
        [*flights.schedule_columns(everything).values(), everything["time_hour"].dt.dayofyear]
    )
    weather = flights.weather_at(everything, 0)
    return Setting(
        cancelled.astype(int),
        "random",
        (
            Variant("timetable and weather", False, stacked(known, weather)),
            Variant("also: is the tail number missing?", True, stacked(known, weather, missing)),
        ),
        (
            (
                f"The tail number is missing for {count_share(missing[cancelled])} of the cancelled"
                f" flights, and for {count_share(missing[~cancelled])} of the others."
            ),
            (
                "A missing value can reveal the answer: no plane is recorded for a flight that"
                " never left."
            ),
        ),
    )


def _time_zone() -> Setting:
    flown = flights.arrived()
    local = flown["time_hour"].dt.tz_convert("America/New_York").dt.tz_localize(None)
    offset = (
        flown["time_hour"].dt.tz_localize(None) - local
    ).dt.total_seconds().to_numpy() / 3600  # 4 or 5
    table = flights.table()
    joins: dict[str, np.ndarray] = {"right": flights.weather_at(flown, 0)}
    for name, sign in (("stale", 1), ("ahead", -1)):
        summer, winter = (flights.weather_at(flown, sign * hours) for hours in (4, 5))
        joins[name] = np.where((offset == 4)[:, np.newaxis], summer, winter)
    matched = {name: ~np.isnan(join).all(axis=1) for name, join in joins.items()}
    both = matched["right"] & matched["stale"]
    same = (np.nan_to_num(joins["right"], nan=-1) == np.nan_to_num(joins["stale"], nan=-1)).all(
        axis=1
    )
    apart = float(np.nanmean(np.abs(joins["right"][:, 0] - joins["stale"][:, 0])))
    schedule = table.groups["schedule"]
    return Setting(
        table.y,
        "in time order",
        (
            Variant("weather joined in UTC", False, stacked(schedule, joins["right"])),
            Variant(
                "UTC taken for local time: 4–5 h ahead", True, stacked(schedule, joins["ahead"])
            ),
            Variant(
                "local time taken for UTC: 4–5 h stale", True, stacked(schedule, joins["stale"])
            ),
            Variant("no weather at all", False, stacked(schedule)),
        ),
        (
            (
                f"**Match rate.** The correct join matches {count_share(matched['right'])} of the"
                f" flights, local time taken for UTC {count_share(matched['stale'])}. A high match"
                " rate does not prove a join."
            ),
            (
                f"**Values.** Of flights matched both ways, {count_share(same[both])} get the same"
                f" weather; temperatures differ by {apart:.1f} °F on average."
            ),
        ),
    )


def _nearest_weather() -> Setting:
    flown, table = flights.arrived(), flights.table()
    reports = flights.weather().rename(columns={"time_hour": "reported"}).sort_values("reported")
    schedule = table.groups["schedule"]
    variants, facts = [], []
    for name, direction, leaks in (
        ("last report before departure", "backward", False),
        ("nearest report", "nearest", True),
        ("next report after departure", "forward", True),
    ):
        joined = pd.merge_asof(
            flown[["origin", "departs"]],
            reports,
            left_on="departs",
            right_on="reported",
            by="origin",
            direction=direction,
        )
        ahead = (joined["reported"] > joined["departs"]).to_numpy()
        variants.append(
            Variant(name, leaks, stacked(schedule, joined[list(flights.WEATHER)].to_numpy(float)))
        )
        facts.append(
            f"{name[0].upper()}{name[1:]}: {count_share(ahead)} of the flights get weather from"
            " after departure."
        )
    return Setting(table.y, "in time order", tuple(variants), tuple(facts))


def encoded(level: np.ndarray, y: np.ndarray, fit: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """Return the mean answer of each asked row's level over the rows ``fit``; the overall mean
    where there is none.
    """
    n_levels = int(level.max()) + 1
    n = np.bincount(level[fit], minlength=n_levels)
    positives = np.bincount(level[fit], weights=y[fit], minlength=n_levels)
    means = np.where(n > 0, positives / np.maximum(n, 1), y[fit].mean())
    return np.asarray(means[level[asked]])


def encoded_out_of_fold(level: np.ndarray, y: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the encoding of training rows, each from the folds that it is not in."""
    fold = np.arange(len(train)) % N_FOLDS
    result = np.empty(len(train))
    for number in range(N_FOLDS):
        result[fold == number] = encoded(level, y, train[fold != number], train[fold == number])
    return result


def _target_encoding() -> Setting:
    table = flights.table()
    level, y, schedule = flights.plane_codes(), table.y, table.groups["schedule"]

    def everywhere(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        both = np.concatenate([train, test])
        return with_encoding(train, encoded(level, y, both, train)), with_encoding(
            test, encoded(level, y, both, test)
        )

    def naive(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return with_encoding(train, encoded(level, y, train, train)), with_encoding(
            test, encoded(level, y, train, test)
        )

    def in_folds(train: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return with_encoding(train, encoded_out_of_fold(level, y, train)), with_encoding(
            test, encoded(level, y, train, test)
        )

    def with_encoding(rows: np.ndarray, column: np.ndarray) -> np.ndarray:
        return np.column_stack([schedule[rows], column]).astype(float)

    n_levels = int(level.max()) + 1
    return Setting(
        y,
        "random",
        (
            Variant("encoded out of fold", False, in_folds),
            Variant("encoded over all rows", True, everywhere),
            Variant("encoded over the training rows", True, naive),
            Variant("no tail number", False, stacked(schedule)),
        ),
        (
            (
                f"**All rows.** {n_levels:,} planes: of 20,000 flights a plane has"
                f" {20_000 / n_levels:.0f} on average. A mean over all rows contains each row's own"
                " answer."
            ),
            (
                "**Training rows only.** No test row leaks, but each training row's mean contains"
                " its own answer. The model relies on it too much and loses AUC."
            ),
        ),
    )


def rolling(value: np.ndarray, moment: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Return, for each asked window [low, high), the mean of the values whose moments are in it;
    nan where none does.
    """
    order = np.argsort(moment, kind="stable")
    total = np.concatenate([[0.0], np.cumsum(value[order])])
    first, end = np.searchsorted(moment[order], low), np.searchsorted(moment[order], high)
    n = end - first
    return np.where(n > 0, (total[end] - total[first]) / np.maximum(n, 1), np.nan)


def _rolling_delay() -> Setting:
    flown, table = flights.arrived(), flights.table()
    delay, origin = flown["dep_delay"].to_numpy(float), flights.codes(flown["origin"])
    due = flown["departs"].astype("int64").to_numpy() / MICROSECONDS_AN_HOUR
    left = due + delay / 60
    columns = {name: np.empty(len(due)) for name in ("left", "due", "around")}
    for airport in range(int(origin.max()) + 1):
        here = origin == airport
        asked = due[here] - KNOWN_HOURS_BEFORE
        columns["left"][here] = rolling(delay[here], left[here], asked - WINDOW_HOURS, asked)
        columns["due"][here] = rolling(delay[here], due[here], asked - WINDOW_HOURS, asked)
        half = WINDOW_HOURS / 2
        columns["around"][here] = rolling(
            delay[here], due[here], due[here] - half, due[here] + half
        )
    schedule = table.groups["schedule"]
    late = delay > 60 * KNOWN_HOURS_BEFORE
    return Setting(
        table.y,
        "in time order",
        (
            Variant("flights that had left 2 h before", False, stacked(schedule, columns["left"])),
            Variant("window around the departure", True, stacked(schedule, columns["around"])),
            Variant("flights that were due 2 h before", True, stacked(schedule, columns["due"])),
            Variant("no rolling delay", False, stacked(schedule)),
        ),
        (
            (
                "**The column** is the mean departure delay at the origin over three hours. The"
                " prediction is due two hours before departure."
            ),
            (
                "**The leak.** A window around the departure contains the flight's own delay. A"
                f" window by timetable leaks too: {count_share(late)} of flights left over two"
                " hours late."
            ),
        ),
    )


SETTINGS: dict[Case, Callable[[], Setting]] = {
    "Missing tail number": _missing_tail_number,
    "Time zone": _time_zone,
    "Nearest weather": _nearest_weather,
    "Target encoding": _target_encoding,
    "Rolling delay": _rolling_delay,
}


@lru_cache(maxsize=1)
def setting(case: Case) -> Setting:
    """Return a case ready to be fitted; the last one is kept."""
    return SETTINGS[case]()
