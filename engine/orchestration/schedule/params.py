"""The settings of *Schedules*: a rule, a time zone, the days to look at, and what runs by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, get_args

from engine.orchestration.schedule.clock import (
    zone_of,
)
from engine.orchestration.schedule.load import (
    Collision,
)
from engine.ranges import Params, Range, Text
from engine.units import format_seconds

Kind = Literal["cron", "interval", "rrule"]
Around = Literal["clocks go forward", "clocks go back", "ordinary days"]
KINDS: tuple[Kind, ...] = get_args(Kind)
AROUNDS: tuple[Around, ...] = get_args(Around)
EVERY_MINUTES = (5, 15, 30, 60, 120, 360, 720, 1440, 2880, 10080)
N_RUNS = 20
RUN_MINUTES = (5.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 240.0, 480.0, 1440.0, 2160.0)
DAY_MINUTES = 1440
MOST_HOURS = 48.0
MOST_SHOWN = 60  # characters of a rule in a sentence


def names_two_days(cron: str) -> bool:
    """Return whether a cron names days of the month and weekdays, so that ``day_or`` matters."""
    fields = cron.split()
    return len(fields) >= 5 and fields[2] not in ("*", "?") and fields[4] not in ("*", "?")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleParams(Params):
    """A rule, a time zone, the days to look at, and what runs by it."""

    kind: Kind = "cron"
    cron: Annotated[str, Text(200)] = "30 2 * * *"
    # of a cron that names days of the month and weekdays: it runs on either, else on both together
    day_or: bool = True
    # counted from 1 January, 09:00 local time
    every_minutes: Annotated[int, Range(1, 100_000, options=EVERY_MINUTES)] = 60
    rrule: Annotated[str, Text(6_500)] = "FREQ=DAILY;BYHOUR=2;BYMINUTE=30;BYSECOND=0"
    zone: Annotated[str, Text(100)] = "America/New_York"
    around: Around = "clocks go forward"
    year: Annotated[int, Range(2000, 2035)] = 2026
    # that a run takes
    run_minutes: Annotated[float, Range(0.01, 10_000, options=RUN_MINUTES)] = 90.0
    # of the deployment, runs in parallel; 0: none
    limit: Annotated[int, Range(0, 50, most=5, low_means="none")] = 1
    collision: Collision = "wait"
    # of the server, from just before the sixth run on
    down_hours: Annotated[float, Range(0, MOST_HOURS, step=1.0)] = 6.0

    def check_together(self) -> None:
        """Check what fields ask of each other."""
        zone_of(self.zone)

    @property
    def rule(self) -> str | int:
        """The rule itself: a cron, minutes, or an rrule."""
        rules: dict[Kind, str | int] = {
            "cron": self.cron,
            "interval": self.every_minutes,
            "rrule": self.rrule,
        }
        return rules[self.kind]

    @property
    def rule_text(self) -> str:
        """The rule as a sentence names it: in one line, a long one cut off."""
        if self.kind == "interval":
            return f"every {format_seconds(self.every_minutes * 60)}"
        text = " ".join(str(self.rule).split())
        return f"`{text}`" if len(text) <= MOST_SHOWN else f"`{text[:MOST_SHOWN]}…`"

    @property
    def anchor(self) -> datetime:
        """The local time from which an interval counts."""
        return datetime(self.year, 1, 1, 9)
