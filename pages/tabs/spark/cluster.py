"""Cluster: a real master with two workers, started by a press, watched at work, and what it does
when an executor is killed.
"""

from __future__ import annotations

import streamlit as st

from engine import hosted
from engine.jobs import JOBS
from engine.spark import cluster
from engine.spark.cluster import ClusterParams, figure
from engine.spark.cluster.result import ClusterResult, describe_files
from pages.shell import controls, lab, texts, work

D = ClusterParams()
ALT = "Driver, master, workers and executors; below them every task on its executor over time"


def _params() -> ClusterParams:
    return ClusterParams(
        work=controls.segmented(
            D, "work", "Job",
            help="Delay by airport: two shuffles on RDDs. ETL: CSV files are read, cleaned, joined"
            " with the weather and written as Parquet by month",
        ),
        kill=controls.segmented(
            D, "kill", "Kill",
            help="Executor that the second run loses in mid-shuffle. By hand: press its button"
            " while that run goes on",
        ),
        wait_seconds=controls.slider(
            D, "wait_seconds", "Seconds per task", help="Each task waits, so that it can be seen"
        ),
    )  # fmt: skip


def _show(result: ClusterResult) -> None:
    with lab.screen("spark", "cluster", result) as screen:
        screen.answer(figure.cluster(result), "cluster_picture", ALT)
        _kill_buttons(result)
        if result.run.files:
            lab.chart(figure.files(result), "cluster_files", "Size of each file by month")
            texts.table(describe_files(result.run), "Every file that was written")
        if result.runs:
            texts.table(result.rows(), "Every attempt of a stage, as Spark reports it")
            with st.expander("The steps of the job, as Spark writes them"):
                st.code(result.lineage, language=None)


def _kill_buttons(result: ClusterResult) -> None:
    with st.container(key="cluster_kill_row", horizontal=True):
        for executor in result.can_kill:
            st.button(
                f"Kill executor {executor}",
                key=f"cluster_kill_{executor}",
                icon=":material/dangerous:",
                on_click=cluster.kill,
                args=(result.params, executor),
            )


def _output(params: ClusterParams) -> None:
    if note := hosted.off("cluster"):
        st.info(note)
        _show(ClusterResult(params))
        return
    found = JOBS.find((cluster.steps, params))
    there = found is not None and found.state in ("queued", "running", "done")
    if there or work.approved("cluster", params, "Start the cluster"):
        work.run("cluster", params, cluster.steps, _show, ClusterResult(params))
        return
    st.caption(
        "Starts a master, two workers, a driver and two executors here: six Java processes, about"
        " 2 GB of memory, about a minute."
    )
    _show(ClusterResult(params))


show = lab.tab("spark", "cluster", _params, _output)
