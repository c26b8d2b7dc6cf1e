"""Real rows with rare positives for the Sampling lab: flights that were cancelled, or that arrived
more than three hours late.

Real: every feature is known before departure (schedule, route, carrier, and the weather of the hour
at the origin, joined in UTC). Simplified: weather that is missing is filled with the column's
median; "0.1%" drops positives at random until they are 0.1% of the rows, the share in the
interview question.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np

from engine import data
from engine.errors import require

Target = Literal["cancelled", "late over 3 h"]
TARGETS: tuple[Target, ...] = get_args(Target)
Positives = Literal["original", "0.1%"]
POSITIVES: tuple[Positives, ...] = get_args(Positives)
Split = Literal["random", "in time order"]
SPLITS: tuple[Split, ...] = get_args(Split)
LATE_MINUTES = 180
THIN_SHARE = 0.001
MIN_POSITIVES = 10
TEST_SHARE = 0.3
WEATHER = ("temp", "wind_speed", "precip", "visib")
NUMBERS = ("month", "hour", "distance")
CATEGORIES = ("origin", "carrier")  # a column of 0 and 1 for each value


@dataclass(frozen=True, slots=True, eq=False)
class FlightRows:
    """Rows in order of departure: ``X`` (n, d), ``y`` (n,) with 1 for the rare class, ``row`` (n,)
    in the flights table.
    """

    X: np.ndarray
    y: np.ndarray
    row: np.ndarray
    names: tuple[str, ...]

    def split(self, how: Split, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the rows to train on and those to test on: 70 and 30% of each class, or of the
        rows in time order.
        """
        n = len(self.y)
        if how == "in time order":
            cut = round(n * (1 - TEST_SHARE))
            return np.arange(cut), np.arange(cut, n)
        rng = np.random.default_rng(seed)
        test = []
        for value in (0, 1):
            members = rng.permutation(np.flatnonzero(self.y == value))
            test.append(members[: round(len(members) * TEST_SHARE)])
        tested = np.sort(np.concatenate(test))
        return np.setdiff1d(np.arange(n), tested), tested


@lru_cache(maxsize=2)
def table(target: Target) -> FlightRows:
    """Return all flights with a known target, in order of departure."""
    import pandas as pd

    flights = data.load("flights").to_pandas(types_mapper=None)
    cancelled = flights["dep_time"].isna()
    known = (
        flights["arr_delay"].notna() | cancelled if target == "late over 3 h" else cancelled.notna()
    )
    y = cancelled if target == "cancelled" else flights["arr_delay"] > LATE_MINUTES
    known &= ~cancelled if target == "late over 3 h" else known
    weather = (
        data.load("weather")
        .select(["origin", "time_hour", *WEATHER])
        .to_pandas()
        .drop_duplicates(["origin", "time_hour"])
    )
    weather["wind_speed"] = weather["wind_speed"].where(
        weather["wind_speed"] < 100
    )  # one reading of 1,048 mph
    joined = flights.merge(weather, on=["origin", "time_hour"], how="left")
    columns = {name: joined[name].astype(float) for name in NUMBERS}
    columns["minute of the day"] = joined["hour"] * 60.0 + joined["minute"]
    columns["day of the year"] = joined["time_hour"].dt.dayofyear.astype(float)
    columns["weekday"] = joined["time_hour"].dt.dayofweek.astype(float)
    for name in WEATHER:
        columns[name] = joined[name].fillna(joined[name].median()).astype(float)
    for name in CATEGORIES:
        columns |= {
            f"{name} {value}": (joined[name] == value).astype(float)
            for value in sorted(joined[name].unique())
        }
    order = joined["time_hour"].argsort(kind="stable").to_numpy()
    order = order[known.to_numpy()[order]]
    X = pd.DataFrame(columns).to_numpy()[order]
    return FlightRows(X, y.to_numpy()[order].astype(int), order, tuple(columns))


def take(target: Target, positives: Positives, n_rows: int, seed: int) -> FlightRows:
    """Return ``n_rows`` flights drawn at random, in order of departure, with the positive rate
    asked for.

    Raises
    ------
    InputError
        Fewer than ten positives would be left: too few for a score.
    """
    rows = table(target)
    rng = np.random.default_rng(seed)
    if positives == "original":
        taken = rng.choice(len(rows.y), min(n_rows, len(rows.y)), replace=False)
    else:
        n_positive = round(n_rows * THIN_SHARE)
        require(
            n_positive >= MIN_POSITIVES,
            "n_rows must leave at least ten positives: 10,000 at 0.1%. Got {:,}. Take more rows.",
            n_rows,
        )
        members = [np.flatnonzero(rows.y == value) for value in (0, 1)]
        counts = (n_rows - n_positive, n_positive)
        taken = np.concatenate(
            [rng.choice(m, n, replace=False) for m, n in zip(members, counts, strict=True)]
        )
    taken = np.sort(taken)
    return FlightRows(rows.X[taken], rows.y[taken], rows.row[taken], rows.names)


def sizes(options: tuple[int, ...], positives: Positives) -> tuple[int, ...]:
    """Return those of the numbers of rows that leave at least MIN_POSITIVES positives."""
    return tuple(
        n for n in options if positives == POSITIVES[0] or round(n * THIN_SHARE) >= MIN_POSITIVES
    )


def standardise(train: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """Return the matrices with the training rows' mean 0 and deviation 1 in each column."""
    mean, spread = train.mean(axis=0), train.std(axis=0)
    spread = np.where(spread > 0, spread, 1.0)
    return [(matrix - mean) / spread for matrix in (train, *others)]


def check_n_positives(y: np.ndarray, what: str) -> None:
    """Refuse rows without both classes, in plain words.

    Raises
    ------
    InputError
        Fewer than two positives or negatives.
    """
    counts: Any = np.bincount(y, minlength=2)
    require(
        bool(counts.min() >= 2),
        "{} must hold two rows of each class at least. Got {:,} and {:,}. Take more rows, or"
        " another seed.",
        *(what, counts[0], counts[1]),
    )
