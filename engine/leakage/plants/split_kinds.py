"""Plants in the split: rows, customers or weeks on both sides, and test rows unlike the rest."""

from __future__ import annotations

import numpy as np

from engine.leakage.plants.rows import (
    PLAIN,
    Columns,
    Process,
    Spec,
    as_table,
    make_rows,
    split_at_random,
)


def copies(rng: np.random.Generator, *, near: bool) -> Spec:
    """A share of the rows comes twice to four times, with a new row number (and jitter), then a
    random split.
    """
    process = Process(rng, int(rng.integers(900, 1_500)))
    columns = make_rows(process)
    dose = float(rng.uniform(0.02, 0.5))
    n_copies = int(rng.integers(1, 4))
    taken = np.repeat(np.flatnonzero(rng.random(process.n) < dose), n_copies)
    place = np.concatenate([np.arange(process.n), taken])
    columns = {name: values[place] for name, values in columns.items()}
    if near:
        jitter = float(rng.choice([0.001, 0.003, 0.01]))
        for name in ("income", "usage", "noise_a", "noise_b", "noise_c"):
            columns[name] = columns[name] + (np.arange(len(place)) >= process.n) * rng.normal(
                0, jitter * columns[name].std(), len(place)
            )
    shuffled = rng.permutation(len(place))
    columns = {name: values[shuffled] for name, values in columns.items()}
    columns["row_number"] = np.arange(len(place))
    split_at_random(columns, rng)
    process.deal(3_000)
    fresh = as_table(make_rows(process))
    return {
        "table": as_table(columns),
        "target": "y",
        "dose": dose,
        "split": "part",
        "fresh": fresh,
        "features": PLAIN,
    }


def groups_on_both_sides(rng: np.random.Generator) -> Spec:
    """Customers with an effect of their own and columns that show it; rows dealt at random."""
    dose = float(rng.uniform(0, 1))
    process = Process(rng, int(rng.integers(1_200, 2_000)), group_effect=2.2 * dose)
    columns = make_rows(process) | _customer_columns(process)
    split_at_random(columns, rng)
    process.deal(3_000)
    fresh = make_rows(process) | _customer_columns(process)
    return {
        "table": as_table(columns),
        "target": "y",
        "dose": dose,
        "group": "customer",
        "split": "part",
        "fresh": as_table(fresh),
        "features": (*PLAIN, "height", "home"),
    }


def _customer_columns(process: Process) -> Columns:
    rng = process.rng
    return {
        "height": rng.normal(170, 9, process.n_groups)[process.group],
        "home": rng.random(process.n_groups)[process.group],
    }


def split_over_time(rng: np.random.Generator) -> Spec:
    """An answer that drifts from week to week, a day number among the features, rows dealt at
    random; fresh rows are later.
    """
    dose = float(rng.uniform(0, 1))
    process = Process(rng, int(rng.integers(1_800, 2_800)))
    week = (process.seconds // (7 * 86_400)).astype(np.int64)
    drift = np.cumsum(rng.normal(0, 1.1 * dose, week.max() + 1))
    columns = make_rows(process, drift[week])
    columns["day"] = process.seconds / 86_400
    later = process.seconds > 0.7 * process.seconds[-1]
    table = {name: values[~later] for name, values in columns.items()}
    split_at_random(table, rng)
    fresh = {name: values[later] for name, values in columns.items()}
    return {
        "table": as_table(table),
        "target": "y",
        "dose": dose,
        "time": "moment",
        "split": "part",
        "fresh": as_table(fresh),
        "features": (*PLAIN, "day"),
    }


def biased_test(rng: np.random.Generator) -> Spec:
    """Test rows taken mostly from the easy ends of the strongest column; fresh rows come as they
    are.
    """
    dose = float(rng.uniform(0, 1))
    process = Process(rng, int(rng.integers(1_500, 2_500)))
    process.weights = np.array([0.3, 1.3 * float(rng.choice([-1, 1])), 0.3])
    process.deal(process.n)
    columns = make_rows(process)
    easy = np.abs(columns["usage"]) > 1.0
    chance = np.where(easy, 0.25 + 0.45 * dose, 0.25 - 0.22 * dose)
    columns["part"] = np.where(rng.random(process.n) < chance, "test", "train")
    process.deal(3_000)
    fresh = as_table(make_rows(process))
    return {
        "table": as_table(columns),
        "target": "y",
        "dose": dose,
        "split": "part",
        "kept_split": True,
        "fresh": fresh,
        "features": PLAIN,
    }
