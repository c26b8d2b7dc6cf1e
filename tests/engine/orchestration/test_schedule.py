"""Schedules against oracles: a cron matched minute by minute on the clock, dateutil itself, a
second-by-second machine.
"""

from __future__ import annotations

import inspect
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil import rrule as dateutil_rrule
from hypothesis import given, settings
from hypothesis import strategies as some

from engine import scripts
from engine.errors import InputError
from engine.orchestration import schedule
from engine.orchestration.schedule import ScheduleParams, dates, load
from engine.orchestration.schedule import clock as schedule_clock
from engine.orchestration.schedule.deployment import (
    BOARD,
    Fired,
    as_sent,
    fired,
    schedule_body,
    summary,
    table,
)
from engine.orchestration.schedule.params import KINDS
from engine.orchestration.server import SERVER
from engine.pipeline import store
from engine.pipeline.stages import STAGES
from tests.engine.printed import run_script

NEW_YORK = ZoneInfo("America/New_York")


def field_matches(text: str, value: int) -> bool:
    """Whether a cron field of ``*``, ``*/n`` or a list of numbers and ranges holds ``value``: an
    oracle of its own.
    """
    if text.startswith("*"):
        return value % int(text[2:] or 1) == 0 if "/" in text else True
    spans = [part.split("-") for part in text.split(",")]
    return any(int(span[0]) <= value <= int(span[-1]) for span in spans)


def by_the_minute(cron: str, zone: str, start: float, n: int) -> list[float]:
    """Every minute of elapsed time whose local clock matches the cron, in order: no cron
    library.
    """
    minute, hour, *_, weekday = cron.split()
    place, found, at = ZoneInfo(zone), [], start
    while len(found) < n:
        clock = datetime.fromtimestamp(at, place)
        day = (clock.weekday() + 1) % 7
        if (
            field_matches(minute, clock.minute)
            and field_matches(hour, clock.hour)
            and field_matches(weekday, day)
        ):
            found.append(at)
        at += 60
    return found


@pytest.mark.parametrize(
    "cron", ["30 2 * * *", "*/15 * * * *", "0,20 9-11 * * 1-5", "5 */6 * * *", "59 23 * * 0"]
)
def test_on_ordinary_days_prefects_cron_is_the_clock_minute_by_minute(cron: str) -> None:
    result = schedule.run(ScheduleParams(cron=cron, around="ordinary days"))
    assert list(result.dates) == by_the_minute(cron, "America/New_York", result.plan.start, 20)
    assert not result.odd and result.n_moved == result.n_left_out == 0


@pytest.mark.parametrize("around", ["clocks go forward", "clocks go back"])
@pytest.mark.parametrize("cron", ["30 2 * * *", "30 1 * * *", "*/30 * * * *", "0 * * * *"])
def test_every_minute_that_matches_on_the_days_of_change_is_accounted_for(
    cron: str, around: schedule.Around
) -> None:
    """The clock, walked minute by minute, shows each matching moment: a run, or a row that says it
    is left out.
    """
    result = schedule.run(ScheduleParams(cron=cron, around=around))
    last = result.dates[-1]
    shown = [
        at for at in by_the_minute(cron, "America/New_York", result.plan.start, 60) if at <= last
    ]
    left_out = [row.shown_at for row in result.plan.rows if row.status == "left out"]
    moved = {row.at for row in result.plan.rows if row.status == "moved"}
    for at in shown:
        assert (at in result.dates) != (at in left_out)
    assert {at for at in result.dates if at not in moved} <= set(shown)
    assert sorted(row.at for row in result.plan.rows if row.at is not None) == list(result.dates), (
        "each run has its row"
    )


def test_the_missing_hour_and_the_hour_that_comes_twice_are_those_of_new_york() -> None:
    forward, back = schedule_clock.changes("America/New_York", 2026)
    assert (
        datetime.fromtimestamp(forward.at, UTC) == datetime(2026, 3, 8, 7, tzinfo=UTC)
        and forward.shift_seconds == 3600
    )
    assert (
        datetime.fromtimestamp(back.at, UTC) == datetime(2026, 11, 1, 6, tzinfo=UTC)
        and back.shift_seconds == -3600
    )
    assert forward.walls("America/New_York") == (datetime(2026, 3, 8, 2), datetime(2026, 3, 8, 3))
    assert back.walls("America/New_York") == (datetime(2026, 11, 1, 1), datetime(2026, 11, 1, 2))
    assert schedule_clock.changes("Asia/Tokyo", 2026) == ()
    half = schedule_clock.changes("Australia/Lord_Howe", 2026)
    assert sorted(change.shift_seconds for change in half) == [-1800, 1800]


