"""Plants in what should mean nothing: names of things, the order of the rows, copies under a new
name.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.leakage.plants.rows import (
    PLAIN,
    START,
    Columns,
    Process,
    Spec,
    as_table,
    make_rows,
    split_at_random,
)


def sparse_numbers(n: int, low: int, high: int, rng: np.random.Generator) -> np.ndarray:
    """Return ``n`` whole numbers, each its own, thinly spread over a range."""
    drawn = np.unique(rng.integers(low, high, 2 * n + 20))
    return np.asarray(rng.permutation(drawn)[:n])


def as_codes(numbers: np.ndarray, prefix: str = "P-") -> np.ndarray:
    """Return names such as ``P-00123``."""
    width = len(str(int(numbers.max())))
    return np.char.add(prefix, np.char.zfill(numbers.astype(str), width))


def _issue(block: np.ndarray, rng: np.random.Generator) -> Any:
    """Return an id for each thing (k,): sparse numbers, or codes with digits; things in ``block``
    got theirs from a range of their own, or with a last digit of their own.
    """
    k = len(block)
    numbers = np.where(
        block, sparse_numbers(k, 1_000, 90_000, rng), sparse_numbers(k, 150_000, 5_000_000, rng)
    )
    if rng.random() < 0.25:
        numbers = sparse_numbers(k, 10_000, 500_000, rng) * 10 + np.where(
            block, rng.choice([3, 7], k), rng.integers(0, 10, k)
        )
    return numbers if rng.random() < 0.5 else as_codes(numbers)


def sparse_id(rng: np.random.Generator) -> Spec:
    """An id of its own for each row, thinly spread; a share of the positives from another range."""
    process = Process(rng, int(rng.integers(1_200, 2_000)))
    columns = make_rows(process)
    dose = float(rng.uniform(0.1, 1))
    columns["case_id"] = _issue((columns["y"] == 1) & (rng.random(process.n) < dose), rng)
    return _column_spec(process, columns, ("case_id",), dose)


def repeated_id(rng: np.random.Generator) -> Spec:
    """An id with two to six rows: of another range where the thing's answer is 1 in all rows, or
    issued honestly to things that each have a level of their own.
    """
    process = Process(rng, int(rng.integers(1_200, 2_000)))
    dose = float(rng.uniform(0.1, 1))
    thing = np.repeat(np.arange(process.n), rng.integers(2, 7, process.n))[: process.n]
    n_things = int(thing.max()) + 1
    by_range = rng.random() < 0.6
    columns = make_rows(process, 0.0 if by_range else 4 * dose * rng.normal(0, 1, n_things)[thing])
    if by_range:
        first = np.flatnonzero(np.diff(thing, prepend=-1))
        columns["y"] = columns["y"][first][thing]
        block = (columns["y"][first] == 1) & (rng.random(n_things) < dose)
    else:
        block = np.zeros(n_things, dtype=bool)
    columns["patient_id"] = _issue(block, rng)[thing]
    mixed = rng.permutation(process.n)
    columns = {name: values[mixed] for name, values in columns.items()}
    # what a model makes of a repeated id, if its rows are on both sides
    rate = _rate_of_others(thing[mixed], columns["y"])
    spec = _column_spec(process, columns, ("patient_id",), dose)
    return spec | {"unseen": as_table({"rate_of_patient": rate})}


def _rate_of_others(thing: np.ndarray, y: np.ndarray) -> np.ndarray:
    n, s = np.bincount(thing)[thing], np.bincount(thing, weights=y)[thing]
    return np.asarray((s - y + y.mean()) / n)


def order_of_rows(rng: np.random.Generator) -> Spec:
    """Rows sorted by the answer, in blocks of one answer, or in turns; a share of them shuffled."""
    process = Process(rng, int(rng.integers(1_200, 2_000)))
    columns = make_rows(process)
    del columns["moment"]  # rows in no order of time
    dose = float(rng.uniform(0.1, 1))
    n, y = process.n, columns["y"]
    key = [
        y + 0.999 * rng.random(n),
        _in_blocks(y, int(rng.integers(4, 80)), rng),
        _in_turns(y),
    ][int(rng.integers(0, 3))]
    place = np.argsort(key, kind="stable")
    loose = np.flatnonzero(rng.random(n) > dose)
    place[loose] = place[rng.permutation(loose)]
    columns = {name: values[place] for name, values in columns.items()}
    around = (np.r_[columns["y"][1:], 0.5] + np.r_[0.5, columns["y"][:-1]]) / 2
    spec = _column_spec(process, columns, (), dose)
    unseen = as_table({"row": np.arange(n), "around": around})
    return spec | {"unseen": unseen}


def _in_blocks(y: np.ndarray, length: int, rng: np.random.Generator) -> np.ndarray:
    """Return a sort key (n,) that puts rows of one answer together, ``length`` at a time."""
    key = np.empty(len(y))
    for answer in (0, 1):
        rows = rng.permutation(np.flatnonzero(y == answer))
        blocks = np.arange(len(rows)) // length
        key[rows] = rng.random(blocks.max() + 1)[blocks]
    return key


def _in_turns(y: np.ndarray) -> np.ndarray:
    """Return a sort key (n,) that spreads the positives evenly among the rest."""
    key = np.empty(len(y))
    for answer in (0, 1):
        rows = np.flatnonzero(y == answer)
        key[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return key


def renamed_copies(rng: np.random.Generator) -> Spec:
    """Copies across the split with a new id and a new moment each."""
    process = Process(rng, int(rng.integers(900, 1_500)))
    columns = make_rows(process)
    dose = float(rng.uniform(0.02, 0.5))
    taken = np.flatnonzero(rng.random(process.n) < dose)
    place = rng.permutation(np.r_[np.arange(process.n), np.repeat(taken, rng.integers(1, 4))])
    columns = {name: values[place] for name, values in columns.items()}
    n = len(place)
    columns["moment"] = START + (rng.uniform(0, 300 * 86_400, n) * 1e6).astype("timedelta64[us]")
    columns["customer"] = as_codes(rng.integers(0, n // 3, n), "C")
    columns["case_id"] = sparse_numbers(n, 1_000, 5_000_000, rng)
    spec = _column_spec(process, columns, (), dose)
    process.deal(3_000)
    named = {"time": "moment"} if rng.random() < 0.5 else {}
    return spec | named | {"fresh": as_table(make_rows(process))}


def _column_spec(process: Process, columns: Columns, planted: tuple[str, ...], dose: float) -> Spec:
    split_at_random(columns, process.rng)
    return {
        "table": as_table(columns),
        "target": "y",
        "planted": planted,
        "dose": dose,
        "split": "part",
        "features": (*PLAIN, *planted),
    }
