"""Settings of *time_splits*: the scheme in numbers, and what all schemes share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from engine.leakage import flights
from engine.leakage.time_splits.splits import Scheme
from engine.ranges import SEED, Params, Range

Columns = Literal["timetable and date", "timetable", "timetable, date and weather"]
GROUPS: dict[Columns, tuple[flights.Group, ...]] = {
    "timetable and date": ("schedule", "date"),
    "timetable": ("schedule",),
    "timetable, date and weather": ("schedule", "date", "weather of the hour"),
}
DAYS = Range(0, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeSplitsParams(Params):
    """The scheme in numbers, and what all schemes share."""

    scheme: Scheme = "shuffled"
    columns: Columns = "timetable and date"
    n_splits: Annotated[int, Range(2, 10)] = 5  # folds
    gap_days: Annotated[int, DAYS] = 14  # left out before each test part of the scheme with a gap
    embargo_days: Annotated[int, DAYS] = 7  # left out after each test part when purging
    n_rows: Annotated[int, Range(2_000, 24_000, options=(3_000, 6_000, 12_000, 24_000))] = 12_000
    seed: Annotated[int, SEED] = 0


def shared(params: TimeSplitsParams) -> TimeSplitsParams:
    """Return the settings that the scores of all schemes depend on: the scheme looked at only
    points into them.
    """
    return replace(params, scheme="shuffled")
