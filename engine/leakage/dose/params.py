"""Settings of the leak simulator: the leak looked at, its strength, the strength of the others, and
the data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.leakage import trial
from engine.leakage.pipeline import MECHANISMS, Doses, Mechanism
from engine.leakage.process import World
from engine.ranges import SEED, Choice, Params, Range

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
GRID = (0.0, 0.25, 0.5, 0.75, 1.0)  # strengths along the curve
OVERVIEW_SEEDS = 12
DOSE = Range(0, 1, step=0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class DoseParams(Params):
    """The leak that is looked at and its strength, 0–1; the strengths of the others; the data."""

    focus: Annotated[str, Choice(FOCI)] = "Target leak"
    dose: Annotated[float, DOSE] = 1.0  # of the focus; its own field below is ignored
    target_leak: Annotated[float, DOSE] = 0.0
    duplicates: Annotated[float, DOSE] = 0.0
    scaling: Annotated[float, DOSE] = 0.0
    imputation: Annotated[float, DOSE] = 0.0
    target_encoding: Annotated[float, DOSE] = 0.0
    selection: Annotated[float, DOSE] = 0.0
    resampling: Annotated[float, DOSE] = 0.0
    group_overlap: Annotated[float, DOSE] = 0.0
    random_split: Annotated[float, DOSE] = 0.0
    look_ahead: Annotated[float, DOSE] = 0.0
    snooping: Annotated[float, DOSE] = 0.0
    signal: Annotated[float, Range(0, 1.5, step=0.1)] = 1.0  # of the columns; 0: a coin flip
    n_rows: Annotated[int, Range(150, 1_200, options=(150, 300, 600, 1_200))] = 600
    n_noise: Annotated[int, Range(50, 5_000, options=(100, 1_000, 5_000))] = 1_000
    n_seeds: Annotated[int, Range(2, 20)] = 5  # data sets
    seed: Annotated[int, SEED] = 0  # the first of them

    @property
    def mechanism(self) -> Mechanism:
        """The leak that is looked at, as the pipeline calls it."""
        return MECHANISMS[FOCI.index(self.focus)]

    @property
    def others(self) -> Doses:
        """The strengths of all leaks but the focus, which is at 0."""
        return Doses(
            **{name: 0.0 if name == self.mechanism else getattr(self, name) for name in MECHANISMS}
        )

    @property
    def doses(self) -> Doses:
        """The strengths of all leaks."""
        return trial.with_dose(self.others, self.mechanism, self.dose)

    def worlds(self, wide: bool, n_seeds: int | None = None) -> list[World]:
        """Return a data set's description for each seed; ``wide`` ones hold the noise columns and
        have feature selection in the pipeline.
        """
        n_noise = self.n_noise if wide else 0
        seeds = range(self.seed, self.seed + (n_seeds or self.n_seeds))
        return [
            World(n_rows=self.n_rows, signal=self.signal, n_noise=n_noise, seed=seed)
            for seed in seeds
        ]

    @property
    def wide(self) -> bool:
        """Whether feature selection is in the pipeline: only where it is looked at or active."""
        return self.mechanism == "selection" or self.doses.selection > 0
