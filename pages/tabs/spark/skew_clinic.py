"""Skew clinic: a join on a Zipf key, five cures, every task on its core."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.spark import session, skew_clinic
from engine.spark.skew import CURES
from engine.spark.skew_clinic import N_ROWS, SkewClinicParams, SkewClinicResult
from engine.spark.skew_clinic import figure as figures
from pages.shell import lab, work

D = SkewClinicParams()
BOUND: dict[str, Any] = {"bind": "query-params"}


def _params() -> SkewClinicParams:
    exponent = st.slider(
        "Zipf exponent",
        0.0,
        3.0,
        D.exponent,
        0.1,
        key="skew_clinic_exponent",
        help="0: all keys alike; 2: one key has most rows",
        **BOUND,
    )
    cures = st.multiselect(
        "Cures",
        CURES,
        default=list(D.cures),
        key="skew_clinic_cures",
        help="Each is run; “nothing” always takes part",
        **BOUND,
    )
    salts = st.slider(
        "Salts",
        2,
        64,
        D.n_salts,
        key="skew_clinic_n_salts",
        help="Pieces into which salting deals every key",
        **BOUND,
    )
    partitions = st.slider(
        "Shuffle partitions",
        2,
        200,
        D.n_partitions,
        key="skew_clinic_n_partitions",
        help="spark.sql.shuffle.partitions",
        **BOUND,
    )
    threshold = st.slider(
        "AQE threshold, kB",
        16,
        4_096,
        D.threshold_kb,
        16,
        key="skew_clinic_threshold_kb",
        help=(
            "A partition beyond it counts as skewed and is cut into pieces of it. Spark's default,"
            " 256 MB, is too much for tables as small as these"
        ),
        **BOUND,
    )
    with st.expander("Rows, seed"):
        n_rows = st.select_slider(
            "Rows",
            N_ROWS,
            D.n_rows,
            format_func="{:,}".format,
            key="skew_clinic_n_rows",
            help="With the Zipf key",
            **BOUND,
        )
        seed = st.slider("Seed", 0, 99, D.seed, key="skew_clinic_seed", help="Of the keys", **BOUND)
    return SkewClinicParams(
        exponent=exponent,
        cures=tuple(cures),
        n_salts=salts,
        n_partitions=partitions,
        threshold_kb=threshold,
        n_rows=n_rows,
        seed=seed,
    )


def _show(result: SkewClinicResult) -> None:
    st.caption(session.ENGINE.status)  # here, for it changes while Spark starts
    st.markdown(result.verdict)
    figure = figures.gantt(result, lab.pinned("skew_clinic"))
    lab.chart(figure, "skew_clinic_gantt", "Every task of every cure by core over time")
    if not result.outcomes:
        return
    st.table(
        result.rows(),
        hide_index=True,
        border="horizontal",
        alt="Every cure in numbers, quickest first",
    )
    for alert in result.alerts:
        st.markdown(f":material/warning: {alert}")
    lab.report("spark", "skew_clinic", result, figure)


@lab.experiment("skew_clinic")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("spark", "skew_clinic")
    with output:
        work.run("skew_clinic", params, skew_clinic.steps, _show, skew_clinic.preview(params))
