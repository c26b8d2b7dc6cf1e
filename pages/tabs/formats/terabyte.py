"""One terabyte: the race's measurements carried to the visitor's size, link, price and weights."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.formats import race, terabyte
from engine.formats.race import RaceResult
from engine.formats.terabyte import (
    CRITERIA,
    LINK_GBIT,
    MEASURED_ROWS,
    RAW_TB,
    TABLES,
    TerabyteParams,
)
from engine.formats.terabyte import figure as figures
from engine.units import human_bytes, human_seconds
from pages.shell import lab, work

D = TerabyteParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
WEIGHED = {
    "storage": "Bytes kept",
    "scan": "Time of one scan",
    "load": "Time to write it all once",
    "fidelity": "Columns that come back as they were",
}


def _params() -> TerabyteParams:
    return TerabyteParams(
        raw_tb=st.select_slider(
            "Size as CSV, TB",
            RAW_TB,
            D.raw_tb,
            format_func="{:g}".format,
            key="terabyte_raw_tb",
            help="1 TB = 10¹² bytes",
            **BOUND,
        ),
        link_gbit=st.select_slider(
            "Link, Gbit/s",
            LINK_GBIT,
            D.link_gbit,
            format_func="{:g}".format,
            key="terabyte_link_gbit",
            help=(
                "Between the storage and the reader: 0.1 is an office line, 10 a cloud machine"
                " beside its object store"
            ),
            **BOUND,
        ),
        columns_share=st.slider(
            "Columns read by a scan",
            0.05,
            1.0,
            D.columns_share,
            0.05,
            format="percent",
            key="terabyte_columns_share",
            help="A columnar reader moves this share of the bytes, a row reader moves all",
            **BOUND,
        ),
        **_weights(),
        **_more(),
    )


def _weights() -> dict[str, int]:
    st.markdown("What counts for you, 0 … 10")
    return {
        f"{name}_weight": st.slider(
            label,
            0,
            10,
            getattr(D, f"{name}_weight"),
            key=f"terabyte_{name}_weight",
            help="0: does not count",
            **BOUND,
        )
        for name, label in WEIGHED.items()
    }


def _more() -> dict[str, Any]:
    with st.expander("Price, scans, measured on"):
        price = st.slider(
            "Price, USD a TB and month",
            0.0,
            200.0,
            D.price,
            1.0,
            key="terabyte_price",
            help="From your own bill",
            **BOUND,
        )
        scans = st.slider(
            "Scans a day",
            0,
            200,
            D.scans_a_day,
            key="terabyte_scans_a_day",
            help="Training runs, reports",
            **BOUND,
        )
        table = st.segmented_control(
            "Table",
            TABLES,
            default=D.table,
            required=True,
            key="terabyte_table",
            help="Which rows are raced",
            **BOUND,
        )
        n_rows = st.select_slider(
            "Rows",
            MEASURED_ROWS,
            D.n_rows,
            format_func="{:,}".format,
            key="terabyte_n_rows",
            help="More rows: longer to measure, a shorter leap to the terabyte",
            **BOUND,
        )
    return {"price": price, "scans_a_day": scans, "table": table, "n_rows": n_rows}


def _show(params: TerabyteParams, measured: RaceResult) -> None:
    result = terabyte.project(params, measured)
    if result is None:
        st.caption("CSV has not had its first round yet; the size counts in CSV.")
        st.skeleton(height=420)
        return
    st.markdown(result.verdict)
    figure = figures.chart(result, lab.pinned("terabyte"))
    lab.chart(
        figure, "terabyte_chart", "Projected cost and scan time of each format, best score first"
    )
    st.caption(
        f"A projection, not a measurement: {measured.n_rows:,} rows of {params.table} were written"
        f" and read {measured.params.repeats} times here, then multiplied. Whiskers run from the"
        " fastest to the slowest run. Score: factors to the best, weighted by"
        f" {', '.join(CRITERIA)}."
    )
    rows = [
        {
            "format": entry.name,
            "score": f"{entry.score:.2f} ({entry.score_low:.2f} … {entry.score_high:.2f})",
            "stored": human_bytes(entry.stored_bytes),
            "USD a month": f"{entry.usd_a_month:,.2f}",
            "one scan": human_seconds(entry.scan.middle),
            "waits for": entry.bottleneck,
            "scans, hours a day": f"{params.scans_a_day * entry.scan.middle / 3600:,.1f}",
            "write all": human_seconds(entry.load.middle),
            "columns changed": f"{entry.changed_share:.0%}",
        }
        for entry in result.formats
    ]
    st.table(rows, hide_index=True, border="horizontal", alt="The projection of each format")
    lab.report("formats", "terabyte", result, figure)


@lab.experiment("terabyte")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("formats", "terabyte")
    with output:
        work.run("terabyte", params.race, race.steps, lambda measured: _show(params, measured))
