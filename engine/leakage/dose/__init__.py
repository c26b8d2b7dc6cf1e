"""Dose and response: how far the reported score runs ahead of production as a leak is dosed, alone
or with others.

Real: eleven leaks, each made by what makes it in practice (``engine.leakage.pipeline``), a ridge
logistic model fitted anew in every world, scored on the leaky test part and on fresh rows of
production. Simulated: the world itself (``engine.leakage.process``), for only a known process has a
known truth. Every seed is a world of its own; all doses are tried in the same worlds, so that what
a leak adds is a paired difference. Sources: Kaufman et al. 2012; Kapoor and Narayanan 2023; for
selection before the split Hastie, Tibshirani and Friedman, *The Elements of Statistical Learning*,
2009, 7.10.2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from engine.errors import require, require_choice
from engine.jobs import Progress, Steps, run_to_end
from engine.leakage import pipeline, process, trial
from engine.leakage.pipeline import MECHANISMS, Doses, Mechanism
from engine.leakage.process import World
from engine.leakage.trial import ACCURACY, AUC, PRODUCTION, REPORTED, Model

__all__ = [
    "FOCI",
    "NAMES",
    "DoseParams",
    "DoseResult",
    "Overview",
    "overview_steps",
    "run",
    "steps",
]

NAMES: dict[Mechanism, str] = {
    "target_leak": "Target leak",
    "duplicates": "Duplicates across the split",
    "scaling": "Scaling on all rows",
    "imputation": "Imputation on all rows",
    "target_encoding": "Target encoding on all rows",
    "selection": "Feature selection on all rows",
    "resampling": "Resampling before the split",
    "group_overlap": "Customers on both sides",
    "random_split": "Random split under drift",
    "look_ahead": "Look-ahead window",
    "snooping": "Best of N on the test set",
}
FOCI = tuple(NAMES.values())  # names, not fields: a link carries what the control shows
N_ROWS = (150, 300, 600, 1_200)
N_NOISE = (100, 1_000, 5_000)
GRID = (0.0, 0.25, 0.5, 0.75, 1.0)  # doses along the curve
NULL = 0.005  # of AUC: less is called nothing, if the interval holds 0 too
OVERVIEW_SEEDS = 12
BOOSTING_SEEDS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseParams:
    """The leak that is looked at and its dose; the doses of the others; the world."""

    focus: str = "Target leak"  # one of FOCI
    dose: float = 1.0  # of the focus, 0 … 1; the dose that stands for it below is left aside
    target_leak: float = 0.0  # each of these 0 … 1
    duplicates: float = 0.0
    scaling: float = 0.0
    imputation: float = 0.0
    target_encoding: float = 0.0
    selection: float = 0.0
    resampling: float = 0.0
    group_overlap: float = 0.0
    random_split: float = 0.0
    look_ahead: float = 0.0
    snooping: float = 0.0
    signal: float = 1.0  # what can truly be known, 0 (a coin flip) … 1.5
    n_rows: int = 600  # training and test, 150 … 1,200
    n_noise: int = 1_000  # noise columns offered to feature selection, 50 … 5,000
    n_seeds: int = 5  # worlds, 2 … 20
    seed: int = 0  # the first of them

    def __post_init__(self) -> None:
        require_choice("focus", self.focus, FOCI)
        for name in ("dose", *MECHANISMS):
            require(
                0 <= getattr(self, name) <= 1, name + " must be 0 … 1. Got {}.", getattr(self, name)
            )
        require(0 <= self.signal <= 1.5, "signal must be 0 … 1.5. Got {}.", self.signal)
        require(
            N_ROWS[0] <= self.n_rows <= N_ROWS[-1],
            "n_rows must be 150 … 1,200. Got {}.",
            self.n_rows,
        )
        require(
            50 <= self.n_noise <= N_NOISE[-1], "n_noise must be 50 … 5,000. Got {}.", self.n_noise
        )
        require(2 <= self.n_seeds <= 20, "n_seeds must be 2 … 20. Got {}.", self.n_seeds)
        require(0 <= self.seed < 2**31, "seed must be 0 … 2,147,483,647. Got {}.", self.seed)

    @property
    def mechanism(self) -> Mechanism:
        """The leak that is looked at, as the pipeline calls it."""
        return MECHANISMS[FOCI.index(self.focus)]

    @property
    def others(self) -> Doses:
        """The doses of all leaks but the focus, which is at 0."""
        return Doses(
            **{name: 0.0 if name == self.mechanism else getattr(self, name) for name in MECHANISMS}
        )

    @property
    def doses(self) -> Doses:
        """The doses of all leaks."""
        return trial.with_dose(self.others, self.mechanism, self.dose)

    def worlds(self, wide: bool, n_seeds: int | None = None) -> list[World]:
        """Return a world for each seed; ``wide`` ones hold the noise columns and have feature
        selection in the pipeline.
        """
        n_noise = self.n_noise if wide else 0
        seeds = range(self.seed, self.seed + (n_seeds or self.n_seeds))
        return [
            World(n_rows=self.n_rows, signal=self.signal, n_noise=n_noise, seed=seed)
            for seed in seeds
        ]

    @property
    def wide(self) -> bool:
        """Whether feature selection is part of the pipeline: only where it is looked at or dosed."""
        return self.mechanism == "selection" or self.doses.selection > 0


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of one pipeline in every world: (n_seeds, 2, 2), [reported, in production] × [AUC,
    accuracy].
    """

    values: np.ndarray

    def mean(self, where: int, measure: int = AUC) -> float:
        """Return the mean over the worlds."""
        return float(self.values[:, where, measure].mean())

    def interval(self, where: int, measure: int = AUC) -> tuple[float, float]:
        """Return the mean and the half-width of its 95 % interval."""
        return trial.interval(self.values[:, where, measure])

    def gaps(self, measure: int = AUC) -> np.ndarray:
        """Return reported less production in every world (n_seeds,)."""
        gaps: np.ndarray = self.values[:, REPORTED, measure] - self.values[:, PRODUCTION, measure]
        return gaps

    def inflation(self, clean: Scores, measure: int = AUC) -> tuple[float, float]:
        """Return by how much the gap exceeds that of the clean pipeline in the same worlds: mean
        and half-width.
        """
        return trial.interval(self.gaps(measure) - clean.gaps(measure))


