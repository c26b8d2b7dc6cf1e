"""The made-up world of *dose*: a known process from which training, test and fresh production rows
are drawn.

Simulated throughout, so that the truth is known and every leak can be had in any dose. Each row is
a customer's order at a moment; the answer ``y`` is whether it goes wrong. Its log-odds are
``signal`` times the sum of:

- two measures whose weights turn slowly with time (drift), and three steady ones, one of them
  missing in 30% of the rows;
- the customer's own pull, which no column shows; sixteen traits of the customer tell who it is and
  mean nothing;
- a hidden state that rises and falls over time; the outcomes before (and after) the row's moment
  show it.

A region with forty levels means nothing, nor do the noise columns, if there are any. Training rows
lie in months 0 … 12, honest test rows and production in the months after. Simplified: each row has
a stretch of history of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np

from engine.leakage.logistic import probabilities

N_PRODUCTION = 2_000
ROWS_A_CUSTOMER = 8
N_TRAITS = 16
N_LEVELS = 40
WINDOW = 8  # outcomes in the rolling window
MISSING_SHARE = 0.3
MONTHS, MONTHS_AFTER = 12.0, 4.0  # of training; of test and production after it
TURN = 2 * np.pi / 3  # how far the two drifting weights turn in the training months
STATE_MEMORY = 0.9  # correlation of the hidden state from one moment to the next
INTERCEPT = -1.0
DRIFTING, STEADY, PULL, STATE = (
    1.2,
    (0.8, -0.8, 0.8),
    1.8,
    1.2,
)  # weights of the parts of the log-odds


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What is drawn; the same values give the same rows on every machine."""

    n_rows: int = 300  # training and test rows together, two thirds of them training
    signal: float = 1.0  # 0: nothing can be known, a coin flip
    n_noise: int = 1_000
    seed: int = 0

    @property
    def n_train(self) -> int:
        """Training rows."""
        return round(self.n_rows * 2 / 3)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Some rows: every array has a row each."""

    y: np.ndarray  # (n,) 0 or 1
    month: np.ndarray  # (n,)
    customer: np.ndarray  # (n,) ids
    measures: np.ndarray  # (n, 5), the last with nan
    traits: np.ndarray  # (n, N_TRAITS)
    level: np.ndarray  # (n,) 0 … N_LEVELS − 1
    noise: np.ndarray  # (n, n_noise)
    outcomes: (
        np.ndarray
    )  # (n, 2 × WINDOW) 0 or 1 around the row's moment; column WINDOW is y itself
    paperwork: np.ndarray  # (n,) uniform: a refund is on record where this falls below the dose

    def take(self, places: np.ndarray) -> Rows:
        """Return some of the rows, or some of them more than once."""
        return Rows(*(getattr(self, field.name)[places] for field in fields(self)))

    def where(self, chosen: np.ndarray, other: Rows) -> Rows:
        """Return these rows with the ``chosen`` ones, (n,) bool, taken from ``other``."""
        picked = {}
        for field in fields(self):
            here, there = getattr(self, field.name), getattr(other, field.name)
            picked[field.name] = np.where(chosen.reshape(-1, *[1] * (here.ndim - 1)), there, here)
        return Rows(**picked)

    def stacked(self, other: Rows) -> Rows:
        """Return these rows and the others below them."""
        return Rows(
            *(
                np.concatenate([getattr(self, field.name), getattr(other, field.name)])
                for field in fields(self)
            )
        )


@dataclass(frozen=True, slots=True, eq=False)
class Causes:
    """What decides the answers of some rows and stays when a row is told by another customer or
    another month.
    """

    measures: np.ndarray
    state: np.ndarray  # (n, 2 × WINDOW)
    luck: np.ndarray  # (n, 2 × WINDOW) uniform: an outcome is 1 where luck falls below its chance
    paperwork: np.ndarray
    missing: np.ndarray  # (n,) bool, of the last measure
    level: np.ndarray
    noise: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Customers:
    """Customers: their pull on the answer and the traits that tell who they are."""

    first_id: int
    pull: np.ndarray
    traits: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """Training and production rows, and the test rows as four honest or less honest splits would
    deal them.
    """

    world: World
    train: Rows
    production: Rows
    causes: Causes  # of the test rows
    new: tuple[
        Customers, np.ndarray
    ]  # customers that training has not seen, and who has which test row
    old: tuple[Customers, np.ndarray]  # the customers of training, the same
    later: np.ndarray  # months of the test rows after training
    inside: np.ndarray  # months of the test rows among those of training
    rank: (
        np.ndarray
    )  # (mechanisms, n_test) uniform: a dose d touches the test rows whose rank falls below d

    def test(self, known_customers: np.ndarray, known_months: np.ndarray) -> Rows:
        """Return the test rows; those marked in the two (n,) bool arrays share a customer, a month
        with training.
        """
        month = np.where(known_months, self.inside, self.later)
        rows = _answer(self.world, self.causes, month, *self.new)
        if not known_customers.any():
            return rows
        return rows.where(known_customers, _answer(self.world, self.causes, month, *self.old))


def _answer(
    world: World, causes: Causes, month: np.ndarray, customers: Customers, whose: np.ndarray
) -> Rows:
    """Return the rows that come of the causes in those months with those customers."""
    angle = TURN * (month / MONTHS - 0.5)
    weights = np.column_stack(
        [DRIFTING * np.cos(angle), DRIFTING * np.sin(angle), np.tile(STEADY, (len(month), 1))]
    )
    log_odds = (weights * causes.measures).sum(axis=1) + PULL * customers.pull[whose]
    around = STATE * causes.state
    around[:, WINDOW] += log_odds
    outcomes = (causes.luck < probabilities(INTERCEPT + world.signal * around)).astype(float)
    shown = causes.measures.copy()
    shown[causes.missing, -1] = np.nan
    return Rows(
        y=outcomes[:, WINDOW].astype(np.int64),
        month=month,
        customer=customers.first_id + whose,
        measures=shown,
        traits=customers.traits[whose],
        level=causes.level,
        noise=causes.noise,
        outcomes=outcomes,
        paperwork=causes.paperwork,
    )


def _causes(n: int, n_noise: int, rng: np.random.Generator) -> Causes:
    state = np.empty((n, 2 * WINDOW))
    state[:, 0] = rng.normal(size=n)
    for moment in range(1, 2 * WINDOW):
        state[:, moment] = STATE_MEMORY * state[:, moment - 1] + (
            1 - STATE_MEMORY**2
        ) ** 0.5 * rng.normal(size=n)
    return Causes(
        rng.normal(size=(n, 5)),
        state,
        rng.random((n, 2 * WINDOW)),
        rng.random(n),
        rng.random(n) < MISSING_SHARE,
        rng.integers(0, N_LEVELS, n),
        rng.standard_normal((n, n_noise), dtype=np.float32),
    )


def _customers(n_rows: int, first_id: int, rng: np.random.Generator) -> Customers:
    n = max(1, round(n_rows / ROWS_A_CUSTOMER))
    return Customers(first_id, rng.normal(size=n), rng.normal(size=(n, N_TRAITS)))


def _dealt(n_rows: int, customers: Customers, rng: np.random.Generator) -> np.ndarray:
    """Return whose each row is: every customer has as many as any other, to within one."""
    return np.asarray(rng.permutation(np.arange(n_rows) % len(customers.pull)))


@lru_cache(maxsize=12)
def draw(world: World, n_mechanisms: int) -> Drawn:
    """Draw a world's rows. Production's noise columns are drawn once chosen: ``fresh_noise``."""
    rng = np.random.default_rng([world.seed, 4])
    n_train, n_test = world.n_train, world.n_rows - world.n_train
    old = _customers(n_train, 0, rng)
    new = _customers(n_test, len(old.pull), rng)
    others = _customers(N_PRODUCTION, len(old.pull) + len(new.pull), rng)
    train = _answer(
        world,
        _causes(n_train, world.n_noise, rng),
        rng.uniform(0, MONTHS, n_train),
        old,
        _dealt(n_train, old, rng),
    )
    after = rng.uniform(MONTHS, MONTHS + MONTHS_AFTER, N_PRODUCTION)
    production = _answer(
        world, _causes(N_PRODUCTION, 0, rng), after, others, _dealt(N_PRODUCTION, others, rng)
    )
    return Drawn(
        world,
        train,
        production,
        _causes(n_test, world.n_noise, rng),
        (new, _dealt(n_test, new, rng)),
        (old, _dealt(n_test, old, rng)),
        rng.uniform(MONTHS, MONTHS + MONTHS_AFTER, n_test),
        rng.uniform(0, MONTHS, n_test),
        (rng.permuted(np.tile(np.arange(n_test), (n_mechanisms, 1)), axis=1) + 0.5) / n_test,
    )


def fresh_noise(rows: Rows, n_columns: int, seed: int) -> Rows:
    """Return production rows with noise columns: which ones were chosen does not matter, for they
    depend on nothing.
    """
    noise = np.random.default_rng([seed, 5]).standard_normal(
        (len(rows.y), n_columns), dtype=np.float32
    )
    return replace(rows, noise=noise)
