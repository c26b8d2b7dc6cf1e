"""Two-class points in the plane for the Sampling lab: drawn from a seed, real flights, uploaded, or
clicked on a canvas.

Real: the flights (two columns of those that arrived; the minority arrived more than three hours
late) and uploads. The other sources are synthetic, each to show one thing that resampling does.
Features of flights and uploads are standardized (mean 0, deviation 1), because every method here
measures distances.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.errors import InputError, require
from engine.texts import inert

Source = Literal[
    "moons", "blobs", "overlap", "bridge", "island", "few", "flights", "upload", "drawn"
]
SOURCES: tuple[Source, ...] = get_args(Source)
FLIGHT_COLUMNS = ("dep_delay", "air_time", "distance", "hour", "month")
LATE_MINUTES = 180
N_FEW = 6  # minority points of the source "few"
MAX_ROWS = 5_000
MAX_DRAWN = len("100,100,1;") * MAX_ROWS  # characters of a drawing
CANVAS = 100  # a drawn point has whole coordinates, 0 … CANVAS
DRAWN = (
    "20,30,0;25,45,0;30,35,0;35,50,0;40,30,0;45,42,0;50,36,0;55,52,0;62,40,0;66,48,0;"
    "60,70,1;66,76,1;72,66,1;75,80,1;68,60,1;80,72,1"
)


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Rows to resample: ``X`` of shape (n, d), ``y`` of shape (n,) with 1 for the minority, a
    category for each row.
    """

    X: np.ndarray
    y: np.ndarray
    category: np.ndarray  # (n,) text
    names: tuple[str, ...] = ("x", "y")

    @property
    def n_minority(self) -> int:
        """Rows of the minority."""
        return int(self.y.sum())


def drawn_points(text: str) -> list[tuple[int, int, int]]:
    """Return (x, y, class) of each point in ``x,y,class;x,y,class;…``, as a link carries them.

    Raises
    ------
    InputError
        The text is not made of such points, or one is off the canvas.
    """
    points = []
    for part in filter(None, text.split(";")):
        numbers = part.split(",")
        whole = len(numbers) == 3 and all(n.strip().isdecimal() and len(n) < 5 for n in numbers)
        require(
            whole,
            "drawn must be points x,y,class with whole numbers. Got {!r}. Clear the canvas and draw"
            " again.",
            part,
        )
        x, y, label = (int(n) for n in numbers)
        inside = x <= CANVAS and y <= CANVAS and label <= 1
        require(
            inside,
            "drawn must be in 0–{}, with class 0 or 1. Got {!r}. Clear the canvas.",
            CANVAS,
            part,
        )
        points.append((x, y, label))
    require(
        len(points) <= MAX_ROWS,
        "drawn must hold at most {:,} points. Got {:,}.",
        MAX_ROWS,
        len(points),
    )
    return points


def make(
    source: Source,
    *,
    n_rows: int,
    minority_share: float,
    seed: int,
    columns: tuple[str, str] = ("dep_delay", "air_time"),
    label: str = "",
    upload: str = "",
    drawn: str = DRAWN,
) -> Points:
    """Return the points of a source; the minority's rows come last, but for uploads and drawings,
    which keep their order.
    """
    if source == "upload":
        return _uploaded(Path(upload), columns, label, n_rows)
    if source == "drawn":
        return _drawn(drawn)
    n_minority = N_FEW if source == "few" else max(2, round(n_rows * minority_share))
    n_majority = n_rows - n_minority
    y = np.repeat([0, 1], [n_majority, n_minority])
    if source == "flights":
        return _flights(n_majority, n_minority, columns, seed)
    rng = np.random.default_rng(seed)
    X = (
        _moons(n_majority, n_minority, seed)
        if source == "moons"
        else _clouds(source, n_majority, n_minority, rng)
    )
    sides = np.where(X[:, 0] < np.median(X[:, 0]), "left", "right")
    category = np.where(rng.random(n_rows) < 0.15, rng.choice(["left", "right"], n_rows), sides)
    return Points(X, y, category)


def _moons(n_majority: int, n_minority: int, seed: int) -> np.ndarray:
    from sklearn.datasets import make_moons

    X, y = make_moons((n_majority, n_minority), noise=0.18, random_state=seed)
    return np.asarray(X[np.argsort(y, kind="stable")])


def _clouds(
    source: Source, n_majority: int, n_minority: int, rng: np.random.Generator
) -> np.ndarray:
    """Return normal clouds, majority first. Each source shows one thing that a method does."""
    around: dict[
        str, tuple[list[tuple[float, float, float]], list[tuple[float, float, float, float]]]
    ] = {
        # majority (x, y, deviation) · minority (x, y, deviation, share of the minority)
        "blobs": ([(-1.6, 0, 0.7), (1.6, 0.3, 0.7)], [(0.2, 2.2, 0.5, 1.0)]),
        "overlap": ([(0, 0, 1.0)], [(1.0, 0.8, 0.8, 1.0)]),
        "bridge": ([(0, 0, 0.8)], [(-2.6, 0, 0.3, 0.45), (2.6, 0, 0.3, 0.45), (0, 0, 0.9, 0.1)]),
        "island": ([(0, 0, 1.0)], [(3.0, 2.2, 0.4, 0.85), (-0.6, -0.4, 0.12, 0.15)]),
        "few": ([(0, 0, 1.0)], [(1.6, 1.2, 0.9, 1.0)]),
    }
    majority, minority = around[source]
    place = rng.integers(len(majority), size=n_majority)
    clouds = [
        np.array(majority)[place, :2]
        + rng.normal(size=(n_majority, 2)) * np.array(majority)[place, 2:]
    ]
    bounds = np.floor(
        np.cumsum([0.0, *(share for *_, share in minority)]) * n_minority + 0.5
    ).astype(int)
    for (x, y, deviation, _), n in zip(minority, np.diff(bounds), strict=True):
        clouds.append(np.array([x, y]) + rng.normal(size=(n, 2)) * deviation)
    return np.vstack(clouds)


