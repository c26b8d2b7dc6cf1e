"""Clocks that change: which local times a zone leaves out or shows twice, and what a schedule made
of them.

Computed with ``zoneinfo``, apart from Prefect: what Prefect gives is held against the local times
that the rule names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo, available_timezones

from engine.errors import InputError, require

NO_ZONES = {"localtime", "Factory"}  # files beside the zones, which Prefect cannot use
Status = Literal["as written", "moved", "left out", "first of two", "second of two"]


@dataclass(frozen=True, slots=True)
class Change:
    """A moment at which a zone's clocks jump by ``shift_seconds`` (positive: forward)."""

    at: float  # seconds since the epoch
    shift_seconds: float

    def walls(self, zone: str) -> tuple[datetime, datetime]:
        """Return the local times, from … to, that are missing or that come twice."""
        after = datetime.fromtimestamp(self.at, ZoneInfo(zone)).replace(tzinfo=None, fold=0)
        other = after - timedelta(seconds=self.shift_seconds)
        return (other, after) if self.shift_seconds > 0 else (after, other)


def zone_of(name: str) -> ZoneInfo:
    """Return the time zone called ``name``.

    Raises
    ------
    InputError
        There is none; names that look like it are offered.
    """
    if name in _names():
        return ZoneInfo(name)
    require(
        len(name) <= 100,
        "zone must be an IANA time zone, at most 100 characters. Got {:,}.",
        len(name),
    )
    near = get_close_matches(name, _names(), 3, 0.5) or ["America/New_York", "Europe/Berlin", "UTC"]
    raise InputError(f"zone must be an IANA time zone. Got {name!r}. Try {', '.join(near)}.")


@lru_cache(maxsize=1)
def _names() -> tuple[str, ...]:
    return tuple(sorted(available_timezones() - NO_ZONES))


@lru_cache(maxsize=128)
def changes(zone: str, year: int) -> tuple[Change, ...]:
    """Return every change of a zone's clocks in a year, found day by day and then by halving down
    to a second.
    """
    place = zone_of(zone)

    def offset(at: float) -> float:
        shift = datetime.fromtimestamp(at, place).utcoffset()
        return 0.0 if shift is None else shift.total_seconds()

    begin = datetime(year, 1, 1, tzinfo=UTC).timestamp()
    found = []
    for day in range(366):
        low, high = begin + day * 86400, begin + (day + 1) * 86400
        before, after = offset(low), offset(high)
        if before == after:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset(middle) == before else (low, middle)
        found.append(Change(high, after - before))
    return tuple(found)


def changed(moments: tuple[float, ...], zone: str) -> bool:
    """Return whether a zone's clocks differ between some of the moments."""
    place = zone_of(zone)
    return len({datetime.fromtimestamp(at, place).utcoffset() for at in moments}) > 1


@dataclass(frozen=True, slots=True)
class Row:
    """One local time that the rule names, and what Prefect does with it."""

    wall: str  # the local time as the rule names it, ``wall_text``
    at: float | None  # the run's moment, seconds since the epoch; None: no run
    local: str  # that moment on the clock
    status: Status
    because: str
    shown_at: float  # where it belongs in time, run or not


def wall_text(wall: datetime) -> str:
    """Return a local time as the table shows it, with its seconds if it has any."""
    return wall.strftime("%Y-%m-%d %H:%M:%S" if wall.second else "%Y-%m-%d %H:%M")


def local_text(at: float, zone: str) -> str:
    """Return a moment as a zone's clock shows it, with its name for the offset."""
    moment = datetime.fromtimestamp(at, ZoneInfo(zone))
    return f"{wall_text(moment)} {moment:%Z}"


def _moments(wall: datetime, place: ZoneInfo) -> tuple[float, float, bool]:
    """Return the moments that a local time could be, and whether the clock ever shows it."""
    first, second = (wall.replace(tzinfo=place, fold=fold).timestamp() for fold in (0, 1))
    shown = datetime.fromtimestamp(first, place).replace(tzinfo=None, fold=0) == wall
    return first, second, shown


def _row(
    wall: datetime, at: float | None, zone: str, status: Status, because: str, shown_at: float
) -> Row:
    local = "" if at is None else local_text(at, zone)
    return Row(wall_text(wall), at, local, status, because, shown_at)


