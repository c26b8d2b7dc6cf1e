"""Cost as it grows: Feast's two stores against three as-of joins, as labels, rows and keys grow."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.feature_store import growth
from engine.feature_store.growth import CONTESTANTS, N_KEYS, SIZES, TTLS, GrowthParams, GrowthResult
from engine.feature_store.growth import figure as figures
from engine.units import human_bytes, human_seconds
from pages.shell import lab, work

D = GrowthParams()
BOUND: dict[str, Any] = {"bind": "query-params"}


def _params() -> GrowthParams:
    settings: dict[str, Any] = {
        "n_labels": st.select_slider(
            "Labels", SIZES, D.n_labels, key="growth_n_labels", help="Entity rows of the largest join: flights", **BOUND
        ),
        "n_rows": st.select_slider(
            "Feature rows", SIZES, D.n_rows, key="growth_n_rows", help="Landings, evenly taken over the year", **BOUND
        ),
        "n_keys": st.select_slider(
            "Keys", N_KEYS, D.n_keys, key="growth_n_keys", help="Groups of planes: 3 are like airports", **BOUND
        ),
        "ttl": st.select_slider("TTL", tuple(TTLS), D.ttl, key="growth_ttl", help="How old a value may be", **BOUND),
        "contestants": tuple(
            st.multiselect(
                "Joins", list(CONTESTANTS), default=list(D.contestants), key="growth_contestants",
                help="Each reads its feature rows from the same Parquet file", **BOUND,
            )
        ),
        "memory": st.toggle(
            "Peak memory as well", D.memory, key="growth_memory", help="In a child process, some ten seconds more", **BOUND
        ),
    }  # fmt: skip
    with st.expander("Repeats, seed"):
        settings["repeats"] = st.slider(
            "Rounds",
            1,
            5,
            D.repeats,
            key="growth_repeats",
            help="Runs of each join; the fastest counts",
            **BOUND,
        )
        settings["seed"] = st.slider(
            "Seed", 0, 99, D.seed, key="growth_seed", help="Of the order of turns", **BOUND
        )
    return GrowthParams(**settings)


def _table(result: GrowthResult) -> list[dict[str, str]]:
    rows = []
    peaks = result.peak_bytes or {}
    for name in result.params.contestants:
        points, slope = result.of(name), result.slope(name)
        row = {
            "join": name,
            "largest measured": "…",
            "fastest run": "…",
            "slope": "…",
            "pairs held": "…",
        }
        if points:
            last = points[-1]
            row |= {
                "largest measured": f"{last.n_labels:,} × {last.n_rows:,}",
                "fastest run": human_seconds(last.best_seconds),
                "slope": "…" if slope is None else f"{slope:.2f}",
                "pairs held": f"{last.n_pairs:,}",
            }
        if result.params.memory:
            row["peak memory"] = human_bytes(peaks[name]) if name in peaks else "…"
        rows.append(row)
    return rows


def _show(result: GrowthResult) -> None:
    st.markdown(result.verdict)
    for sentence in result.left_out:
        st.warning(sentence, icon=":material/do_not_disturb_on:")
    if result.complete and not result.agree:
        st.error("The joins do not give the same answer.", icon=":material/error:")
    figure = figures.growth(result, lab.pinned("growth"))
    lab.chart(
        figure, "growth_seconds", "Seconds of each join as the rows grow, on two logarithmic axes"
    )
    if result.of("Feast file"):
        lab.chart(
            figures.pairs(result),
            "growth_pairs",
            "Seconds of Feast's stores over the pairs that they join",
        )
    if result.peak_bytes:
        lab.chart(figures.memory(result), "growth_peaks", "Peak memory of each join")
    st.table(
        _table(result),
        hide_index=True,
        border="horizontal",
        alt="Seconds, slope, pairs and memory of each join",
    )
    lab.report("feature_store", "growth", result, figure)


@lab.experiment("growth")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("feature_store", "growth")
    with output:
        work.run("growth", params, growth.steps, _show)
