"""What a budget of alarms finds: recall and precision by budget, and the days of a fixed
threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from engine.sampling.arena.strategies import BASELINE
from engine.sampling.budget import days
from engine.sampling.budget.params import BudgetParams
from engine.statistics import share_interval
from engine.units import day_of_2013, format_day, format_interval, format_share

MOST = 500  # alarms a day up to which curves are drawn
NAMES = {"cancelled": "cancelled flights", "late over 3 h": "flights over 3 h late"}


@dataclass(frozen=True, slots=True, eq=False)
class Ranking:
    """A strategy's ranking of the later days."""

    strategy: str
    positive_ranks: np.ndarray  # (positives,) places within their day, from 0, rising
    chances: np.ndarray  # (n,) of the baseline; else empty

    def recall(self, budget: np.ndarray | int) -> np.ndarray:
        """Return the share of the positives among each day's first ``budget`` rows, 0–1."""
        found = np.searchsorted(self.positive_ranks, budget, side="left")
        return np.asarray(found / max(1, len(self.positive_ranks)))


@dataclass(frozen=True, slots=True, eq=False)
class BudgetResult:
    """Every strategy on the same later days, as far as it has come."""

    params: BudgetParams
    n_train: int
    n_train_positive: int
    day: np.ndarray  # (n,) of the year, of each test row
    y: np.ndarray  # (n,) 1 for the rare class
    train_per_day: float  # flights a day of the training period
    unseen: np.ndarray  # (n_train,) the baseline's cross-validated chances, falling
    rankings: tuple[Ranking, ...]
    complete: bool = False

    @property
    def n_days(self) -> int:
        """Days that are tested."""
        return len(days.different(self.day))

    @property
    def n_positive(self) -> int:
        """Positives of those days."""
        return int(self.y.sum())

    @property
    def rows_per_day(self) -> np.ndarray:
        """Test rows of each day, (days,)."""
        return days.per_day(self.day, np.ones(len(self.day), bool))

    def ranking(self, strategy: str = BASELINE) -> Ranking:
        """Return one strategy's ranking."""
        return next(one for one in self.rankings if one.strategy == strategy)

    @property
    def baseline_recall(self) -> float:
        """Share of the positives that the budget finds with the baseline, 0–1."""
        return float(self.ranking().recall(self.params.per_day))

    def n_alarms(self, budget: int) -> int:
        """Return the alarms of all days: the budget, or all rows of a day that has fewer."""
        return int(np.minimum(budget, self.rows_per_day).sum())

    def n_found(self, strategy: str, budget: int) -> int:
        """Return the positives among each day's first ``budget`` rows."""
        return round(float(self.ranking(strategy).recall(budget)) * self.n_positive)

    def precision(self, strategy: str, budget: int) -> float:
        """Return the share of the alarms that are right, 0–1."""
        return self.n_found(strategy, budget) / max(1, self.n_alarms(budget))

    @property
    def threshold(self) -> float:
        """The fixed threshold: as many cross-validated training rows a day reach it as the budget
        allows.
        """
        return days.threshold_for(self.unseen, self.params.per_day / self.train_per_day)

    @property
    def fixed(self) -> np.ndarray:
        """Whether each test row reaches the fixed threshold, (n,) bool."""
        return np.asarray(self.ranking().chances >= np.float32(self.threshold))

    @property
    def fixed_per_day(self) -> np.ndarray:
        """Alarms of the fixed threshold on each day, (days,)."""
        return days.per_day(self.day, self.fixed)

    @property
    def fixed_recall(self) -> float:
        """Share of the positives that reach the fixed threshold, 0–1."""
        return float(self.fixed[self.y == 1].sum() / max(1, self.n_positive))

    @property
    def n_days_over(self) -> int:
        """Days on which the fixed threshold raises more alarms than the budget."""
        return int((self.fixed_per_day > self.params.per_day).sum())

    @property
    def best_difference(self) -> float:
        """Largest recall of a strategy at the budget minus the baseline's."""
        budget = self.params.per_day
        recalls = [float(one.recall(budget)) for one in self.rankings]
        return max(recalls) - self.baseline_recall

    @property
    def verdict(self) -> str:
        """What the budget finds, how many alarms are right, and the days over the budget."""
        budget = self.params.per_day
        right = self.precision(BASELINE, budget)
        one_in = f"1 alarm in {round(1 / right):,} is right" if right else "no alarm is right"
        return (
            f"**{budget} alarms a day** find **{format_share(self.baseline_recall)}** of the"
            f" {NAMES[self.params.target]}; {one_in}. A fixed threshold exceeds the budget on"
            f" {self.n_days_over} of {self.n_days} days."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        budget, found = self.params.per_day, self.n_found(BASELINE, self.params.per_day)
        counts = self.fixed_per_day
        worst = int(days.different(self.day)[np.argmax(counts)])
        interval = format_interval(*share_interval(found, self.n_positive), format_share)
        return [
            (
                f"**The base rate sets the precision**: {self.n_positive:,} positives in"
                f" {self.n_days} days are {self.n_positive / self.n_days:.1f} a day, so at most"
                f" {format_share(self.best_precision)} of {budget} alarms a day can be right."
            ),
            (
                f"**Few positives**: recall is {found} of {self.n_positive} ({interval}). The"
                f" model saw {self.n_train_positive:,} positives among {self.n_train:,} rows."
            ),
            (
                "**Only the ranking counts**: with a budget, probabilities may be too high by any"
                f" factor. Best strategy against the baseline: {self._best_text}."
            ),
            (
                f"**A fixed threshold** ({self.threshold:.4f}, from training rows) raises"
                f" {counts.mean():.0f} alarms on an average day and {counts.max():,} on"
                f" {format_day(day_of_2013(worst))}. Alarms come on the same days."
            ),
            (
                "**The top of each day** keeps the budget, but it needs all rows of the day first."
                " In a stream, use a threshold and a cap, and watch the alarms per day."
            ),
        ]

    @property
    def best_precision(self) -> float:
        """The precision of a perfect ranking at the budget, 0–1."""
        budget = self.params.per_day
        found = np.minimum(budget, days.per_day(self.day, self.y == 1)).sum()
        return float(found / max(1, self.n_alarms(budget)))

    @property
    def _best_text(self) -> str:
        budget = self.params.per_day
        best = max(self.rankings, key=lambda one: float(one.recall(budget)))
        if best.strategy == BASELINE:
            return "none finds more"
        more = self.n_found(best.strategy, budget) - self.n_found(BASELINE, budget)
        return f"{best.strategy} finds {more} more"

    def headline(self) -> dict[str, int | float]:
        """Return the numbers that the script reproduces."""
        budget = self.params.per_day
        return {
            "n_positive": self.n_positive,
            "n_alarms": self.n_alarms(budget),
            "n_found": self.n_found(BASELINE, budget),
            "n_days_over": self.n_days_over,
        }

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each strategy and way to keep the budget, as texts."""
        budget = self.params.per_day
        rows = [
            {
                "strategy": one.strategy,
                "alarms": "top of each day",
                "alarms a day": f"{self.n_alarms(budget) / self.n_days:.0f}",
                "most on a day": f"{min(budget, int(self.rows_per_day.max())):,}",
                "found": f"{self.n_found(one.strategy, budget):,} of {self.n_positive:,}",
                "recall": format_share(float(one.recall(budget))),
                "precision": format_share(self.precision(one.strategy, budget)),
            }
            for one in self.rankings
        ]
        n_alarms, found = int(self.fixed.sum()), int(self.fixed[self.y == 1].sum())
        fixed = {
            "strategy": BASELINE,
            "alarms": "fixed threshold",
            "alarms a day": f"{n_alarms / self.n_days:.0f}",
            "most on a day": f"{self.fixed_per_day.max():,}",
            "found": f"{found:,} of {self.n_positive:,}",
            "recall": format_share(self.fixed_recall),
            "precision": format_share(found / max(1, n_alarms)),
        }
        return [*rows, fixed]

    def table(self) -> pa.Table:
        """Return one row for each strategy and budget up to ``MOST``."""
        budgets = np.arange(1, MOST + 1)
        return pa.concat_tables(
            pa.table(
                {
                    "strategy": [one.strategy] * len(budgets),
                    "alarms_per_day": budgets,
                    "recall": one.recall(budgets),
                }
            )
            for one in self.rankings
        )
