"""Real rows with rare positives for the Sampling lab: flights that were cancelled, or that arrived
more than three hours late.

Real: every feature is known before departure (schedule, route, carrier, and the weather of the hour
at the origin, joined in UTC). Simplified: weather that is missing is filled with the column's
median; "0.1%" drops positives at random until they are 0.1% of the rows, the share in the
interview question.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
_READING = threading.Lock()


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


def table(target: Target) -> FlightRows:
    """Return all flights with a known target, in order of departure."""
    with _READING:  # visitors who come at once wait for one reading
        return _table(target)


@lru_cache(maxsize=2)
def _table(target: Target) -> FlightRows:
    X, order, names = _features()
    flights = data.load("flights").select(["dep_time", "arr_delay"])
    cancelled, delay = (column.take(pa.array(order)) for column in flights.columns)
    if target == "cancelled":
        return FlightRows(X, pc.is_null(cancelled).to_numpy().astype(int), order, names)
    known = pc.and_(pc.is_valid(delay), pc.is_valid(cancelled)).to_numpy()
    late = delay.filter(pa.array(known)).to_numpy() > LATE_MINUTES
    return FlightRows(X[known], late.astype(int), order[known], names)


@lru_cache(maxsize=1)
def _features() -> tuple[np.ndarray, np.ndarray, tuple[str, ...]]:
    """Return the features of all flights in order of departure, (n, d), the place of each in the
    flights table, (n,), and the names of the features.
    """
    flights, weather = data.load("flights"), data.load("weather")
    time = flights["time_hour"]
    columns = {name: flights[name].to_numpy() for name in NUMBERS}
    columns["minute of the day"] = flights["hour"].to_numpy() * 60.0 + flights["minute"].to_numpy()
    columns["day of the year"] = pc.day_of_year(time).to_numpy()
    columns["weekday"] = pc.day_of_week(time).to_numpy()
    codes = {name: _codes(flights[name]) for name in CATEGORIES}
    values, code = codes["origin"]
    there = pc.index_in(weather["origin"], pa.array(values)).to_numpy()
    keys, first = np.unique(_microseconds(weather) * len(values) + there, return_index=True)
    wanted = _microseconds(flights) * len(values) + code
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    missing = keys[place] != wanted
    for name in WEATHER:
        reading = weather[name].to_numpy()
        if name == "wind_speed":
            reading = np.where(reading < 100, reading, np.nan)  # one reading of 1,048 mph
        found = reading[first[place]]
        found[missing] = np.nan
        columns[name] = np.where(np.isnan(found), np.nanmedian(found), found)
    order = np.argsort(_microseconds(flights), kind="stable")
    names = [f"{name} {value}" for name, (values, _) in codes.items() for value in values]
    X = np.zeros((len(order), len(columns) + len(names)))
    for column, numbers in enumerate(columns.values()):
        X[:, column] = numbers[order]
    start = len(columns)
    for values, code in codes.values():
        X[np.arange(len(order)), start + code[order]] = 1
        start += len(values)
    return X, order, (*columns, *names)


def _microseconds(rows: pa.Table) -> np.ndarray:
    return np.asarray(rows["time_hour"].cast(pa.int64()).to_numpy())


def _codes(column: pa.ChunkedArray) -> tuple[list[str], np.ndarray]:
    """Return the values of a column in their order, and each row's place among them, (n,)."""
    values = sorted(column.unique().to_pylist())
    return values, pc.index_in(column, pa.array(values)).to_numpy()


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
    mean, spread = scale(train)
    return [(matrix - mean) / spread for matrix in (train, *others)]


def scale(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and deviation of each column, (d,); 1 for the deviation of a constant one."""
    spread = rows.std(axis=0)
    return rows.mean(axis=0), np.where(spread > 0, spread, 1.0)


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
