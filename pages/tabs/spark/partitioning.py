"""Partition explorer: in which partition each row lies, while you drag; and the real Spark beside
it.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.jobs import JOBS
from engine.spark import keys, partitioning, session
from engine.spark.keys import TABLES, Source
from engine.spark.partitioning import MAX_PARTITIONS, N_ROWS, STRATEGIES, PartitioningParams, real
from engine.spark.partitioning import figure as figures
from engine.spark.partitioning.real import Measured
from pages.shell import lab, texts, upload, work

D = PartitioningParams()
BOUND: dict[str, Any] = {"bind": "query-params"}
run = st.cache_resource(max_entries=64, show_spinner=False)(partitioning.run)


def preview() -> go.Figure:
    """Return the chart of the default run, for Home."""
    return figures.partitions(run(D))


def _table_changed() -> None:
    """Keys belong to a table: a new table starts with its own."""
    first = {"flights": D.keys[0], "zipf": "key"}.get(st.session_state["partitioning_table"])
    if first is None:
        st.session_state.pop("partitioning_keys", None)
    else:
        st.session_state["partitioning_keys"] = [first]
    st.session_state["partitioning_typed"] = ""


def _params() -> PartitioningParams:
    table = st.segmented_control(
        "Table",
        TABLES,
        default=D.table,
        required=True,
        key="partitioning_table",
        on_change=_table_changed,
        help=(
            "Real flights of 2013, whole numbers with Zipf frequencies (few very common, many"
            " rare), or your own file"
        ),
        **BOUND,
    )
    settings: dict[str, Any] = {}
    if table == "upload":
        settings["upload"] = upload.path(
            "partitioning", help="Read in a child process under a memory and a time limit"
        )
    if table == "zipf":
        settings["exponent"] = st.slider(
            "Zipf exponent",
            0.0,
            3.0,
            D.exponent,
            0.1,
            key="partitioning_exponent",
            help="0: all keys equally common",
            **BOUND,
        )
    names = keys.key_columns(Source(table, upload=settings.get("upload", "")))
    chosen = st.multiselect(
        "Key",
        names,
        default=["dest"] if "dest" in names else [names[0]],
        key="partitioning_keys",
        help="The columns whose values decide where a row goes",
        **BOUND,
    )
    strategy = st.selectbox(
        "Strategy",
        STRATEGIES,
        key="partitioning_strategy",
        help="How Spark is told to split the rows",
        **BOUND,
    )
    n = st.slider(
        "Partitions",
        1,
        MAX_PARTITIONS,
        D.n_partitions,
        key="partitioning_n_partitions",
        help="Asked of Spark",
        **BOUND,
    )
    before = st.slider(
        "Before, there were",
        1,
        MAX_PARTITIONS,
        D.n_before,
        key="partitioning_n_before",
        help="Rows move from these",
        **BOUND,
    )
    typed = st.text_input(
        "Follow a key",
        D.typed,
        key="partitioning_typed",
        help="A value of the key, such as LAX; empty: the commonest",
        **BOUND,
    )
    return PartitioningParams(
        table=table,
        keys=tuple(chosen),
        strategy=strategy,
        n_partitions=n,
        n_before=before,
        typed=typed,
        **settings,
        **_more(),
    )


def _more() -> dict[str, Any]:
    with st.expander("Input, Zipf rows, seed"):
        n_input = st.slider(
            "Input partitions",
            1,
            64,
            D.n_input,
            key="partitioning_n_input",
            help="Tasks that hold the rows before",
            **BOUND,
        )
        n_rows = st.select_slider(
            "Zipf rows",
            N_ROWS,
            D.n_rows,
            format_func="{:,}".format,
            key="partitioning_n_rows",
            help="Rows drawn",
            **BOUND,
        )
        seed = st.slider(
            "Seed", 0, 99, D.seed, key="partitioning_seed", help="Of the Zipf rows", **BOUND
        )
    return {"n_input": n_input, "n_rows": n_rows, "seed": seed}


def _ask(params: PartitioningParams) -> None:
    st.session_state["partitioning_asked"] = params


def _measure(params: PartitioningParams) -> None:
    """The real Spark on this setting: asked for on the first visit and by the button; a changed
    setting waits to be asked.
    """
    st.caption(session.ENGINE.status)
    if st.session_state.setdefault("partitioning_asked", D) != params:
        st.button(
            "Run on Spark",
            key="partitioning_run",
            type="primary",
            icon=":material/bolt:",
            on_click=_ask,
            args=(params,),
        )
        return
    work.run("partitioning", params, real.steps, _measured)


def _measured(measured: Measured) -> None:
    texts.say(f"{measured.verdict} Spark took {measured.seconds:.1f} s.")
    with st.expander("Rows, bytes and files of the largest partitions, measured"):
        texts.table(measured.table(), "Rows, bytes and files a partition")


@lab.experiment("partitioning")
def show() -> None:
    controls, output = lab.columns()
    with controls:
        try:
            params = _params()
        finally:
            lab.controls_end("spark", "partitioning")
    with output:
        result = run(params)
        job = JOBS.find((real.steps, params))
        texts.say(result.verdict)
        figure = figures.partitions(result, job.result if job else None, lab.pinned("partitioning"))
        lab.chart(figure, "partitioning_rows", "Rows of each partition")
        _measure(params)
        lab.chart(
            figures.routes(result), "partitioning_routes", "The commonest keys before and after"
        )
        lab.report("spark", "partitioning", result, figure)
