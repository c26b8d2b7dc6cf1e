"""Schedules: the next runs of a cron, an interval or an rrule in any time zone, around a change of
the clocks or not.

Real: the dates come from Prefect's own schedule classes (``schedule.dates``). What the clock does
to each local time that the rule names is computed apart from them with ``zoneinfo``
(``schedule.clock``). Overlap and outages are simulated from those dates under Prefect's rules
(``schedule.load``); ``schedule.deployment`` has a real deployment fire.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa

from engine.errors import require
from engine.orchestration.schedule import dates as schedule_dates
from engine.orchestration.schedule.clock import (
    Change,
    Row,
    changed,
    changes,
    elapsed_rows,
    local_text,
    rows,
    wall_text,
)
from engine.orchestration.schedule.load import (
    LATE_SECONDS,
    MIN_AHEAD_SECONDS,
    MIN_RUNS,
    Outage,
    Turn,
    most_parallel,
    outage,
    turns,
)
from engine.orchestration.schedule.params import DAY_MINUTES, MOST_HOURS, N_RUNS, ScheduleParams
from engine.units import format_day, format_seconds

MOST_RUNS = 4_000  # looked at: each minute of the longest outage, each second of an hour
STATUS_NAMES = {"as written": "on time", "left out": "skipped"}


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """The dates of a rule and what became of the local times that it names; shared by all settings
    of load.
    """

    start: float
    dates: tuple[float, ...]
    rows: tuple[Row, ...]
    change: Change | None


@dataclass(frozen=True, eq=False)
class ScheduleResult:
    """The next runs of a rule, their overlap, and an outage."""

    params: ScheduleParams
    plan: Plan

    @property
    def dates(self) -> tuple[float, ...]:
        """The runs by Prefect, in seconds since the epoch."""
        return self.plan.dates

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many local times have which status."""
        return Counter(row.status for row in self.plan.rows)

    @property
    def n_moved(self) -> int:
        """Local times whose run happens at another time."""
        return self.counts.get("moved", 0)

    @property
    def n_left_out(self) -> int:
        """Local times, or second times of one, without a run."""
        return self.counts.get("left out", 0)

    @property
    def n_twice(self) -> int:
        """Runs at the second time of a local time that comes twice."""
        return self.counts.get("second of two", 0)

    @cached_property
    def turns(self) -> tuple[Turn, ...]:
        """The runs with their overlap, under the limit."""
        p = self.params
        return turns(self.dates, p.run_minutes * 60, p.limit, p.collision)

    @property
    def most_parallel(self) -> int:
        """The largest number of runs at the same time."""
        return most_parallel(self.turns)

    @property
    def n_cancelled(self) -> int:
        """Runs that the collision strategy drops."""
        return sum(turn.start is None for turn in self.turns)

    @property
    def longest_wait_minutes(self) -> float:
        """The longest that a run starts after its time."""
        return max(turn.wait_seconds for turn in self.turns) / 60

    @cached_property
    def outage(self) -> Outage:
        """What the outage does."""
        p = self.params
        begin = self.dates[min(5, len(self.dates) - 1)] - 60
        known = {date for date in self.dates if date >= begin}
        due = tuple(sorted(known.union(_until(p, begin, begin + (MOST_HOURS + 1) * 3600))))
        return outage(due, begin, p.down_hours * 3600, p.run_minutes * 60, p.limit)

    @property
    def n_missed(self) -> int:
        """Runs that were due during the outage."""
        return len(self.outage.missed)

    @property
    def n_lost(self) -> int:
        """Runs of the outage that Prefect never starts."""
        return len(self.outage.lost)

    @property
    def odd(self) -> list[Row]:
        """The local times that do not get exactly their one run."""
        return [row for row in self.plan.rows if row.status != "as written"]

    @property
    def verdict(self) -> str:
        """How many scheduled times are moved or skipped, and the first of them."""
        p, n = self.params, len(self.plan.rows)
        rule = f"{p.rule_text} in {p.zone}"
        if self.n_moved or self.n_left_out:
            parts = [
                f"{count:,} {word}"
                for count, word in ((self.n_moved, "moved"), (self.n_left_out, "skipped"))
                if count
            ]
            first = next(row for row in self.odd if row.status in ("moved", "left out"))
            day = format_day(date.fromisoformat(first.wall[:10]))
            return (
                f"**{' and '.join(parts)}** of {n:,} scheduled times ({rule}). {day}:"
                f" {first.because}."
            )
        change = self.plan.change
        met = (
            f"although the clocks change on {format_day(day_of(change.at, p.zone))}"
            if change and self.dates[0] <= change.at <= self.dates[-1]
            else "although the clocks change in between"
            if changed(self.dates, p.zone)
            else "and no clock changes between them"
        )
        return f"**All {len(self.dates)} runs** are at their scheduled time ({rule}), {met}."

    @property
    def why(self) -> list[str]:
        """The reasons, from this run's numbers."""
        p, out = self.params, self.outage
        found = [_clock_reason(self), *_start_reason(p)]
        if p.kind == "interval" and self.n_left_out:
            found.append(
                "**A bug in Prefect**: its documentation says that an hourly interval “will fire"
                " every UTC hour”. Its code removes the second pass as a duplicate. In UTC none is"
                " lost."
            )
        if p.kind == "interval" and self.n_moved:
            found.append(
                "**A bug in Prefect**: its documentation says that a daily interval keeps its"
                " hour. An anchor in winter is an hour off in summer. Use a cron."
            )
        rule = f"limit {p.limit}" if p.limit else "no limit"
        waited = self.longest_wait_minutes * 60
        wait = f"runs wait up to {format_seconds(waited)}" if waited else "no run waits"
        found.append(
            f"**Overlap** ({rule}): a run takes {format_seconds(p.run_minutes * 60)}. Runs in"
            f" parallel: at most {self.most_parallel}; {wait}; dropped: {self.n_cancelled}."
        )
        more = " or more" if self.n_missed >= MOST_RUNS else ""
        found.append(
            f"**Server down** for {p.down_hours:g} h, runs due: {self.n_missed:,}{more}. Prefect"
            f" starts {len(out.late)} late and never creates {self.n_lost:,}. Airflow starts"
            f" {self.n_missed:,} with `catchup=True`, {len(out.airflow['catchup=False'])} without."
        )
        found.append(
            f"**Booked ahead**: Prefect's scheduler creates at least {MIN_RUNS} runs and"
            f" {MIN_AHEAD_SECONDS / 3600:g} h ahead. A run that starts {LATE_SECONDS:g} s after its"
            " time is *Late*."
        )
        return found

    def headline(self) -> dict[str, float | str]:
        """The numbers that the script prints."""
        return {
            "runs": len(self.dates),
            "first": datetime.fromtimestamp(self.dates[0], UTC).isoformat(),
            "last": datetime.fromtimestamp(self.dates[-1], UTC).isoformat(),
            "moved": self.n_moved,
            "skipped": self.n_left_out,
            "most in parallel": self.most_parallel,
            "dropped": self.n_cancelled,
            "longest wait, min": round(self.longest_wait_minutes, 6),
        }

    def table(self) -> pa.Table:
        """Every local time that the rule names, UTC beside local."""
        return pa.Table.from_pylist(self.shown())

    def shown(self) -> list[dict[str, str]]:
        """The table of the page."""
        return [
            {
                "scheduled": row.wall,
                "runs (local)": row.local or "—",
                "runs (UTC)": (
                    "—" if row.at is None else wall_text(datetime.fromtimestamp(row.at, UTC))
                ),
                "outcome": STATUS_NAMES.get(row.status, row.status),
                "why": row.because,
            }
            for row in self.plan.rows
        ]


