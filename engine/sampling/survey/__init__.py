"""Survey arena: many samples from a population that is known, so that bias, spread and coverage can
be counted.

Real: the population is every flight of 2013 that flew; each scheme
(``engine.sampling.survey.schemes``) draws its samples from it and every interval is checked against
the true mean. Simplified: the cost is counted, not paid: one unit for each airport and day that a
sample has to look up. Self-selection is simulated with known chances: evening flights answer up to
four times as often.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from typing import Annotated, Any, Literal

import numpy as np
import pyarrow as pa

from engine import data
from engine.jobs import Progress, Steps, to_end
from engine.ranges import SEED, Params, Range
from engine.sampling.survey import schemes
from engine.sampling.survey.in_time import SeriesTally, series
from engine.sampling.survey.schemes import Draws, Population
from engine.units import format_factor, format_share, format_signed

Measure = Literal["dep_delay", "arr_delay", "air_time"]
Strata = Literal["origin", "carrier", "month"]
SIZES = (100, 250, 500, 1_000, 2_000, 5_000)
SCHEMES: dict[str, Callable[..., Draws]] = {
    "simple random": schemes.simple,
    "systematic": schemes.systematic,
    "stratified, proportional": partial(schemes.stratified, neyman=False),
    "stratified, Neyman": partial(schemes.stratified, neyman=True),
    "PPS by distance": schemes.pps,
    "cluster": schemes.cluster,
    "reservoir": schemes.reservoir,
    "convenience": schemes.convenience,
    "quota": schemes.quota,
}
STRATIFIED = ("stratified, proportional", "stratified, Neyman", "quota")
NOT_RANDOM = ("convenience", "quota")
Z = 1.959964  # of a 95% interval
EVENING_FACTOR = 4.0
N_PREVIEW = 100  # samples of the result that is shown first


@dataclass(frozen=True, slots=True, kw_only=True)
class SurveyParams(Params):
    """What is measured, and how samples are drawn."""

    measure: Measure = "dep_delay"
    strata: Strata = "carrier"
    n: Annotated[int, Range(50, 5_000, options=SIZES)] = 1_000  # rows in a sample
    n_samples: Annotated[int, Range(100, 1_000, step=100)] = 500
    every_days: Annotated[int, Range(2, 30)] = 7  # of the systematic sample in time
    seed: Annotated[int, SEED] = 0


@dataclass(frozen=True, slots=True)
class Tally:
    """What many samples of one scheme came to."""

    name: str
    n_samples: int
    mean: float
    low: float  # 2.5% of the estimates are below
    high: float  # 2.5% lie above
    deviation: float
    bias: float
    rmse: float  # root of the mean squared error
    coverage: float  # share of 95% intervals that contain the true mean, 0–1
    n_places: float  # airport-days that a sample looks up, mean
    estimates: np.ndarray = field(compare=False, repr=False)  # (n_samples,)


@dataclass(frozen=True, slots=True, eq=False)
class SurveyResult:
    """Every scheme, as far as it has come; then the mitigations and the series."""

    params: SurveyParams
    truth: float
    n_rows: int
    tallies: tuple[Tally, ...]
    mitigations: tuple[Tally, ...] = ()
    series: tuple[SeriesTally, ...] = ()
    complete: bool = False

    def tally(self, name: str) -> Tally | None:
        """Return a scheme's tally, ``None`` until it is there."""
        return next(
            (tally for tally in (*self.tallies, *self.mitigations) if tally.name == name), None
        )

    def number(self, name: str, field: str) -> float:
        """Return one number of a scheme, nan until it is there."""
        tally = self.tally(name)
        return float("nan") if tally is None else float(getattr(tally, field))

    @property
    def neyman_gain(self) -> float:
        """Share of the simple random sample's error that Neyman's allocation takes off."""
        return 1 - self.number("stratified, Neyman", "rmse") / self.number("simple random", "rmse")

    @property
    def cluster_factor(self) -> float:
        """Design effect: variance of the cluster samples by that of simple random ones."""
        return (
            self.number("cluster", "deviation") / self.number("simple random", "deviation")
        ) ** 2

    @property
    def verdict(self) -> str:
        """Coverage of convenience samples against simple random samples."""
        bad, simple = (self.number(name, "coverage") for name in ("convenience", "simple random"))
        return (
            f"**{format_share(bad)}** of the convenience samples' 95% CIs contain the true mean,"
            f" {self.truth:.2f} min. Simple random samples of the same size"
            f" (n = {self.params.n:,}): {format_share(simple)}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        quota, bad = self.number("quota", "bias"), self.number("convenience", "bias")
        reasons = [
            (
                "**Convenience** takes January mornings at JFK: bias"
                f" {format_signed(bad, 2)} min at any n. A bias does not shrink with n."
            ),
            (
                f"**Quota** has the right share of every {self.params.strata} but fills it"
                f" conveniently: bias {format_signed(quota, 2)} min, coverage"
                f" {format_share(self.number('quota', 'coverage'))}."
            ),
            self._neyman_reason,
            (
                "**Cluster** (all flights of an airport's hour): variance is"
                f" {format_factor(self.cluster_factor)} that of simple random samples (design"
                f" effect), for {self.number('cluster', 'n_places'):.0f} airport-days instead of"
                f" {self.number('simple random', 'n_places'):.0f}."
            ),
        ]
        if self.mitigations:
            before, after = (
                self.number("self-selected", "bias"),
                self.number("self-selected, inverse probability", "bias"),
            )
            reasons.append(
                "**Weights** reduce the bias of self-selection from"
                f" {format_signed(before, 2)} to {format_signed(after, 2)} min. Post-stratified"
                " convenience samples keep"
                f" {format_signed(self.number('convenience, post-stratified', 'bias'), 2)} min."
            )
        # of the coverage expected, 95%, not of one that was counted: so no Wilson interval
        half_width = Z * np.sqrt(0.95 * 0.05 / self.params.n_samples)
        reasons.append(
            f"**Precision**: {self.params.n_samples:,} samples per scheme from {self.n_rows:,}"
            f" flights give coverage to ±{100 * half_width:.0f} percentage points."
        )
        return reasons

    @property
    def _neyman_reason(self) -> str:
        gain = self.neyman_gain
        return (
            f"**Stratified by {self.params.strata}**: Neyman allocation changes the RMSE of simple"
            f" random samples by {format_signed(-100 * gain, 1)}%"
            + (": these strata differ little." if abs(gain) < 0.1 else ".")
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "truth": round(self.truth, 6),
            "simple random: mean": round(self.number("simple random", "mean"), 6),
            "simple random: coverage": round(self.number("simple random", "coverage"), 6),
        }

    def rows(self, tallies: tuple[Tally, ...]) -> list[dict[str, str]]:
        """Return one row for each tally, as texts."""
        return [
            {
                "scheme": tally.name,
                "bias, min": format_signed(tally.bias, 2),  # no minus before a zero
                "std. deviation, min": f"{tally.deviation:.2f}",
                "RMSE, min": f"{tally.rmse:.2f}",
                "coverage of 95% CI": format_share(tally.coverage),
                "airport-days visited": f"{tally.n_places:,.0f}",
            }
            for tally in tallies
        ]

    def table(self) -> pa.Table:
        """Return one row for each scheme and mitigation."""
        names = [name for name in Tally.__dataclass_fields__ if name != "estimates"]
        rows = [
            {name: getattr(tally, name) for name in names}
            for tally in (*self.tallies, *self.mitigations)
        ]
        return pa.Table.from_pylist(rows) if rows else pa.table({"name": pa.array([], pa.string())})


@lru_cache(maxsize=4)
def frame(measure: Measure) -> Any:
    """Return the flights that have the measure, in order of departure, as a pandas frame."""
    flights = (
        data.load("flights")
        .select(["time_hour", "origin", "carrier", "month", "hour", "distance", measure])
        .to_pandas()
    )
    return flights.dropna().sort_values("time_hour", kind="stable").reset_index(drop=True)


@lru_cache(maxsize=8)
def population(measure: Measure, strata: Strata) -> Population:
    """Return the population of a measure."""
    flights = frame(measure)
    day = flights["time_hour"].dt.dayofyear.to_numpy()
    origin, stratum = (
        flights[name].astype("category").cat.codes.to_numpy().astype(int)
        for name in ("origin", strata)
    )
    hour = day * 24 + flights["hour"].to_numpy()
    return Population(
        flights[measure].to_numpy().astype(float),
        stratum,
        np.unique(hour * 3 + origin, return_inverse=True)[1],
        flights["distance"].to_numpy().astype(float),
        (
            (flights["month"] == 1) & (flights["hour"] < 10) & (flights["origin"] == "JFK")
        ).to_numpy(),
        day * 3 + origin,
    )


def tally(name: str, draws: Draws, truth: float) -> Tally:
    """Return what many samples came to, against the truth."""
    held = np.abs(draws.estimate - truth) <= Z * draws.error
    low, high = np.quantile(draws.estimate, [0.025, 0.975])
    return Tally(
        name,
        len(draws.estimate),
        float(draws.estimate.mean()),
        float(low),
        float(high),
        float(draws.estimate.std()),
        float(draws.estimate.mean() - truth),
        float(np.sqrt(((draws.estimate - truth) ** 2).mean())),
        float(held.mean()),
        float(draws.n_places.mean()),
        draws.estimate,
    )


def post_stratified(
    people: Population, rows: np.ndarray, group: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return weighted means and errors of samples (n_samples, n) whose groups are weighted to the
    population's shares.

    Groups that a sample lacks are left out, and the others weighted up: what nobody asked stays
    unknown.
    """
    shares = np.bincount(group) / len(group)
    own = group[rows]
    n_samples, n_groups = len(rows), len(shares)
    found = np.bincount(
        (own + n_groups * np.arange(n_samples)[:, np.newaxis]).ravel(),
        minlength=n_samples * n_groups,
    )
    counts = found.reshape(n_samples, n_groups)
    weights = shares[own] / np.take_along_axis(counts, own, axis=1)
    return schemes.weighted(people.value[rows], weights)


def mitigate(params: SurveyParams, rng: np.random.Generator) -> tuple[Tally, ...]:
    """Return convenience and self-selected samples before and after they are weighted."""
    people = population(params.measure, params.strata)
    n_rows, n, n_samples = len(people.value), params.n, params.n_samples
    easy = np.flatnonzero(people.easy)
    rows = easy[schemes.simple_rows(rng, len(easy), min(n, len(easy)), n_samples)]
    hour = frame(params.measure)["hour"].to_numpy().astype(int)
    chance = 1 + (EVENING_FACTOR - 1) * np.clip(hour - 6, 0, 16) / 16
    chosen = schemes.pps_rows(rng, chance, n, n_samples)
    convenient, answered = (
        schemes.unweighted(people, rows, n_rows),
        schemes.unweighted(people, chosen, n_rows),
    )
    by_chance = schemes.weighted(people.value[chosen], 1 / chance[chosen])
    runs = {
        "convenience": convenient,
        "convenience, post-stratified": Draws(
            *post_stratified(people, rows, people.stratum), convenient.n_places
        ),
        "self-selected": answered,
        "self-selected, post-stratified by hour": Draws(
            *post_stratified(people, chosen, hour), answered.n_places
        ),
        "self-selected, inverse probability": Draws(*by_chance, answered.n_places),
    }
    return tuple(tally(name, draws, people.truth) for name, draws in runs.items())


@lru_cache(maxsize=4)
def daily_means(measure: Measure) -> np.ndarray:
    """Return the measure's mean on each day of departure, (365,)."""
    flights = frame(measure)
    return np.asarray(flights.groupby(flights["time_hour"].dt.dayofyear)[measure].mean().to_numpy())


def steps(params: SurveyParams) -> Steps:
    """Draw every scheme's samples: a ``Progress`` with the result so far before each.

    Returns
    -------
    SurveyResult
        With ``complete`` set.
    """
    people = population(params.measure, params.strata)
    result = SurveyResult(params, people.truth, len(people.value), ())
    for done, name in enumerate(SCHEMES):
        yield Progress(done / (len(SCHEMES) + 2), name)
        result = replace(result, tallies=(*result.tallies, drawn(name, params)))
    yield Progress(len(SCHEMES) / (len(SCHEMES) + 2), "weights", result)
    result = replace(result, mitigations=_mitigations(replace(params, every_days=7)))
    yield Progress((len(SCHEMES) + 1) / (len(SCHEMES) + 2), "days of the year", result)
    tallies = _series(replace(params, n=1_000, strata="carrier"))
    return replace(result, series=tallies, complete=True)


def drawn(name: str, params: SurveyParams) -> Tally:
    """Draw one scheme's samples; settings on which they do not depend draw none anew."""
    strata = params.strata if name in STRATIFIED else "carrier"
    return _drawn(name, replace(params, every_days=7, strata=strata))


@lru_cache(maxsize=256)
def _drawn(name: str, params: SurveyParams) -> Tally:
    people = population(params.measure, params.strata)
    rng = np.random.default_rng([params.seed, list(SCHEMES).index(name) + 1])
    return tally(name, SCHEMES[name](people, params.n, params.n_samples, rng), people.truth)


@lru_cache(maxsize=32)
def _mitigations(params: SurveyParams) -> tuple[Tally, ...]:
    return mitigate(params, np.random.default_rng(params.seed))


@lru_cache(maxsize=32)
def _series(params: SurveyParams) -> tuple[SeriesTally, ...]:
    daily, rng = daily_means(params.measure), np.random.default_rng(params.seed)
    return series(daily, params.every_days, params.n_samples, rng)


def preview(params: SurveyParams) -> SurveyResult:
    """Return the same schemes with N_PREVIEW samples each, marked as not complete."""
    return replace(run(replace(params, n_samples=N_PREVIEW)), complete=False)


TYPICAL_SECONDS = 1.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before its first visitor: steps and their params."""
    return steps, SurveyParams()


run: Callable[[SurveyParams], SurveyResult] = to_end(steps)
