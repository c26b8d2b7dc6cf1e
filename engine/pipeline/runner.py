"""Runs the stages in order, each at most once for the same settings, code and inputs."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from engine.errors import InputError, explain
from engine.pipeline import store, versions
from engine.pipeline.params import PipelineParams
from engine.pipeline.records import Count, Run, StageRecord

TURN_SECONDS = 1_800.0  # that a stage waits for those of other runs
Report = Callable[[Run, str, float], None]  # the run so far, the stage at work, its share done


@dataclass(frozen=True, slots=True)
class Task:
    """What a stage gets: the settings, a folder to write into, the folders of what it needs."""

    params: PipelineParams
    folder: Path
    inputs: dict[str, Path]  # stage -> folder
    report: Callable[[float], None]  # share done in 0–1; may raise to stop the stage

    def read(self, stage: str, name: str) -> Path:
        """Return a file that an earlier stage made."""
        return self.inputs[stage] / name


@dataclass(frozen=True, slots=True)
class Stage:
    """One step of the pipeline.

    ``settings`` are the fields of the params that it depends on; other settings do not make it
    anew.
    """

    name: str
    title: str
    needs: tuple[str, ...]
    settings: tuple[str, ...]
    work: Callable[[Task], Count]


def plain(params: PipelineParams) -> dict[str, Any]:
    """Return the settings as JSON has them."""
    given = asdict(params)
    return given | {"days": [day.isoformat() for day in params.days]}


def code_of(stage: Stage) -> str:
    """Return a hash of the code that the stage runs."""
    return versions.version(stage.work.__module__)


def key_of(stage: Stage, params: PipelineParams, inputs: dict[str, str]) -> str:
    """Return the name of a stage's output: a hash of its settings, its code and its inputs."""
    settings = {name: plain(params)[name] for name in stage.settings}
    parts = (stage.name, settings, sorted(inputs.items()), code_of(stage))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def inputs_of(stage: Stage, run: Run) -> dict[str, str]:
    """Return the content hash of each stage that this one needs."""
    made = {record.stage: record.digest for record in run.stages}
    return {name: made[name] for name in stage.needs}


def may_pass(error: BaseException | None) -> bool:
    """Return whether the same may pass when it is tried again: a source, a process or a disk was
    away. What the data or the settings cause stays.
    """
    unforeseen = not isinstance(error, InputError)
    while error is not None:
        if isinstance(error, OSError):
            return True
        error = error.__cause__
    return unforeseen


def step(stage: Stage, params: PipelineParams, run: Run, report: Report) -> Run:
    """Return the run with one stage more, written down: it is made, or found as it was made before.

    While a stage is at work, those of other runs wait.
    """
    with store.alone(TURN_SECONDS, lambda: report(run, stage.name, 0.0)):
        return extend(run, execute(stage, params, run, report))


def execute(stage: Stage, params: PipelineParams, run: Run, report: Report) -> StageRecord:
    """Run one stage, or find what it made before."""
    inputs = inputs_of(stage, run)
    key = key_of(stage, params, inputs)
    found = store.load(stage.name, key)
    if found is not None:
        return replace(found, state="kept")
    part = store.place(stage.name, key).with_suffix(".part")
    part.mkdir(parents=True, exist_ok=True)
    made = {record.stage: record.key for record in run.stages}
    folders = {name: store.place(name, made[name]) for name in stage.needs}
    began, clock = time.time(), time.perf_counter()
    task = Task(params, part, folders, lambda share: report(run, stage.name, share))
    record = StageRecord(stage.name, "failed", key, inputs, began, 0.0, code=code_of(stage))
    try:
        count = stage.work(task)
    except Exception as error:
        seconds = time.perf_counter() - clock
        return replace(record, seconds=seconds, error=explain(error), transient=may_pass(error))
    record = replace(
        record,
        state="done",
        seconds=time.perf_counter() - clock,
        n_in=count.n_in,
        n_out=count.n_out,
        dropped=count.dropped,
        details=json.loads(json.dumps(count.details)),  # as it will be read again
        n_bytes=store.size_bytes(part),
        digest=store.digest(part),
    )
    store.commit(part, record)
    return record


def begin(params: PipelineParams, run: Run | None = None) -> Run:
    """Return a new run, or ``run`` from its start, written down."""
    run = replace(run, stages=()) if run else store.new_run(plain(params))
    store.save(run)
    return run


def extend(run: Run, record: StageRecord) -> Run:
    """Return the run with one stage more, written down."""
    run = replace(run, stages=(*run.stages, record))
    store.save(run)
    return run


def run_stages(
    stages: Sequence[Stage],
    params: PipelineParams,
    report: Report = lambda run, stage, share: None,
    run: Run | None = None,
) -> Run:
    """Run the stages until one fails; the run is on disk after each of them.

    ``report`` hears of each stage as it begins and while it works; what it raises stops the run,
    which can be resumed.
    """
    run = begin(params, run)
    for stage in stages:
        report(run, stage.name, 0.0)
        run = step(stage, params, run, report)
        report(run, stage.name, 1.0)
        if run.state == "failed":
            break
    with store.alone(TURN_SECONDS):
        store.prune()
    return run


def params_of(run: Run) -> PipelineParams:
    """Return the settings of a run that was written down.

    Raises
    ------
    InputError
        They are not what this version takes.
    """
    try:
        return read(run.params)
    except InputError:
        raise
    except (TypeError, KeyError, ValueError) as error:
        raise InputError(
            f"Run {run.id} has settings of another version of the playground. Start a new run."
        ) from error


def read(settings: dict[str, Any]) -> PipelineParams:
    """Return the settings that ``plain`` gave."""
    days = tuple(date.fromisoformat(day) for day in settings["days"])
    return PipelineParams(**settings | {"days": days})