def _clock_reason(result: ScheduleResult) -> str:
    p, change = result.params, result.plan.change
    if change is None:
        has = len(changes(p.zone, p.year))
        return f"**Clocks**: they do not change on these days in {p.zone}" + (
            "." if has else f", nor on any other day of {p.year}."
        )
    low, high = change.walls(p.zone)
    day = format_day(day_of(change.at, p.zone))
    kind = "do not exist" if change.shift_seconds > 0 else "come twice"
    return (
        f"**Clocks** in {p.zone} go {'forward' if change.shift_seconds > 0 else 'back'} by"
        f" {abs(change.shift_seconds) / 60:.0f} min on {day}: local times from {low:%H:%M} to"
        f" {high:%H:%M} {kind}. UTC does not change."
    )


def _start_reason(params: ScheduleParams) -> list[str]:
    rule = params.rrule.upper()
    if params.kind != "rrule":
        return []
    if "DTSTART" not in rule:
        return [
            "**Start**: Prefect's API adds a DTSTART to a rule without one: 1 January 2020, 00:00."
            " By the minute or second it is the last such time before the deployment is created."
        ]
    if "TZID" in rule or re.search(r"DTSTART[^:]*:\w+Z", rule):
        return [
            f"**Start**: Prefect reads the digits of DTSTART in {params.zone}, whatever zone (TZID"
            " or Z) the rule names."
        ]
    return []


