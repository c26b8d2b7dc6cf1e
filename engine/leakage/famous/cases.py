"""Five published leaks, each recreated small: a table as people had it, and rows as production has
them.

Real: what is cited in ``FACTS``. Recreated from a seed: every row, by the published numbers where
there are some; the other columns predict weakly, as real ones do. In production the leak is gone:
ids come from one source, the hospital is a new one, no code was removed, no boat is known yet, rows
come in no order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

N_FRESH: Final = 4_000  # rows in production, so that the score there is precise
PNEUMONIA: Final = 486  # ICD-9
HIT: Final = 0.8  # of the weak column: distance of the classes, in standard deviations


@dataclass(frozen=True, slots=True)
class Fact:
    """What was published."""

    short: str  # of the chart
    what: str
    source: str


FACTS: Final[dict[str, Fact]] = {
    "id ranges": Fact(
        "patient id, breast cancer",
        "KDD Cup 2008: 1,712 patients, 118 with cancer. Patient ids came from several sources, each"
        " with a range of its own and a share of cancer of its own.",
        "Rosset, Perlich et al., Data Mining and Knowledge Discovery 20, 2010",
    ),
    "hospital id": Fact(
        "hospital, pneumonia",
        "Chest X-rays: 34.2% pneumonia at one hospital, 1.2% at another. Sorting by hospital alone"
        " gives AUC 0.861; networks read the hospital off the image.",
        "Zech et al., PLOS Medicine 15(11), 2018",
    ),
    "code for the answer": Fact(
        "removed code, pneumonia",
        "INFORMS challenge 2008: the code of pneumonia, 486, was removed and the other codes moved"
        " left. A patient without any code left had pneumonia, one with all four had none.",
        "Rosset, Perlich et al., 2010; Schutt and O'Neil, Doing Data Science, 2013, chapter 13",
    ),
    "future-filled columns": Fact(
        "boat and body, Titanic",
        "The table of 1,309 Titanic passengers has the lifeboat of 486 and the number of the body"
        " of 121: both written after the sinking.",
        "titanic3, Vanderbilt Biostatistics (OpenML 40945)",
    ),
    "sorted rows": Fact(
        "row order, ponds",
        "A competition of 2026: the training file has 570 rows of class 0, then 393 of class 1; the"
        " test file kept the same order.",
        "Zindi, GeoAI Aquaculture Pond Identification Challenge, discussion 33378",
    ),
}
CASES: Final = tuple(FACTS)


@dataclass(frozen=True, slots=True, eq=False)
class Recreated:
    """A table as people had it and rows of production; ``leaks`` are the columns that leak, of the
    model's ``features``; ``audited`` is the table without what no table shows.
    """

    table: pa.Table
    fresh: pa.Table
    features: tuple[str, ...]
    leaks: tuple[str, ...]
    group: str = ""

    @property
    def audited(self) -> pa.Table:
        """The table that the audit reads: a row number is not in it."""
        return self.table.drop_columns(["row"]) if "row" in self.features else self.table


def _weak(y: np.ndarray, rng: np.random.Generator) -> dict[str, Any]:
    """Return what a table would have without the leak: one weak column and two of noise."""
    return {
        "finding": (HIT * y + rng.normal(size=len(y))).round(3),
        "age": rng.integers(18, 90, len(y)),
        "weight": rng.normal(75, 12, len(y)).round(1),
    }


def _table(columns: dict[str, Any], y: np.ndarray, rng: np.random.Generator) -> pa.Table:
    part = np.where(rng.random(len(y)) < 0.3, "test", "train")
    parts = {name: pa.array(values, from_pandas=True) for name, values in columns.items()}
    return pa.table({**parts, "y": y.astype(np.int64), "part": part})


def _ids(rng: np.random.Generator) -> Recreated:
    n = 1_712
    source = rng.choice(3, n, p=[0.15, 0.24, 0.61])
    y = rng.random(n) < np.array([0.36, 0.01, 0.017])[source]
    low, high = np.array([1, 100_000, 4_000_000]), np.array([20_000, 500_000, 4_870_000])
    columns = {"patient_id": rng.integers(low[source], high[source]), **_weak(y, rng)}
    later = rng.random(N_FRESH) < 118 / n
    fresh = {"patient_id": rng.integers(5_000_000, 6_000_000, N_FRESH), **_weak(later, rng)}
    names = tuple(columns)
    return Recreated(_table(columns, y, rng), _table(fresh, later, rng), names, ("patient_id",))


def _hospital(rng: np.random.Generator) -> Recreated:
    n = 1_600
    large = rng.random(n) < 42_396 / (42_396 + 112_120)
    y = rng.random(n) < np.where(large, 0.342, 0.012)
    columns = {"hospital": np.where(large, "MSH", "NIH"), **_weak(y, rng)}
    later = rng.random(N_FRESH) < 0.1
    fresh = {"hospital": np.full(N_FRESH, "new"), **_weak(later, rng)}
    tables = _table(columns, y, rng), _table(fresh, later, rng)
    return Recreated(*tables, tuple(columns), ("hospital",), group="hospital")


def _codes(rng: np.random.Generator) -> Recreated:
    def codes(y: np.ndarray, *, removed: bool) -> dict[str, Any]:
        n_codes = rng.integers(1, 5, len(y))  # of a patient, that of pneumonia included
        left = np.where(y & removed, n_codes - 1, n_codes)
        drawn = rng.integers(1, 400, (4, len(y)))
        return {
            f"diagnosis_{place + 1}": np.where(place < left, drawn[place], -1) for place in range(4)
        }

    y = rng.random(1_600) < 0.15
    columns = {**codes(y, removed=True), **_weak(y, rng)}
    later = rng.random(N_FRESH) < 0.15
    fresh = {**codes(later, removed=False), **_weak(later, rng)}
    leaks = tuple(f"diagnosis_{place}" for place in (1, 2, 3, 4))
    return Recreated(_table(columns, y, rng), _table(fresh, later, rng), tuple(columns), leaks)


def _boat(rng: np.random.Generator) -> Recreated:
    def known(y: np.ndarray) -> dict[str, Any]:
        n_alive, n_dead = int(y.sum()), int((~y).sum())
        boat = np.full(len(y), None, dtype=object)
        boats = [str(number) for number in range(1, 17)]
        alive, dead = (rng.permutation(np.flatnonzero(one)) for one in (y, ~y))
        some = np.concatenate(
            [alive[: round(n_alive * 477 / 500)], dead[: round(n_dead * 9 / 809)]]
        )
        boat[some] = rng.choice(boats, len(some))
        body = np.full(len(y), np.nan)
        found = dead[-round(n_dead * 121 / 809) :]
        body[found] = rng.permutation(len(found)) + 1
        return {"boat": boat, "body": body}

    y = rng.permutation(np.arange(1_309) < 500)
    columns = {**known(y), **_weak(y, rng)}
    later = rng.random(N_FRESH) < 500 / 1_309
    nothing = {"boat": np.full(N_FRESH, None, dtype=object), "body": np.full(N_FRESH, np.nan)}
    fresh = {**nothing, **_weak(later, rng)}
    tables = _table(columns, y, rng), _table(fresh, later, rng)
    return Recreated(*tables, tuple(columns), ("boat", "body"))


def _sorted(rng: np.random.Generator) -> Recreated:
    y = np.arange(570 + 393) >= 570
    columns = {"row": np.arange(len(y)), **_weak(y, rng)}
    later = rng.random(N_FRESH) < 393 / len(y)
    fresh = {"row": rng.integers(0, len(y), N_FRESH), **_weak(later, rng)}
    return Recreated(_table(columns, y, rng), _table(fresh, later, rng), tuple(columns), ("row",))


MAKERS: Final[dict[str, Callable[[np.random.Generator], Recreated]]] = {
    "id ranges": _ids,
    "hospital id": _hospital,
    "code for the answer": _codes,
    "future-filled columns": _boat,
    "sorted rows": _sorted,
}


def recreate(case: str, seed: int) -> Recreated:
    """Return a case's tables; every seed draws other rows."""
    return MAKERS[case](np.random.default_rng([seed, CASES.index(case)]))
