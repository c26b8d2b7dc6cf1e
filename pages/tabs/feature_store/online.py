"""Online: a week of materialization runs, what serving answers against what training joins, and the
online store from inside: SQLite, or a Redis or PostgreSQL of one's own beside it.
"""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from engine.feature_store import online
from engine.feature_store.online import OnlineParams, OnlineResult, attached, real
from engine.feature_store.online import figure as figures
from engine.feature_store.online.beside import Beside
from engine.feature_store.online.real import ServedResult
from engine.feature_store.own import online as own_online
from engine.feature_store.own.online import OwnOnlineResult
from pages.shell import controls, lab, texts, work
from pages.tabs.feature_store.own import replace_by_own

D = OnlineParams()
VIEWS = ("All keys", "Three keys", "Cell by cell", "Inside the store", "Read latency")
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
    store = controls.selectbox(
        D, "store", "Online store",
        help="Where Feast serves from. Redis or PostgreSQL run where a variable names one",
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
        store=store,
    )


def _show_served(served: ServedResult) -> None:
    """Show what Feast confirms, and the chosen view of it."""
    if not served.seconds:
        return  # the line of the job says that it starts, or why it failed
    st.markdown(served.verdict)
    view = st.session_state.get("online_view", VIEWS[0])
    if served.beside is not None:
        _show_beside(served.beside, view)
    elif view == "Cell by cell":
        st.caption(
            "Set Online store to Redis or PostgreSQL: its answers are shown beside SQLite's."
        )
    elif view == "Read latency" and served.reads:
        lab.chart(
            figures.latency(served),
            "online_latency",
            "Time of each get_online_features call, for one key and for 100",
        )
    elif view == "Inside the store" and served.rows:
        st.caption(served.facts)
        st.dataframe(served.row_texts(), hide_index=True, height=320)


def _show_beside(found: Beside, view: str) -> None:
    """Show what the picked store and SQLite answer, and the chosen view of it."""
    st.markdown(found.verdict)
    if view == "Cell by cell" and found.rows:
        st.caption(found.rows_caption)
        st.dataframe(
            found.rows, hide_index=True, height=320, key="online_cells",
            alt=f"What SQLite and {found.store} answer, value by value, differences first",
        )  # fmt: skip
    elif view == "Inside the store" and found.stored:
        st.caption(found.stored.facts)
        st.dataframe(
            found.stored.rows, hide_index=True, height=320, key="online_stored",
            alt=f"What {found.store} holds, byte by byte",
        )  # fmt: skip
    elif view == "Read latency" and found.reads:
        lab.chart(
            figures.store_latency(found),
            "online_store_latency",
            f"Time of each get_online_features call, SQLite and {found.store}",
        )
        texts.table(found.latency_rows(), "Read latency by store, with its spread over the rounds")
        st.caption(
            "SQLite is a file that this process reads; the other store answers over a socket. The"
            " stores took turns, round by round."
        )


def _output(params: OnlineParams) -> None:
    result: OnlineResult = run(params)
    pinned = lab.pinned("online")
    with lab.screen("feature_store", "online", result) as screen:
        screen.answer(
            figures.life(result, pinned, run(replace(params, store="SQLite"))),
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
        if view == "Inside the store":
            with st.expander("feature_store.yaml for this store"):
                st.code(attached.settings_text(params.store), language="yaml")
        if missing := attached.missing(params.store):
            st.info(missing)
        else:
            first = ServedResult(params.job)
            work.run("online", params.job, real.steps, _show_served, first=first)


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
