"""The settings of a run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Literal

from engine.errors import require
from engine.ranges import SEED, Interval, Params, Range

FIRST, LAST = date(2013, 1, 1), date(2013, 12, 31)
LEAST_DAYS = 14  # to train on, to compare on, and one to serve
Model = Literal["boosting", "logistic"]
Gate = Literal["strict", "lenient"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineParams(Params):
    """Which flights, when they are predicted, and how."""

    days: Annotated[tuple[date, date], Interval(FIRST, LAST)] = (
        date(2013, 1, 1),
        date(2013, 3, 31),
    )
    lead_minutes: Annotated[int, Range(0, 720, step=30)] = 120  # prediction before departure
    model: Model = "boosting"
    gate: Gate = "strict"
    late_share: Annotated[float, Range(0.0, 0.5, step=0.01)] = 0.05  # of weather rows
    scale: Annotated[int, Range(1, 60)] = 1  # flights per flight of 2013
    seed: Annotated[int, SEED] = 0

    def check_together(self) -> None:
        """Refuse a range that is too short to train on."""
        require(
            self.n_days >= LEAST_DAYS,
            "days must span at least {} days: to train, to compare and to serve one. Got {}.",
            LEAST_DAYS,
            self.n_days,
        )

    @property
    def n_days(self) -> int:
        """Days from the first to the last, both included."""
        return (self.days[1] - self.days[0]).days + 1

    @property
    def dates(self) -> list[date]:
        """Every day of the range."""
        return [self.days[0] + timedelta(number) for number in range(self.n_days)]
