"""What the strategies of the *arena* reach: scores, thresholds, costs, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pyarrow as pa

from engine.sampling.arena.strategies import BASELINE, MOVED, ArenaParams
from engine.units import format_factor, format_interval, format_share, format_signed


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """One strategy on one split."""

    strategy: str
    repeat: int
    y: np.ndarray  # (n_test,) untouched rows
    chances: np.ndarray  # (n_test,)
    average_precision: float
    auc: float
    brier: float
    # (n_train,) of BASELINE: rows whose cross-validated chances move its threshold; else empty
    train_y: np.ndarray
    train_chances: np.ndarray


@dataclass(frozen=True, slots=True)
class Bill:
    """A strategy at one threshold: counts over all splits, and the cost of one test row."""

    strategy: str
    threshold: float
    right_alarms: int
    false_alarms: int
    missed: int
    quiet: int
    cost: float

    @property
    def recall(self) -> float:
        """Share of the positives that are alarms, 0–1."""
        return self.right_alarms / max(1, self.right_alarms + self.missed)

    @property
    def precision(self) -> float:
        """Share of the alarms that are right, 0–1."""
        return self.right_alarms / max(1, self.right_alarms + self.false_alarms)


@dataclass(frozen=True, slots=True, eq=False)
class ArenaResult:
    """Every strategy on every split, as far as it has come."""

    params: ArenaParams
    outcomes: tuple[Outcome, ...]
    refused: dict[str, str]  # strategy -> why it cannot enter
    planes: dict[
        str, np.ndarray
    ]  # strategy -> (GRID, GRID) chances over a plane of synthetic points
    complete: bool = False

    def outcomes_of(self, strategy: str) -> list[Outcome]:
        """Return a strategy's outcomes, by split."""
        name = BASELINE if strategy == MOVED else strategy
        return [outcome for outcome in self.outcomes if outcome.strategy == name]

    @property
    def names(self) -> list[str]:
        """Strategies with an outcome, "baseline" and its moved threshold first."""
        found = list(dict.fromkeys(outcome.strategy for outcome in self.outcomes))
        return [BASELINE, MOVED, *(name for name in found if name != BASELINE)] if found else []

    def mean(self, strategy: str, score: Literal["average_precision", "auc", "brier"]) -> float:
        """Return a mean over the splits."""
        return float(np.mean([getattr(outcome, score) for outcome in self.outcomes_of(strategy)]))

    def pooled(self, strategy: str) -> tuple[np.ndarray, np.ndarray]:
        """Return class and chance of every test row of every split, in order of falling chance."""
        outcomes = self.outcomes_of(strategy)
        y, chances = (
            np.concatenate([getattr(outcome, name) for outcome in outcomes])
            for name in ("y", "chances")
        )
        order = np.argsort(-chances, kind="stable")
        return y[order], chances[order]

    def bill(self, strategy: str, threshold: float, cost_missed: float, cost_alarm: float) -> Bill:
        """Return counts and cost of a strategy at a threshold; the moved one has its own."""
        if strategy == MOVED:
            first = self.outcomes_of(BASELINE)
            y, chances = (
                np.concatenate([getattr(o, name) for o in first])
                for name in ("train_y", "train_chances")
            )
            threshold = cheapest(y, chances, cost_missed, cost_alarm)
        y, chances = self.pooled(strategy)
        alarm = chances >= threshold
        right, false = int((alarm & (y == 1)).sum()), int((alarm & (y == 0)).sum())
        missed = int(y.sum()) - right
        cost = (missed * cost_missed + false * cost_alarm) / len(y)
        return Bill(
            strategy, threshold, right, false, missed, len(y) - right - false - missed, cost
        )

    @property
    def best_gain(self) -> float:
        """Average precision of the best strategy minus the baseline's."""
        return (
            max((self.mean(name, "average_precision") for name in self.names), default=0.0)
            - self.baseline
        )

    @property
    def baseline(self) -> float:
        """Average precision of the baseline."""
        return self.mean(BASELINE, "average_precision") if self.outcomes else 0.0

    def gain(self, strategy: str) -> tuple[float, float]:
        """Return what a strategy adds to the baseline's average precision, and half the width of
        its 95% interval.

        A t interval of the differences split by split, widened for as many strategies as take part
        (Bonferroni), so that the best of them may be picked afterwards; infinite after one split.
        """
        from scipy.stats import t

        pairs = zip(self.outcomes_of(strategy), self.outcomes_of(BASELINE), strict=False)
        gaps = [one.average_precision - other.average_precision for one, other in pairs]
        n_others = max(1, len(self.names) - 2)
        if len(gaps) < 2:
            return float(np.mean(gaps)), float("inf")
        factor = float(t.ppf(1 - 0.025 / n_others, len(gaps) - 1))
        return float(np.mean(gaps)), factor * float(np.std(gaps, ddof=1)) / len(gaps) ** 0.5

    @property
    def worst_brier_factor(self) -> float:
        """Largest Brier score by that of the baseline."""
        return max(
            (self.mean(name, "brier") / self.mean(BASELINE, "brier") for name in self.names),
            default=1.0,
        )

    @property
    def verdict(self) -> str:
        """The best strategy against the baseline, by average precision."""
        others = [name for name in self.names if name not in (BASELINE, MOVED)]
        if not others:
            rest = "Add a strategy to compare with it."
            if self.params.strategies and not self.complete:
                rest = "Its first split is done; the strategies follow."
            return f"Baseline: average precision **{self.baseline:.3f}**. {rest}"
        best = max(others, key=lambda name: self.mean(name, "average_precision"))
        gain, half = self.gain(best)
        gains = f"{format_signed(gain)} average precision"
        if not np.isfinite(half):
            return f"After one split the best strategy is **{best}**: {gains} against the baseline."
        interval = format_interval(gain - half, gain + half, format_signed)
        better = [name for name in others if self.gain(name)[0] > self.gain(name)[1]]
        if not better:
            return (
                "**No strategy is significantly better than the baseline.** Best:"
                f" {best}, {gains} ({interval})."
            )
        more = f" ({len(better)} strategies are)" if len(better) > 1 else ""
        return f"**{best} is significantly better than the baseline**{more}: {gains} ({interval})."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        first = self.outcomes_of(BASELINE)[0]
        worst = max(self.names, key=lambda name: self.mean(name, "brier"))
        moved = self.bill(MOVED, 0.5, 10, 1)
        fixed = min(
            (self.bill(name, 0.5, 10, 1) for name in self.names if name != MOVED),
            key=lambda bill: bill.cost,
        )
        reasons = [
            (
                f"**Few positives**: {int(first.y.sum()):,} of {len(first.y):,} test rows per"
                f" split. Splits: {len(self.outcomes_of(BASELINE))}. Test rows are never resampled."
            ),
            (
                "**Significance**: 95% CIs of the difference on the same split, wider for more"
                " strategies (Bonferroni)."
            ),
            (
                f"**Probabilities**: {worst} has {format_factor(self.worst_brier_factor)} the"
                " baseline's Brier score. Its mean probability is"
                f" {format_share(np.mean(self.pooled(worst)[1]))}, the true rate"
                f" {format_share(first.y.mean())}."
            ),
            (
                "**Threshold**: if a miss costs 10 false alarms, the baseline at"
                f" {moved.threshold:.3f} (chosen on training rows) costs {moved.cost:.3f} per row."
                f" The cheapest at 0.5 is {fixed.strategy}: {fixed.cost:.3f}."
            ),
        ]
        return [*reasons, *(f"**Left out**: {name}: {why}" for name, why in self.refused.items())]

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces, of the first split."""
        numbers: dict[str, int | float | str] = {}
        for outcome in self.outcomes:
            if outcome.repeat == 0:
                numbers[f"{outcome.strategy}: average precision"] = round(
                    outcome.average_precision, 4
                )
        return numbers

    def _gain_text(self, strategy: str) -> str:
        if strategy in (BASELINE, MOVED):
            return "–"
        gain, half = self.gain(strategy)
        return f"{format_signed(gain)} ± {half:.3f}" if np.isfinite(half) else format_signed(gain)

    def rows(self, threshold: float, cost_missed: float, cost_alarm: float) -> list[dict[str, str]]:
        """Return one row for each strategy at a threshold, as texts."""
        bills = [self.bill(name, threshold, cost_missed, cost_alarm) for name in self.names]
        cheap = min((bill.cost for bill in bills), default=0.0)
        return [
            {
                "strategy": bill.strategy,
                "average precision": f"{self.mean(bill.strategy, 'average_precision'):.3f}",
                "against baseline": self._gain_text(bill.strategy),
                "Brier": f"{self.mean(bill.strategy, 'brier'):.4f}",
                "threshold": f"{bill.threshold:.3f}",
                "true alarms": f"{bill.right_alarms:,}",
                "false alarms": f"{bill.false_alarms:,}",
                "missed": f"{bill.missed:,}",
                "recall": format_share(bill.recall),
                "precision": format_share(bill.precision),
                "cost per row": f"{bill.cost:.3f}" + (" ← lowest" if bill.cost == cheap else ""),
            }
            for bill in bills
        ]

    def table(self) -> pa.Table:
        """Return one row for each strategy and split."""
        rows = [
            {
                "strategy": o.strategy,
                "split": o.repeat,
                "average_precision": o.average_precision,
                "auc": o.auc,
                "brier": o.brier,
            }
            for o in self.outcomes
        ]
        return (
            pa.Table.from_pylist(rows)
            if rows
            else pa.table({"strategy": pa.array([], pa.string())})
        )


def cheapest(y: np.ndarray, chances: np.ndarray, cost_missed: float, cost_alarm: float) -> float:
    """Return the threshold at which rows of class ``y`` cost least: one of the chances, or above
    them all.
    """
    order = np.argsort(-chances, kind="stable")
    right = np.concatenate([[0], np.cumsum(y[order])])
    false = np.arange(len(y) + 1) - right
    costs = (y.sum() - right) * cost_missed + false * cost_alarm
    usable = np.concatenate(
        [[True], np.diff(chances[order]) < 0, [True]]
    )  # equal chances fall together
    place = int(np.flatnonzero(usable)[np.argmin(costs[usable])])
    return (
        float(np.nextafter(chances[order[0]], 2))
        if place == 0
        else float(chances[order[place - 1]])
    )
