"""Partition explorer: in which partition each row is, while you drag, with the real Spark beside
it; and, inside the same tab, how many partitions are fastest.
"""

from __future__ import annotations

from typing import Any

import plotly.graph_objects as go
import streamlit as st

from engine.errors import name_in_sentence
from engine.jobs import JOBS
from engine.spark import keys, partitioning, session
from engine.spark.keys import Source
from engine.spark.partitioning import PartitioningParams, real
from engine.spark.partitioning import figure as figures
from engine.spark.partitioning.real import Measured
from pages.shell import controls, lab, texts, upload, work
from pages.tabs.spark import tuner
from pages.tabs.spark.subjects import EXPLORER, PARTITIONS, TUNER

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
    PARTITIONS.choose(EXPLORER)
    table = controls.segmented(
        D,
        "table",
        "Table",
        help="Real flights of 2013, whole numbers with Zipf frequencies (few very frequent, many"
        " rare), or your own file",
        on_change=_table_changed,
    )
    settings: dict[str, Any] = {}
    if table == "upload":
        settings["upload"] = upload.path(
            "partitioning", help="Read in a child process under a memory and a time limit"
        )
    if table == "zipf":
        settings["exponent"] = controls.slider(
            D, "exponent", "Zipf exponent", help="0: all keys equally frequent"
        )
    source = Source(table, upload=settings.get("upload", ""))
    names = keys.key_columns(source)
    return PartitioningParams(
        table=table,
        keys=controls.multiselect(
            D, "keys", "Key",
            options=names,
            default=D.keys if D.keys[0] in names else names[:1],
            help="The columns whose values decide the partition of a row" + _left_out(source),
        ),
        strategy=controls.selectbox(D, "strategy", "Strategy", help="How Spark splits the rows"),
        n_partitions=controls.slider(
            D, "n_partitions", "Partitions", help="The number that Spark is asked for"
        ),
        n_before=controls.slider(
            D, "n_before", "Partitions before", help="The number that rows move from"
        ),
        typed=controls.text(
            D, "typed", "Follow a key",
            help='A value of the key, such as LAX, null or "" (no text); empty: the most frequent',
        ),
        **settings,
        **_more(),
    )  # fmt: skip


def _left_out(source: Source) -> str:
    """Return which columns of an upload cannot be keys, and why, as a help text goes on."""
    return "".join(
        f". {name_in_sentence(name)} cannot be one: {reason}"
        for name, reason in list(keys.refused_columns(source).items())[:5]
    )


def _more() -> dict[str, Any]:
    with st.expander("Input, Zipf rows, seed"):
        return {
            "n_input": controls.slider(
                D, "n_input", "Input partitions", help="Tasks that hold the rows before"
            ),
            "n_rows": controls.slider(D, "n_rows", "Zipf rows", help="Number of rows drawn"),
            "seed": controls.slider(D, "seed", "Seed", help="Of the Zipf rows"),
        }


def _measure(params: PartitioningParams) -> None:
    """The real Spark on this setting: asked for on the first visit and by the button; a changed
    setting waits to be asked.
    """
    st.caption(session.ENGINE.status)
    st.session_state.setdefault("partitioning_asked", D)
    if not work.is_asked("partitioning", params):
        work.ask_button("partitioning", params, "Run on Spark", icon=":material/bolt:")
        return
    work.run("partitioning", params, real.steps, _measured)


def _measured(measured: Measured) -> None:
    texts.say(f"{measured.verdict} Spark took {measured.seconds:.1f} s.")
    with st.expander("Rows, bytes and files of the largest partitions, measured"):
        texts.table(measured.table(), "Rows, bytes and files of each partition")


def _output(params: PartitioningParams) -> None:
    result = run(params)
    job = JOBS.find((real.steps, params))
    with lab.screen("spark", "partitioning", result) as screen:
        screen.answer(
            figures.partitions(result, job.result if job else None, lab.pinned("partitioning")),
            "partitioning_rows",
            "Rows of each partition",
        )
        lab.chart(
            figures.routes(result),
            "partitioning_routes",
            "The most frequent keys, their partition before and after",
        )
        _measure(params)


_explorer = lab.tab("spark", "partitioning", _params, _output)


def show() -> None:
    """Draw the tab: where rows go, or how many partitions are fastest."""
    (tuner.show if PARTITIONS.chosen() == TUNER else _explorer)()
