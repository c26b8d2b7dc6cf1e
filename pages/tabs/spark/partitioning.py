"""Partition explorer: in which partition each row lies, while you drag; and the real Spark beside
it.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.jobs import JOBS
from engine.spark import keys, partitioning, session
from engine.spark.keys import Source
from engine.spark.partitioning import PartitioningParams, real
from engine.spark.partitioning import figure as figures
from engine.spark.partitioning.real import Measured
from pages.shell import controls, lab, texts, upload, work

D = PartitioningParams()
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
    table = controls.segmented(
        D,
        "table",
        "Table",
        help=(
            "Real flights of 2013, whole numbers with Zipf frequencies (few very common, many"
            " rare), or your own file"
        ),
        on_change=_table_changed,
    )
    settings: dict[str, Any] = {}
    if table == "upload":
        settings["upload"] = upload.path(
            "partitioning", help="Read in a child process under a memory and a time limit"
        )
    if table == "zipf":
        settings["exponent"] = controls.slider(
            D, "exponent", "Zipf exponent", help="0: all keys equally common"
        )
    names = keys.key_columns(Source(table, upload=settings.get("upload", "")))
    chosen = controls.multiselect(
        D,
        "keys",
        "Key",
        options=names,
        default=D.keys if D.keys[0] in names else names[:1],
        help="The columns whose values decide where a row goes",
    )
    strategy = controls.selectbox(
        D, "strategy", "Strategy", help="How Spark is told to split the rows"
    )
    n = controls.slider(D, "n_partitions", "Partitions", help="Asked of Spark")
    before = controls.slider(D, "n_before", "Before, there were", help="Rows move from these")
    typed = controls.text(
        D, "typed", "Follow a key", help="A value of the key, such as LAX; empty: the commonest"
    )
    return PartitioningParams(
        table=table,
        keys=chosen,
        strategy=strategy,
        n_partitions=n,
        n_before=before,
        typed=typed,
        **settings,
        **_more(),
    )


def _more() -> dict[str, Any]:
    with st.expander("Input, Zipf rows, seed"):
        n_input = controls.slider(
            D, "n_input", "Input partitions", help="Tasks that hold the rows before"
        )
        n_rows = controls.slider(D, "n_rows", "Zipf rows", help="Rows drawn")
        seed = controls.slider(D, "seed", "Seed", help="Of the Zipf rows")
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


def _output(params: PartitioningParams) -> None:
    result = run(params)
    job = JOBS.find((real.steps, params))
    texts.say(result.verdict)
    figure = figures.partitions(result, job.result if job else None, lab.pinned("partitioning"))
    lab.chart(figure, "partitioning_rows", "Rows of each partition")
    _measure(params)
    lab.chart(figures.routes(result), "partitioning_routes", "The commonest keys before and after")
    lab.report("spark", "partitioning", result, figure)


show = lab.tab("spark", "partitioning", _params, _output)
