"""A run as a whole: every row accounted for, nothing made twice, what stopped goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest

from engine import data, workspace
from engine.errors import InputError
from engine.etl import flight_days
from engine.pipeline import compare, report, sources, store
from engine.pipeline.params import PipelineParams
from engine.pipeline.records import Run
from engine.pipeline.runner import Stage, Task, key_of, may_pass, params_of, run_stages
from engine.pipeline.stages import STAGES, ingest, serve
from tests.engine.pipeline.conftest import PARAMS

NAMES = [stage.name for stage in STAGES]


def test_every_row_of_every_hop_is_passed_on_or_dropped_for_a_reason(run: Run) -> None:
    assert [record.stage for record in run.stages] == NAMES
    assert [record.count.n_unexplained for record in run.stages] == [0] * len(NAMES)
    flows = dict(zip(NAMES, run.stages, strict=True))
    n_served = flows["serve"].n_in
    for before, after in pairwise(NAMES[:5]):
        assert flows[after].n_in == flows[before].n_out
    assert flows["train"].n_in == flows["training_set"].n_out
    assert n_served == len(sources_of(PARAMS.days[1])) and flows["serve"].n_out == n_served
    n_flights = sum(len(sources_of(day)) for day in PARAMS.dates)
    assert flows["ingest"].n_in == n_flights


def sources_of(day: date) -> list[int]:
    return [one for one in flight_days.dates(data.load("flights")).to_pylist() if one == day]


def test_a_second_run_makes_nothing_anew_and_is_the_same(run: Run) -> None:
    again = run_stages(STAGES, PARAMS)
    assert {record.state for record in again.stages} == {"kept"}
    assert compare.differences(run, again) == []
    assert compare.as_text([]).startswith("The two runs have the same settings")


def test_a_setting_makes_anew_only_what_depends_on_it() -> None:
    inputs = dict.fromkeys(NAMES, "0")
    changed = {
        field: [s.name for s in STAGES if key_of(s, PARAMS, inputs) != key_of(s, other, inputs)]
        for field, other in {
            "lead_minutes": replace(PARAMS, lead_minutes=60),
            "gate": replace(PARAMS, gate="lenient"),
            "model": replace(PARAMS, model="logistic"),
            "late_share": replace(PARAMS, late_share=0.2),
        }.items()
    }
    assert changed == {
        "lead_minutes": ["training_set", "register"],
        "gate": ["validate"],
        "model": ["train"],
        "late_share": ["ingest"],
    }


def test_a_damaged_file_stops_the_run_with_the_reason_and_the_run_goes_on_once_it_is_right() -> (
    None
):
    params = replace(PARAMS, late_share=0.11)
    day = params.dates[3]
    part = store.place("ingest", key_of(ingest.STAGE, params, {})).with_suffix(".part")
    file = part / "_world" / "flights" / f"flights-{day}.csv"
    file.parent.mkdir(parents=True)
    file.write_text("year,month\n2013,1\n2013,1,7\n", encoding="utf-8")
    stopped = run_stages(STAGES[:2], params)
    (record,) = stopped.stages
    assert stopped.state == record.state == "failed"
    assert f"flights-{day}.csv must be a CSV file of flights" in record.error
    assert str(workspace.root()) not in record.error
    file.unlink()
    resumed = run_stages(STAGES[:2], params_of(stopped), run=stopped)
    assert resumed.id == stopped.id
    assert [one.state for one in resumed.stages] == ["done", "done"]
    assert store.run_of(stopped.id) == resumed


def stored() -> dict[str, int]:
    """Every file that a finished stage or an earlier run has left, with its time of change."""
    return {
        str(path): path.stat().st_mtime_ns
        for path in store.folder().rglob("*")
        if path.is_file() and ".part" not in str(path) and path.name != "running.pid"
    }


def test_a_day_without_a_file_or_a_range_without_flights_stops_the_run_and_nothing_is_lost(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    params, write, before = replace(PARAMS, late_share=0.13), sources.write_flight_files, stored()
    missing = f"flights-{params.dates[4]}.csv"

    def without_a_day(folder: Path, *rest: Any) -> None:
        write(folder, *rest)
        (folder / missing).unlink()

    def empty(folder: Path, *rest: Any) -> None:
        write(folder, *rest)
        for path in folder.iterdir():
            path.write_text(path.read_text("utf-8").splitlines()[0] + "\n", encoding="utf-8")

    stopped = []
    for fault, reason in (
        (without_a_day, f"{missing} must be at the source"),
        (empty, f"days must have flights. Got none in {PARAMS.n_days} files."),
    ):
        monkeypatch.setattr(sources, "write_flight_files", fault)
        stopped.append(run_stages(STAGES[:2], params))
        (record,) = stopped[-1].stages
        assert record.state == "failed" and record.error.startswith(reason)
        assert str(workspace.root()) not in record.error
    assert [one.stages[0].transient for one in stopped] == [True, False]
    after = stored()
    assert {path: after.get(path) for path in before} == before and store.run_of(run.id) == run
    monkeypatch.setattr(sources, "write_flight_files", write)
    workspace.remove(store.place("ingest", stopped[0].stages[0].key).with_suffix(".part"))
    resumed = run_stages(STAGES[:2], params, run=stopped[0])
    assert [one.state for one in resumed.stages] == ["done", "done"]


def test_a_served_day_without_flights_is_said(run: Run, tmp_path: Path) -> None:
    made = run.stage("training_set")
    assert made is not None
    params = replace(PARAMS, days=(date(2013, 2, 1), date(2013, 2, 14)))
    task = Task(
        params, tmp_path, {"training_set": store.place("training_set", made.key)}, lambda _: None
    )
    with pytest.raises(InputError, match="The served day must have flights. Got none on"):
        serve.work(task)


def test_what_a_source_or_a_process_causes_may_pass_and_what_the_data_cause_stays() -> None:
    away = InputError("The API must answer.")
    away.__cause__ = ConnectionRefusedError()
    assert may_pass(away) and may_pass(RuntimeError("the JVM is gone"))
    wrong = InputError("days must hold flights.")
    wrong.__cause__ = ValueError("column 3")
    assert not may_pass(wrong) and not may_pass(InputError("scale must be 1–60."))


def test_what_was_loaded_before_a_stop_stays_and_is_not_loaded_again(run: Run) -> None:
    load = next(stage for stage in STAGES if stage.name == "load")
    made = store.place("load", run.stage("load").key)  # type: ignore[union-attr]
    days = sorted((made / "flights").iterdir())
    stamp = (days[0] / "part-0.parquet").stat().st_mtime_ns
    part = made.with_suffix(".part")
    made.rename(part)
    (part / "_record.json").unlink()
    for day in days[2:]:
        workspace.remove(part / "flights" / day.name)
    again = run_stages(STAGES[: NAMES.index("load") + 1], PARAMS)
    assert load.name == again.stages[-1].stage and again.stages[-1].state == "done"
    assert again.stages[-1].digest == run.stage("load").digest  # type: ignore[union-attr]
    assert (days[0] / "part-0.parquet").stat().st_mtime_ns == stamp


def test_a_stage_that_raises_anything_gives_a_sentence_and_keeps_what_was_before() -> None:
    def work(_: object) -> None:
        raise InputError("days must hold flights. Got none.")

    broken = Stage("broken", "Broken", ("ingest",), (), work)  # type: ignore[arg-type]
    stopped = run_stages((STAGES[0], broken), PARAMS)
    assert [record.state for record in stopped.stages][1:] == ["failed"]
    assert stopped.stages[1].error == "days must hold flights. Got none."
    assert store.load("ingest", stopped.stages[0].key) is not None


def test_two_processes_do_not_run_it_at_once() -> None:
    with store.alone():
        code = "from engine.pipeline import store\nwith store.alone(): pass"
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert other.returncode and "runs the pipeline in this workspace" in other.stderr
    with store.alone():
        pass


def test_old_runs_and_outputs_that_nobody_names_are_deleted(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    stray = store.place("ingest", "0" * 24)
    stray.mkdir()
    unfinished = stray.with_suffix(".part")
    unfinished.mkdir()
    monkeypatch.setattr(store, "MOST_RUNS", 1)
    later = replace(run, id="20991231-235959-abcdef")
    before = {path.name: path.read_text("utf-8") for path in (store.folder() / "runs").iterdir()}
    try:
        store.save(later)
        store.prune()
        assert store.runs() == [later] and not stray.exists() and unfinished.exists()
        assert all(store.load(record.stage, record.key) for record in run.stages)
    finally:
        for name, text in before.items():
            (store.folder() / "runs" / name).write_text(text, encoding="utf-8")
        (store.folder() / "runs" / f"{later.id}.json").unlink()
        unfinished.rmdir()


def test_of_two_runs_of_one_second_the_later_comes_first(run: Run) -> None:
    pair = [
        replace(run, id=f"20991231-235959-{letter * 6}", began=began)
        for letter, began in (("f", 1.0), ("a", 2.0))
    ]
    try:
        for one in pair:
            store.save(one)
        assert store.runs()[:2] == pair[::-1]
    finally:
        for one in pair:
            (store.folder() / "runs" / f"{one.id}.json").unlink()


def test_only_differences_are_listed(run: Run) -> None:
    changed = replace(
        run,
        params=run.params | {"lead_minutes": 60},
        stages=(replace(run.stages[0], n_out=7), *run.stages[1:-1]),
    )
    rows = compare.differences(run, changed)
    assert {"stage": "settings", "what": "lead_minutes", "first": 120, "second": 60} in rows
    assert [row["what"] for row in rows if row["stage"] == "ingest"] == ["rows out"]
    assert all(row["second"] is None for row in rows if row["stage"] == "monitor")


def test_a_report_shows_every_stage_and_no_markup_of_a_text(run: Run) -> None:
    hostile = replace(run.stages[0], state="failed", error="<script>alert(1)</script>")
    page = report.render(replace(run, stages=(hostile, *run.stages[1:])))
    assert "<script" not in page and "&lt;script&gt;" in page
    assert all(f"<td>{name}</td>" in page for name in NAMES)
    assert "http://" not in page and "https://" not in page
    with pytest.raises(InputError, match="to must be a file"):
        report.write(run, "/nowhere/report.html")


def test_a_run_that_is_not_kept_gets_a_sentence() -> None:
    for name in ("20130101-000000-abcdef", "../runs", ""):
        with pytest.raises(InputError, match="run must be the id of a run"):
            store.run_of(name)


@pytest.mark.parametrize(
    ("days", "reason"),
    [
        ((date(2013, 1, 1), date(2013, 1, 10)), "at least 14 days"),
        ((date(2013, 3, 1), date(2013, 2, 1)), "in order"),
        ((date(2012, 12, 1), date(2013, 2, 1)), "2013"),
    ],
)
def test_a_range_that_cannot_be_run_is_refused(days: tuple[date, date], reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        PipelineParams(days=days)


def test_the_command_line_answers_in_json_with_exit_codes(run: Run) -> None:
    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "engine.pipeline", *arguments]
        return subprocess.run(command, capture_output=True, text=True, cwd=workspace.REPOSITORY)

    first, last = (day.isoformat() for day in PARAMS.days)
    same = call("run", "--from", first, "--to", last, "--json")
    assert same.returncode == 0, same.stderr
    assert [stage["digest"] for stage in json.loads(same.stdout)["stages"]] == [
        record.digest for record in run.stages
    ]
    listed = json.loads(call("list", "--json").stdout)
    assert run.id in [one["id"] for one in listed]
    assert json.loads(call("compare", run.id, listed[0]["id"], "--json").stdout) == []
    short = call("run", "--from", first, "--to", first)
    assert short.returncode == 2 and "at least 14 days" in short.stderr
    assert call("resume", "nonsense").returncode == 2
    wrong = call("run", "--scale", "0")
    assert wrong.returncode == 2 and "scale must be 1" in wrong.stderr
    made = json.loads(call("lineage", run.id, "--row", "3", "--json").stdout)
    assert made["model"]["run"] == run.id and made["source"]["text"]


def test_a_row_can_be_traced_to_its_line(run: Run) -> None:
    made = store.place("training_set", run.stage("training_set").key)  # type: ignore[union-attr]
    row = pq.read_table(made / "rows.parquet").slice(1234, 1).to_pylist()[0]
    raw = store.place("ingest", run.stage("ingest").key) / "raw" / "flights" / row["file"]  # type: ignore[union-attr]
    line = raw.read_text("utf-8").splitlines()[row["line"] - 1]
    cells = dict(zip(csv.read_csv(raw).column_names, line.split(","), strict=True))
    assert (cells["carrier"].strip('"'), int(cells["flight"]), cells["dest"].strip('"')) == (
        row["carrier"],
        row["flight"],
        row["dest"],
    )
