"""Late data: event time against arrival time, a watermark, a lookback window, and a cursor that
skips rows; and, inside the same tab, a stream.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.etl import late
from engine.etl.late import LateParams, LateResult
from engine.etl.late import figure as figures
from pages.shell import controls, lab
from pages.tabs.etl import streaming
from pages.tabs.etl.subjects import DAILY, LATE, STREAM

D = LateParams()
VIEWS = ("Trade-off", "By day", "Cursor")
run = st.cache_resource(max_entries=64, show_spinner=False)(late.run)


def _params() -> LateParams:
    LATE.choose(DAILY)
    return LateParams(
        watermark_hours=controls.slider(
            D,
            "watermark_hours",
            "Publish delay, h",
            help="Hours after midnight when a day is published: the watermark",
        ),
        lookback_days=controls.slider(
            D, "lookback_days", "Lookback, days", help="Earlier days that each run rebuilds"
        ),
        late_share=controls.slider(
            D, "late_share", "Late rows", help="Share of the rows (simulated)", percent=True
        ),
        late_hours=controls.slider(
            D, "late_hours", "Median delay, h", help="Of late rows (simulated, long tail)"
        ),
        outage_hours=controls.slider(
            D,
            "outage_hours",
            "LGA outage, h",
            help="La Guardia's link is down (simulated); then all of its rows arrive together",
        ),
        lag_minutes=controls.slider(
            D,
            "lag_minutes",
            "Cursor lag, min",
            help="Lag window: each read goes back this far behind the newest updated-at",
        ),
        **_more(),
    )


def _more() -> dict[str, Any]:
    with st.expander("Days, transactions, seed"):
        return {
            "first_day": controls.day_slider(
                D, "first_day", "First day", help="Of the days in view"
            ),
            "n_days": controls.slider(D, "n_days", "Days", help="Event days in view"),
            "poll_minutes": controls.slider(
                D, "poll_minutes", "Cursor interval, min", help="On the first day"
            ),
            "slow_share": controls.slider(
                D, "slow_share", "Slow transactions", help="Simulated", percent=True
            ),
            "slow_minutes": controls.slider(
                D, "slow_minutes", "Mean length, min", help="Of slow transactions (simulated)"
            ),
            "seed": controls.slider(D, "seed", "Seed", help="Of delays and transactions"),
        }


def _closer(result: LateResult, view: str, pinned: LateResult | None) -> None:
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
            "Completeness by hours waited for each lookback",
        )


def _show(params: LateParams) -> None:
    result = run(params)
    pinned = lab.pinned("late")
    with lab.screen("etl", "late", result) as screen:
        screen.answer(
            figures.scatter(result, pinned),
            "late_scatter",
            "Event time of each row against its arrival, with the runs that count it",
        )
        _closer(result, controls.view("late_view", VIEWS), pinned)


_daily = lab.tab("etl", "late", _params, _show)


def show() -> None:
    """Draw the tab: the daily run, or a stream."""
    (streaming.show if LATE.chosen() == STREAM else _daily)()
