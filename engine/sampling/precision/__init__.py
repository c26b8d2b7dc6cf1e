"""Precision: how close an estimate is after n rows, and what reading n rows costs.

Real: the population is every flight of 2013 that flew; the file is written in a random order, so
that its first n rows are a simple random sample, and each repeat is another order. The seconds are
those of Python's ``csv`` module reading the first n rows of a real file. The theory is Cochran,
*Sampling Techniques*, 1977, theorem 2.2: the standard error of the mean of n of N rows, drawn
without replacement, is S · √((1 − n/N) / n). Simplified: rows cost the same to read, none has to be
labeled by a person, which is what costs most in practice.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa

from engine import data, workspace
from engine.jobs import Progress, Steps, to_end
from engine.ranges import SEED, Params, Range
from engine.units import format_factor, format_number, format_seconds, format_share

Measure = Literal["dep_delay", "arr_delay", "air_time"]
SIZES = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000)
BATCH = 10  # samples between two signs of life
N_READS = 3  # the fastest counts
N_PREVIEW = 20  # repeats of the result that is shown first


@dataclass(frozen=True, slots=True, kw_only=True)
class PrecisionParams(Params):
    """What is estimated, and after how many rows."""

    n_rows: Annotated[int, Range(100, 200_000, options=SIZES)] = 1_000  # that are read
    measure: Measure = "dep_delay"
    repeats: Annotated[int, Range(20, 500, step=20)] = 200  # samples of each size
    seed: Annotated[int, SEED] = 0

    def measuring(self) -> PrecisionParams:
        """Return these settings with n_rows at its default: one job measures every size."""
        return replace(self, n_rows=1_000)


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionResult:
    """The error of the mean after each number of rows in ``SIZES``, and the seconds of reading."""

    params: PrecisionParams
    n_samples: int  # of each number of rows, so far
    truth: float  # mean of all rows, minutes
    deviation: float  # S, with N − 1 below the fraction line
    n_population: int
    errors: np.ndarray  # (sizes,) root mean squared error of random samples, minutes
    biased: np.ndarray  # (sizes,) that of January mornings at JFK; nan: there are fewer
    # (sizes + 1,) of reading the first rows, the whole file last; empty until it is measured
    seconds: np.ndarray
    complete: bool = False

    @property
    def place(self) -> int:
        """Where the number of rows asked for is in ``SIZES``."""
        return SIZES.index(self.params.n_rows)

    @property
    def error(self) -> float:
        """Root mean squared error after the rows asked for, minutes."""
        return float(self.errors[self.place])

    @property
    def theory(self) -> np.ndarray:
        """Standard errors by Cochran's theorem 2.2, (sizes,) minutes."""
        return standard_error(self.deviation, np.array(SIZES), self.n_population)

    @property
    def verdict(self) -> str:
        """How close the estimate is after the rows asked for, and what all rows would cost."""
        share = self.params.n_rows / self.n_population
        text = (
            f"**{self.params.n_rows:,} rows**, {format_share(share)} of the flights, give the mean"
            f" ({self.truth:.1f} min) with a typical error of **{self.error:.2f} min**"
        )
        if not len(self.seconds):
            return f"{text}, in {self.n_samples} samples so far."
        here, whole = self.seconds[self.place], self.seconds[-1]
        return (
            f"{text} in {format_seconds(here)}. All {self.n_population:,} take"
            f" {format_seconds(whole)}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        four = float(self.theory[SIZES.index(1_000)] / _error_at(self, 4_000))
        known = np.isfinite(self.biased)
        reasons = [
            (
                "**The error falls with √n**: 4,000 rows instead of 1,000 divide it by"
                f" {four:.1f}, at four times the cost. Each further digit costs 100× the rows."
            ),
            (
                f"**Theory**: S · √((1 − n/N) / n) with S = {self.deviation:.1f} min. After"
                f" {self.params.n_rows:,} rows it says {self.theory[self.place]:.2f} min; the"
                f" {self.n_samples} samples give {self.error:.2f} min."
            ),
            (
                "**The size of the population hardly counts**: it is in 1 − n/N alone. 1,000 rows"
                " of a billion are as precise as 1,000 of these."
            ),
            (
                "**The wrong rows stay wrong**: January mornings at JFK are off by"
                f" {self.biased[known][-1]:.1f} min after {np.array(SIZES)[known][-1]:,} rows."
            ),
        ]
        if len(self.seconds):
            factor = self.seconds[-1] / self.seconds[self.place]
            reasons.append(
                f"**Cost**: reading everything takes {format_factor(factor)} the time of"
                f" {self.params.n_rows:,} rows. The fastest of {N_READS} reads counts."
            )
        return reasons

    def headline(self) -> dict[str, float]:
        """Return the numbers that the script reproduces."""
        return {"truth": round(self.truth, 6), "error": round(self.error, 6)}

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each number of rows, as texts."""
        seconds = self.seconds if len(self.seconds) else np.full(len(SIZES) + 1, np.nan)
        return [
            {
                "rows read": f"{n:,}",
                "share of the flights": format_share(n / self.n_population),
                "RMSE, min": f"{error:.3f}",
                "theory, min": f"{theory:.3f}",
                "difference": format_share(abs(error / theory - 1)),
                "January mornings at JFK, min": format_number(biased, 2),
                "seconds": format_seconds(spent) if np.isfinite(spent) else "–",
            }
            for n, error, theory, biased, spent in zip(
                SIZES, self.errors, self.theory, self.biased, seconds, strict=False
            )
        ]

    def table(self) -> pa.Table:
        """Return one row for each number of rows."""
        return pa.table(
            {
                "n_rows": SIZES,
                "rmse": self.errors,
                "theory": self.theory,
                "rmse_biased": self.biased,
                "read_seconds": self.seconds[:-1]
                if len(self.seconds)
                else np.full(len(SIZES), np.nan),
            }
        )


def standard_error(deviation: float, n: np.ndarray, n_population: int) -> np.ndarray:
    """Return the standard error of the mean of ``n`` of ``n_population`` rows, each (k,)."""
    return np.asarray(deviation * np.sqrt((1 - n / n_population) / n))


def _error_at(result: PrecisionResult, n: int) -> float:
    return float(standard_error(result.deviation, np.array(n), result.n_population))


@lru_cache(maxsize=4)
def values(measure: Measure) -> tuple[np.ndarray, np.ndarray]:
    """Return the measure of every flight that has it, (N,) minutes, and whether it is easy to get:
    a January morning at JFK.
    """
    flights = data.load("flights").select(["origin", "month", "hour", measure]).to_pandas()
    flights = flights.dropna()
    easy = (flights["month"] == 1) & (flights["hour"] < 10) & (flights["origin"] == "JFK")
    return flights[measure].to_numpy().astype(float), easy.to_numpy()


def first_means(column: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the mean of the first n rows for each of ``sizes`` (k,), nan where there are fewer."""
    means = np.full(len(sizes), np.nan)
    fits = sizes <= len(column)
    sums = np.cumsum(column[: sizes[fits].max(initial=0)])
    means[fits] = sums[sizes[fits] - 1] / sizes[fits]
    return means


def read_mean(path: Path, n_rows: int) -> float:
    """Return the mean of the first ``n_rows`` values of a CSV file with one column and a header."""
    with path.open(newline="", encoding="ascii") as file:
        rows = csv.reader(file)
        next(rows)
        column = [float(row[0]) for row in islice(rows, n_rows)]
    return sum(column) / len(column)


def read_seconds(column: np.ndarray) -> np.ndarray:
    """Return the seconds of reading the first rows of a CSV file of ``column``: each of ``SIZES``,
    then the whole, (sizes + 1,). The fastest of ``N_READS``.
    """
    sizes = [*(n for n in SIZES if n <= len(column)), len(column)]
    with TemporaryDirectory(dir=workspace.temporary()) as folder:
        path = Path(folder) / "shuffled.csv"
        path.write_text("\n".join(["minutes", *map(str, column.tolist())]), encoding="ascii")
        return np.array([min(_seconds(path, n) for _ in range(N_READS)) for n in sizes])


def _seconds(path: Path, n_rows: int) -> float:
    started = time.perf_counter()
    read_mean(path, n_rows)
    return time.perf_counter() - started


def samples(params: PrecisionParams) -> Iterator[PrecisionResult]:
    """Yield the errors after every ``BATCH`` samples: each takes the first rows of an order of its
    own.
    """
    column, easy = values(params.measure)
    sizes, truth = np.array(SIZES), float(column.mean())
    rng = np.random.default_rng(params.seed)
    spread, nothing, groups = float(column.std(ddof=1)), np.empty(0), (column, column[easy])
    squares = np.zeros((2, len(sizes)))
    for done in range(1, params.repeats + 1):
        for number, rows in enumerate(groups):
            squares[number] += (first_means(rng.permutation(rows), sizes) - truth) ** 2
        if done % BATCH == 0:
            errors, biased = np.sqrt(squares / done)
            yield PrecisionResult(params, done, truth, spread, len(column), errors, biased, nothing)


def steps(params: PrecisionParams) -> Steps:
    """Read the rows in one order after another, then measure the seconds: a ``Progress`` every few
    orders, with the result so far.

    Returns
    -------
    PrecisionResult
        With ``complete`` set.
    """
    yield Progress(0.0, "first samples")
    for result in samples(params):
        share = 0.8 * result.n_samples / params.repeats
        yield Progress(share, f"sample {result.n_samples} of {params.repeats}", result)
    column, _ = values(params.measure)
    seconds = read_seconds(np.random.default_rng(params.seed).permutation(column))
    return replace(result, seconds=seconds, complete=True)


def preview(params: PrecisionParams) -> PrecisionResult:
    """Return the errors of N_PREVIEW samples of each size, without seconds."""
    return replace(_preview(replace(params.measuring(), repeats=N_PREVIEW)), params=params)


@lru_cache(maxsize=32)
def _preview(params: PrecisionParams) -> PrecisionResult:
    *_, last = samples(params)
    return last


TYPICAL_SECONDS = 4.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before its first visitor: steps and their params."""
    return steps, PrecisionParams()


run: Callable[[PrecisionParams], PrecisionResult] = to_end(steps)
