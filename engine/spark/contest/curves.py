"""Where two curves of seconds against rows cross, and what would move the crossing.

A curve is ``seconds = start + each * rows``: fitted to measured medians by least squares of
*relative* errors, both parts at least zero, so that a size of ten thousand rows counts as much as
one of ten million. The cluster is a **model**: it divides the measured cost of a row in Spark by
cores and adds a network; with this machine's cores it is the measured curve itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from engine.ranges import Params, Range

N_DRAWS = 400
FORMULA = "a + b · n · c₀ ÷ c  +  s · n ÷ w · (1 − 1 ÷ m)"  # of ``model``


@dataclass(frozen=True, slots=True)
class Curve:
    """Seconds (or bytes) as a start plus so much for each row."""

    start: float
    each: float

    def value_at(self, n: float) -> float:
        """Return the value at ``n`` rows."""
        return self.start + self.each * n


def _fits(rows: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return start and slope for each line of ``values`` (draws × sizes), by relative least
    squares, both at least zero.
    """
    scale = rows.max()
    x = rows / scale
    w1, w2 = 1 / values, x / values
    a11, a12, a22 = (w1 * w1).sum(1), (w1 * w2).sum(1), (w2 * w2).sum(1)
    y1, y2 = w1.sum(1), w2.sum(1)
    determinant = np.maximum(a11 * a22 - a12 * a12, 1e-300)
    start, slope = (y1 * a22 - y2 * a12) / determinant, (y2 * a11 - y1 * a12) / determinant
    start, slope = np.where(slope < 0, y1 / a11, start), np.maximum(slope, 0)
    slope, start = np.where(start < 0, y2 / a22, slope), np.maximum(start, 0)
    return start, slope / scale


def fit(rows: Sequence[int], values: Sequence[float]) -> Curve | None:
    """Return the curve through medians; ``None`` for fewer than two sizes."""
    if len(set(rows)) < 2:
        return None
    start, slope = _fits(np.array(rows, float), np.array([values], float))
    return Curve(float(start[0]), float(slope[0]))


def overtakes(one: Curve, other: Curve) -> float | None:
    """Return the rows from which ``one`` is the faster; 0 if it is from the first row on, ``None``
    if it never gets there.
    """
    if one.each < other.each:
        return max(0.0, (one.start - other.start) / (other.each - one.each))
    return 0.0 if one.each == other.each and one.start < other.start else None


@dataclass(frozen=True, slots=True)
class Crossing:
    """From how many rows on one engine is faster than another, and how sure that is."""

    n_rows: float | None  # None: never, by these curves
    low: float | None  # 5% of the draws cross below
    high: float | None  # 95%; None: more than 5% of the draws never cross
    n_measured: int  # the largest size that both were measured at

    @property
    def extrapolated(self) -> bool:
        """Whether the crossing is beyond what was measured."""
        return self.n_rows is not None and self.n_rows > self.n_measured

    @property
    def doubtful(self) -> bool:
        """Whether it is beyond what was measured and more than 5% of the draws never cross:
        larger sizes must decide.
        """
        return self.extrapolated and self.high is None

    @property
    def words(self) -> str:
        """The crossing in words, with its interval."""
        if self.n_rows is None:
            return f"not up to {self.n_measured:,} rows, and never by these slopes"
        if self.n_rows == 0:
            return "from the first row on"
        if self.doubtful:
            return (
                f"not up to {self.n_measured:,} rows; beyond, these sizes do not say (at about"
                f" {_rough(self.n_rows)} rows, or never): measure larger sizes"
            )
        low = _rough(self.low) if self.low is not None else "?"
        high = _rough(self.high) if self.high is not None else "never"
        where = f"at about {_rough(self.n_rows)} rows (90% interval {low} to {high})"
        if not self.extrapolated:
            return where
        return f"not up to {self.n_measured:,} rows; extrapolated: {where}"

    @property
    def short(self) -> str:
        """The crossing in the fewest words, for a title."""
        if self.n_rows is None:
            return "never, by these slopes"
        if self.n_rows == 0:
            return "from the first row on"
        if self.doubtful:
            return f"not up to {self.n_measured:,} rows"
        where = f"at about {_rough(self.n_rows)} rows"
        return f"{where} (extrapolated)" if self.extrapolated else where


