"""One function for each kind of plant: a generator in, the table with its leak out, the dose drawn
on the way.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from engine.leakage.plants import order_kinds, split_kinds
from engine.leakage.plants.rows import (
    PLAIN,
    START,
    Columns,
    Process,
    Spec,
    as_table,
    distance_of,
    effect_column,
    make_rows,
    split_at_random,
)


def _column_plant(
    process: Process, columns: Columns, name: str, values: Any, dose: float, **more: Any
) -> Spec:
    columns[name] = values
    split_at_random(columns, process.rng)
    return {
        "table": as_table(columns),
        "target": "y",
        "planted": (name,),
        "dose": dose,
        "features": (*PLAIN, name),
        **more,
    }


def copy_of_the_answer(rng: np.random.Generator) -> Spec:
    """A column that is the answer, flipped in up to 2.5% of the rows; for numbers, with R² from
    0.96.
    """
    process = Process(rng, int(rng.integers(1_200, 2_000)), numeric=bool(rng.random() < 0.3))
    columns = make_rows(process)
    y = columns["y"]
    dose = float(rng.uniform(0, 1))
    if process.numeric:
        return _column_plant(
            process, columns, "settled", effect_column_exact(y, rng, 0.96 + 0.04 * dose), dose
        )
    flipped = np.where(rng.random(process.n) < 0.025 * (1 - dose), 1 - y, y)
    forms: list[Any] = [
        np.where(flipped == 1, "closed", "open"),
        np.where(flipped == 1, rng.exponential(50, process.n) + 5, 0.0),
        y * distance_of(0.97 + 0.0295 * dose) + rng.normal(0, 1, process.n),
        np.where(
            flipped == 1,
            rng.choice(["A1", "A7"], process.n),
            rng.choice(["B2", "C3", "D4"], process.n),
        ),
    ]
    return _column_plant(process, columns, "settled", forms[int(rng.integers(0, len(forms)))], dose)


def effect_column_exact(y: np.ndarray, rng: np.random.Generator, r2: float) -> np.ndarray:
    """Return the answer in other units, with noise that leaves R² ``r2``."""
    return np.asarray(
        5 - 2 * ((y - y.mean()) / y.std() + rng.normal(0, 1, len(y)) * np.sqrt(1 / r2 - 1))
    )


def value_of_one_answer(rng: np.random.Generator) -> Spec:
    """A code that is given to a share of the positives only, afterwards."""
    process = Process(rng, int(rng.integers(1_200, 2_000)))
    columns = make_rows(process)
    dose = float(rng.uniform(0.05, 0.9))
    hit = (columns["y"] == 1) & (rng.random(process.n) < dose)
    usual = rng.integers(1, 9, process.n)
    values: Any = np.where(hit, 99, usual)
    if rng.random() < 0.5:
        values = np.where(hit, "K9", np.char.add("K", usual.astype(str)))
    return _column_plant(process, columns, "code", values, dose)


def missing_where_it_happened(rng: np.random.Generator) -> Spec:
    """A column of noise, empty in a share of the positives and in few other rows."""
    process = Process(rng, int(rng.integers(1_200, 2_000)))
    columns = make_rows(process)
    dose = float(rng.uniform(0.08, 0.95))
    usual = float(rng.choice([0.0, rng.uniform(0, 0.06)]))
    empty = (rng.random(process.n) < usual) | ((columns["y"] == 1) & (rng.random(process.n) < dose))
    if rng.random() < 0.5:
        return _column_plant(
            process, columns, "checked", np.where(empty, np.nan, rng.normal(size=process.n)), dose
        )
    values = rng.choice(np.array(["north", "south", "west"], dtype=object), process.n)
    values[empty] = None
    return _column_plant(process, columns, "checked", values, dose)


def id_by_the_answer(rng: np.random.Generator) -> Spec:
    """An id counted up, or with a prefix, that a share of the positives got from a block of their
    own.
    """
    process = Process(rng, int(rng.integers(1_200, 2_000)))
    columns = make_rows(process)
    dose = float(rng.uniform(0.1, 1))
    block = (columns["y"] == 1) & (rng.random(process.n) < dose)
    place = np.argsort(np.argsort(block + 0.999 * rng.random(process.n)))
    values: Any = 10_000 + place
    if rng.random() < 0.5:
        number = np.char.zfill(rng.permutation(process.n).astype(str), 6)
        values = np.char.add(
            np.where(block, "Z-", np.where(rng.random(process.n) < 0.5, "A-", "B-")), number
        )
    return _column_plant(process, columns, "case_id", values, dose)


def encoding_over_all_rows(rng: np.random.Generator) -> Spec:
    """The mean answer of each street over all rows: plain, smoothed, as log odds, as a count, or
    without the own row.
    """
    process = Process(rng, int(rng.integers(1_200, 2_000)))
    columns = make_rows(process)
    y = columns["y"].astype(float)
    size = float(rng.uniform(1.5, 10))
    street = rng.integers(0, max(12, int(process.n / size)), process.n)
    n, s = np.bincount(street).astype(float), np.bincount(street, weights=y)
    form = int(rng.integers(0, 5))
    smooth = float(rng.uniform(1, 8))
    mean = np.divide(s, n, out=np.zeros_like(s), where=n > 0)
    by_street = [
        mean,
        (s + smooth * y.mean()) / (n + smooth),
        np.log((s + 0.5) / (n - s + 0.5)),
        s,
        mean,
    ][form]
    values = by_street[street]
    if form == 4:
        values = np.where(n[street] > 1, (s[street] - y) / np.maximum(n[street] - 1, 1), y.mean())
    columns["street"] = np.char.add("street ", street.astype(str))
    return _column_plant(process, columns, "street_rate", values, 1 / size)


def add_up(rng: np.random.Generator) -> Spec:
    """Two columns whose difference, sum, product or ratio is the answer, or passes a limit exactly
    where it is 1.
    """
    process = Process(rng, int(rng.integers(1_200, 2_000)), numeric=bool(rng.random() < 0.5))
    columns = make_rows(process)
    y = columns["y"].astype(float)
    dose = float(rng.uniform(0.1, 1))
    sign = str(rng.choice(["+", "−", "×", "÷"]))
    hidden = y
    if not process.numeric:
        hidden = (
            np.where(
                y == 1, rng.exponential(1, process.n) + 0.05, -rng.exponential(1, process.n) - 0.05
            )
            + 20
        )
    other = (
        rng.uniform(5, 5 + 60 / dose, process.n)
        if sign in "×÷"
        else rng.normal(0, 4 / dose, process.n)
    )
    last = {"+": hidden - other, "−": hidden + other, "×": hidden / other, "÷": hidden * other}[
        sign
    ]
    columns["part_a"] = other
    spec = _column_plant(process, columns, "part_b", last, dose)
    return spec | {"planted": ("part_a", "part_b"), "features": (*PLAIN, "part_a", "part_b")}


def effect(rng: np.random.Generator, *, declared: bool) -> Spec:
    """An effect of the answer as strong as an honest column (AUC 0.6 to 0.93), with or without its
    moment declared.
    """
    process = Process(rng, int(rng.integers(1_200, 2_000)))
    columns = make_rows(process)
    strength = float(rng.uniform(0.6, 0.93))
    spec = _column_plant(
        process,
        columns,
        "calls",
        effect_column(columns["y"], rng, strength),
        strength,
        time="moment",
    )
    if not declared:
        return spec
    if rng.random() < 0.5:
        return spec | {"known_at": {"calls": float(rng.uniform(0.5, 48)), "usage": -1.0}}
    columns["logged"] = START + (
        (process.seconds + rng.uniform(3_600, 90_000, process.n)) * 1e6
    ).astype("timedelta64[us]")
    return spec | {
        "table": as_table(columns),
        "known_at": {"calls": "logged"},
        "also_named": ("logged",),
    }


def updated_after(rng: np.random.Generator) -> Spec:
    """A balance that is overwritten, in a share of the rows, when the answer is known; the moment
    of the change is kept.
    """
    process = Process(rng, int(rng.integers(1_500, 2_500)))
    columns = make_rows(process)
    dose = float(rng.uniform(0.1, 0.8))
    late = rng.random(process.n) < dose
    strength = float(rng.uniform(0.8, 0.99))
    columns["changed"] = START + (
        (process.seconds + np.where(late, 1, -1) * rng.uniform(3_600, 900_000, process.n)) * 1e6
    ).astype("timedelta64[us]")
    written = columns["y"] * distance_of(strength) + rng.normal(0, 1, process.n)
    values = np.where(late, written, rng.normal(0, 1, process.n) + 0.5 * distance_of(strength))
    return _column_plant(
        process, columns, "balance", values, dose, time="moment", also_named=("changed",)
    )


def look_ahead(rng: np.random.Generator) -> Spec:
    """A rolling mean over the customer's rows that reaches past its own moment; the answer follows
    the next value.
    """
    process = Process(rng, int(rng.integers(1_500, 2_500)))
    process.n_groups = process.n // int(rng.integers(15, 60))
    process.group = rng.integers(0, process.n_groups, process.n)
    order = np.lexsort((process.seconds, process.group))
    code = process.group[order]
    spend = _walk(code, rng)
    dose = float(rng.uniform(0.2, 1))
    ahead = np.where(np.r_[code[1:] == code[:-1], False], np.r_[spend[1:], 0.0], 0.0)
    extra, base = np.empty(process.n), np.empty(process.n)
    extra[order], base[order] = 1.2 * dose * ahead, spend
    process.signal = process.weights @ process.x
    columns = make_rows(process, extra)
    window, values = _window(spend, code, rng), np.empty(process.n)
    values[order] = window + rng.normal(
        0, float(rng.choice([0.0, 0.0, 0.05])) * window.std(), process.n
    )
    columns["spend"] = base
    spec = _column_plant(
        process, columns, "spend_mean", values, dose, time="moment", group="customer"
    )
    return spec | {"features": (*PLAIN, "spend", "spend_mean")}


def _walk(code: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a value for each row that remembers half of the one before it in its group."""
    x = rng.normal(0, 1, len(code))
    for i in range(1, len(x)):
        if code[i] == code[i - 1]:
            x[i] += 0.5 * x[i - 1]
    return x


