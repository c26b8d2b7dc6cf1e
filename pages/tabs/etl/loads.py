"""Load strategies: the same files loaded in five ways, each table compared with its source."""

from __future__ import annotations

from datetime import date

import plotly.graph_objects as go
import streamlit as st

from engine.etl import loads
from engine.etl.loads import STRATEGIES, LoadsParams, LoadsResult
from engine.etl.loads import figure as figures
from engine.etl.loads.deliveries import ABOUT
from engine.units import format_day, format_seconds
from pages.shell import controls, lab, texts, work

D = LoadsParams()
VIEWS = ("State and cost", "File by file", "Row by row")
MAX_DIFF_ROWS = 200


def preview() -> go.Figure:
    """Return the chart of the default run."""
    return figures.lanes(loads.run(D))


def _params() -> LoadsParams:
    about = "; ".join(f"**{name}**: {text}" for name, text in ABOUT.items())
    return LoadsParams(
        delivery=controls.selectbox(
            D, "delivery", "Delivery", help=f"How the days reach the warehouse. {about}"
        ),
        n_days=controls.slider(D, "n_days", "Days", help="About 900 flights per day"),
        first_date=controls.slider(
            D,
            "first_date",
            "First day",
            help="8 February and late June have storms: many late and cancelled flights",
            format_func=lambda text: format_day(date.fromisoformat(text)),
        ),
        deletes=controls.selectbox(
            D,
            "deletes",
            "Deleted rows",
            help="A tombstone names a flight cancelled since the last file. A kept tombstone stays"
            " in the table, unseen, so that an older file cannot bring the flight back",
        ),
        keep_newer=controls.toggle(
            D,
            "keep_newer",
            "Upsert keeps newer row",
            help="MERGE … WHEN MATCHED AND s.updated_at >= t.updated_at",
        ),
        seed=controls.slider(D, "seed", "Seed", help="Of the file order in “out of order”"),
    )


def _rows(result: LoadsResult) -> list[dict[str, str]]:
    return [
        {
            "strategy": lane.strategy,
            "hash after run 1": lane.hashes[0],
            "after run 2": lane.hashes[1],
            "idempotent": "yes" if lane.idempotent else "no",
            "rows written": f"{lane.n_written:,}",
            "time of run 1": format_seconds(lane.seconds),
        }
        for lane in result.lanes
    ]


def _closer(result: LoadsResult) -> None:
    with st.container(horizontal=True):
        view = controls.view("loads_view", VIEWS)
        strategy = st.selectbox(
            "Strategy",
            STRATEGIES,
            1,
            key="loads_strategy",
            label_visibility="collapsed",
            width=220,
            disabled=view == VIEWS[0],
            bind="query-params",
        )
    lane = result.lane(strategy)
    if view == "Row by row":
        texts.note(
            f"{lane.strategy}, after run 1: {lane.ledgers[0].verdict}. At most {MAX_DIFF_ROWS} rows"
            " are listed."
        )
        st.dataframe(
            lane.ledgers[0].diff(MAX_DIFF_ROWS),
            hide_index=True,
            height=320,
            alt="Rows in which the table differs from its source",
        )
    elif view == "File by file":
        lab.chart(
            figures.files(result, lane), "loads_files", "The table of one strategy after each file"
        )
    else:
        texts.table(_rows(result), "State hash and cost of each strategy")


def _show(result: LoadsResult) -> None:
    with lab.screen("etl", "loads", result) as screen:
        screen.answer(
            figures.lanes(result, lab.pinned("loads")),
            "loads_lanes",
            "Rows of each strategy's table against the source, after two runs",
        )
        if result.complete:
            _closer(result)


def _output(params: LoadsParams) -> None:
    work.run("loads", params, loads.steps, _show, first=lambda: loads.expected(params))


show = lab.tab("etl", "loads", _params, _output)
