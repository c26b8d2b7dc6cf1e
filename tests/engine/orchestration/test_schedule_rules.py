"""The rules that people bring, against Prefect itself: its write model, its classes and its API."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule as dateutil_rrule
from hypothesis import given, settings
from hypothesis import strategies as some

from engine import scripts
from engine.errors import InputError
from engine.orchestration import schedule
from engine.orchestration.schedule import ScheduleParams, child, dates
from engine.orchestration.schedule.clock import zone_of
from engine.orchestration.schedule.deployment import as_sent, schedule_body
from engine.orchestration.server import SERVER
from tests.engine.printed import run_script

START = datetime(2027, 3, 13, 5, tzinfo=UTC)  # midnight in New York, a day before its clocks change
CRONS = [
    *("@daily", "@hourly", "@weekly", "@reboot", "* * * * * *", "*/20 30 2 * * 0", "0 9 * * MON#2"),
    *("0 0 L * *", "0 9 * * 5L", "0 9 * * L5", "R * * * *", "H * * * *", "*/90 * * * *", ""),
    *(" 0  9 * * * ", "0 0 * * 7", "0 0 ? * 1", "61 * * * *", "0 0 1 1 * 0 2031", "1 2 3"),
    *("0 9 * JAN-MAR mon-fri", "0 0 13 * 5", "@DAILY", "0 0 * * * * * *"),
]
RRULES = [
    *("FREQ=HOURLY", "RRULE:FREQ=DAILY", ""),
    "RRULE:FREQ=HOURLY\nEXRULE:FREQ=DAILY;BYHOUR=3",
    "DTSTART:20270301T090000\nRRULE:FREQ=DAILY;COUNT=30\nEXDATE:20270314T090000",
    "DTSTART;TZID=Europe/Berlin:20270101T090000\nRRULE:FREQ=DAILY",
    "DTSTART:20270101T090000Z\nRRULE:FREQ=DAILY;UNTIL=20270401T000000Z",
    "DTSTART:20270101T090000\nRRULE:FREQ=DAILY;UNTIL=20270401T000000",
    "RDATE:20270401T000000,20270402T000000",
    "FREQ=MONTHLY;BYDAY=-1FR;BYHOUR=17;BYMINUTE=0;BYSECOND=0",
    *("FREQ=NEVER", "BYDAY=MO", "FREQ=DAILY;UNTIL=soon", "FREQ=DAILY;INTERVAL=x"),
]
ZONES = ["GMT", "UTC", "EST", "EST5EDT", "Etc/GMT+5", "UCT", "Zulu", "Mars/Olympus", "New_York"]


def prefects(body: dict[str, Any]) -> Any:
    """The schedule that Prefect's API would store, or ``None`` where it refuses the rule."""
    from prefect.server.schemas.actions import DeploymentScheduleCreate

    try:
        return DeploymentScheduleCreate(schedule=body).schedule  # type: ignore[arg-type]
    except Exception:  # pydantic's, dateutil's
        return None


def asked(kind: str, rule: Any, zone: str = "America/New_York", **more: Any) -> list[float]:
    return list(dates.dates(kind, rule, zone, START.timestamp(), **more))


def by_class(made: Any, n: int = 20) -> list[float]:
    """The runs by Prefect's class alone, with no help for those that take it long."""
    return sorted({at.timestamp() for at in asyncio.run(made.get_dates(n=n, start=START))})


@pytest.mark.parametrize(
    ("kind", "rule"), [*product(["cron"], CRONS), *product(["rrule"], RRULES)], ids=repr
)
def test_a_rule_is_taken_or_refused_as_by_prefect_and_runs_at_its_times(
    kind: str, rule: str
) -> None:
    made = prefects({kind: rule, "timezone": "America/New_York"})
    if made is None:
        with pytest.raises(InputError, match=f"{kind} must be a rule that Prefect accepts"):
            asked(kind, rule)
        return
    try:
        theirs = by_class(made)
    except Exception as error:
        with pytest.raises(InputError, match=f"{kind}: Prefect accepts .* {error}"):
            asked(kind, rule)
        return
    assert asked(kind, rule) == theirs


@pytest.mark.parametrize("rule", ["FREQ=MINUTELY;INTERVAL=5", "FREQ=SECONDLY;INTERVAL=7"])
def test_a_rule_by_the_minute_runs_from_now_on_as_prefect_anchors_it(rule: str) -> None:
    made = prefects({"rrule": rule, "timezone": "America/New_York"})
    now = datetime.now(UTC).replace(microsecond=0)
    theirs = asyncio.run(made.get_dates(n=20, start=now + timedelta(minutes=6)))
    first = (now + timedelta(minutes=6)).timestamp()
    found = dates.dates("rrule", rule, "America/New_York", first)
    assert list(found) == [at.timestamp() for at in theirs]


