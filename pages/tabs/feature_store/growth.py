"""Cost as it grows: Feast's two stores against three as-of joins, as labels, rows and keys grow."""

from __future__ import annotations

from functools import partial
from typing import Any

import streamlit as st

from engine.feature_store.growth import GrowthParams, GrowthResult, steps
from engine.feature_store.growth import figure as figures
from engine.units import format_bytes, format_seconds
from pages.shell import controls, lab, work

D = GrowthParams()


def _params() -> GrowthParams:
    settings: dict[str, Any] = {
        "n_labels": controls.slider(
            D, "n_labels", "Labels", format_func=str,
            help="Entity rows of the largest join: flights",
        ),
        "n_rows": controls.slider(
            D, "n_rows", "Feature rows", format_func=str,
            help="Landings, evenly taken over the year",
        ),
        "n_keys": controls.slider(
            D, "n_keys", "Keys", format_func=str, help="Groups of planes: 3 are like airports"
        ),
        "ttl": controls.slider(D, "ttl", "TTL", format_func=str, help="How old a value may be"),
        "contestants": controls.multiselect(
            D, "contestants", "Joins", help="Each reads its feature rows from the same Parquet file"
        ),
        "memory": controls.toggle(
            D, "memory", "Peak memory as well", help="In a child process, some ten seconds more"
        ),
    }  # fmt: skip
    with st.expander("Repeats, seed"):
        settings["repeats"] = controls.slider(
            D, "repeats", "Rounds", help="Runs of each join; the fastest counts"
        )
        settings["seed"] = controls.slider(D, "seed", "Seed", help="Of the order of turns")
    return GrowthParams(**settings)


def _table(result: GrowthResult) -> list[dict[str, str]]:
    rows = []
    peaks = result.peak_bytes or {}
    for name in result.params.contestants:
        points, slope = result.points_of(name), result.slope(name)
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
                "fastest run": format_seconds(last.best_seconds),
                "slope": "…" if slope is None else f"{slope:.2f}",
                "pairs held": f"{last.n_pairs:,}",
            }
        if result.params.memory:
            row["peak memory"] = format_bytes(peaks[name]) if name in peaks else "…"
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
    if result.points_of("Feast file"):
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


show = lab.tab(
    "feature_store", "growth", _params, partial(work.run, "growth", steps=steps, show=_show)
)
