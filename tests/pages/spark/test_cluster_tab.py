"""The tab Cluster: a link starts nothing, one press starts a cluster for what is on screen."""

from __future__ import annotations

from typing import Any

import pytest

from engine.jobs import JOBS, Progress, Steps
from engine.spark import cluster
from engine.spark.cluster import ClusterParams
from engine.spark.cluster.result import ClusterResult, Executor, Run, Worker
from tests.pages.visit import charts, open_page, settle, texts

LINK = {"spark_tab": "Cluster", "cluster_kill": "by hand", "cluster_wait_seconds": "1.3"}
PARAMS = ClusterParams(kill="by hand", wait_seconds=1.3)


def test_a_link_starts_nothing_and_a_press_starts_what_is_on_screen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The cluster itself is that of the predictions and of the engine's tests."""
    there = (Executor("0", 1, -1.0, None), Executor("1", 1, -1.0, None))
    killed: list[Any] = []

    def steps(params: ClusterParams) -> Steps:
        runs = (Run("undisturbed"), Run("disturbed", executors=there))
        partial = ClusterResult(params, (Worker(1, 1, 2**30, ("0", "1")),), there, runs)
        while not killed:
            yield Progress(0.5, "the job runs", partial)
        return ClusterResult(params, partial.workers, there, runs, complete=True)

    monkeypatch.setattr(cluster, "steps", steps)
    monkeypatch.setattr(cluster, "kill", lambda *asked: killed.append(asked))
    app = open_page("spark", **LINK)
    assert not app.exception and not app.error
    assert [chart["key"] for chart in charts(app)] == ["cluster_picture"]
    assert "Not started." in texts(app) and JOBS.find((steps, PARAMS)) is None
    app.button(key="cluster_approve").click().run()
    job = JOBS.find((steps, PARAMS))
    assert job is not None
    while job.latest is None:
        app.run()
    app.run()
    buttons = [one.label for one in app.button if one.key.startswith("cluster_kill_")]
    assert buttons == ["Kill executor 0", "Kill executor 1"]
    app.button(key="cluster_kill_1").click().run()
    settle(app)
    assert killed and {*killed} == {(PARAMS, "1")} and not app.exception
    assert not [one for one in app.button if one.key.startswith("cluster_kill_")]