def test_the_reported_rule_is_answered_with_all_its_times() -> None:
    result = schedule.run(
        ScheduleParams(kind="rrule", rrule="FREQ=MINUTELY;INTERVAL=5", around="ordinary days")
    )
    begin = datetime(2026, 6, 1)
    own = dateutil_rrule.rrule(dateutil_rrule.MINUTELY, interval=5, dtstart=begin, count=20)
    place = ZoneInfo("America/New_York")
    assert list(result.dates) == [at.replace(tzinfo=place).timestamp() for at in own]
    assert run_script(scripts.render(result.params)) == result.headline()
    assert any("Prefect's API adds a DTSTART" in reason for reason in result.why)


@pytest.mark.parametrize("zone", ZONES)
def test_a_zone_is_taken_as_by_prefect(zone: str) -> None:
    made = prefects({"cron": "0 9 * * *", "timezone": zone})
    if made is None:
        with pytest.raises(InputError, match="zone must be an IANA time zone"):
            ScheduleParams(zone=zone)
        return
    assert zone_of(zone).key == zone
    assert asked("cron", "0 9 * * *", zone) == by_class(made)
    assert schedule.run(ScheduleParams(zone=zone)).dates


def test_days_that_are_both_are_asked_for_and_sent() -> None:
    params = ScheduleParams(cron="0 0 13 * 5", day_or=False)
    fridays = [datetime.fromtimestamp(at, UTC) for at in schedule.run(params).dates]
    assert {(day.day, day.weekday()) for day in fridays} == {(13, 4)}
    assert schedule_body(params, "by this rule")["day_or"] is False
    assert "day_or=False" in as_sent(params, "by this rule")
    assert run_script(scripts.render(params)) == schedule.run(params).headline()


@pytest.mark.parametrize("around", ["clocks go forward", "clocks go back"])
@pytest.mark.parametrize("cron", ["* * * * *", "* * * * * *", "*/30 * * * * *"])
def test_runs_that_prefect_moves_before_the_others_have_their_row(cron: str, around: Any) -> None:
    result = schedule.run(ScheduleParams(cron=cron, around=around))
    assert sorted(row.at for row in result.plan.rows if row.at is not None) == list(result.dates)
    assert result.n_missed and result.shown()[-1]["scheduled"]


def test_words_where_a_rule_has_few_runs_or_none_in_view() -> None:
    one = "DTSTART:20260307T050000\nRRULE:FREQ=DAILY;COUNT=1"
    assert len(schedule.run(ScheduleParams(kind="rrule", rrule=one)).dates) == 1
    late = schedule.run(ScheduleParams(kind="rrule", rrule="FREQ=HOURLY", year=2005))
    assert "no clock changes between them" in late.verdict
    zoned = "DTSTART;TZID=Europe/Berlin:20260101T090000\nRRULE:FREQ=DAILY"
    result = schedule.run(ScheduleParams(kind="rrule", rrule=zoned))
    assert any("digits of DTSTART in America/New_York" in reason for reason in result.why)
    assert {row.wall[11:] for row in result.plan.rows} == {"09:00"}
    assert "090000 RRULE:FREQ=DAILY`" in result.verdict, "in one line"
    long = replace(result.params, rrule=zoned + ";BYDAY=MO,TU,WE,TH,FR,SA,SU")
    assert len(schedule.run(long).verdict) < 190


COARSE = ["HOURLY", "DAILY", "WEEKLY", "MONTHLY"]
LAST = "20270316T000000"  # Prefect's class would look for ever where nothing is left


@some.composite
def parts(draw: some.DrawFn, frequencies: list[str]) -> str:
    frequency = draw(some.sampled_from(frequencies))
    text = f"FREQ={frequency};INTERVAL={draw(some.integers(1, 7))}"
    if draw(some.booleans()):
        hours = sorted(draw(some.sets(some.integers(0, 23), min_size=9)))
        text += f";BYHOUR={','.join(map(str, hours))}"
    if draw(some.booleans()):
        days = sorted(draw(some.sets(some.sampled_from(["MO", "WE", "SU"]), min_size=2)))
        text += f";BYDAY={','.join(days)}"
    if draw(some.integers(0, 3)) == 0:
        text += f";COUNT={draw(some.integers(1, 60_000))}"
    else:
        text += f";UNTIL={draw(some.sampled_from(['20270313T120000', '20270314T070000', LAST]))}"
    return text


