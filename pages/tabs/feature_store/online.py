"""Online: a week of materialisation runs, what serving answers against what training joins, inside
the SQLite store.
"""

from __future__ import annotations

import streamlit as st

from engine.feature_store import online
from engine.feature_store.online import OnlineParams, OnlineResult, real
from engine.feature_store.online import figure as figures
from engine.feature_store.online.real import ServedResult
from engine.feature_store.own import online as own_online
from engine.feature_store.own.online import OwnOnlineResult
from pages.shell import controls, lab, work
from pages.tabs.feature_store.own import replace_by_own

D = OnlineParams()
VIEWS = ("All keys", "Inside SQLite", "Read latency")
run = st.cache_resource(max_entries=64, show_spinner=False)(online.run)


def _params() -> OnlineParams:
    source = controls.segmented(
        D, "source", "Feature view",
        help="Weather by airport (3 keys), or rolling delay by plane (the 300 busiest)",
    )  # fmt: skip
    strategy = controls.selectbox(
        D, "strategy", "Materialise",
        help="Full reads 14 days each time, incremental what is new since the last run",
    )  # fmt: skip
    every = controls.slider(D, "every_hours", "Every … hours", help="From Monday 0:00 UTC on")
    delay = controls.slider(
        D, "delay_hours", "Feed delay, hours", help="From the event to its row arriving"
    )
    ttl = controls.slider(
        D, "ttl_hours", "TTL, hours", help="How old a value may be in training; 0: any"
    )
    at = controls.slider(
        D, "at_hours", "Scrub: hour of the week",
        help="The moment of the dashed line, of the table and of the verdict",
    )  # fmt: skip
    with st.expander("Key and feature drawn"):
        number = controls.slider(D, "key_number", "Key", help="The three with most rows")
        feature = controls.segmented(
            D, "feature", "Weather feature", disabled=source != "weather",
            help="Planes have one: the mean delay of the last five landings",
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


def _output(params: OnlineParams) -> None:
    result: OnlineResult = run(params)
    pinned = lab.pinned("online")
    st.markdown(result.verdict)
    figure = figures.life(result, pinned)
    lab.chart(figure, "online_life", "One key's value in training and in serving over the week")
    rows = result.keys_at(params.at_hours)
    st.table(
        rows, hide_index=True, border="horizontal", alt="The drawn keys at the scrubbed moment"
    )
    if controls.view("online_view", VIEWS) == VIEWS[0]:
        lab.chart(
            figures.keys_by_hour(result, pinned),
            "online_keys",
            "Share of keys that differ, hour by hour",
        )
    work.run("online", params.job, real.steps, _show_served, first=ServedResult(params.job))
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


show = replace_by_own(
    lab.tab("feature_store", "online", _params, _output), "online_own", own_online.steps, _show_own
)