def test_a_time_that_does_not_exist_is_said_row_by_row() -> None:
    result = schedule.run(ScheduleParams())
    (odd,) = result.odd
    assert (
        odd.wall == "2026-03-08 02:30"
        and odd.status == "moved"
        and "02:30 does not exist" in odd.because
    )
    assert result.n_moved == 1 and "**1 moved**" in result.verdict
    half_hours = schedule.run(ScheduleParams(cron="*/30 * * * *"))
    assert [row.wall for row in half_hours.odd] == [
        "2026-03-08 02:00",
        "2026-03-08 02:30",
    ] and half_hours.n_left_out == 2
    order = [row.wall for row in half_hours.plan.rows]
    assert order == sorted(order), "the missing times stand where they would have been"


def test_a_time_that_comes_twice_runs_once_by_cron() -> None:
    result = schedule.run(ScheduleParams(cron="30 1 * * *", around="clocks go back"))
    assert [row.status for row in result.odd] == ["first of two", "left out"]
    assert result.odd[1].shown_at - result.odd[0].shown_at == 3600


def test_an_interval_in_utc_never_skips_and_says_so_where_it_does() -> None:
    utc = schedule.run(ScheduleParams(kind="interval", zone="UTC", around="clocks go back"))
    assert {b - a for a, b in pairwise(utc.dates)} == {3600.0}
    local = schedule.run(ScheduleParams(kind="interval", around="clocks go back"))
    gaps = [b - a for a, b in pairwise(local.dates)]
    assert local.n_left_out == sum(gap > 3600 for gap in gaps), (
        "a gap in the dates is a row that is left out, and no other"
    )


def test_rrules_are_dateutils() -> None:
    rule = "FREQ=WEEKLY;BYDAY=MO,TH;BYHOUR=9;BYMINUTE=15;BYSECOND=0"
    result = schedule.run(ScheduleParams(kind="rrule", rrule=rule, around="ordinary days"))
    start = datetime(2026, 6, 1)
    own = dateutil_rrule.rrulestr(rule, dtstart=start)
    assert [
        datetime.fromtimestamp(at, NEW_YORK).replace(tzinfo=None) for at in result.dates
    ] == list(own.xafter(start, 20, True))


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        (
            {"cron": "61 * * * *"},
            "cron must be a rule that Prefect accepts. Got '61 .* Invalid cron string.*five fields",
        ),
        (
            {"cron": "0 0 30 2 *"},
            "cron: Prefect accepts '0 0 30 2 .*fails when it computes .*: failed to find next date",
        ),
        ({"kind": "rrule", "rrule": "FREQ=NEVER"}, "invalid 'FREQ': NEVER"),
        (
            {"kind": "rrule", "rrule": "FREQ=DAILY;COUNT=3"},
            "rrule must have a run after 2026-03-07 00:00 EST.*COUNT",
        ),
        (
            {"zone": "New_York"},
            "zone must be an IANA time zone. Got 'New_York'. Try America/New_York",
        ),
        ({"zone": "Mars/Olympus"}, "zone must be an IANA time zone"),
        ({"zone": "x" * 101}, "zone must have at most 100 characters. Got 101."),
    ],
)
def test_what_cannot_be_scheduled_is_said(given_: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        schedule.run(ScheduleParams(**given_))  # type: ignore[arg-type]


def test_a_rule_that_keeps_prefect_busy_is_stopped_and_the_next_one_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dates, "LIMIT_SECONDS", 0.5)
    with pytest.raises(
        InputError, match="rrule must be a rule that Prefect can compute. Got FREQ=SECONDLY"
    ):
        schedule.run(ScheduleParams(kind="rrule", rrule="FREQ=SECONDLY;COUNT=999999999"))
    monkeypatch.undo()
    assert schedule.run(ScheduleParams(cron="7 7 * * *")).dates