@some.composite
def rules(draw: some.DrawFn) -> str:
    first = START.replace(tzinfo=None) - timedelta(seconds=draw(some.integers(0, 90_000)))
    lines = [
        f"DTSTART:{first:%Y%m%dT%H%M%S}",
        f"RRULE:{draw(parts([*COARSE, 'MINUTELY', 'SECONDLY']))}",
    ]
    if draw(some.booleans()):
        lines.append(f"EXRULE:{draw(parts(COARSE))}")
    return "\n".join(lines)


@settings(max_examples=25, deadline=None)
@given(rules(), some.sampled_from(["America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"]))
def test_a_later_dtstart_names_the_same_times(rule: str, zone: str) -> None:
    """``advanced`` against Prefect's class, which walks from the rule's own DTSTART on."""
    schedule_ = prefects({"rrule": rule, "timezone": zone})
    before = START.astimezone(ZoneInfo(zone)).replace(tzinfo=None) - child.MARGIN
    later = type(schedule_)(rrule=child.advanced(rule, before), timezone=zone)
    assert by_class(later, n=8) == by_class(schedule_, n=8)


def test_a_rule_of_long_ago_is_answered_as_prefect_would_after_a_long_walk() -> None:
    rule = "DTSTART:20200101T000000\nRRULE:FREQ=MINUTELY;INTERVAL=7"
    origin = datetime(2020, 1, 1)
    found = [
        datetime.fromtimestamp(at, UTC).replace(tzinfo=None) for at in asked("rrule", rule, "UTC")
    ]
    assert len(found) == 20 and all(not (at - origin) % timedelta(minutes=7) for at in found)


# ---- the real API

SENT: list[dict[str, Any]] = [
    {"cron": "@daily"},
    {"cron": "*/20 30 1,2 * * *"},
    {"cron": "0 0 13 * 0", "day_or": False},
    {"cron": "61 * * * *"},
    {"rrule": "FREQ=MINUTELY;INTERVAL=5"},
    {"rrule": "FREQ=HOURLY;INTERVAL=7"},
    {"rrule": "RRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY;BYDAY=MO"},
    {"rrule": "DTSTART;TZID=Europe/Berlin:20270101T093000\nRRULE:FREQ=DAILY"},
    {"rrule": "FREQ=NEVER"},
    {"interval": 3 * 3600.0, "anchor_date": "2027-01-01T09:00:00-05:00"},
    {"interval": 86_400.0, "anchor_date": "2026-07-01T09:00:00-04:00"},
]


@pytest.mark.parametrize("zone", ["America/New_York", "GMT"])
def test_the_real_api_takes_the_same_rules_and_books_the_same_runs(zone: str) -> None:
    SERVER.ready(120)
    flow = SERVER.call("flows/", {"name": f"rules {uuid4()}"})
    until = START + timedelta(days=2)
    try:
        for body in SENT:
            kind = next(iter(body))
            rule = body[kind] / 60 if kind == "interval" else body[kind]
            schedules = [{"schedule": {**body, "timezone": zone}}]
            deployment = {
                "name": str(uuid4()),
                "flow_id": flow["id"],
                "paused": True,
                "schedules": schedules,
            }
            more: dict[str, Any] = {"n": 60, "end": until.timestamp()}
            if kind == "interval":
                more["anchor"] = datetime.fromisoformat(body["anchor_date"]).timestamp()
            more["day_or"] = body.get("day_or", True)
            try:
                made = SERVER.call("deployments/", deployment)
            except InputError as error:
                assert " 422 " in str(error)
                with pytest.raises(InputError, match="must be a rule that Prefect accepts"):
                    asked(kind, rule, zone, **more)
                continue
            assert booked(made["id"], until) == asked(kind, rule, zone, **more), body
    finally:
        SERVER.call(f"flows/{flow['id']}", method="DELETE")


def booked(deployment: str, until: datetime) -> list[float]:
    """The runs that the server books for a deployment from START on, at most 60."""
    wish = {"start_time": START.isoformat(), "end_time": until.isoformat()}
    span = {"min_time": 30 * 86_400.0, "min_runs": 60, "max_runs": 60}
    SERVER.call(f"deployments/{deployment}/schedule", wish | span)
    wanted = {"deployments": {"id": {"any_": [deployment]}}, "limit": 200}
    found: list[Any] = []
    deadline = time.monotonic() + 30
    while not found and time.monotonic() < deadline:
        found = SERVER.call("flow_runs/filter", wanted)
        time.sleep(0.2 if not found else 0)
    return sorted(datetime.fromisoformat(run["expected_start_time"]).timestamp() for run in found)
