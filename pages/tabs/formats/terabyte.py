"""One terabyte: the race's measurements carried to the visitor's size, link, price and weights."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from engine.formats import race, terabyte
from engine.formats.race import RaceResult
from engine.formats.terabyte import CRITERIA, TerabyteParams
from engine.formats.terabyte import figure as figures
from engine.units import format_bytes, format_range, format_seconds, format_share
from pages.shell import controls, lab, texts, work

D = TerabyteParams()
WEIGHED = {
    "storage": "Storage",
    "scan": "Scan time",
    "load": "Write time",
    "fidelity": "Round-trip fidelity",
}


def _params() -> TerabyteParams:
    return TerabyteParams(
        raw_tb=controls.slider(D, "raw_tb", "CSV size, TB", help="1 TB = 10¹² bytes"),
        link_gbit=controls.slider(
            D, "link_gbit", "Link, Gbit/s",
            help="Between storage and reader: 0.1 is an office line, 10 a cloud machine near its"
            " object store",
        ),
        columns_share=controls.slider(
            D, "columns_share", "Columns per scan", format="percent",
            help="A columnar reader moves this share of the bytes, a row reader moves all",
        ),
        **_weights(),
        **_more(),
    )  # fmt: skip


def _weights() -> dict[str, int]:
    st.markdown("Weights, 0–10")
    return {
        f"{name}_weight": controls.slider(D, f"{name}_weight", label, help="0: not considered")
        for name, label in WEIGHED.items()
    }


def _more() -> dict[str, Any]:
    with st.expander("Price, scans, measured rows"):
        return {
            "price": controls.slider(
                D, "price", "USD per TB and month", help="Price of storage"
            ),
            "scans_a_day": controls.slider(
                D, "scans_a_day", "Scans per day", help="Training runs, reports"
            ),
            "table": controls.segmented(D, "table", "Table", help="The rows that are measured"),
            "n_rows": controls.slider(
                D, "n_rows", "Rows",
                help="More rows: a longer run, a better projection",
            ),
        }  # fmt: skip


def _show(params: TerabyteParams, measured: RaceResult) -> None:
    result = terabyte.project(params, measured)
    if result is None:
        result = terabyte.project(params, race.preview(params.race))
    if result is None:
        st.error("CSV could not be measured.", icon=":material/error:")
        return
    with lab.screen("formats", "terabyte", result) as screen:
        screen.answer(
            figures.chart(result, lab.pinned("terabyte")),
            "terabyte_chart",
            "Projected cost and scan time of each format, best score first",
        )
        st.caption(
            f"Projection: {result.race.n_rows:,} rows of {params.table}, measured here, multiplied."
            " Whiskers: fastest to slowest run. Score: factors to the best, weighted by"
            f" {', '.join(CRITERIA)}."
        )
        rows = [
            {
                "format": entry.name,
                "score": f"{entry.score:.2f}"
                f" ({format_range(entry.score_low, entry.score_high, 2)})",
                "stored": format_bytes(entry.stored_bytes),
                "USD per month": f"{entry.usd_a_month:,.2f}",
                "one scan": format_seconds(entry.scan.middle),
                "waits for": entry.bottleneck,
                "scans, hours per day": f"{params.scans_a_day * entry.scan.middle / 3600:,.1f}",
                "write all": format_seconds(entry.load.middle),
                "columns changed": format_share(entry.changed_share),
            }
            for entry in result.formats
        ]
        texts.table(rows, "The projection of each format")


def _output(params: TerabyteParams) -> None:
    first = partial(race.preview, params.race)
    work.run("terabyte", params.race, race.steps, partial(_show, params), first=first)


show = lab.tab("formats", "terabyte", _params, _output)