def _rough(n: float) -> str:
    """Return a number of rows to two digits: ``1,200,000``."""
    return f"{float(f'{n:.2g}'):,.0f}"


def crossing(
    one: dict[int, tuple[float, ...]], other: dict[int, tuple[float, ...]], seed: int = 0
) -> Crossing | None:
    """Return where ``one`` overtakes ``other``; each maps rows to the single runs, in seconds.
    ``None`` below two sizes.

    The interval holds 90% of ``N_DRAWS`` crossings, each of curves through one run drawn for each
    size.
    """
    rng = np.random.default_rng(seed)
    curves, draws = [], []
    for runs in (one, other):
        rows = sorted(runs)
        curve = fit(rows, [float(np.median(runs[n])) for n in rows])
        if curve is None:
            return None
        curves.append(curve)
        picked = np.stack([rng.choice(runs[n], N_DRAWS) for n in rows], axis=1)
        draws.append(_fits(np.array(rows, float), picked))
    (a1, b1), (a2, b2) = draws
    with np.errstate(divide="ignore", invalid="ignore"):
        where = np.where(b1 < b2, np.maximum(0, (a1 - a2) / (b2 - b1)), np.inf)
    low, high = np.quantile(where, [0.05, 0.95], method="nearest")
    measured = min(max(one), max(other))
    n_rows = overtakes(*curves)
    return Crossing(
        n_rows,
        float(low) if np.isfinite(low) else None,
        float(high) if np.isfinite(high) else None,
        measured,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(Params):
    """What the sliders say: cores of the cluster, memory of the one machine that pandas has,
    network between machines.
    """

    experiment: ClassVar[str] = "crossover"
    cores: Annotated[int, Range(1, 512, most=128)] = 16
    memory_gb: Annotated[int, Range(1, 1_024, most=256)] = 16
    network_gb: Annotated[float, Range(0.1, 100, step=0.1, most=12.5)] = 1.0  # GB/s


@dataclass(frozen=True, slots=True)
class Model:
    """The measured curves moved to another machine: a model, and marked as one."""

    spark: Curve
    pandas: Curve  # one core: as measured
    n_machines: int
    n_crossing: float | None  # rows from which Spark is faster
    n_memory: (
        float | None
    )  # rows at which pandas has used the memory; None: its memory does not grow

    @property
    def n_decides(self) -> float | None:
        """Rows from which Spark is the better choice: it is faster there, or pandas is out of
        memory.
        """
        return min((n for n in (self.n_crossing, self.n_memory) if n is not None), default=None)


def model(
    spark: Curve,
    pandas: Curve,
    memory: Curve,
    shuffle_each: float,
    own_cores: int,
    cluster: Cluster,
) -> Model:
    """Return the model: ``a + b·n·c0/c + s·n/w·(1 − 1/m)`` for Spark, pandas as measured up to the
    end of its memory.

    ``c0`` are this machine's cores, ``c`` the cluster's, on ``m = ⌈c/c0⌉`` machines like this one;
    ``s`` are the bytes a row that the measured run shuffled, of which ``1 − 1/m`` cross the network
    of ``w`` bytes a second. At ``c = c0`` nothing crosses it and the curve is the measured one.
    Left out: reading from remote storage, stragglers, start-up of a cluster.
    """
    machines = -(-cluster.cores // own_cores)
    network = shuffle_each / (cluster.network_gb * 1e9) * (1 - 1 / machines)
    moved = Curve(spark.start, spark.each * own_cores / cluster.cores + network)
    room = cluster.memory_gb * 1e9 - memory.start
    n_memory = max(0.0, room / memory.each) if memory.each > 0 else None
    return Model(moved, pandas, machines, overtakes(moved, pandas), n_memory)
