"""The process behind every planted and every clean table: customers with several rows in time, and
an answer.

The answer's log odds (or its value) are a weighted sum of a few columns, an effect of the customer
and noise.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

Columns = dict[str, Any]  # name -> array of one value a row
START = np.datetime64("2024-01-01T00:00:00", "us")
DAYS = 300
Spec = dict[str, Any]  # the fields of ``plants.Made``
PLAIN = ("income", "usage", "age", "plan", "noise_a", "noise_b", "noise_c")
PLANS = np.array(["basic", "plus", "pro", "team"])


class Process:
    """Draws rows. ``n`` rows in order of time, ``group`` (n,) the customer of each, ``signal`` (n,)
    what the answer follows.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        n_rows: int = 1_500,
        *,
        numeric: bool = False,
        group_effect: float = 0.3,
    ) -> None:
        self.rng, self.numeric, self.group_effect = rng, numeric, group_effect
        self.weights = rng.uniform(0.3, 0.9, 3) * rng.choice([-1, 1], 3)
        self.plan_effects = rng.normal(0, 0.5, len(PLANS))
        self.base_rate = float(rng.uniform(0.12, 0.5))
        self.deal(n_rows)

    def deal(self, n_rows: int) -> None:
        """Draw the customers, the moments and the columns that the answer follows, anew."""
        rng = self.rng
        self.n = n_rows
        self.n_groups = max(20, n_rows // 10)
        self.group = rng.integers(0, self.n_groups, n_rows)
        self.seconds = np.sort(rng.uniform(0, DAYS * 86_400, n_rows))
        level = rng.normal(0, 1, (3, self.n_groups))
        self.x = 0.5 * level[:, self.group] + 0.87 * rng.normal(0, 1, (3, n_rows))
        self.plan = rng.integers(0, len(PLANS), n_rows)
        self.effect = rng.normal(0, 1, self.n_groups) * self.group_effect
        self.signal = self.weights @ self.x + self.plan_effects[self.plan] + self.effect[self.group]

    def answer(self, extra: np.ndarray | float = 0.0) -> np.ndarray:
        """Return the answer of each row: 0/1 with the base rate, or a number; ``extra`` is added to
        the signal.
        """
        z = self.signal + extra
        if self.numeric:
            return np.asarray(10 + 3 * (z + self.rng.normal(0, 1, self.n)))
        noisy = z + self.rng.logistic(0, 1, self.n) * 0.55
        return np.asarray(noisy > np.quantile(noisy, 1 - self.base_rate), dtype=np.int64)

    @property
    def moment(self) -> np.ndarray:
        """Return the timestamps of the rows."""
        return START + (self.seconds * 1e6).astype("timedelta64[us]")


def make_rows(process: Process, extra: np.ndarray | float = 0.0) -> Columns:
    """Return the plain columns: the answer ``y``, and what an honest table would hold beside it."""
    rng, n = process.rng, process.n
    return {
        "moment": process.moment,
        "customer": process.group,
        "income": np.exp(10 + 0.5 * process.x[0]),
        "usage": process.x[1],
        "age": np.clip(np.round(40 + 12 * process.x[2]), 18, 95).astype(np.int64),
        "plan": PLANS[process.plan],
        "noise_a": rng.normal(size=n),
        "noise_b": rng.exponential(size=n),
        "noise_c": rng.normal(size=n) * 3 + 10,
        "weekday": ((process.seconds // 86_400) % 7).astype(np.int64),
        "y": process.answer(extra),
    }


def as_table(columns: Columns) -> pa.Table:
    """Return the columns as a table; nan and ``None`` become nulls."""
    return pa.table({name: pa.array(values, from_pandas=True) for name, values in columns.items()})


def distance_of(auc: float) -> float:
    """Return the distance of two normal classes with this AUC, in standard deviations.

    The difference of a score of each is normal with deviation √2 around d, so AUC = Φ(d / √2).
    """
    from scipy.special import ndtri

    return float(np.sqrt(2) * ndtri(auc))


def effect_column(y: np.ndarray, rng: np.random.Generator, strength: float) -> np.ndarray:
    """Return a column that the answer moves: with AUC ``strength`` for two classes, with R²
    ``strength`` for numbers.
    """
    if len(np.unique(y)) == 2:
        x = y * distance_of(strength) + rng.normal(0, 1, len(y))
    else:
        x = (y - y.mean()) / y.std() + rng.normal(0, 1, len(y)) * np.sqrt(1 / strength - 1)
    shape = rng.integers(0, 3)
    return np.asarray(x if shape == 0 else np.exp(0.6 * x) if shape == 1 else np.round(20 + 8 * x))


def split_at_random(columns: Columns, rng: np.random.Generator) -> None:
    """Add the column ``part``: each row is a test row with probability 0.3."""
    columns["part"] = np.where(rng.random(len(columns["y"])) < 0.3, "test", "train")
