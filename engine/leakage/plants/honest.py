"""What clean tables hold: columns that look like leaks and are none.

Strong columns (AUC 0.75 to 0.9, R² 0.3 to 0.7), pairs that correlate, rare and many categories,
ids (dense, sparse, repeated, text), whole amounts that predict, gaps that depend a little on the
answer (odds up to 2.5 times), counts full of zeros, honest histories of a customer, sums of two
columns.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.leakage.plants.order_kinds import as_codes, sparse_numbers
from engine.leakage.plants.rows import START, Columns, Process, effect_column


def honest(process: Process, columns: Columns, rng: np.random.Generator) -> Columns:
    """Return about 30 honest columns to stand beside the plain ones."""
    y = columns["y"].astype(float)
    z = (y - y.mean()) / y.std()
    return (
        _strong(y, rng)
        | _categories(z, rng)
        | _ids(process, rng)
        | _gaps(z, columns, rng)
        | _histories(process, y, columns)
    )


def _strong(y: np.ndarray, rng: np.random.Generator) -> Columns:
    two = len(np.unique(y)) == 2
    strength = rng.uniform(0.75, 0.9, 2) if two else rng.uniform(0.3, 0.7, 2)
    first = effect_column(y, rng, strength[0])
    made: Columns = {
        "symptom": first,
        "symptom_again": first + rng.normal(0, first.std() * rng.uniform(0.1, 0.7), len(y)),
        "weak": effect_column(
            y, rng, float(rng.uniform(0.55, 0.7) if two else rng.uniform(0.02, 0.2))
        ),
        "heavy_tail": rng.standard_t(2, len(y)),
    }
    if rng.random() < 0.5:
        made["second_symptom"] = effect_column(y, rng, strength[1])
    a, b = rng.normal(50, 10, len(y)), rng.normal(20, 5, len(y))
    return made | {
        "net": a,
        "tax": b,
        "gross": a + b,
        "visits": rng.poisson(np.exp(0.5 * (y - y.mean()) / y.std()) * 0.4),
        "cents": _whole_amount(effect_column(y, rng, strength[0]), rng),
    }


def _whole_amount(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return an amount in cents, different in nearly every row, that follows ``x``."""
    rank = np.argsort(np.argsort(x)) / len(x)
    return np.round(np.exp(9 + 2 * rank + rng.normal(0, 0.2, len(x))) * 10).astype(np.int64)


def _categories(z: np.ndarray, rng: np.random.Generator) -> Columns:
    n = len(z)
    n_cities = int(rng.integers(40, 300))
    pull = rng.normal(0, 1, n_cities)
    near = rng.integers(
        0, n_cities, (3, n)
    )  # the city whose pull is nearest to the answer, of three
    best = np.argmin(np.abs(pull[near] - z - rng.normal(0, 1, n)), axis=0)
    two = len(np.unique(z)) == 2
    x = effect_column(
        (z > 0).astype(float) if two else z,
        rng,
        float(rng.uniform(0.6, 0.85) if two else rng.uniform(0.1, 0.5)),
    )
    grade = np.minimum(np.argsort(np.argsort(x)) * 7 // n, 6)
    return {
        "city": np.char.add("city ", near[best, np.arange(n)].astype(str)),
        "sku": rng.integers(0, int(rng.integers(400, 1_500)), n),
        "grade": np.array(list("ABCDEFG"))[grade],
        "flag": rng.random(n) < 1 / (1 + np.exp(-0.6 * z)),
        "rare": rng.choice(["usual", "odd", "very odd"], n, p=[0.96, 0.03, 0.01]),
    }


def _ids(process: Process, rng: np.random.Generator) -> Columns:
    n = process.n
    letters = rng.choice(list("0123456789abcdef"), (n, 12))
    return {
        "row_id": np.arange(5_000, 5_000 + n),
        "uuid": np.array(["".join(row) for row in letters]),
        "account_no": sparse_numbers(n, 1_000, 9_000_000, rng),
        "person": sparse_numbers(process.n_groups, 100, 900_000, rng)[process.group],
        "member": as_codes(rng.permutation(process.n_groups), "M-")[process.group],
        "order_code": np.char.add("ORD-", np.char.zfill(rng.permutation(n).astype(str), 6)),
        "signup": START
        + ((process.seconds - rng.exponential(86_400 * 90, n) - 60) * 1e6).astype(
            "timedelta64[us]"
        ),
    }


def _gaps(z: np.ndarray, columns: Columns, rng: np.random.Generator) -> Columns:
    n = len(z)
    odds = float(rng.uniform(1, 2.5)) ** float(rng.choice([-1, 1]))
    rate = float(rng.uniform(0.03, 0.4))
    high = z > 0
    leaning = rate / (1 - rate) * np.where(high, odds, 1.0)
    values = {
        "salary": (rng.normal(3_000, 500, n), rng.random(n) < leaning / (1 + leaning)),
        "sensor": (rng.normal(size=n), rng.random(n) < rng.uniform(0.7, 0.95)),
        "score": (
            0.3 * z + rng.normal(size=n),
            rng.random(n) < 1 / (1 + np.exp(1.5 - 0.5 * columns["usage"])),
        ),
    }
    made: dict[str, Any] = {name: np.where(empty, np.nan, x) for name, (x, empty) in values.items()}
    silent = rng.random(n) < 0.9
    remark = rng.choice(np.array(["late", "called", "moved"], dtype=object), n)
    remark[silent] = None
    return made | {"remark": remark}


def _histories(process: Process, y: np.ndarray, columns: Columns) -> Columns:
    """Means and counts over the customer's earlier rows only."""
    import pandas as pd

    frame = pd.DataFrame({"group": process.group, "usage": columns["usage"], "y": y})
    by = frame.groupby("group")
    before = by["usage"].transform(lambda s: s.shift(1).rolling(3, min_periods=1).mean())
    return {
        "usage_before": before.to_numpy(),
        "n_before": by.cumcount().to_numpy(),
        "rate_before": by["y"].transform(lambda s: s.shift(1).expanding().mean()).to_numpy(),
        "height": np.round(process.rng.normal(170, 9, process.n_groups))[process.group],
    }