def _dates(
    params: ScheduleParams, start: float, n: int = N_RUNS, end: float | None = None, zone: str = ""
) -> tuple[float, ...]:
    anchor = params.anchor.replace(tzinfo=ZoneInfo(params.zone)).timestamp()
    return schedule_dates.dates(
        params.kind, params.rule, zone or params.zone, start, n, end, anchor, params.day_or
    )


def _until(params: ScheduleParams, begin: float, end: float, zone: str = "") -> tuple[float, ...]:
    """Return every run from ``begin`` to ``end``, asked for by the thousand, at most MOST_RUNS."""
    found: tuple[float, ...] = ()
    while len(found) < MOST_RUNS:
        more = _dates(params, found[-1] + 1 if found else begin, n=1000, end=end, zone=zone)
        found += more
        if len(more) < 1000:
            break
    return found[:MOST_RUNS]


def _focus(params: ScheduleParams) -> Change | None:
    """Return the change to look at: the first one of its direction in the year."""
    if params.around == "ordinary days":
        return None
    sign = 1 if params.around == "clocks go forward" else -1
    return next(
        (change for change in changes(params.zone, params.year) if change.shift_seconds * sign > 0),
        None,
    )


def _start(params: ScheduleParams, change: Change | None) -> float:
    """Return where to begin: midnight the day before the change, later for a rule that would not
    reach it in 20 runs.
    """
    place = ZoneInfo(params.zone)
    if change is None:
        return datetime(params.year, 6, 1, tzinfo=place).timestamp()
    day = datetime.fromtimestamp(change.at, place).replace(
        hour=0, minute=0, second=0, fold=0
    ) - timedelta(days=1)
    found = _dates(params, day.timestamp())
    if len(found) > 1 and found[-1] < change.at + 2 * abs(change.shift_seconds):
        return change.at - 6 * (found[1] - found[0])
    return day.timestamp()


@lru_cache(maxsize=256)
def _plan(params: ScheduleParams) -> Plan:
    change = _focus(params)
    start = _start(params, change)
    found = _dates(params, start)
    require(
        bool(found),
        "{} must have a run after {}. Got {!r}, which has none: look at its DTSTART (1 January 2020"
        " without one), COUNT, UNTIL, day and month.",
        *(params.kind, local_text(start, params.zone), params.rule),
    )
    return Plan(start, found, tuple(_rows(params, start, found)), change)


def _rows(params: ScheduleParams, start: float, found: tuple[float, ...]) -> list[Row]:
    """Return the local times that the rule names between the first run and the last, each with its
    fate.
    """
    place = ZoneInfo(params.zone)
    last = datetime.fromtimestamp(found[-1], place).replace(tzinfo=None, fold=0)
    first = datetime.fromtimestamp(start, place).replace(tzinfo=None, fold=0)
    step = params.every_minutes
    if params.kind == "interval" and step % DAY_MINUTES:
        n = round((found[-1] - found[0]) / (60 * step))
        return elapsed_rows([found[0] + 60 * step * k for k in range(n + 1)], found, params.zone)
    if params.kind == "interval":
        skip = -(-(first - params.anchor) // timedelta(minutes=step))
        walls = [
            params.anchor + timedelta(minutes=step) * (skip + k) for k in range(len(found) + 1)
        ]
        return rows([wall for wall in walls if wall <= last], found, params.zone)
    # in UTC no local time is missing: there the rule gives the times that it names
    begin, end = (wall.replace(tzinfo=UTC).timestamp() for wall in (first, last))
    named = _until(params, begin, end, zone="UTC")
    if len(named) < len(found):  # Prefect moved the last ones to before the others
        named = _dates(params, begin, n=len(found), zone="UTC")
    walls = [datetime.fromtimestamp(at, UTC).replace(tzinfo=None) for at in named]
    return rows(walls, found, params.zone)


def _shared(params: ScheduleParams) -> ScheduleParams:
    """Return the settings on which the dates depend, the others at their defaults."""
    rule = "every_minutes" if params.kind == "interval" else params.kind
    names = ("kind", "zone", "around", "year", rule, *(["day_or"] if rule == "cron" else []))
    given: dict[str, Any] = {name: getattr(params, name) for name in names}
    return ScheduleParams(**given)


def run(params: ScheduleParams) -> ScheduleResult:
    """Return the next 20 runs of the rule, their overlap and an outage.

    Raises
    ------
    InputError
        Prefect refuses the rule, it takes too long or it has no run; the zone is unknown.
    """
    return ScheduleResult(params, _plan(_shared(params)))


def day_of(at: float, zone: str) -> date:
    """Return the local day of a moment."""
    return datetime.fromtimestamp(at, ZoneInfo(zone)).date()
