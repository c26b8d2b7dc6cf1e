"""Run and Monitor as the page shows them; the scripts of the code panel."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow.parquet as pq
import pytest

from engine import scripts, workspace
from engine.errors import InputError
from engine.feature_store.feast_repo import CREATED, EVENT
from engine.jobs import run_to_end
from engine.pipeline import choice, compare, flow, tracer, weeks
from engine.pipeline.flow import FlowParams, FlowResult, figure, times, times_figure
from engine.pipeline.records import Run
from engine.pipeline.stages import STAGES
from engine.pipeline.stages.monitor import LIMITS
from engine.pipeline.stages.training_set import NAMES, VIEWS
from engine.pipeline.weeks import WeeksParams
from engine.pipeline.weeks import figure as weeks_figures
from tests.engine.pipeline.conftest import PARAMS


def test_the_first_settings_are_the_same_everywhere() -> None:
    assert FlowParams().pipeline == choice.FIRST_RUN == PARAMS
    with pytest.raises(InputError, match="must end in 2013"):
        FlowParams(first_day=300, n_days=90)


def test_the_job_gives_the_run_and_shows_it_as_it_grows(run: Run) -> None:
    steps, seen = flow.steps(FlowParams()), []
    while True:
        try:
            seen.append(next(steps))
        except StopIteration as end:
            result = end.value
            break
    assert all(0 <= one.share <= 1 for one in seen)
    assert result.complete and result.n_unexplained == 0
    assert [one.digest for one in result.records] == [one.digest for one in run.stages]
    assert result.headline()["ingest out"] == run.stages[0].n_out
    assert choice.latest() is not None


def test_seconds_against_flights_are_those_of_the_quickest_run_of_each_size(run: Run) -> None:
    def timed(n: int, seconds: float) -> Run:
        made = tuple(replace(one, n_in=n, seconds=seconds) for one in run.stages)
        return replace(run, stages=made)

    runs = [timed(2_000, 3.0), timed(1_000, 2.0), timed(2_000, 2.5)]
    for line in times_figure.times(runs).to_dict()["data"]:
        assert list(line["x"]) == [1_000, 2_000] and list(line["y"]) == [2.0, 2.5]
    assert {row["flights a second"] for row in times.table(runs)} == {"800"}
    assert set(times.ENGINES) == {stage.name for stage in STAGES}
    failed = replace(run, stages=(replace(run.stages[0], state="failed"),))
    assert not any(times.points([failed]).values())


def test_a_job_that_is_cancelled_stops_the_run_and_a_failed_one_says_why(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    states: list[str] = []

    def slow(stages: Any, params: Any, report: Any) -> Run:
        started = Run("20130101-000000-abcdef", {}, 0.0)
        try:
            while True:
                report(started, "ingest", 0.5)
        except flow.Stopped:
            states.append("stopped")
            raise

    monkeypatch.setattr(flow, "run_stages", slow)
    monkeypatch.setattr(flow, "SIGN_OF_LIFE_SECONDS", 0.01)
    steps = flow.steps(FlowParams(seed=99))
    next(steps)
    while (progress := next(steps)).message != "Ingest":
        pass
    assert progress.partial.hops[0].state == "running" and progress.share == 0.05
    steps.close()
    assert states == ["stopped"]

    def failing(stages: Any, params: Any, report: Any) -> Run:
        made = choice.find("").stages[0]
        return Run("x", {}, 0.0, (replace(made, state="failed", error="No file. Got none."),))

    monkeypatch.setattr(flow, "run_stages", failing)
    with pytest.raises(InputError, match="ingest: No file"):
        run_to_end(flow.steps(FlowParams(seed=99)))


def test_a_row_that_is_lost_without_a_reason_is_marked(run: Run) -> None:
    load = run.stages[2]
    lost = replace(load, n_out=load.n_out - 7)
    broken = replace(run, stages=(*run.stages[:2], lost, *run.stages[3:]))
    sound, result = FlowResult(FlowParams(), run), FlowResult(FlowParams(), broken)
    assert (sound.n_unexplained, result.n_unexplained) == (0, 7)
    assert "7 rows dropped without a reason" in result.verdict
    assert "7 without a reason" in result.table().to_pylist()[2]["dropped"]
    drawn = {trace.name: trace for trace in figure.graph(result).data}
    assert list(drawn["dropped without a reason"].x) == [0, 0, 7, *[0] * 7]
    marked = ["⚠ 7 without" in note.text for note in figure.graph(result).layout.annotations]
    assert marked == [False, False, True, *[False] * 7]
    assert "dropped without a reason" not in {trace.name for trace in figure.graph(sound).data}
    bars = figure.stage(result.hops[2]).data[0]
    assert list(bars.x) == [load.n_in, 7, load.n_out - 7]
    assert list(bars.base) == [0, load.n_in - 7, 0]


def test_what_is_expected_before_the_run_is_what_the_run_counts(run: Run) -> None:
    planned, made = FlowResult(FlowParams(), None).hops, FlowResult(FlowParams(), run).hops
    assert run.stages[1].dropped == {}  # the gate found nothing: all else is exact
    for before, after in zip(planned, made, strict=True):
        assert after.record is not None
        assert (before.expected.n_in, before.expected.n_out) == (
            after.record.n_in,
            after.record.n_out,
        ), before.name
        assert before.expected.dropped == after.record.dropped


def test_a_stage_shows_what_made_it_and_its_own_numbers(run: Run) -> None:
    facts = {row["what"]: row["value"] for row in FlowResult(FlowParams(), run).facts("Train")}
    train = run.stages[6]
    assert facts["setting model"] == "boosting"
    assert facts["from audit"] == train.inputs["audit"][:16]
    assert facts["model · auc"] == f"{train.details['model']['auc']:.3f}"
    assert FlowResult(FlowParams(), None).facts("Train") == []


def test_two_runs_are_compared_by_what_differs_alone(run: Run) -> None:
    train = run.stages[6]
    other = replace(train, digest="f" * 64, details=train.details | {"gain": 0.5})
    second = replace(run, stages=(*run.stages[:6], other, *run.stages[7:]))
    rows = compare.differences(run, second)
    assert [(row["stage"], row["what"]) for row in rows] == [
        ("train", "content"),
        ("train", "details.gain"),
    ]
    everything = compare.differences(run, second, everything=True)
    assert len(everything) > len(rows) and [row for row in everything if row in rows] == rows
    assert compare.stages_that_differ(run, second) == ["train"]
    bars = figure.compared(run, second).data[0]
    assert dict(zip(bars.y, bars.x, strict=True))["Train"] == 2 and sum(bars.x) == 2


def test_the_graph_has_every_stage_and_every_edge_before_anything_runs() -> None:
    planned = FlowResult(FlowParams(), None)
    assert {hop.state for hop in planned.hops} == {"waiting"}
    drawn = figure.graph(planned)
    assert list(drawn.layout.yaxis.ticktext) == [stage.title for stage in STAGES]
    gaps = sum(value is None for value in drawn.data[0].y)
    assert gaps == sum(len(stage.needs) for stage in STAGES)


@pytest.fixture(scope="module")
def seen(run: Run) -> Iterator[weeks.WeeksResult]:
    yield weeks.run(WeeksParams())


def test_the_weeks_are_those_of_the_run(run: Run, seen: weeks.WeeksResult) -> None:
    details = run.stages[-1].details
    assert (len(seen.weeks), seen.n_alerts) == (details["weeks"], details["alerts"])
    for kind, limit in LIMITS.items():
        result = weeks.run(WeeksParams(distance=kind))  # type: ignore[arg-type]
        last = result.weeks[-1]["drift"]
        assert result.n_drifted == sum(last[name][kind] > limit for name in NAMES)
        bars = weeks_figures.drift(result).data[0]
        assert dict(zip(bars.y, bars.x, strict=True)) == {n: last[n][kind] for n in NAMES}
    lines = {trace.name: list(trace.y) for trace in weeks_figures.scores(seen).data}
    assert lines["measured on labels"] == [week["auc"] for week in seen.weeks]
    assert lines["estimated without labels"] == [week["promised_auc"] for week in seen.weeks]
    assert len(seen.alerts()) == seen.n_alerts
    assert weeks_figures.feature(seen).data[0].y[-1] == seen.value
    assert [row["run"] for row in seen.alerts()] == [seen.run_id] * seen.n_alerts


def test_skew_and_predictions_are_those_of_the_run(run: Run, seen: weeks.WeeksResult) -> None:
    bars = weeks_figures.skew(seen).data[0]
    shares = run.stages[8].details["skewed_shares"]
    assert dict(zip(bars.y, bars.x, strict=True)) == shares
    lines = {trace.name: list(trace.y) for trace in weeks_figures.predictions(seen).data}
    assert lines["mean prediction"] == [week["mean_p"] for week in seen.weeks]


def test_the_age_of_a_view_is_that_of_its_newest_known_row(run: Run) -> None:
    moments = pq.read_table(tracer.made(run, "serve") / "predictions.parquet")[EVENT].to_pylist()
    last = max(moments)
    found = {one.view: one for one in weeks.freshness_of(run)}
    assert set(found) == set(VIEWS)
    for view, one in found.items():
        rows = pq.read_table(tracer.made(run, "features") / f"{view}.parquet").to_pylist()
        newest = max(row[EVENT] for row in rows if row[EVENT] <= last and row[CREATED] <= last)
        assert (one.happened, one.age) == (newest, last - newest)


@pytest.mark.parametrize(
    ("module", "params"),
    [
        (flow, FlowParams()),
        (tracer, tracer.TracerParams(flight=50)),
        (weeks, WeeksParams(feature="humid", distance="ks")),
    ],
)
def test_each_script_prints_the_headline(run: Run, module: Any, params: Any) -> None:
    result = flow.expected(params) if module is flow else module.run(params)
    call = [sys.executable, "-c", scripts.render(params)]
    done = subprocess.run(call, capture_output=True, text=True, cwd=workspace.REPOSITORY)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == result.headline()


def test_the_warm_up_runs_the_default() -> None:
    assert flow.default_job() == (flow.steps, FlowParams())