def second_by_second(dues: list[int], lasts: int, limit: int, drop: bool) -> list[int | None]:
    """When each run starts, by a machine that is asked every second: the oracle of overlap."""
    starts: dict[int, int | None] = {}
    waiting: list[int] = []
    for now in range(max(dues) + lasts * (len(dues) + 1)):
        waiting += [k for k, due in enumerate(dues) if due == now]
        for k in list(waiting):
            busy = sum(s is not None and s <= now < s + lasts for s in starts.values())
            if not limit or busy < limit:
                starts[k] = now
                waiting.remove(k)
            elif drop:
                starts[k] = None
                waiting.remove(k)
    return [starts[k] for k in range(len(dues))]


@settings(max_examples=60, deadline=None)
@given(
    some.lists(some.integers(0, 40), min_size=1, max_size=8),
    some.integers(1, 15),
    some.integers(0, 3),
    some.booleans(),
)
def test_overlap_is_what_a_second_by_second_machine_does(
    dues: list[int], lasts: int, limit: int, drop: bool
) -> None:
    dues = sorted(dues)
    made = load.turns(
        tuple(map(float, dues)), lasts, limit, "cancel the new run" if drop else "wait"
    )
    assert [turn.start for turn in made] == second_by_second(dues, lasts, limit, drop)
    running = [
        sum(t.start is not None and t.start <= s < t.start + lasts for t in made)
        for s in range(200)
    ]
    assert load.most_parallel(made) == max(running)


def test_an_outage_loses_what_was_not_booked() -> None:
    hourly = tuple(float(3600 * k) for k in range(1, 60))
    out = load.outage(hourly, 3590.0, 6 * 3600.0, 60.0, 1)
    assert len(out.missed) == 6 and out.late == hourly[:3] and out.lost == hourly[3:6]
    assert [turn.start for turn in out.caught_up] == [
        out.end,
        out.end + 60,
        out.end + 120,
    ], "one after the other"
    assert [len(run) for run in out.airflow.values()] == [6, 1]
    often = tuple(float(300 * k) for k in range(1, 400))
    assert len(load.booked(often, 299.0)) == 13, "an hour ahead, and the first one beyond it"
    assert len(load.booked(tuple(map(float, range(1, 4000))), 0.0)) == 100


@pytest.mark.parametrize(
    "given_",
    [{}, {"kind": "interval", "limit": 2}, {"kind": "rrule", "collision": "cancel the new run"}],
)
def test_the_script_prints_the_headline(given_: dict[str, object], tmp_path: Path) -> None:
    params = ScheduleParams(**given_)  # type: ignore[arg-type]
    assert run_script(scripts.render(params)) == schedule.run(params).headline()


