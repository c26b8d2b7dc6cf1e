"""The pipeline of *dose*, with eleven places where it can leak: rows in, the matrices that a model
sees out.

With every dose at 0 it is the clean pipeline: every step is fitted on training rows alone, the
window ends before the row's moment, test rows are of later months and of customers that training
has not seen. Real: each leak is the textbook's own, made by what makes it in practice (a step
fitted on more rows, a window moved, a split drawn otherwise), never by editing a score. Simplified:
a dose touches a share of the test rows, or of the window, where real pipelines leak wholly or not
at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from engine.leakage import process
from engine.leakage.process import N_LEVELS, WINDOW, Drawn, Rows
from engine.units import format_share

Mechanism = Literal[
    "target_leak",
    "duplicates",
    "scaling",
    "imputation",
    "target_encoding",
    "selection",
    "resampling",
    "group_overlap",
    "random_split",
    "look_ahead",
    "snooping",
]
MECHANISMS: tuple[Mechanism, ...] = get_args(Mechanism)
N_KEPT = 40  # noise columns that feature selection keeps
SMOOTHING = 5.0  # rows that the overall mean counts for in target encoding
MAX_MODELS = 32  # tried by full snooping


@dataclass(frozen=True, slots=True, kw_only=True)
class Doses:
    """Strength of each leak, 0 (none) to 1 (full)."""

    # share of the rows where the refund, an effect of the answer, is on record already
    target_leak: float = 0.0
    duplicates: float = 0.0  # share of the test rows that are copies of training rows
    # this and the next four: share of the test rows that join the training rows when the step is
    # fitted
    scaling: float = 0.0
    imputation: float = 0.0
    target_encoding: float = 0.0
    selection: float = 0.0
    resampling: float = 0.0
    group_overlap: float = 0.0  # share of the test rows of customers that training knows
    random_split: float = 0.0  # share of the test rows from the months of training
    look_ahead: float = 0.0  # share of the rolling window that lies at or after the row's moment
    snooping: float = 0.0  # models tried on the test set: MAX_MODELS to this power

    @property
    def n_models(self) -> int:
        """How many models are tried on the test set."""
        n_models: int = round(MAX_MODELS**self.snooping)
        return n_models


EFFECTS: dict[
    Mechanism, str
] = {  # what a dose does, with its share, the test rows it touches, the models it tries
    "target_leak": (
        "A refund is booked once an order has gone wrong; the table has it in {share} of"
        " those rows. In production no refund is known yet"
    ),
    "duplicates": "{rows} of {n_test} test rows are copies of training rows",
    "scaling": (
        "Mean and deviation are taken from the training rows and {rows} of {n_test} test rows"
    ),
    "imputation": (
        "The mean that fills gaps is taken from the training rows and {rows} of {n_test} test rows"
    ),
    "target_encoding": (
        "A region's mean answer is taken over the training rows and {rows} of {n_test} test rows"
    ),
    "selection": (
        "Columns that correlate with the answer are selected on the training rows and {rows} of"
        " {n_test} test rows"
    ),
    "resampling": (
        "{share} of the copies that balance the classes are made before the split, so both sides"
        " get them"
    ),
    "group_overlap": (
        "{rows} of {n_test} test rows are of customers that training knows; those of production"
        " are new"
    ),
    "random_split": (
        "{rows} of {n_test} test rows are from the months of training, as in a random split;"
        " production comes later"
    ),
    "look_ahead": (
        "{window} of the rolling window's 8 outcomes are at or after the row's moment;"
        " production has none of them"
    ),
    "snooping": "{models} scored on the same test set, and the best one is reported",
}


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """What the model sees: matrices (n, d) and answers (n,), and the rows that they come from."""

    X_train: np.ndarray
    y_train: np.ndarray
    X_test: np.ndarray
    y_test: np.ndarray
    X_production: np.ndarray
    y_production: np.ndarray
    names: tuple[str, ...]
    in_train: np.ndarray  # which rows, training rows first, then test rows
    in_test: np.ndarray
    mean: np.ndarray  # (d,) and
    spread: np.ndarray  # (d,) by which the matrices were scaled


def describe(mechanism: Mechanism, dose: float, n_test: int) -> str:
    """Return what a leak of a strength does, in one sentence without its full stop."""
    n_models = Doses(snooping=dose).n_models
    models = f"{n_models} models are" if n_models > 1 else "One model is"
    rows, window = f"{round(dose * n_test):,}", round(dose * WINDOW)
    return EFFECTS[mechanism].format(
        share=format_share(dose), rows=rows, n_test=f"{n_test:,}", window=window, models=models
    )


def deal(drawn: Drawn, doses: Doses) -> tuple[Rows, Rows]:
    """Return the training and the test rows as the split deals them: by time and customer, or less
    carefully.
    """
    test = drawn.test(
        touched_rows(drawn, doses, "group_overlap"), touched_rows(drawn, doses, "random_split")
    )
    copied = touched_rows(drawn, doses, "duplicates")
    if not copied.any():
        return drawn.train, test
    originals = np.argsort(drawn.rank[MECHANISMS.index("duplicates")], kind="stable") % len(
        drawn.train.y
    )
    return drawn.train, test.where(copied, drawn.train.take(originals))


def touched_rows(drawn: Drawn, doses: Doses, name: Mechanism) -> np.ndarray:
    """Return which test rows a leak touches, (n_test,) bool."""
    touched: np.ndarray = drawn.rank[MECHANISMS.index(name)] < getattr(doses, name)
    return touched


def copies(
    y: np.ndarray, n_train: int, dose: float, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return which rows stand in the training and in the test part once positives are copied until
    the classes are level.

    ``y`` holds the training rows' answers, then the test rows'. Clean: copies of training rows go
    into training and the test part stays. At a dose, that share of the copies is made before the
    split: of any positive, dealt to both parts.
    """
    n_missing = [
        max(0, int((part == 0).sum() - (part == 1).sum())) for part in (y[:n_train], y[n_train:])
    ]
    everywhere, ours = np.flatnonzero(y == 1), np.flatnonzero(y[:n_train] == 1)
    luck, before = rng.random(sum(n_missing)), rng.random(sum(n_missing)) < dose
    made_before, made_after = (
        positives[(luck * len(positives)).astype(int)] for positives in (everywhere, ours)
    )
    in_train = np.where(before, made_before, made_after)[: n_missing[0]]
    in_test = made_before[n_missing[0] :][before[n_missing[0] :]]
    return np.append(np.arange(n_train), in_train), np.append(np.arange(n_train, len(y)), in_test)