def _flights(n_majority: int, n_minority: int, columns: tuple[str, str], seed: int) -> Points:
    for name in columns:
        require(
            name in FLIGHT_COLUMNS,
            "columns must be among {}. Got {!r}.",
            ", ".join(FLIGHT_COLUMNS),
            name,
        )
    require(
        columns[0] != columns[1],
        "columns must be two different ones. Got {!r} twice. Choose another.",
        columns[0],
    )
    flights = data.load("flights").select(["arr_delay", "origin", *FLIGHT_COLUMNS]).drop_null()
    late = pc.greater(flights["arr_delay"], LATE_MINUTES).to_numpy(zero_copy_only=False)
    rng = np.random.default_rng(seed)
    n_late = int(late.sum())
    require(
        n_minority <= n_late,
        "minority must have at most {:,} flights. Got {:,}. Lower rows or share.",
        n_late,
        n_minority,
    )
    rows = np.concatenate(
        [
            rng.choice(np.flatnonzero(~late), n_majority, replace=False),
            rng.choice(np.flatnonzero(late), n_minority, replace=False),
        ]
    )
    taken = flights.take(pa.array(rows))
    X = _standardised(taken, columns)
    labels = tuple(f"{name} (standardized)" for name in columns)
    return Points(
        X,
        late[rows].astype(int),
        taken["origin"].to_numpy(zero_copy_only=False).astype(str),
        labels,
    )


def _standardised(table: pa.Table, columns: tuple[str, str]) -> np.ndarray:
    """Return the two columns with mean 0 and deviation 1.

    Raises
    ------
    InputError
        A column is no number, has missing values or is constant.
    """
    found: list[np.ndarray] = []
    for name in columns:
        column = table[name]
        number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        require(
            number,
            "Column {} must hold numbers: distances need them. Got {}. Choose another x or y"
            " column.",
            name,
            column.type,
        )
        values = column.to_numpy(zero_copy_only=False).astype(float)
        n_missing = int((~np.isfinite(values)).sum())
        require(
            n_missing == 0,
            "Column {} must have no missing value: imbalanced-learn refuses them. Got {:,}. Fill"
            " them in, or choose another x or y column.",
            *(name, n_missing),
        )
        require(
            bool(np.ptp(values) > 0),
            "Column {} must hold two different values at least. Got {!r} in every row. Choose"
            " another x or y column.",
            *(name, float(values[0])),
        )
        found.append((values - values.mean()) / values.std())
    return np.column_stack(found)


def upload_columns(path: str) -> tuple[list[str], list[str]]:
    """Return the columns of an upload that can be an axis (numbers), and those that can be a label
    (two values).
    """
    table = _read(path)
    numbers = [
        f.name for f in table.schema if pa.types.is_integer(f.type) or pa.types.is_floating(f.type)
    ]
    labels = [
        name
        for name in table.column_names
        if pc.count_distinct(table[name]).as_py() == 2 and not table[name].null_count
    ]
    require(
        len(numbers) >= 2,
        "The file must have two columns of numbers. Got {}. Upload one with more columns of"
        " numbers.",
        len(numbers),
    )
    require(
        len(labels) >= 1,
        "The file must have a column of two values, the label, without gaps. Got none. Upload one"
        " with such a column.",
    )
    return numbers, labels


def _read(path: str) -> pa.Table:
    table = data.read_upload(Path(path))
    require(table.num_rows > 0, "The file must have at least one row. Got none.")
    return table


def _uploaded(path: Path, columns: tuple[str, str], label: str, n_rows: int) -> Points:
    table = _read(str(path))
    for name in (*columns, label):
        require(
            name in table.column_names,
            "Columns must be in the file. Got {!r}. Choose another.",
            name,
        )
    places = np.linspace(0, table.num_rows - 1, min(n_rows, table.num_rows)).astype(int)
    table = table.take(pa.array(places))
    labels = np.array([str(value) for value in table[label].to_pylist()])
    values, counts = np.unique(labels, return_counts=True)
    require(
        len(values) == 2,
        "Label {} must have two values in the rows taken. Got {}. Raise Rows.",
        label,
        len(values),
    )
    y = (labels == values[int(np.argmin(counts))]).astype(int)
    X = _standardised(table, columns)
    category = np.where(X[:, 0] < 0, "low", "high")
    return Points(X, y, category, tuple(f"{inert(name)} (standardized)" for name in columns))


def _drawn(text: str) -> Points:
    found = drawn_points(text)
    if not found:
        raise InputError("drawn must have points of both classes. Got none. Click on the canvas.")
    array = np.array(found)
    y = array[:, 2]
    if 2 * y.sum() > len(y):
        y = 1 - y  # the minority is the rarer one, whatever its colour on the canvas was
    return Points(
        array[:, :2].astype(float), y, np.where(array[:, 0] < CANVAS / 2, "left", "right")
    )
