"""Load strategies: the same files loaded in five ways, and what each did to the truth."""

from __future__ import annotations

from datetime import date
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from engine.etl import loads
from engine.etl.loads import STRATEGIES, LoadsParams, LoadsResult
from engine.etl.loads import figure as figures
from engine.etl.loads.deliveries import ABOUT
from engine.units import format_day, format_seconds
from pages.shell import controls, lab, work

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
            D, "delivery", "Delivery", help=f"How the days reach the warehouse: {about}"
        ),
        n_days=controls.slider(D, "n_days", "Days", help="About 900 flights each"),
        first_date=controls.slider(
            D,
            "first_date",
            "First day",
            help="Storms leave many late and cancelled flights: 8 February, late June",
            format_func=lambda text: format_day(date.fromisoformat(text)),
        ),
        deletes=controls.selectbox(
            D,
            "deletes",
            "Deleted rows",
            help="A tombstone names a flight cancelled since the last file; kept, it is a row that"
            " no reader sees, and an older version of the flight cannot bring it back",
        ),
        keep_newer=controls.toggle(
            D,
            "keep_newer",
            "Upsert keeps the newer row",
            help="MERGE … WHEN MATCHED AND s.updated_at >= t.updated_at",
        ),
        seed=controls.slider(D, "seed", "Seed", help="Of the order in “out of order”"),
    )


def _rows(result: LoadsResult) -> list[dict[str, str]]:
    return [
        {
            "strategy": lane.strategy,
            "state after run 1": lane.hashes[0],
            "after run 2": lane.hashes[1],
            "idempotent": "yes" if lane.idempotent else "no",
            "rows written": f"{lane.n_written:,}",
            "run 1 took": format_seconds(lane.seconds),
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
        diff = lane.ledgers[0].diff(MAX_DIFF_ROWS)
        st.caption(
            f"{lane.strategy}, after run 1: {lane.ledgers[0].verdict}. At most {MAX_DIFF_ROWS} rows"
            " are listed."
        )
        st.dataframe(
            diff, hide_index=True, height=320, alt="Rows in which the table differs from its source"
        )
    elif view == "File by file":
        lab.chart(
            figures.files(result, lane), "loads_files", "The ledger of one strategy after each file"
        )
    else:
        st.table(
            _rows(result),
            hide_index=True,
            border="horizontal",
            alt="State hash and cost of each strategy",
        )


def _show(result: LoadsResult) -> None:
    st.markdown(result.verdict)
    figure = figures.lanes(result, lab.pinned("loads"))
    lab.chart(
        figure, "loads_lanes", "What each strategy's table holds against the source, after two runs"
    )
    if not result.complete:
        return
    _closer(result)
    lab.report("etl", "loads", result, figure)


show = lab.tab("etl", "loads", _params, partial(work.run, "loads", steps=loads.steps, show=_show))
