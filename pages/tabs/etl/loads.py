"""Load strategies: the same files loaded in five ways, and what each did to the truth."""

from __future__ import annotations

from datetime import date
from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.etl import loads
from engine.etl.loads import (
    DATES,
    DELETES,
    DELIVERIES,
    MAX_DAYS,
    STRATEGIES,
    LoadsParams,
    LoadsResult,
)
from engine.etl.loads import figure as figures
from engine.etl.loads.deliveries import ABOUT
from engine.units import human_seconds
from pages.shell import lab, work

D = LoadsParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
VIEWS = ("State and cost", "File by file", "Row by row")
MAX_DIFF_ROWS = 200


def preview() -> go.Figure:
    """Return the chart of the default run."""
    return figures.lanes(loads.run(D))


def _params() -> LoadsParams:
    delivery = st.selectbox(
        "Delivery",
        DELIVERIES,
        DELIVERIES.index(D.delivery),
        key="loads_delivery",
        help="How the days reach the warehouse: "
        + "; ".join(f"**{name}**: {text}" for name, text in ABOUT.items()),
        **BOUND,
    )
    n_days = st.slider(
        "Days", 1, MAX_DAYS, D.n_days, key="loads_n_days", help="About 900 flights each", **BOUND
    )
    first_date = st.select_slider(
        "First day",
        DATES,
        D.first_date,
        format_func=lambda text: f"{date.fromisoformat(text):%d %b %Y}",
        key="loads_first_date",
        help="Storms leave many late and cancelled flights: 8 February, late June",
        **BOUND,
    )
    deletes = st.selectbox(
        "Deleted rows",
        DELETES,
        DELETES.index(D.deletes),
        key="loads_deletes",
        help=(
            "A tombstone names a flight cancelled since the last file; kept, it is a row that no"
            " reader sees, and an older version of the flight cannot bring it back"
        ),
        **BOUND,
    )
    keep_newer = st.toggle(
        "Upsert keeps the newer row",
        D.keep_newer,
        key="loads_keep_newer",
        help="MERGE … WHEN MATCHED AND s.updated_at >= t.updated_at",
        **BOUND,
    )
    seed = st.slider(
        "Seed", 0, 99, D.seed, key="loads_seed", help="Of the order in “out of order”", **BOUND
    )
    return LoadsParams(
        delivery=delivery,
        n_days=n_days,
        first_date=first_date,
        deletes=deletes,
        keep_newer=keep_newer,
        seed=seed,
    )


def _rows(result: LoadsResult) -> list[dict[str, str]]:
    return [
        {
            "strategy": lane.strategy,
            "state after run 1": lane.hashes[0],
            "after run 2": lane.hashes[1],
            "idempotent": "yes" if lane.idempotent else "no",
            "rows written": f"{lane.n_written:,}",
            "run 1 took": human_seconds(lane.seconds),
        }
        for lane in result.lanes
    ]


def _closer(result: LoadsResult) -> None:
    with st.container(horizontal=True):
        view = st.segmented_control(
            "Look closer",
            VIEWS,
            default=VIEWS[0],
            required=True,
            key="loads_view",
            label_visibility="collapsed",
            **BOUND,
        )
        strategy = st.selectbox(
            "Strategy",
            STRATEGIES,
            1,
            key="loads_strategy",
            label_visibility="collapsed",
            width=220,
            disabled=view in (None, VIEWS[0]),
            **BOUND,
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


@lab.experiment("loads")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("etl", "loads")
    with output:
        work.run("loads", params, loads.steps, _show)