def prepare(drawn: Drawn, doses: Doses) -> Prepared:
    """Return the matrices: refund, rolling mean, measures, region, traits and the chosen noise
    columns, all scaled.
    """
    train, test = deal(drawn, doses)
    steps: tuple[Mechanism, ...] = ("selection", "imputation", "target_encoding", "scaling")
    joins = {name: np.flatnonzero(touched_rows(drawn, doses, name)) for name in steps}
    kept = select(_joined(train, test, joins["selection"]))
    production = process.fresh_noise(drawn.production, len(kept), drawn.world.seed)
    means = np.nanmean(_joined(train, test, joins["imputation"]).measures, axis=0)
    region = encoding(_joined(train, test, joins["target_encoding"]))

    def columns(rows: Rows, noise: np.ndarray, shift: float, paperwork: float) -> np.ndarray:
        refund = (rows.y == 1) & (rows.paperwork < paperwork)
        measures = np.where(np.isnan(rows.measures), means, rows.measures)
        return np.column_stack(
            [refund, rolling(rows, shift), measures, region[rows.level], rows.traits, noise]
        )

    ahead, refunds = doses.look_ahead, doses.target_leak
    X_train = columns(train, train.noise[:, kept], ahead, refunds)
    X_test = columns(test, test.noise[:, kept], ahead, refunds)
    X_production = columns(
        production, production.noise, 0.0, 0.0
    )  # there no refund is known, and nothing of the future
    scaled = np.concatenate([X_train, X_test[joins["scaling"]]])
    mean, spread = scaled.mean(axis=0), scaled.std(axis=0)
    spread[spread == 0] = 1.0
    X, y = (np.concatenate([X_train, X_test]) - mean) / spread, np.concatenate([train.y, test.y])
    in_train, in_test = copies(
        y, len(train.y), doses.resampling, np.random.default_rng([drawn.world.seed, 6])
    )
    return Prepared(
        X[in_train],
        y[in_train],
        X[in_test],
        y[in_test],
        (X_production - mean) / spread,
        production.y,
        _names(kept),
        in_train,
        in_test,
        mean,
        spread,
    )


def _joined(train: Rows, test: Rows, joining: np.ndarray) -> Rows:
    return train.stacked(test.take(joining)) if len(joining) else train


def _names(kept: np.ndarray) -> tuple[str, ...]:
    return (
        "refund",
        "rolling_mean",
        *(f"measure_{i}" for i in range(5)),
        "region_encoded",
        *(f"trait_{i}" for i in range(process.N_TRAITS)),
        *(f"noise_{i}" for i in kept),
    )


def select(rows: Rows) -> np.ndarray:
    """Return the places of the N_KEPT noise columns that go with the answer most, by the size of
    their correlation.
    """
    if not rows.noise.shape[1]:
        return np.zeros(0, int)
    centred = rows.noise - rows.noise.mean(axis=0)
    spread = np.sqrt(np.einsum("ij,ij->j", centred, centred))
    strength = np.abs((rows.y - rows.y.mean()).astype(np.float32) @ centred) / spread
    return np.sort(np.argsort(-strength, kind="stable")[:N_KEPT])


def encoding(rows: Rows) -> np.ndarray:
    """Return each region's mean answer (N_LEVELS,), drawn towards the overall mean as if by
    SMOOTHING rows of it.
    """
    n = np.bincount(rows.level, minlength=N_LEVELS)
    positives = np.bincount(rows.level, weights=rows.y, minlength=N_LEVELS)
    encoded: np.ndarray = (positives + SMOOTHING * rows.y.mean()) / (n + SMOOTHING)
    return encoded


def rolling(rows: Rows, ahead: float) -> np.ndarray:
    """Return the mean of the WINDOW outcomes before the row's moment, the window moved ahead by
    that share of itself.
    """
    first = round(ahead * WINDOW)
    mean: np.ndarray = rows.outcomes[:, first : first + WINDOW] @ np.full(WINDOW, 1 / WINDOW)
    return mean
