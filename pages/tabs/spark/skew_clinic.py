"""Skew clinic: a join on a Zipf key, five remedies, every task on its core."""

from __future__ import annotations

import streamlit as st

from engine.spark import session, skew_clinic
from engine.spark.skew_clinic import SkewClinicParams, SkewClinicResult
from engine.spark.skew_clinic import figure as figures
from pages.shell import controls, lab, texts, work

D = SkewClinicParams()
RENAMED = {"nothing": "plain join", "hot key apart": "isolate hot key"}  # in older links


def _follow_renamed() -> None:
    """Take a link's older names of remedies for today's."""
    chosen = st.query_params.get_all("skew_clinic_cures")
    if "skew_clinic_cures" not in st.session_state and set(chosen) & set(RENAMED):
        st.session_state["skew_clinic_cures"] = [RENAMED.get(one, one) for one in chosen]


def _params() -> SkewClinicParams:
    _follow_renamed()
    exponent = controls.slider(
        D, "exponent", "Zipf exponent", help="0: all keys equally frequent; 2: one has most rows"
    )
    remedies = controls.multiselect(
        D, "cures", "Remedies", help="Each is run; the plain join always takes part"
    )
    salts = controls.slider(D, "n_salts", "Salts", help="Pieces that salting splits each key into")
    partitions = controls.slider(
        D, "n_partitions", "Shuffle partitions", help="`spark.sql.shuffle.partitions`"
    )
    threshold = controls.slider(
        D, "threshold_kb", "AQE threshold, KiB",
        help="A larger partition counts as skewed and is split into pieces of this size. Spark's"
        " default, 256 MiB, is too much for tables as small as these",
    )  # fmt: skip
    with st.expander("Rows, seed"):
        n_rows = controls.slider(D, "n_rows", "Rows", help="With the Zipf key")
        seed = controls.slider(D, "seed", "Seed", help="Of the keys")
    return SkewClinicParams(
        exponent=exponent,
        cures=remedies,
        n_salts=salts,
        n_partitions=partitions,
        threshold_kb=threshold,
        n_rows=n_rows,
        seed=seed,
    )


def _show(result: SkewClinicResult) -> None:
    with lab.screen("spark", "skew_clinic", result) as screen:
        screen.answer(
            figures.gantt(result, lab.pinned("skew_clinic")),
            "skew_clinic_gantt",
            "Every task of each remedy by core over time",
        )
        st.caption(session.ENGINE.status)  # here, for it changes while Spark starts
        if result.outcomes:
            texts.table(result.rows(), "Every remedy in numbers, fastest first")
        for alert in result.alerts:
            st.markdown(f":material/warning: {alert}")


def _output(params: SkewClinicParams) -> None:
    work.run("skew_clinic", params, skew_clinic.steps, _show, skew_clinic.preview(params))


show = lab.tab("spark", "skew_clinic", _params, _output)