def test_a_real_deployment_comes_late_without_a_worker_catches_up_and_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On the real server: booked by its scheduler, late while nobody takes its runs, run
    afterwards, gone when deleted. Each run trains: the first makes every stage, the others find it.
    """
    monkeypatch.setattr(store, "NAME", "pipeline-scheduled")
    SERVER.ready(120)
    owner = "0" * 32
    deployment = BOARD.create(owner, ScheduleParams(limit=2), "every 5 s", "same days")
    try:
        BOARD.stop_worker(owner)
        deadline = time.monotonic() + 480  # a busy machine is slow, not wrong
        while (
            not any(run.state == "late" for run in BOARD.runs(owner))
            and time.monotonic() < deadline
        ):
            time.sleep(0.5)
        late = {run.id for run in BOARD.runs(owner) if run.state == "late"}
        assert late
        BOARD.start_worker(owner)
        over = {
            "deployments": {"id": {"any_": [deployment.id]}},
            "flow_runs": {"state": {"type": {"any_": ["COMPLETED"]}}},
        }
        done: list[Fired] = []
        while time.monotonic() < deadline:
            done = [fired(run) for run in SERVER.call("flow_runs/filter", over)]
            if len(done) >= 2 and late & {run.id for run in done}:
                break
            time.sleep(0.5)
        assert len(done) >= 2 and late & {run.id for run in done}, "a late run is run, not skipped"
        runs = BOARD.runs(owner)
        assert all(run.start is not None and run.start >= run.due - 1 for run in done)
        assert {round(b.due - a.due, 3) for a, b in pairwise(runs)} == {5.0}
        assert (
            "completed" in summary(done)
            and table(runs)[-1]["due (UTC)"] < table(runs)[0]["due (UTC)"]
        )
        trained = [run for run in store.runs() if run.state == "done"]
        assert len(trained) >= 2 and {len(run.stages) for run in trained} == {len(STAGES)}
        states = [(one.stage, one.state) for run in store.runs() for one in run.stages]
        assert {states.count((stage.name, "done")) for stage in STAGES} == {1}, "made once"
        made = trained[-1].stage("train")
        assert made is not None and made.details["model"]["auc"] > 0.5
        own = {"deployments": {"id": {"any_": [deployment.id]}}}
        assert SERVER.call("flow_runs/count", own) >= load.MAX_RUNS
        now = datetime.now(UTC).isoformat()
        ahead_of = {"flow_runs": {"expected_start_time": {"after_": now}}}
        booked = SERVER.call("flow_runs/count", own | ahead_of)
        assert 0 < booked <= load.MAX_RUNS, "at most 100 are booked at a time"
        BOARD.pause(owner, True)
        ahead = [
            run for run in BOARD.runs(owner) if run.state == "scheduled" and run.due > time.time()
        ]
        assert not ahead, "Prefect takes its booked runs back"
        assert SERVER.call(f"deployments/{deployment.id}")["paused"]
    finally:
        BOARD.delete(owner)
    assert BOARD.find(owner) is None
    with pytest.raises(InputError, match="404"):
        SERVER.call(f"deployments/{deployment.id}")


@pytest.mark.parametrize("kind", ["cron", "interval"])
def test_the_schedule_on_screen_is_what_the_server_gets_and_books(kind: schedule.Kind) -> None:
    SERVER.ready(120)
    owner = "1" * 32
    params = ScheduleParams(kind=kind, cron="17 4 * * *", every_minutes=1440)
    assert schedule_body(params, "by this rule")["timezone"] == "America/New_York"
    lost = BOARD.create("3" * 32, params, "by this rule", "next day")
    BOARD.stop_worker("3" * 32)
    BOARD.found.pop("3" * 32)  # as after a crash of the app
    BOARD.create(owner, params, "by this rule", "next day")
    with pytest.raises(InputError, match="404"):
        SERVER.call(f"deployments/{lost.id}")
    try:
        now, deadline = time.time(), time.monotonic() + 90
        while len(BOARD.runs(owner)) < 3 and time.monotonic() < deadline:
            time.sleep(0.5)
        booked = [run.due for run in BOARD.runs(owner)]
        anchor = params.anchor.replace(tzinfo=NEW_YORK).timestamp()
        predicted = load.booked(
            dates.dates(kind, params.rule, params.zone, now, anchor=anchor), now
        )
        assert tuple(booked) == predicted and len(booked) == 3
        assert timedelta(seconds=booked[1] - booked[0]) >= timedelta(hours=23)
    finally:
        BOARD.delete(owner)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fire", ["every 5 s", "by this rule"])
def test_the_code_beside_the_deployment_makes_the_same_schedule(
    kind: schedule.Kind, fire: str
) -> None:
    """The call on the page, made on a flow that only notes it, gives Prefect the schedule that the
    API was sent.
    """
    from prefect import Flow
    from prefect.client.schemas.objects import ConcurrencyLimitConfig
    from prefect.schedules import Cron, Interval, RRule

    params = ScheduleParams(kind=kind, limit=2, collision="cancel the new run")
    noted: dict[str, Any] = {}
    names = {
        "Cron": Cron,
        "Interval": Interval,
        "RRule": RRule,
        "ConcurrencyLimitConfig": ConcurrencyLimitConfig,
    }
    times = {"datetime": datetime, "timedelta": timedelta, "ZoneInfo": ZoneInfo}
    exec(as_sent(params, fire), {**names, **times, "pipeline": SimpleNamespace(serve=noted.update)})  # type: ignore[arg-type]
    made, sent = noted["schedule"], schedule_body(params, fire)  # type: ignore[arg-type]
    assert made.timezone == sent["timezone"] == params.zone
    if "interval" in sent:
        assert made.interval.total_seconds() == sent["interval"]
        assert "anchor_date" not in sent or made.anchor_date == datetime.fromisoformat(
            sent["anchor_date"]
        )
    else:
        assert getattr(made, kind) == sent[kind]
    assert (
        noted["global_limit"].limit == 2
        and noted["global_limit"].collision_strategy.value == "CANCEL_NEW"
    )
    assert set(noted) <= set(inspect.signature(Flow.serve).parameters)
    assert noted["parameters"] == {"data": "same days"}


def test_params_that_no_date_depends_on_share_their_dates() -> None:
    base = ScheduleParams()
    assert (
        schedule.run(replace(base, run_minutes=5.0, down_hours=1.0, rrule="")).plan
        is schedule.run(base).plan
    )
