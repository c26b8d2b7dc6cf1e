"""Race: the same rows in up to 17 formats, written and read for real, run by run."""

from __future__ import annotations

from typing import Any

import streamlit as st

from engine.formats import bytes_read, race
from engine.formats.race import FORMATS, N_ROWS, OPERATIONS, TYPES, RaceParams, RaceResult
from engine.formats.race import figure as figures
from engine.units import human_bytes, human_factor, human_seconds
from pages.shell import lab, texts, work
from pages.tabs.formats import table as formats_table

D = RaceParams()


def _params() -> RaceParams:
    table, path = formats_table.choose("race", D.table)
    return RaceParams(
        table=table,
        upload=path,
        n_rows=st.select_slider(
            "Rows",
            N_ROWS,
            D.n_rows,
            format_func="{:,}".format,
            key="race_n_rows",
            bind="query-params",
            help=(
                "Evenly spaced rows of the table. Avro needs about 12 s a round for all flights: it"
                " goes row by row"
            ),
        ),
        formats=tuple(
            st.multiselect(
                "Formats",
                list(FORMATS),
                default=list(D.formats),
                key="race_formats",
                bind="query-params",
                help=(
                    "Each with the library that writes and reads it: pyarrow, Polars (JSON Lines),"
                    " fastavro (Avro)"
                ),
            )
        ),
        types=st.segmented_control(
            "Column types",
            TYPES,
            default=D.types,
            required=True,
            key="race_types",
            bind="query-params",
            help=(
                "Rich: a category, an 8-bit integer, a decimal and New York time, where the table"
                " has columns for them"
            ),
        ),
        **_questions(table, path),
        **_more(table),
    )


def _questions(table: Any, path: str) -> dict[str, Any]:
    columns, _ = bytes_read.defaults(table, path)
    chosen = st.multiselect(
        "Columns wanted",
        bytes_read.column_names(table, path),
        default=list(columns),
        key="race_columns",
        bind="query-params",
        help="What “read columns” asks for",
    )
    window = st.slider(
        "Range kept",
        0.0,
        1.0,
        D.window,
        0.01,
        format="percent",
        key="race_window",
        bind="query-params",
        help=(
            "What “read filtered” asks for: rows from which to which share of the filter column's"
            " sorted values"
        ),
    )
    return {"columns": tuple(chosen), "window": window}


def _more(table: Any) -> dict[str, Any]:
    values: dict[str, Any] = {}
    path = st.session_state.get("race_upload_path", "") if table == "upload" else ""
    with st.expander("Filter column, rounds, zstd level, seed"):
        rangeable = bytes_read.predicate_columns(table, path)
        place = rangeable.index(bytes_read.defaults(table, path)[1])
        bound: dict[str, Any] = {"bind": "query-params"}
        values["predicate_column"] = st.selectbox(
            "Filter on",
            rangeable,
            place,
            key="race_predicate_column",
            help="The column of the range",
            **bound,
        )
        values["repeats"] = st.slider(
            "Rounds",
            1,
            9,
            D.repeats,
            key="race_repeats",
            help="Runs of each call; the median is compared",
            **bound,
        )
        values["zstd_level"] = st.slider(
            "Level of Parquet zstd",
            1,
            19,
            D.zstd_level,
            key="race_zstd_level",
            help="Higher packs tighter, slower",
            **bound,
        )
        values["seed"] = st.slider(
            "Seed",
            0,
            99,
            D.seed,
            key="race_seed",
            help="Of the turns' order and the synthetic table",
            **bound,
        )
    if table == "synthetic":
        with st.expander("What the synthetic table is like", expanded=True):
            values |= _synthetic(bound)
    return values


def _synthetic(bound: dict[str, Any]) -> dict[str, Any]:
    shares = (
        ("null_share", "Nulls", "Share of category and amount that is missing"),
        ("sortedness", "Sorted", "Share of the rows left in order of the category"),
        (
            "entropy",
            "Randomness",
            "Share of random bits in amount and payload: what no codec can pack",
        ),
    )
    values: dict[str, Any] = {
        "cardinality": st.select_slider(
            "Distinct categories",
            (1, 10, 100, 1_000, 10_000),
            D.cardinality,
            key="race_cardinality",
            help="Few: dictionaries shine",
            **bound,
        )
    }
    for name, label, text in shares:
        values[name] = st.slider(
            label, 0.0, 1.0, getattr(D, name), 0.05, key=f"race_{name}", help=text, **bound
        )
    values["zipf"] = st.slider(
        "Skew",
        0.0,
        3.0,
        D.zipf,
        0.1,
        key="race_zipf",
        help="Zipf exponent: 0 gives all categories equal shares",
        **bound,
    )
    return values


def _table(result: RaceResult, operation: Any) -> list[dict[str, Any]]:
    rows = []
    for lane in result.lanes:
        size = human_bytes(lane.file_bytes) if lane.file_bytes else "…"
        row: dict[str, Any] = {
            "format": lane.name,
            "file": size,
            "round trip": result.round_trip(lane),
        }
        for name in OPERATIONS:
            seconds = lane.median_seconds(name)
            row[name] = human_seconds(seconds) if seconds else "…"
        speed, factor = result.megabytes_per_second(lane, operation), result.factor(lane, operation)
        row |= {
            f"{operation}, MB/s": f"{speed:,.0f}" if speed else "…",
            "× best": human_factor(factor) if factor else "…",
        }
        rows.append(row)
    return rows


def _show(result: RaceResult) -> None:
    pinned = lab.pinned("race")
    texts.say(result.verdict)
    operation = st.segmented_control(
        "Time shown",
        OPERATIONS,
        default="read columns",
        required=True,
        key="race_operation",
        bind="query-params",
        label_visibility="collapsed",
    )
    operation = operation or "read columns"  # an empty value in the address
    figure = figures.chart(result, operation, pinned)
    lab.chart(figure, "race_chart", "File size and every single run of each format")
    left_out = (
        f" Without {', '.join(result.left_out)}: not all formats can store such values."
        if result.left_out
        else ""
    )
    st.caption(
        f"{result.n_rows:,} rows × {result.n_columns} columns, {human_bytes(result.table_bytes)} as"
        " Arrow in memory, which MB/s counts. Dots are single runs, lines medians; below,"
        f" medians.{left_out}"
    )
    texts.table(_table(result, operation), "Medians, speed and fidelity")
    lab.report("formats", "race", result, figure)


@lab.experiment("race")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("formats", "race")
    with output:
        work.run("race", params, race.steps, _show)
