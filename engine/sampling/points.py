"""Points in the plane for the Sampling lab: drawn from a seed, real flights, uploaded, or
clicked on a canvas.

Real: the flights (two columns of those that arrived; the minority arrived more than three hours
late) and uploads, which may have more than two classes. The other sources are synthetic, each to
show one thing that resampling does. Features of flights and uploads are standardized (mean 0,
deviation 1), because every method here measures distances.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.errors import InputError, require, require_choice
from engine.sampling.rows import Points, standardized
from engine.sampling.uploaded import (
    upload_categories,
    upload_classes,
    upload_columns,
    uploaded,
)

__all__ = [
    "CANVAS",
    "DRAWN",
    "FLIGHT_CATEGORIES",
    "FLIGHT_COLUMNS",
    "MAX_DRAWN",
    "MAX_ROWS",
    "SOURCES",
    "Points",
    "Source",
    "drawn_points",
    "make",
    "upload_categories",
    "upload_classes",
    "upload_columns",
]

Source = Literal[
    "moons", "blobs", "overlap", "bridge", "island", "few", "flights", "upload", "drawn"
]
SOURCES: tuple[Source, ...] = get_args(Source)
FLIGHT_COLUMNS = ("dep_delay", "air_time", "distance", "hour", "month")
FLIGHT_CATEGORIES = ("origin", "carrier")
LATE_MINUTES = 180
N_FEW = 6  # minority points of the source "few"
MAX_ROWS = 5_000
MAX_DRAWN = len("100,100,1;") * MAX_ROWS  # characters of a drawing
CANVAS = 100  # a drawn point has whole coordinates, 0 … CANVAS
DRAWN = (
    "20,30,0;25,45,0;30,35,0;35,50,0;40,30,0;45,42,0;50,36,0;55,52,0;62,40,0;66,48,0;"
    "60,70,1;66,76,1;72,66,1;75,80,1;68,60,1;80,72,1"
)


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
    minority: str = "",
    category: str = "",
) -> Points:
    """Return the points of a source; the minority's rows come last, but for uploads and drawings,
    which keep their order.
    """
    if source == "upload":
        return uploaded(upload, columns, label, n_rows, minority, category)
    if source == "drawn":
        return _drawn(drawn)
    n_minority = N_FEW if source == "few" else max(2, round(n_rows * minority_share))
    n_majority = n_rows - n_minority
    y = np.repeat([0, 1], [n_majority, n_minority])
    if source == "flights":
        return _flights(n_majority, n_minority, columns, seed, category)
    rng = np.random.default_rng(seed)
    X = (
        _moons(n_majority, n_minority, seed)
        if source == "moons"
        else _clouds(source, n_majority, n_minority, rng)
    )
    sides = np.where(X[:, 0] < np.median(X[:, 0]), "left", "right")
    noisy = np.where(rng.random(n_rows) < 0.15, rng.choice(["left", "right"], n_rows), sides)
    return Points(X, y, noisy)


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


def _flights(
    n_majority: int,
    n_minority: int,
    columns: tuple[str, str],
    seed: int,
    category: str,
) -> Points:
    category = category or FLIGHT_CATEGORIES[0]
    require_choice("category", category, FLIGHT_CATEGORIES)
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
    flights = (
        data.load("flights").select(["arr_delay", *FLIGHT_CATEGORIES, *FLIGHT_COLUMNS]).drop_null()
    )
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
    X = standardized(taken, columns)
    labels = tuple(f"{name} (standardized)" for name in columns)
    return Points(
        X,
        late[rows].astype(int),
        taken[category].to_numpy(zero_copy_only=False).astype(str),
        labels,
        category_name=category,
    )


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
