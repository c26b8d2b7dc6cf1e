"""Schedules: the next runs of a rule on the clock of each day, what overlaps, what an outage takes,
a real deployment.
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
from engine.units import format_seconds
from pages.shell import controls, lab, texts
from pages.tabs.orchestration import deployment

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
            "Rrule",
            help="RFC 5545: FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=0;BYSECOND=0",
        )
        return {"rrule": text or ""}
    text = controls.text(
        D, "cron", "Cron", help="Minute, hour, day of month, month, day of week: 0 9 * * MON-FRI"
    )
    return {"cron": text or ""}


def _params() -> ScheduleParams:
    kind = controls.segmented(D, "kind", "Kind", help="Prefect's three kinds of schedule")
    rule = _rule(kind)
    zone = controls.text(
        D,
        "zone",
        "Time zone",
        help="An IANA name: Europe/Berlin, Asia/Tokyo, Australia/Lord_Howe, UTC",
    )
    around = controls.selectbox(D, "around", "Days", help="The days that the 20 runs fall on")
    minutes = controls.slider(
        D,
        "run_minutes",
        "A run takes",
        help="Longer than the time to the next run: they overlap",
        format_func=lambda minutes: format_seconds(minutes * 60),
    )
    limit = controls.slider(D, "limit", "At most at once", help="Of the deployment; 0: no limit")
    collision = controls.segmented(
        D,
        "collision",
        "If that is reached",
        help="Prefect's collision strategy: ENQUEUE or CANCEL_NEW",
    )
    with st.expander("Outage, year"):
        down = controls.slider(
            D, "down_hours", "Server down, hours", help="From a minute before the sixth run on"
        )
        year = controls.slider(D, "year", "Year", help="Whose changes of the clocks are looked at")
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


def _closer(result: ScheduleResult, view: str | None) -> None:
    if view == "Overlap":
        lab.chart(
            figures.overlap(result), "schedule_overlap", "When each run waits and when it runs"
        )
        st.caption(
            "Simulated from Prefect's dates. A real worker asks again for a free slot every 30 s"
            " only."
        )
    elif view == "Server down":
        lab.chart(
            figures.outage(result),
            "schedule_outage",
            "Runs due during the outage, and who makes up for them",
        )
        st.caption(
            "Simulated by the rules of Prefect's scheduler, which never looks back. Airflow stated"
            " from its documentation: a run for every interval missed, or for the latest one."
        )
    elif view == "Real deployment":
        deployment.show(result.params)
    else:
        st.dataframe(
            result.shown(),
            hide_index=True,
            height=320,
            key="schedule_rows",
            alt="Every time that the rule names: local, UTC, why",
        )


def _output(params: Any) -> None:
    result = schedule.run(params)
    texts.say(result.verdict)
    figure = figures.days(result, lab.pinned("schedule"))
    lab.chart(figure, "schedule_days", "Each run on the clock of its day")
    place, below = lab.places(1)[0]
    with place:
        view = controls.view("schedule_view", VIEWS)
    with below:
        _closer(result, view)
    lab.report("orchestration", "schedule", result, figure)


show = lab.tab("orchestration", "schedule", _params, _output)
