"""The daily run and what a fault does to it.

The daily run is that of ``N_LATER`` days after a run that is done, its *base*: it reads the last
``N_DAYS`` days and serves the last of them with the model that the base has trained. After the
first base that is 21 February, a winter day whose weather is like that of the learned days. Its
stages are the pipeline's own; ``watch`` is its last one. Each stage that the fault does not reach
is found as the run without a fault has made it.

Clock: 0 when the day's batch is due; a stage takes the seconds measured; before a new attempt its
wait is added, not slept. The served day is replayed hour by hour, so that a gate on it speaks at
the moment that it would.
"""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine import processes, workspace
from engine.errors import InputError
from engine.feature_store.feast_repo import EVENT
from engine.pipeline import runner, store
from engine.pipeline.faults import worlds
from engine.pipeline.faults.kinds import FILE_LATE_MINUTES, KINDS, NONE
from engine.pipeline.faults.raw import read_raw
from engine.pipeline.faults.watch import STALE, watch
from engine.pipeline.params import PipelineParams
from engine.pipeline.records import Count, Run, StageRecord
from engine.pipeline.runner import Stage, Task, params_of, plain
from engine.pipeline.stages import (
    STAGES,
    audit,
    features,
    ingest,
    load,
    serve,
    training_set,
    validate,
)
from engine.ranges import Text

N_LATER = 8
N_DAYS = 10  # a plane's value may be 7 days old
CHILD_SECONDS = 120.0
KILL_POLL_SECONDS = 0.005
NEW_YORK_MIDNIGHT = 5  # o'clock UTC, in winter


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentParams(PipelineParams):
    """The daily run's settings."""

    base: Annotated[str, Text(40)] = ""  # id of the run that trained the model
    fault: Annotated[str, Text(80)] = NONE  # with the id of this run: it is executed each time

    def check_together(self) -> None:
        """Allow fewer days than a run that trains needs."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One attempt of a stage that failed, and when."""

    hop: str
    error: str
    minute: float


@dataclass(slots=True)
class Scene:
    """What the fault knows of the run so far: the clock and how often its stage was begun."""

    fault: str
    world: worlds.HealthyWorld
    minutes: float = 0.0
    n_attempts: int = 0
    failures: list[Failure] = field(default_factory=list)
    raw: dict[str, Any] = field(default_factory=dict)  # the sources at the first failure


def world_of(fault: str) -> worlds.HealthyWorld:
    """Return the outside world of a fault."""
    made: dict[str, Callable[[], worlds.HealthyWorld]] = {
        "late_file": partial(worlds.LateFile, FILE_LATE_MINUTES),
        "flaky_api": worlds.FlakyApi,
        "schema_change": worlds.SchemaChange,
        "duplicated_batch": worlds.DuplicatedBatch,
        "unit_change": worlds.UnitChange,
        "time_zone_slip": worlds.TimeZoneSlip,
    }
    return made.get(fault, worlds.HealthyWorld)()


def in_child(how: str, task: Task) -> Count:
    """Load the days in a process that meets its end.

    Raises
    ------
    InputError
        How it ended.
    """
    given = {
        "params": plain(task.params),
        "folder": str(task.folder),
        "inputs": {name: str(path) for name, path in task.inputs.items()},
    }
    process = processes.start("engine.pipeline.faults.child", how, json.dumps(given))
    try:
        printed, _ = process.communicate(timeout=CHILD_SECONDS)
    finally:
        processes.kill_group(process)
    if process.returncode < 0:
        n_days = len(list((task.folder / load.TABLE).glob("*/part-0.parquet")))
        raise InputError(
            f"The loading process must end by itself. Got signal {-process.returncode} after"
            f" {n_days} of {task.params.n_days} days. Resume the run: the days stored are whole."
        )
    raise InputError(json.loads(printed.strip().splitlines()[-1])["error"])


def loads(scene: Scene, task: Task) -> Count:
    """Load, the first time in a process that meets its end."""
    if scene.n_attempts == 1:
        return in_child("kill" if scene.fault == "killed_worker" else "disk", task)
    return load.work(task)


def kills_spark(scene: Scene, task: Task) -> Count:
    """Compute the features; the first time Spark is killed after the first table."""
    from engine.spark import session

    ended = threading.Event()

    def watch_table() -> None:
        while not ended.wait(KILL_POLL_SECONDS):
            if (task.folder / "airports.parquet").exists():
                session.ENGINE.kill()
                return

    if scene.n_attempts > 1:
        return features.work(task)
    (task.folder / "airports.parquet").unlink(missing_ok=True)
    threading.Thread(target=watch_table, daemon=True).start()
    try:
        return features.work(task)
    finally:
        ended.set()


def leaks(task: Task) -> Count:
    """Make the training set with each flight's own delay as its plane's last one."""
    count = training_set.work(task)
    path = task.folder / "rows.parquet"
    rows = pq.read_table(path)
    own = rows["arr_delay"].cast(pa.float64())
    pq.write_table(rows.set_column(rows.column_names.index("last_delay"), "last_delay", own), path)
    return count


