"""Cost as it grows: Feast's two stores against three as-of joins, as labels, rows and keys grow."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.feature_store.growth import GrowthParams, GrowthResult, expected, steps
from engine.feature_store.growth import figure as figures
from engine.units import format_bytes, format_seconds
from pages.shell import controls, lab, texts, work

D = GrowthParams()
VIEWS = ("Pairs joined", "Table")


def _params() -> GrowthParams:
    settings: dict[str, Any] = {
        "n_labels": controls.slider(D, "n_labels", "Labels", help="Entity rows: flights"),
        "n_rows": controls.slider(
            D, "n_rows", "Feature rows", help="Landings, evenly sampled over the year"
        ),
        "n_keys": controls.slider(
            D, "n_keys", "Keys", help="Groups of planes: 3 keys are like three airports"
        ),
        "ttl": controls.slider(D, "ttl", "TTL", help="Maximum age of a value"),
        "contestants": controls.multiselect(
            D, "contestants", "Joins", help="All read the same Parquet file"
        ),
        "memory": controls.toggle(
            D, "memory", "Peak memory", help="Measured in a child process, about 10 s more"
        ),
    }
    with st.expander("Repeats, seed"):
        settings["repeats"] = controls.slider(
            D, "repeats", "Repeats", help="Runs of each join; the fastest is shown"
        )
        settings["seed"] = controls.slider(D, "seed", "Seed", help="For the order of the runs")
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
            "pairs joined": "…",
        }
        if points:
            last = points[-1]
            row |= {
                "largest measured": f"{last.n_labels:,} × {last.n_rows:,}",
                "fastest run": format_seconds(last.best_seconds),
                "slope": "…" if slope is None else f"{slope:.2f}",
                "pairs joined": f"{last.n_pairs:,}",
            }
        if result.params.memory:
            row["peak memory"] = format_bytes(peaks[name]) if name in peaks else "…"
        rows.append(row)
    return rows


def _show(result: GrowthResult) -> None:
    with lab.screen("feature_store", "growth", result) as screen:
        screen.answer(
            figures.growth(result, lab.pinned("growth")),
            "growth_seconds",
            "Time of each join as labels and feature rows grow, on two logarithmic axes",
        )
        for sentence in result.left_out:
            st.warning(sentence, icon=":material/do_not_disturb_on:")
        if result.complete and not result.agree:
            st.error("The joins do not give the same answer.", icon=":material/error:")
        if controls.view("growth_view", VIEWS) == "Table":
            texts.table(_table(result), "Time, slope, pairs and memory of each join")
        elif result.points_of("Feast file"):
            lab.chart(
                figures.pairs(result),
                "growth_pairs",
                "Time of Feast's stores over the pairs that they join",
            )
        if result.peak_bytes:
            lab.chart(figures.memory(result), "growth_peaks", "Peak memory of each join")


def _output(params: GrowthParams) -> None:
    work.run("growth", params, steps, _show, first=lambda: expected(params))


show = lab.tab("feature_store", "growth", _params, _output)