@dataclass(frozen=True, slots=True, eq=False)
class DoseResult:
    """The curve over the dose of the focus with the others as they are, the point on it, and the
    clean pipeline.
    """

    params: DoseParams
    model: Model
    grid: tuple[float, ...]
    curve: tuple[Scores, ...]  # one for each dose of the grid that is done
    here: Scores
    clean: Scores
    n_test: int
    complete: bool = True

    @property
    def reported_auc(self) -> float:
        """Mean AUC that would be reported."""
        return self.here.mean(REPORTED)

    @property
    def production_auc(self) -> float:
        """Mean AUC on fresh rows of production."""
        return self.here.mean(PRODUCTION)

    @property
    def reported_accuracy(self) -> float:
        """Mean accuracy that would be reported, 0–1."""
        return self.here.mean(REPORTED, ACCURACY)

    @property
    def production_accuracy(self) -> float:
        """Mean accuracy on fresh rows of production, 0–1."""
        return self.here.mean(PRODUCTION, ACCURACY)

    @property
    def gap(self) -> float:
        """Reported AUC less that of production."""
        return self.reported_auc - self.production_auc

    @property
    def inflation(self) -> float:
        """The gap less that of the clean pipeline in the same worlds, in AUC."""
        return self.here.inflation(self.clean)[0]

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        mean, half = self.here.inflation(self.clean)
        told = f"{self.reported_accuracy:.0%} accuracy and AUC **{self.reported_auc:.3f}** reported"
        earned = f"{self.production_accuracy:.0%} and **{self.production_auc:.3f}** in production"
        if abs(mean) < NULL and abs(mean) <= max(half, 0.001):
            return (
                f"An honest null: {told}, {earned}; the leak adds {mean:+.4f} ± {half:.4f} AUC to"
                " the clean pipeline's gap."
            )
        return (
            f"{told[0].upper()}{told[1:]}, {earned}: the leak adds {mean:+.3f} ± {half:.3f} AUC of"
            " mere appearance."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        gap, half = trial.interval(self.clean.gaps())
        before, after = self.clean.mean(PRODUCTION), self.production_auc
        moved = (
            "the model itself is no better"
            if after - before < 0.01
            else "the model itself gained a little from it"
        )
        moved = (
            "the model itself became worse: it leans on what it will not have"
            if before - after > 0.01
            else moved
        )
        reasons = [pipeline.told(p.mechanism, p.dose, self.n_test) + "."]
        also = [
            NAMES[name].lower()
            for name in MECHANISMS
            if name != p.mechanism and getattr(p, name) > 0
        ]
        if also:
            reasons.append(
                f"Also dosed: {', '.join(also)}. Leaks together do not add up: the score has a"
                " ceiling at 1."
            )
        reasons += [
            f"In production the AUC goes from {before:.3f} (clean) to {after:.3f}: {moved}.",
            (
                f"The clean pipeline reports {self.clean.mean(REPORTED):.3f} and earns"
                f" {before:.3f}: its gap of {gap:+.3f} ± {half:.3f} is the luck of {self.n_test}"
                " test rows a seed. What a leak adds is measured against it in the same worlds, so"
                " it is known more finely than either score."
            ),
            (
                f"{len(self.here.values)} seeds, each a world of its own: {p.n_rows:,} rows,"
                f" {process.N_PRODUCTION:,} fresh ones for production; 95 % t intervals over the"
                " seeds. The world is simulated, so that the truth is known."
            ),
        ]
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "reported AUC": round(self.reported_auc, 4),
            "production AUC": round(self.production_auc, 4),
            "reported accuracy": round(self.reported_accuracy, 4),
            "production accuracy": round(self.production_accuracy, 4),
        }

    def table(self) -> pa.Table:
        """Return one row for each dose of the curve and each seed."""
        rows = [
            {
                "dose": dose,
                "seed": self.params.seed + turn,
                "reported_auc": float(values[REPORTED, AUC]),
                "production_auc": float(values[PRODUCTION, AUC]),
                "reported_accuracy": float(values[REPORTED, ACCURACY]),
                "production_accuracy": float(values[PRODUCTION, ACCURACY]),
            }
            for dose, point in zip(self.grid, self.curve, strict=False)
            for turn, values in enumerate(point.values)
        ]
        return pa.Table.from_pylist(rows)


