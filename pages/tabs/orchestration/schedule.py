"""Schedules: the next runs of a rule on the clock of each day, what overlaps, what an outage takes,
a real deployment.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.orchestration import schedule
from engine.orchestration.schedule import (
    AROUNDS,
    EVERY_MINUTES,
    KINDS,
    MOST_HOURS,
    ScheduleParams,
    ScheduleResult,
)
from engine.orchestration.schedule import figure as figures
from engine.orchestration.schedule.load import COLLISIONS
from engine.units import human_seconds
from pages.shell import lab, texts
from pages.tabs.orchestration import deployment

D = ScheduleParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Every run", "Overlap", "Server down", "Real deployment")
RUN_MINUTES = (5.0, 15.0, 30.0, 45.0, 60.0, 90.0, 120.0, 240.0, 480.0, 1440.0, 2160.0)


def _rule(kind: Any) -> dict[str, Any]:
    if kind == "interval":
        every = st.select_slider(
            "Every",
            EVERY_MINUTES,
            D.every_minutes,
            format_func=lambda minutes: human_seconds(minutes * 60),
            key="schedule_every_minutes",
            help="Counted from 1 January, 09:00 local time",
            **BOUND,
        )
        return {"every_minutes": every}
    if kind == "rrule":
        text = st.text_input(
            "Rrule",
            D.rrule,
            key="schedule_rrule",
            help="RFC 5545: FREQ=WEEKLY;BYDAY=MO,FR;BYHOUR=9;BYMINUTE=0;BYSECOND=0",
            **BOUND,
        )
        return {"rrule": text or ""}
    text = st.text_input(
        "Cron",
        D.cron,
        key="schedule_cron",
        help="Minute, hour, day of month, month, day of week: 0 9 * * MON-FRI",
        **BOUND,
    )
    return {"cron": text or ""}


def _params() -> ScheduleParams:
    kind = st.segmented_control(
        "Kind",
        KINDS,
        default=D.kind,
        required=True,
        key="schedule_kind",
        help="Prefect's three kinds of schedule",
        **BOUND,
    )
    rule = _rule(kind)
    zone = st.text_input(
        "Time zone",
        D.zone,
        key="schedule_zone",
        help="An IANA name: Europe/Berlin, Asia/Tokyo, Australia/Lord_Howe, UTC",
        **BOUND,
    )
    around = st.selectbox(
        "Days",
        AROUNDS,
        AROUNDS.index(D.around),
        key="schedule_around",
        help="The days that the 20 runs fall on",
        **BOUND,
    )
    minutes = st.select_slider(
        "A run takes",
        RUN_MINUTES,
        D.run_minutes,
        format_func=lambda minutes: human_seconds(minutes * 60),
        key="schedule_run_minutes",
        help="Longer than the time to the next run: they overlap",
        **BOUND,
    )
    limit = st.slider(
        "At most at once",
        0,
        5,
        D.limit,
        key="schedule_limit",
        help="Of the deployment; 0: no limit",
        **BOUND,
    )
    collision = st.segmented_control(
        "If that is reached",
        COLLISIONS,
        default=D.collision,
        required=True,
        key="schedule_collision",
        help="Prefect's collision strategy: ENQUEUE or CANCEL_NEW",
        **BOUND,
    )
    with st.expander("Outage, year"):
        down = st.slider(
            "Server down, hours",
            *(0.0, MOST_HOURS, D.down_hours, 1.0),
            key="schedule_down_hours",
            help="From a minute before the sixth run on",
            **BOUND,
        )
        year = st.slider(
            "Year",
            2000,
            2035,
            D.year,
            key="schedule_year",
            help="Whose changes of the clocks are looked at",
            **BOUND,
        )
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


@lab.experiment("schedule")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("orchestration", "schedule")
    with output:
        result = schedule.run(params)
        texts.say(result.verdict)
        figure = figures.days(result, lab.pinned("schedule"))
        lab.chart(figure, "schedule_days", "Each run on the clock of its day")
        place, below = lab.places(1)[0]
        view = place.segmented_control(
            "Look closer",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="schedule_view",
            label_visibility="collapsed",
            **BOUND,
        )
        with below:
            _closer(result, view)
        lab.report("orchestration", "schedule", result, figure)
