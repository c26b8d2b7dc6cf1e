"""Late data: event time against arrival time, a watermark and a look-back to drag, and a cursor
that skips rows.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.etl import late
from engine.etl.late import POLLS, LateParams
from engine.etl.late import figure as figures
from pages.shell import lab

D = LateParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("Trade-off", "By day", "Cursor")
run = st.cache_resource(max_entries=64, show_spinner=False)(late.run)


def _params() -> LateParams:
    watermark = st.slider(
        "Published after midnight, hours", 0, 72, D.watermark_hours, key="late_watermark_hours",
        help="The watermark: by then a day's rows are taken to have come", **BOUND
    )  # fmt: skip
    look_back = st.slider(
        "Look-back, days",
        0,
        14,
        D.lookback_days,
        key="late_lookback_days",
        help="Earlier days that each run rebuilds",
        **BOUND,
    )
    share = st.slider(
        "Late rows, share",
        0.0,
        0.5,
        D.late_share,
        0.01,
        key="late_late_share",
        help="Simulated",
        **BOUND,
    )
    hours = st.slider(
        "Late by, median hours",
        1,
        72,
        D.late_hours,
        key="late_late_hours",
        help="Simulated, with a long tail",
        **BOUND,
    )
    outage = st.slider(
        "La Guardia's link is down, hours", 0, 96, D.outage_hours, key="late_outage_hours",
        help="Simulated: then all of its rows arrive at once", **BOUND
    )  # fmt: skip
    lag = st.slider(
        "Lag window of the cursor, minutes", 0, 240, D.lag_minutes, 5, key="late_lag_minutes",
        help="Each read goes back this far behind the last updated-at seen", **BOUND
    )  # fmt: skip
    return LateParams(
        watermark_hours=watermark,
        lookback_days=look_back,
        late_share=share,
        late_hours=hours,
        outage_hours=outage,
        lag_minutes=lag,
        **_more(),
    )


def _more() -> dict[str, Any]:
    with st.expander("Days, transactions, seed"):
        first = st.slider(
            "First day of 2013",
            1,
            338,
            D.first_day,
            key="late_first_day",
            help="32 is 1 February",
            **BOUND,
        )
        n_days = st.slider(
            "Days", 5, 28, D.n_days, key="late_n_days", help="Event days in view", **BOUND
        )
        poll = st.select_slider(
            "Cursor reads every, minutes",
            POLLS,
            D.poll_minutes,
            key="late_poll_minutes",
            help="Of the first day",
            **BOUND,
        )
        slow = st.slider(
            "Slow transactions",
            0.0,
            0.5,
            D.slow_share,
            0.01,
            key="late_slow_share",
            help="Simulated",
            **BOUND,
        )
        minutes = st.slider(
            "They take, mean minutes",
            1,
            120,
            D.slow_minutes,
            key="late_slow_minutes",
            help="Simulated, exponential",
            **BOUND,
        )
        seed = st.slider(
            "Seed", 0, 99, D.seed, key="late_seed", help="Of delays and transactions", **BOUND
        )
    return {
        "first_day": first,
        "n_days": n_days,
        "poll_minutes": poll,
        "slow_share": slow,
        "slow_minutes": minutes,
        "seed": seed,
    }


@lab.experiment("late")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("etl", "late")
    with output:
        result = run(params)
        pinned = lab.pinned("late")
        st.markdown(result.verdict)
        figure = figures.scatter(result, pinned)
        lab.chart(
            figure,
            "late_scatter",
            "Event time of each row against its arrival, with the runs that count it",
        )
        view = st.segmented_control(
            "Look closer",
            VIEWS,
            default="Trade-off",
            required=True,
            key="late_view",
            label_visibility="collapsed",
            **BOUND,
        )
        if view == "By day":
            lab.chart(
                figures.by_day(result),
                "late_days",
                "Rows that came after publication, by event day",
            )
            st.dataframe(
                result.table(),
                hide_index=True,
                key="late_table",
                alt="Completeness, freshness and cost by event day",
            )
        elif view == "Cursor":
            lab.chart(
                figures.cursor(result, pinned),
                "late_cursor",
                "Timestamp of each row against the time to its commit",
            )
        else:
            lab.chart(
                figures.trade_off(result, pinned),
                "late_trade_off",
                "Completeness by hours waited for each look-back",
            )
        lab.report("etl", "late", result, figure)