def run(params: DoseParams) -> DoseResult:
    """Try the focus at every dose of the grid and at its own, with the logistic model."""
    worlds, others = params.worlds(params.wide), params.others
    curve = tuple(
        Scores(trial.scores(worlds, trial.with_dose(others, params.mechanism, dose), "logistic"))
        for dose in GRID
    )
    return _result(params, "logistic", worlds, curve)


def _result(
    params: DoseParams, model: Model, worlds: list[World], curve: tuple[Scores, ...]
) -> DoseResult:
    here, clean = (Scores(trial.scores(worlds, doses, model)) for doses in (params.doses, Doses()))
    n_test = worlds[0].n_rows - worlds[0].n_train
    return DoseResult(
        params, model, GRID, curve, here, clean, n_test, complete=len(curve) == len(GRID)
    )


def steps(params: DoseParams) -> Steps:
    """Try the same with boosting and more seeds: a ``Progress`` with the curve so far after each
    fit.

    Returns
    -------
    DoseResult
        With ``complete`` set.
    """
    params = replace(params, n_seeds=max(params.n_seeds, BOOSTING_SEEDS))
    worlds = params.worlds(params.wide)
    points = [
        Doses(),
        params.doses,
        *(trial.with_dose(params.others, params.mechanism, dose) for dose in GRID),
    ]
    curve: tuple[Scores, ...] = ()
    result = None
    for place, doses in enumerate(points):
        for turn, world in enumerate(worlds):
            yield Progress(
                (place + turn / len(worlds)) / len(points), f"boosting, world {turn + 1}", result
            )
            yield from _fitted(world, doses, (place + turn / len(worlds)) / len(points), result)
        if place > 1:
            curve = (*curve, Scores(trial.scores(worlds, doses, "boosting")))
            result = _result(params, "boosting", worlds, curve)
    return result


def _fitted(
    world: World, doses: Doses, share: float, partial: DoseResult | None
) -> Iterator[Progress]:
    """Fit what a score needs, one model at a time, so that a run of 32 models can be cancelled
    between two.
    """
    prepared_for = replace(doses, snooping=0.0)
    for n_models in range(1, doses.n_models + 1) if doses.n_models > 1 else ():
        yield Progress(share, f"boosting, model {n_models} of {doses.n_models}", partial)
        trial.one_score(world, prepared_for, "boosting", n_models - 1)
    trial.score(world, doses, "boosting")


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """Every leak alone at full dose: what it adds to the gap of the clean pipeline, over more
    seeds.
    """

    params: DoseParams
    inflation: dict[Mechanism, tuple[float, float]]  # mean and half-width, in AUC
    complete: bool = False

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        if not self.inflation:
            return "The first leak is being tried."
        order = sorted(self.inflation, key=lambda name: -self.inflation[name][0])
        nulls = [NAMES[name].lower() for name in order if abs(self.inflation[name][0]) < NULL]
        most, half = self.inflation[order[0]]
        told = (
            f"Each alone at full dose, over {OVERVIEW_SEEDS} seeds: most is added by"
            f" {NAMES[order[0]].lower()}, {most:+.3f} ± {half:.3f}."
        )
        return told + (f" Next to nothing by {' and '.join(nulls)}." if nulls else "")


def overview_steps(params: DoseParams) -> Steps:
    """Try every leak alone at full dose with the logistic model: a ``Progress`` with what there is
    after each.

    Returns
    -------
    Overview
        With ``complete`` set.
    """
    overview = Overview(params, {})
    for done, name in enumerate(MECHANISMS):
        yield Progress(done / len(MECHANISMS), NAMES[name].lower(), overview)
        worlds = params.worlds(name == "selection", OVERVIEW_SEEDS)
        leaky, clean = (
            Scores(trial.scores(worlds, d, "logistic"))
            for d in (trial.with_dose(Doses(), name, 1.0), Doses())
        )
        overview = replace(overview, inflation={**overview.inflation, name: leaky.inflation(clean)})
    return replace(overview, complete=True)


def overview_of(params: DoseParams) -> DoseParams:
    """Return the settings that an overview depends on, all others at their defaults: so that one
    job serves every focus.
    """
    return DoseParams(
        signal=params.signal, n_rows=params.n_rows, n_noise=params.n_noise, seed=params.seed
    )


def overview(params: DoseParams) -> Overview:
    """Try every leak alone here and now."""
    result: Overview = run_to_end(overview_steps(overview_of(params)))
    return result
