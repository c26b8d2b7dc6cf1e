"""Time splits: the same flights and the same model, validated in seven ways, against what the last
quarter then gave.

Real: flights of 2013, scikit-learn's splitters and boosting, the later quarter as the truth.
*Distance* asks why the schemes differ: it tests on the same days again and again, and keeps
training a growing number of days away from them, with as many training rows each time. Simplified:
one year, so one later quarter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from engine.leakage.time_splits import splits
from engine.leakage.time_splits.params import TimeSplitsParams, shared
from engine.leakage.time_splits.sample import folds, rows
from engine.leakage.time_splits.scores import Distance, Scores, distance_steps, score_steps
from engine.leakage.time_splits.splits import SCHEMES, Scheme
from engine.units import format_share

__all__ = [
    "Distance",
    "Scores",
    "TimeSplitsParams",
    "TimeSplitsResult",
    "distance_steps",
    "rows",
    "run",
    "score_steps",
    "shared",
]

NEVER, TRAIN, TEST, BOTH = 0, 1, 2, 3  # what a day holds


@dataclass(frozen=True, slots=True, eq=False)
class TimeSplitsResult:
    """What each day holds under every scheme, in one of its folds; the chosen scheme's folds in
    numbers.
    """

    params: TimeSplitsParams
    roles: dict[Scheme, np.ndarray]  # (n_days,) NEVER, TRAIN, TEST or BOTH
    n_train: tuple[int, ...]  # of each fold of the chosen scheme
    n_test: tuple[int, ...]
    n_mixed: int  # test rows on a day that training has too, over all folds
    nearest_days: float  # mean days from a test row to the nearest training row

    @property
    def mixed_share(self) -> float:
        """Share of the test rows on a day that training has too, 0–1."""
        return self.n_mixed / sum(self.n_test)

    @property
    def verdict(self) -> str:
        """Share of the test rows on days of training, and the days to the nearest training row."""
        nearest = f"{self.nearest_days:.1f} days away on average"
        if self.nearest_days < 0.05:
            nearest = "from the same day"
        return (
            f"“{self.params.scheme}” tests **{format_share(self.mixed_share)}** of its rows on"
            f" training days; the nearest training row is {nearest}. In production it is weeks"
            " away."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p = self.params
        reasons = [
            (
                "**Shared days.** Flights of one day share weather, queues and delays. A model with"
                " the date memorizes the days it was trained on."
                if p.columns != "timetable"
                else (
                    "**No date.** The model cannot recognize a day. Season and random variation"
                    " remain."
                )
            ),
            (
                "**Production** predicts the weeks after training. Only “time series, gap” copies"
                " that distance."
            ),
            f"**Folds** train on {_span(self.n_train)} rows and test on {_span(self.n_test)}.",
        ]
        if p.scheme.startswith("time series"):
            reasons.append(
                "**Time series** folds train on fewer rows and never on a later season: the"
                " estimate can be pessimistic."
            )
        if p.scheme == "by plane":
            reasons.append(
                "**Planes** are not the group that matters: flights of one plane share little, so"
                " grouping by plane has no measurable effect."
            )
        if p.scheme == "purged, embargo":
            reasons.append(
                "**Purging** drops training rows whose answers overlap the test part. The embargo"
                f" drops {p.embargo_days} days after it."
            )
        return reasons

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "n_train": sum(self.n_train),
            "n_test": sum(self.n_test),
            "n_mixed": self.n_mixed,
            "nearest_days": round(self.nearest_days, 4),
        }

    def table(self) -> pa.Table:
        """Return one row for each scheme and day."""
        words = {NEVER: "neither", TRAIN: "training", TEST: "test", BOTH: "both"}
        days = [
            (name, day, role)
            for name, roles in self.roles.items()
            for day, role in enumerate(roles.tolist())
        ]
        return pa.Table.from_pylist(
            [{"scheme": name, "day": day, "holds": words[role]} for name, day, role in days]
        )


def _span(counts: tuple[int, ...]) -> str:
    low, high = min(counts), max(counts)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def run(params: TimeSplitsParams) -> TimeSplitsResult:
    """Split the rows by every scheme, without fitting anything."""
    drawn = rows(params.n_rows, params.seed)
    n_days = int(drawn.day.max()) + 1
    roles = {}
    for scheme in SCHEMES:
        of_scheme = folds(scheme, params)
        middle = len(of_scheme) // 2  # of purged folds: it has training days on both sides
        train, test = of_scheme[middle if scheme == "purged, embargo" else -1]
        role = np.zeros(n_days, int)
        role[np.unique(drawn.day[train])] += TRAIN
        role[np.unique(drawn.day[test])] += TEST
        roles[scheme] = role
    chosen = folds(params.scheme, params)
    near = [splits.nearest_days(drawn.day, train, test) for train, test in chosen]
    return TimeSplitsResult(
        params,
        roles,
        tuple(len(train) for train, _ in chosen),
        tuple(len(test) for _, test in chosen),
        int(sum((days == 0).sum() for days in near)),
        float(np.concatenate(near).mean()),
    )


TYPICAL_SECONDS = 6.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return what the server computes before the first visit: the scores under every scheme."""
    return score_steps, TimeSplitsParams()
