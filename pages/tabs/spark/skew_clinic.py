"""Skew clinic: a join on a Zipf key, five cures, every task on its core."""

from __future__ import annotations

import streamlit as st

from engine.spark import session, skew_clinic
from engine.spark.skew_clinic import SkewClinicParams, SkewClinicResult
from engine.spark.skew_clinic import figure as figures
from pages.shell import controls, lab, work

D = SkewClinicParams()


def _params() -> SkewClinicParams:
    exponent = controls.slider(
        D, "exponent", "Zipf exponent", help="0: all keys alike; 2: one key has most rows"
    )
    cures = controls.multiselect(
        D, "cures", "Cures", help="Each is run; “nothing” always takes part"
    )
    salts = controls.slider(D, "n_salts", "Salts", help="Pieces into which salting deals every key")
    partitions = controls.slider(
        D, "n_partitions", "Shuffle partitions", help="spark.sql.shuffle.partitions"
    )
    threshold = controls.slider(
        D,
        "threshold_kb",
        "AQE threshold, KiB",
        help=(
            "A partition beyond it counts as skewed and is cut into pieces of it. Spark's default,"
            " 256 MiB, is too much for tables as small as these"
        ),
    )
    with st.expander("Rows, seed"):
        n_rows = controls.slider(D, "n_rows", "Rows", help="With the Zipf key")
        seed = controls.slider(D, "seed", "Seed", help="Of the keys")
    return SkewClinicParams(
        exponent=exponent,
        cures=cures,
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


def _output(params: SkewClinicParams) -> None:
    work.run("skew_clinic", params, skew_clinic.steps, _show, skew_clinic.preview(params))


show = lab.tab("spark", "skew_clinic", _params, _output)
