"""Results of the leak simulator: the scores on every data set, the curve over the leak strength,
and every leak alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from engine.leakage import pipeline, process, trial
from engine.leakage.dose.params import NAMES, OVERVIEW_SEEDS, DoseParams
from engine.leakage.pipeline import MECHANISMS, Mechanism
from engine.leakage.trial import ACCURACY, AUC, PRODUCTION, REPORTED, Model
from engine.units import format_share, format_signed

NULL = 0.005  # of AUC: less is no measurable effect, if the interval contains 0 too


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """Scores of one pipeline on every data set: (n_seeds, 2, 2), [reported, in production] × [AUC,
    accuracy].
    """

    values: np.ndarray

    def mean(self, where: int, measure: int = AUC) -> float:
        """Return the mean over the data sets."""
        return float(self.values[:, where, measure].mean())

    def interval(self, where: int, measure: int = AUC) -> tuple[float, float]:
        """Return the mean and the half-width of its 95% interval."""
        return trial.interval(self.values[:, where, measure])

    def gaps(self, measure: int = AUC) -> np.ndarray:
        """Return reported less production on every data set (n_seeds,)."""
        gaps: np.ndarray = self.values[:, REPORTED, measure] - self.values[:, PRODUCTION, measure]
        return gaps

    def inflation(self, clean: Scores, measure: int = AUC) -> tuple[float, float]:
        """Return by how much the gap exceeds that of the clean pipeline on the same data sets: mean
        and half-width.
        """
        return trial.interval(self.gaps(measure) - clean.gaps(measure))


@dataclass(frozen=True, slots=True, eq=False)
class DoseResult:
    """The curve over the strength of the focus with the others as they are, the point on it, and
    the clean pipeline.
    """

    params: DoseParams
    model: Model
    grid: tuple[float, ...]
    curve: tuple[Scores, ...]  # one for each strength of the grid that is done
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
        """The gap less that of the clean pipeline on the same data sets, in AUC."""
        return self.here.inflation(self.clean)[0]

    @property
    def verdict(self) -> str:
        """Reported score against production, and what the leak adds to the clean gap."""
        mean, half = self.here.inflation(self.clean)
        scores = (
            f"reported AUC {self.reported_auc:.3f} (accuracy"
            f" {format_share(self.reported_accuracy)}), in production **{self.production_auc:.3f}**"
            f" ({format_share(self.production_accuracy)})"
        )
        if abs(mean) < NULL and abs(mean) <= max(half, 0.001):
            return f"No measurable effect ({format_signed(mean, 4)} ± {half:.4f} AUC): {scores}."
        if abs(mean) <= half:
            return f"No significant effect ({format_signed(mean)} ± {half:.3f} AUC): {scores}."
        verb = "inflates" if mean > 0 else "lowers"
        return f"The leak {verb} AUC by **{abs(mean):.3f}** ± {half:.3f}: {scores}."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        gap, half = trial.interval(self.clean.gaps())
        before, after = self.clean.mean(PRODUCTION), self.production_auc
        change = "The model is no better"
        if after - before >= 0.01:
            change = "The model is slightly better"
        elif before - after > 0.01:
            change = "The model is worse"
        reasons = [f"**The leak.** {pipeline.describe(p.mechanism, p.dose, self.n_test)}."]
        also = [
            NAMES[name].lower()
            for name in MECHANISMS
            if name != p.mechanism and getattr(p, name) > 0
        ]
        if also:
            reasons.append(
                f"**Also active:** {', '.join(also)}. Effects do not add up: no score exceeds 1."
            )
        reasons += [
            f"**{change}.** Production AUC is {before:.3f} without the leak and {after:.3f} with"
            " it.",
            (
                f"**Baseline.** The clean pipeline reports {self.clean.mean(REPORTED):.3f}: a gap"
                f" of {format_signed(gap)} ± {half:.3f}, because {self.n_test} test rows vary. The"
                " leak's effect is measured against this gap."
            ),
            (
                f"**Data.** {len(self.here.values)} simulated data sets of {p.n_rows:,} rows, each"
                f" with {process.N_PRODUCTION:,} production rows; 95% t intervals over the data"
                " sets."
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
        """Return one row for each strength of the curve and each seed."""
        rows = [
            {
                "leak_strength": strength,
                "seed": self.params.seed + turn,
                "reported_auc": float(values[REPORTED, AUC]),
                "production_auc": float(values[PRODUCTION, AUC]),
                "reported_accuracy": float(values[REPORTED, ACCURACY]),
                "production_accuracy": float(values[PRODUCTION, ACCURACY]),
            }
            for strength, point in zip(self.grid, self.curve, strict=False)
            for turn, values in enumerate(point.values)
        ]
        return pa.Table.from_pylist(rows)


@dataclass(frozen=True, slots=True, eq=False)
class Overview:
    """Every leak alone at full strength: what it adds to the gap of the clean pipeline, over more
    seeds.
    """

    params: DoseParams
    inflation: dict[Mechanism, tuple[float, float]]  # mean and half-width, in AUC
    complete: bool = False

    @property
    def verdict(self) -> str:
        """The leak that adds most when each is alone."""
        if not self.inflation:
            return "The first leak is being measured."
        order = sorted(self.inflation, key=lambda name: -self.inflation[name][0])
        nulls = [NAMES[name].lower() for name in order if abs(self.inflation[name][0]) < NULL]
        most, half = self.inflation[order[0]]
        found = (
            f"Largest effect: {NAMES[order[0]].lower()}, {format_signed(most)} ± {half:.3f} AUC"
            f" ({OVERVIEW_SEEDS} seeds)."
        )
        return found + (f" No measurable effect: {' and '.join(nulls)}." if nulls else "")