def serves_stale(task: Task) -> Count:
    """Serve from features that end at the served day's midnight."""
    midnight = datetime.combine(task.params.days[1], time(NEW_YORK_MIDNIGHT), UTC)
    cut = pa.scalar(midnight, pa.timestamp("us", "UTC"))
    stale = task.folder / STALE
    stale.mkdir(exist_ok=True)
    for view in training_set.VIEWS:
        rows = pq.read_table(task.read("features", f"{view}.parquet"))
        pq.write_table(rows.filter(pc.less(rows[EVENT], cut)), stale / f"{view}.parquet")
    return serve.work(replace(task, inputs=task.inputs | {"features": stale}))


def take_model(task: Task) -> Count:
    """Take the model that the base run has trained."""
    params: Any = task.params
    record = store.run_of(params.base).stage("train")
    if record is None:
        raise InputError(f"base must be a run that has trained. Got {params.base}.")
    shutil.copyfile(store.place("train", record.key) / "model.joblib", task.folder / "model.joblib")
    return Count(0, 0)


MODEL = Stage("train", "Model of the base run", (), ("base",), take_model)
SERVE = replace(serve.STAGE, needs=("features", "training_set", "train"))
NEEDS = ("features", "training_set", "train", "serve")
WATCH = Stage("watch", "Watch", NEEDS, ("days", "base"), watch)
DAILY = (
    *(ingest.STAGE, validate.STAGE, load.STAGE, features.STAGE, training_set.STAGE),
    *(audit.STAGE, MODEL, SERVE, WATCH),
)
TITLES = {stage.name: stage.title for stage in (*STAGES, *DAILY)}


def attempted(scene: Scene, work: Callable[[Task], Count]) -> Callable[[Task], Count]:
    """Return ``work`` that counts its attempts and tells the world what time it is."""

    def attempt(task: Task) -> Count:
        scene.n_attempts += 1
        scene.world.minutes = scene.minutes
        return work(task)

    return attempt


def chain(scene: Scene) -> list[Stage]:
    """Return the daily run's stages with the one that the fault hits."""
    works: dict[str, Callable[[Task], Count]] = {
        "killed_worker": partial(loads, scene),
        "full_disk": partial(loads, scene),
        "killed_spark": partial(kills_spark, scene),
        "leaking_column": leaks,
        "stale_features": serves_stale,
    }
    hit = KINDS[scene.fault].hop if scene.fault != NONE else ""

    made = []
    for stage in DAILY:
        if stage.name == hit:
            work = works.get(scene.fault, partial(ingest.work, outside=scene.world))
            settings = (*stage.settings, "fault")
            stage = replace(stage, settings=settings, work=attempted(scene, work))
        made.append(stage)
    return made


def daily_days(base: Run) -> tuple[date, date]:
    """Return the days of the daily run after its base."""
    last = params_of(base).days[1] + timedelta(N_LATER)
    return last - timedelta(N_DAYS - 1), last


def execute(fault: str, base: Run, report: runner.Report) -> tuple[Run, Scene]:
    """Run the day with a fault (``"none"``: without), and return the run and what happened.

    ``report`` as in ``run_stages``. The run is not written down among those of the pipeline.
    """
    scene = Scene(fault, world_of(fault))
    settings = settings_of(base)
    run = store.new_run({})
    params = IncidentParams(**settings, fault=f"{fault} {run.id}" if fault != NONE else NONE)
    waits = KINDS[fault].waits if fault != NONE else ()
    run = replace(run, params=plain(params))
    with store.alone():
        for stage in chain(scene):
            record = _to_the_end(stage, params, run, report, scene, waits)
            run = replace(run, stages=(*run.stages, record))
            if record.state == "failed":
                workspace.remove(store.place(stage.name, record.key).with_suffix(".part"))
                break
    return run, scene


def settings_of(base: Run) -> dict[str, Any]:
    """Return the base run's settings with the daily run's days."""
    given = params_of(base)
    names = ("lead_minutes", "model", "gate", "late_share", "scale", "seed")
    return {name: getattr(given, name) for name in names} | {
        "days": daily_days(base),
        "base": base.id,
    }


def _to_the_end(
    stage: Stage,
    params: IncidentParams,
    run: Run,
    report: runner.Report,
    scene: Scene,
    waits: tuple[int, ...],
) -> StageRecord:
    """Run a stage, again after each wait while it fails; the clock goes on."""
    for wait in (*waits, None):
        report(run, stage.name, 0.0)
        record = runner.execute(stage, params, run, report)
        scene.minutes += record.seconds / 60
        if record.state != "failed":
            break
        if not scene.failures:
            ingested = run.stages[0] if run.stages else record
            scene.raw = read_raw(run.params, ingested.key)
        scene.failures.append(Failure(stage.name, record.error, scene.minutes))
        if wait is None:
            break
        scene.minutes += wait
    return record


def folder_of(run: Run, stage: str) -> Path | None:
    """Return what a stage of the run has made, ``None`` if it did not come to it."""
    record = run.stage(stage)
    return None if record is None or record.state == "failed" else store.place(stage, record.key)
