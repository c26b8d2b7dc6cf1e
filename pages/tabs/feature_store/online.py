"""Online: a week of materialization runs, what serving answers against what training joins, inside
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
from pages.shell import controls, lab, texts, work
from pages.tabs.feature_store.own import replace_by_own

D = OnlineParams()
VIEWS = ("All keys", "Three keys", "Inside SQLite", "Read latency")
run = st.cache_resource(max_entries=64, show_spinner=False)(online.run)


def _params() -> OnlineParams:
    source = controls.segmented(
        D, "source", "Feature view",
        help="Weather by airport (3 keys), or rolling delay by plane (the 300 busiest)",
    )  # fmt: skip
    strategy = controls.selectbox(
        D, "strategy", "Materialization",
        help="Full reads 14 days each time; incremental reads what is new since the last run",
    )  # fmt: skip
    every = controls.slider(
        D, "every_hours", "Every, h", help="Time between two runs, from Monday 0:00 UTC on"
    )
    delay = controls.slider(
        D, "delay_hours", "Feed delay, h", help="From the event to the arrival of its row"
    )
    ttl = controls.slider(
        D, "ttl_hours", "TTL, h", help="Maximum age of a value in training; 0: no limit"
    )
    at = controls.slider(
        D, "at_hours", "Hour of week",
        help="The time of the dashed line, of “Three keys” and of the count of keys",
    )  # fmt: skip
    with st.expander("Plotted key and feature"):
        number = controls.slider(
            D, "key_number", "Key", help="One of the three keys with most rows"
        )
        feature = controls.segmented(
            D, "feature", "Weather feature", disabled=source != "weather",
            help="Planes have one feature: the mean delay of the last five landings",
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
    """Show what Feast confirms, and the chosen view of it."""
    st.markdown(served.verdict)
    view = st.session_state.get("online_view", VIEWS[0])
    if view == "Read latency" and served.reads:
        lab.chart(
            figures.latency(served),
            "online_latency",
            "Time of each get_online_features call, for one key and for 100",
        )
    elif view == "Inside SQLite" and served.rows:
        st.caption(served.facts)
        st.dataframe(served.row_texts(), hide_index=True, height=320)


def _output(params: OnlineParams) -> None:
    result: OnlineResult = run(params)
    pinned = lab.pinned("online")
    with lab.screen("feature_store", "online", result) as screen:
        screen.answer(
            figures.life(result, pinned),
            "online_life",
            "One key's value in training and in serving over the week",
        )
        view = controls.view("online_view", VIEWS)
        if view == "All keys":
            lab.chart(
                figures.keys_by_hour(result, pinned),
                "online_keys",
                "Share of keys that differ, hour by hour",
            )
        elif view == "Three keys":
            texts.table(result.keys_at(params.at_hours), "Three keys at the chosen hour")
        work.run("online", params.job, real.steps, _show_served, first=ServedResult(params.job))


def _show_own(result: OwnOnlineResult) -> None:
    st.markdown(result.verdict)
    lab.chart(
        figures.own_latency(result),
        "online_own",
        "Read latency by feature view of your own repository",
    )
    texts.table(result.table_texts(), "Feature views in the online store")
    st.dataframe(result.row_texts(), hide_index=True, height=320)


show = replace_by_own(
    lab.tab("feature_store", "online", _params, _output), "online_own", own_online.steps, _show_own
)
