"""Race: the same rows in up to 17 formats, written and read for real, run by run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from engine.formats import bytes_read, race
from engine.formats.race import OPERATIONS, RaceParams, RaceResult
from engine.formats.race import figure as figures
from engine.units import format_bytes, format_factor, format_seconds
from pages.shell import controls, lab, texts, work
from pages.tabs.formats import table as formats_table

D = RaceParams()


def _params() -> RaceParams:
    start = formats_table.choose(D)
    columns = bytes_read.column_names(start.table, start.upload)
    return replace(
        start,
        n_rows=controls.slider(
            D, "n_rows", "Rows",
            help="Evenly spaced rows of the table. Avro works row by row: about 12 s per repeat for"
            " all flights",
        ),
        formats=controls.multiselect(
            D, "formats", "Formats",
            help="Each with its library: pyarrow, Polars (JSON Lines),"
            " fastavro (Avro)",
        ),
        types=controls.segmented(
            D, "types", "Column types",
            help="Rich: a category, an 8-bit integer, a decimal and New York time, where the table"
            " has columns for them",
        ),
        columns=controls.multiselect(
            start, "columns", "Columns read", options=columns,
            help="The columns of “read columns”",
        ),
        window=controls.slider(
            D, "window", "Filter range", format="percent",
            help="The rows of “read filtered”: from which to which percentile of the filter column",
        ),
        **_more(start),
    )  # fmt: skip


def _more(start: RaceParams) -> dict[str, Any]:
    rangeable = bytes_read.predicate_columns(start.table, start.upload)
    with st.expander("Filter column, repeats, zstd level, seed"):
        values = {
            "predicate_column": controls.selectbox(
                start, "predicate_column", "Filter column", options=rangeable,
                help="The column of the range",
            ),
            "repeats": controls.slider(
                D, "repeats", "Repeats", help="Runs of each call; the median is compared"
            ),
            "zstd_level": controls.slider(
                D, "zstd_level", "zstd level", help="Of Parquet zstd: higher is smaller and slower"
            ),
            "seed": controls.slider(
                D, "seed", "Seed", help="For the order of the runs and the synthetic table"
            ),
        }  # fmt: skip
    if start.table == "synthetic":
        with st.expander("Synthetic table", expanded=True):
            values |= _synthetic()
    return values


def _synthetic() -> dict[str, Any]:
    knobs = {
        "cardinality": ("Distinct categories", "Few distinct values: dictionaries work well"),
        "null_share": ("Nulls", "Share of category and amount that is null"),
        "sortedness": ("Sorted", "Share of the rows in order of the category"),
        "entropy": (
            "Randomness",
            "Share of random bits in amount and payload: no codec can compress them",
        ),
        "zipf": ("Skew", "Zipf exponent: with 0 all categories are equally frequent"),
    }
    shares = ("null_share", "sortedness", "entropy")
    return {
        field: controls.slider(D, field, label, help=text, percent=field in shares)
        for field, (label, text) in knobs.items()
    }


def _table(result: RaceResult, operation: Any) -> list[dict[str, Any]]:
    rows = []
    for lane in result.lanes:
        size = format_bytes(lane.file_bytes) if lane.file_bytes else "…"
        row: dict[str, Any] = {
            "format": lane.name,
            "file": size,
            "round trip": result.round_trip(lane),
        }
        for name in OPERATIONS:
            seconds = lane.median_seconds(name)
            row[name] = format_seconds(seconds) if seconds else "…"
        speed, factor = result.megabytes_per_second(lane, operation), result.factor(lane, operation)
        row |= {
            f"{operation}, MB/s": f"{speed:,.0f}" if speed else "…",
            "× best": format_factor(factor) if factor else "…",
        }
        rows.append(row)
    return rows


def _show(result: RaceResult) -> None:
    if result.best("read columns") is None:
        result = race.preview(result.params)
    pinned = lab.pinned("race")
    with lab.screen("formats", "race", result) as screen:
        place = st.container()
        operation: Any = controls.view("race_operation", OPERATIONS, "Time shown", "read columns")
        with place:
            screen.answer(
                figures.chart(result, operation, pinned),
                "race_chart",
                "File size and every single run of each format",
            )
        left_out = (
            f" Without {', '.join(result.left_out)}: not all formats can store such values."
            if result.left_out
            else ""
        )
        st.caption(
            f"{result.n_rows:,} rows × {result.n_columns} columns,"
            f" {format_bytes(result.table_bytes)} as Arrow in memory (the base of MB/s). Dots:"
            f" single runs. Lines and table: medians.{left_out}"
        )
        texts.table(_table(result, operation), "Medians, speed and fidelity")


def _output(params: RaceParams) -> None:
    work.run("race", params, race.steps, _show, first=lambda: race.preview(params))


show = lab.tab("formats", "race", _params, _output)