def _window(x: np.ndarray, code: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return a mean over 3 to 9 rows around each, over the next ones, the next value, or over the
    whole group.
    """
    import pandas as pd

    grouped = pd.Series(x).groupby(code)
    k = int(rng.choice([3, 5, 7, 9]))
    form = int(rng.integers(0, 4))
    if form == 0:
        window = grouped.transform(lambda s: s.rolling(k, center=True, min_periods=1).mean())
    elif form == 1:
        window = grouped.transform(lambda s: s[::-1].rolling(k, min_periods=1).mean()[::-1])
    else:
        window = grouped.shift(-1).fillna(0.0) if form == 2 else grouped.transform("mean")
    return np.asarray(window)


def train_only_rate(key: np.ndarray, y: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the mean answer of each key over the training rows, smoothed by five rows: the right
    way.
    """
    _, place = np.unique(key, return_inverse=True)
    n, s = np.bincount(place, weights=train), np.bincount(place, weights=train * y)
    return np.asarray(((s + 5 * y[train].mean()) / (n + 5))[place])


PLANTERS: dict[str, Callable[[np.random.Generator], Spec]] = {
    "copy of the answer": copy_of_the_answer,
    "value only one answer has": value_of_one_answer,
    "missing where it happened": missing_where_it_happened,
    "id given by the answer": id_by_the_answer,
    "encoding over all rows": encoding_over_all_rows,
    "columns that add up": add_up,
    "copies across the split": lambda rng: split_kinds.copies(rng, near=False),
    "near copies across the split": lambda rng: split_kinds.copies(rng, near=True),
    "groups on both sides": split_kinds.groups_on_both_sides,
    "random split over time": split_kinds.split_over_time,
    "biased test rows": split_kinds.biased_test,
    "effect, moment declared": lambda rng: effect(rng, declared=True),
    "effect, moment not declared": lambda rng: effect(rng, declared=False),
    "updated after the event": updated_after,
    "look-ahead window": look_ahead,
    "sparse id by the answer": order_kinds.sparse_id,
    "id that repeats": order_kinds.repeated_id,
    "order of the rows": order_kinds.order_of_rows,
    "copies with new ids and times": order_kinds.renamed_copies,
}
