"""Online: a week of materialisation runs, what serving answers against what training joins, inside
the SQLite store.
"""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.feature_store import online
from engine.feature_store.flight_features import SOURCES
from engine.feature_store.online import (
    EVERY_HOURS,
    STRATEGIES,
    TTL_HOURS,
    WEATHER_FEATURES,
    OnlineParams,
    OnlineResult,
    real,
)
from engine.feature_store.online import figure as figures
from engine.feature_store.online.real import ServedResult
from engine.feature_store.own import online as own_online
from engine.feature_store.own.online import OwnOnlineResult
from pages.shell import lab, work
from pages.tabs.feature_store import own

D = OnlineParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("All keys", "Inside SQLite", "Read latency")
run = st.cache_resource(max_entries=64, show_spinner=False)(online.run)


def _params() -> OnlineParams:
    source = st.segmented_control(
        "Feature view", SOURCES, default=D.source, required=True, key="online_source",
        help="Weather by airport (3 keys), or rolling delay by plane (the 300 busiest)", **BOUND
    )  # fmt: skip
    strategy = st.selectbox(
        "Materialise", STRATEGIES, STRATEGIES.index(D.strategy), key="online_strategy",
        help="Full reads 14 days each time, incremental what is new since the last run", **BOUND
    )  # fmt: skip
    every = st.select_slider(
        "Every … hours",
        EVERY_HOURS,
        D.every_hours,
        key="online_every_hours",
        help="From Monday 0:00 UTC on",
        **BOUND,
    )
    delay = st.slider(
        "Feed delay, hours",
        0,
        48,
        D.delay_hours,
        key="online_delay_hours",
        help="From the event to its row arriving",
        **BOUND,
    )
    ttl = st.select_slider(
        "TTL, hours",
        TTL_HOURS,
        D.ttl_hours,
        key="online_ttl_hours",
        help="How old a value may be in training; 0: any",
        **BOUND,
    )
    at = st.slider(
        "Scrub: hour of the week", 0, online.WEEK_HOURS, D.at_hours, key="online_at_hours",
        help="The moment of the dashed line, of the table and of the verdict", **BOUND
    )  # fmt: skip
    with st.expander("Key and feature drawn"):
        number = st.slider(
            "Key",
            1,
            online.N_KEYS_DRAWN,
            D.key_number,
            key="online_key_number",
            help="The three with most rows",
            **BOUND,
        )
        feature = st.segmented_control(
            "Weather feature", WEATHER_FEATURES, default=D.feature, required=True, key="online_feature",
            help="Planes have one: the mean delay of the last five landings", disabled=source != "weather", **BOUND
        )  # fmt: skip
    return OnlineParams(
        source=source,
        strategy=strategy,
        every_hours=every,
        delay_hours=delay,
        ttl_hours=ttl,
        at_hours=at,
        key_number=number,
        feature=feature,
    )


def _show_served(served: ServedResult) -> None:
    """Show what Feast itself says, and the view of it that is asked for."""
    st.markdown(served.verdict)
    view = st.session_state.get("online_view", VIEWS[0])
    if view == "Read latency" and served.reads:
        lab.chart(
            figures.latency(served),
            "online_latency",
            "Times of get_online_features for one key and for many",
        )
    elif view == "Inside SQLite" and served.rows:
        st.caption(served.facts)
        st.dataframe(served.row_texts(), hide_index=True, height=320)


def _draw(result: OnlineResult) -> None:
    pinned = lab.pinned("online")
    st.markdown(result.verdict)
    figure = figures.life(result, pinned)
    lab.chart(figure, "online_life", "One key's value in training and in serving over the week")
    rows = result.keys_at(result.params.at_hours)
    st.table(
        rows, hide_index=True, border="horizontal", alt="The drawn keys at the scrubbed moment"
    )
    view = st.segmented_control(
        "Look closer",
        VIEWS,
        default=VIEWS[0],
        required=True,
        key="online_view",
        label_visibility="collapsed",
        **BOUND,
    )
    if view == VIEWS[0]:
        lab.chart(
            figures.keys_by_hour(result, pinned),
            "online_keys",
            "Share of keys that differ, hour by hour",
        )
    job = result.params.job
    work.run("online", job, real.steps, _show_served, first=ServedResult(job))
    lab.report("feature_store", "online", result, figure)


def _show_own(result: OwnOnlineResult) -> None:
    st.markdown(result.verdict)
    lab.chart(
        figures.own_latency(result),
        "online_own",
        "Read latency by feature view of your own repository",
    )
    st.table(
        result.table_texts(),
        hide_index=True,
        border="horizontal",
        alt="Feature views in the online store",
    )
    st.dataframe(result.row_texts(), hide_index=True, height=320)


@lab.experiment("online")
def show() -> None:
    if own.shown("online_own", own_online.steps, _show_own):
        return
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("feature_store", "online")
    with output:
        _draw(run(params))
