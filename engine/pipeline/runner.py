"""Runs the stages in order, each at most once for the same settings, code and inputs."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from engine import kept
from engine.errors import InputError, explain
from engine.pipeline import store
from engine.pipeline.params import PipelineParams
from engine.pipeline.records import Count, Run, StageRecord

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


def key_of(stage: Stage, params: PipelineParams, inputs: dict[str, str]) -> str:
    """Return the name of a stage's output: a hash of its settings, its code and its inputs."""
    settings = {name: plain(params)[name] for name in stage.settings}
    parts = (stage.name, settings, sorted(inputs.items()), kept.version(__name__))
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:24]


def execute(stage: Stage, params: PipelineParams, run: Run, report: Report) -> StageRecord:
    """Run one stage, or find what it made before."""
    made = {record.stage: record for record in run.stages}
    inputs = {name: made[name].digest for name in stage.needs}
    key = key_of(stage, params, inputs)
    found = store.load(stage.name, key)
    if found is not None:
        return replace(found, state="kept")
    part = store.place(stage.name, key).with_suffix(".part")
    part.mkdir(parents=True, exist_ok=True)
    folders = {name: store.place(name, made[name].key) for name in stage.needs}
    began, clock = time.time(), time.perf_counter()
    task = Task(params, part, folders, lambda share: report(run, stage.name, share))
    record = StageRecord(stage.name, "failed", key, inputs, began, 0.0)
    try:
        count = stage.work(task)
    except Exception as error:
        seconds = time.perf_counter() - clock
        return replace(record, seconds=seconds, error=explain(error))
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
    run = replace(run, stages=()) if run else store.new_run(plain(params))
    with store.alone():
        for stage in stages:
            report(run, stage.name, 0.0)
            record = execute(stage, params, run, report)
            run = replace(run, stages=(*run.stages, record))
            store.save(run)
            report(run, stage.name, 1.0)
            if record.state == "failed":
                break
        store.prune()
    return run


def params_of(run: Run) -> PipelineParams:
    """Return the settings of a run that was written down.

    Raises
    ------
    InputError
        They are not what this version takes.
    """
    from datetime import date

    try:
        given = run.params | {"days": tuple(date.fromisoformat(day) for day in run.params["days"])}
        return PipelineParams(**given)
    except (TypeError, KeyError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"Run {run.id} has settings of another version of the playground. Start a new run."
        ) from error