def rows(walls: list[datetime], runs: tuple[float, ...], zone: str) -> list[Row]:
    """Return what became of each local time in ``walls``, given the runs that there are.

    A time that the clock shows once is claimed first, one that it shows twice next, one that it
    never shows last: it gets a run that belongs to none of the others, if there is one.
    """
    place = zone_of(zone)
    free = set(runs)
    made: list[Row] = []
    unmet: list[tuple[datetime, float]] = []
    missing: list[datetime] = []
    for wall in walls:
        first, second, shown = _moments(wall, place)
        if not shown:
            missing.append(wall)
        elif first != second:
            made += _twice(wall, (first, second), free, zone)
            free -= {first, second}
        elif first in free:
            free.discard(first)
            made.append(_row(wall, first, zone, "as written", "", first))
        else:
            unmet.append((wall, first))
    for wall in missing:
        made.append(_never_shown(wall, free, zone))
    for wall, first in unmet:
        near = min(free, key=lambda at: abs(at - first), default=None)
        if near is not None and abs(near - first) <= 3 * 3600:
            free.discard(near)
            made.append(
                _row(wall, near, zone, "moved", f"Prefect's date is {_hours(near - first)}", first)
            )
        else:
            made.append(_row(wall, None, zone, "left out", "Prefect has no run for it", first))
    return sorted(made, key=lambda row: row.shown_at)


def _hours(seconds: float) -> str:
    return f"{abs(seconds) / 3600:g} h {'later' if seconds > 0 else 'earlier'} than scheduled"


def _twice(wall: datetime, moments: tuple[float, float], free: set[float], zone: str) -> list[Row]:
    clock = wall.strftime("%H:%M")
    made = []
    for at, which, status in (
        (moments[0], "first", "first of two"),
        (moments[1], "second", "second of two"),
    ):
        if at in free:
            made.append(
                _row(wall, at, zone, status, f"the clock shows {clock} twice: the {which} time", at)  # type: ignore[arg-type]
            )
        else:
            made.append(
                _row(
                    wall,
                    None,
                    zone,
                    "left out",
                    f"the clock shows {clock} twice, and there is no run the {which} time",
                    at,
                )
            )
    return made


def _never_shown(wall: datetime, free: set[float], zone: str) -> Row:
    later, earlier, _ = _moments(wall, zone_of(zone))
    clock = wall.strftime("%H:%M")
    for at, word in ((earlier, "before"), (later, "after")):
        if at in free:
            free.discard(at)
            shown = datetime.fromtimestamp(at, ZoneInfo(zone)).strftime("%H:%M")
            return _row(
                wall,
                at,
                zone,
                "moved",
                f"{clock} does not exist, so it runs at {shown}, {word} the clock change",
                at,
            )
    jump = next(change.at for change in changes(zone, wall.year) if earlier < change.at <= later)
    order = (
        wall.hour * 60 + wall.minute + wall.second / 60
    ) / 1e5  # its place in the table: just before the clock change
    return _row(
        wall,
        None,
        zone,
        "left out",
        f"{clock} does not exist, and no run replaces it",
        jump - 1 + order,
    )


def elapsed_rows(expected: list[float], runs: tuple[float, ...], zone: str) -> list[Row]:
    """Return what became of each moment of an interval counted in elapsed time."""
    place, fired = zone_of(zone), set(runs)
    made = []
    for at in expected:
        wall = datetime.fromtimestamp(at, place)
        first, second, _ = _moments(wall.replace(tzinfo=None, fold=0), place)
        twice = first != second
        clock, which = wall.strftime("%H:%M"), "second" if wall.fold else "first"
        status: Status = (
            ("second of two" if wall.fold else "first of two") if twice else "as written"
        )
        because = f"the clock shows {clock} twice: the {which} time" if twice else ""
        if at not in fired:
            status = "left out"
            because = (
                f"the clock shows {clock} twice, and Prefect drops the {which} as a duplicate"
                if twice
                else "no run"
            )
        made.append(
            _row(wall.replace(tzinfo=None), at if at in fired else None, zone, status, because, at)
        )
    return made
