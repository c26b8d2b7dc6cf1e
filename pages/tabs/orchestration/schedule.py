"""Schedules: the next runs of a rule on the clock of each day, overlap, an outage, a real
deployment; inside the same tab, the architecture that a scheduled run passes.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.orchestration import schedule
from engine.orchestration.schedule import (
    ScheduleParams,
    ScheduleResult,
)
from engine.orchestration.schedule import figure as figures
from engine.orchestration.schedule.params import names_two_days
from engine.units import format_seconds
from pages.shell import controls, lab
from pages.tabs.orchestration import components, deployment
from pages.tabs.orchestration.parts import ARCHITECTURE, DATES, SCHEDULES

D = ScheduleParams()
VIEWS = ("Every run", "Overlap", "Server down", "Real deployment")
RUN_MINUTES = (5.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 240.0, 480.0, 1440.0, 2160.0)


def _rule(kind: Any) -> dict[str, Any]:
    if kind == "interval":
        every = controls.slider(
            D,
            "every_minutes",
            "Every",
            help="Counted from 1 January, 09:00 local time",
            format_func=lambda minutes: format_seconds(minutes * 60),
        )
        return {"every_minutes": every}
    if kind == "rrule":
        text = controls.text(
            D,
            "rrule",
            "RRule",
            help="RFC 5545: FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=0;BYSECOND=0. Further lines:"
            " DTSTART, EXRULE, RDATE, EXDATE",
            area=True,
            height=68,
        )
        return {"rrule": text}
    text = controls.text(
        D,
        "cron",
        "Cron",
        help="Minute, hour, day of month, month, day of week: 0 9 * * MON-FRI. A sixth field is for"
        " seconds; `@daily` and the like work too",
    )
    if not names_two_days(text):
        return {"cron": text}
    either = controls.toggle(
        D,
        "day_or",
        "Either day",
        help="On: runs on the day of the month or on the weekday, as cron does. Off: only on days"
        " that are both (`day_or=False`)",
    )
    return {"cron": text, "day_or": either}


def _params() -> ScheduleParams:
    SCHEDULES.choose(DATES)
    kind = controls.segmented(
        D, "kind", "Schedule type", help="The three kinds of schedule that Prefect has"
    )
    rule = _rule(kind)
    zone = controls.text(
        D,
        "zone",
        "Time zone",
        help="An IANA name: Europe/Berlin, Asia/Tokyo, Australia/Lord_Howe, UTC, GMT",
    )
    around = controls.selectbox(D, "around", "Days", help="When the 20 runs are")
    minutes = controls.slider(
        D,
        "run_minutes",
        "Run duration",
        help="Runs overlap if it is longer than the interval",
        format_func=lambda minutes: format_seconds(minutes * 60),
    )
    limit = controls.slider(D, "limit", "Concurrency limit", help="Of the deployment; 0: no limit")
    collision = controls.segmented(
        D,
        "collision",
        "Collision strategy",
        help="At the limit: `ENQUEUE` or `CANCEL_NEW`",
    )
    with st.expander("Outage and year"):
        down = controls.slider(
            D, "down_hours", "Server down, h", help="Starts a minute before the sixth run"
        )
        year = controls.slider(D, "year", "Year", help="The clock changes of this year")
    return ScheduleParams(
        kind=kind,
        zone=(zone or "").strip(),
        around=around,
        run_minutes=minutes,
        limit=limit,
        collision=collision,
        down_hours=down,
        year=year,
        **rule,
    )


def _closer(result: ScheduleResult, view: str) -> None:
    if view == "Overlap":
        lab.chart(
            figures.overlap(result), "schedule_overlap", "When each run waits and when it runs"
        )
        st.caption(
            "Simulated from Prefect's dates. A real worker looks for a free slot every 30 s."
        )
    elif view == "Server down":
        lab.chart(
            figures.outage(result),
            "schedule_outage",
            "Runs due during the outage, and which are started afterwards",
        )
        st.caption(
            "Simulated by the rules of Prefect's scheduler. Airflow by its documentation: a run for"
            " every missed interval, or for the latest one."
        )
    elif view == "Real deployment":
        deployment.show(result.params)
    else:
        st.dataframe(
            result.shown(),
            hide_index=True,
            height=320,
            key="schedule_rows",
            alt="Every scheduled time: local, UTC, reason",
        )


def _output(params: Any) -> None:
    result = schedule.run(params)
    with lab.screen("orchestration", "schedule", result) as screen:
        screen.answer(
            figures.days(result, lab.pinned("schedule")),
            "schedule_days",
            "Each run on the clock of its day",
        )
        _closer(result, controls.view("schedule_view", VIEWS))


_dates = lab.tab("orchestration", "schedule", _params, _output)


def show() -> None:
    """Draw the part that is chosen."""
    architecture = SCHEDULES.chosen() == ARCHITECTURE
    (components.show if architecture else _dates)()
