"""Where a model and a prediction come from: sources, code and settings of one run, each with a hash
of its content.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine import workspace
from engine.errors import InputError, require
from engine.feature_store.feast_repo import CREATED, EVENT
from engine.pipeline import store, versions
from engine.pipeline.records import Run, StageRecord
from engine.pipeline.runner import code_of
from engine.pipeline.stages import STAGES
from engine.pipeline.stages.features import N_LANDINGS, RECENT_HOURS
from engine.pipeline.stages.load import TABLE
from engine.pipeline.stages.training_set import VIEWS

LIBRARIES = ("duckdb", "feast", "pandas", "pandera", "pyarrow", "pyspark", "scikit-learn")
NAMED = {stage.name: stage for stage in STAGES}
SHOWN = 12  # characters of a hash in a text
# view -> the flights behind one of its rows, as their files and lines
BEHIND = {
    "planes": "tailnum = $key AND landed <= $at AND arr_delay IS NOT NULL"
    f" ORDER BY landed DESC, sched_dep DESC, carrier DESC, flight DESC LIMIT {N_LANDINGS}",
    "airports": "origin = $key AND departed <= $at"
    f" AND departed >= $at - INTERVAL {RECENT_HOURS} HOUR ORDER BY file, line",
}


def sha256(path: Path) -> str:
    """Return the hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def done(run: Run, stage: str) -> tuple[StageRecord, Path]:
    """Return the record and the folder of a stage that the run has made.

    Raises
    ------
    InputError
        The run has not come to it, or its output has been deleted.
    """
    record = run.stage(stage)
    require(
        record is not None and record.state != "failed",
        "run must have come to {} for this. Got {}: go on with it first.",
        stage,
        run.id,
    )
    assert record is not None
    place = store.place(stage, record.key)
    require(place.is_dir(), "The output of {} must be there. It was deleted: run again.", stage)
    return record, place


def before(stage: str) -> list[str]:
    """Return the stages that a stage depends on, itself the last, in the order of the run."""
    found, waiting = {stage}, [stage]
    while waiting:
        new = set(NAMED[waiting.pop()].needs) - found
        found |= new
        waiting += new
    return [one.name for one in STAGES if one.name in found]


def of_stage(run: Run, record: StageRecord) -> dict[str, Any]:
    """Return what made one stage's output."""
    stage, now = NAMED[record.stage], code_of(NAMED[record.stage])
    return {
        "stage": record.stage,
        "made": datetime.fromtimestamp(record.began).astimezone().isoformat(timespec="seconds"),
        "settings": {name: run.params[name] for name in stage.settings},
        "inputs": record.inputs,
        "content": record.digest,
        "code": record.code,
        "code_is_current": record.code == now,
        "rows": record.n_out,
    }


def of_model(run: Run) -> dict[str, Any]:
    """Return what made the model of a run: its sources, its code, its settings.

    Raises
    ------
    InputError
        The run has no model yet, or no longer.
    """
    record, place = done(run, "train")
    names = before("train")
    stages = [of_stage(run, found) for name in names if (found := run.stage(name))]
    code = sorted({file for name in names for file in versions.files(NAMED[name].work.__module__)})
    decision = run.stage("register")
    return {
        "run": run.id,
        "settings": run.params,
        "model": {
            "content": sha256(place / "model.joblib"),
            "auc": record.details["model"]["auc"],
            "learned": {name: record.details[name] for name in ("learn", "calibrate", "compare")},
            "registered": bool(decision and decision.details.get("registered")),
        },
        "sources": done(run, "ingest")[0].details["sources"],
        "stages": stages,
        # of now: where code_is_current is false, the stage was made by others
        "code": {path.relative_to(workspace.REPOSITORY).as_posix(): sha256(path) for path in code},
        "libraries": {name: version(name) for name in LIBRARIES},
    }


def of_prediction(run: Run, row: int) -> dict[str, Any]:
    """Return where a prediction of the served day comes from, down to the lines of the sources.

    ``row`` counts from 0 in the order of ``predictions.parquet``.

    Raises
    ------
    InputError
        There is no such row, or the run has not served.
    """
    _, place = done(run, "serve")
    predictions = pq.read_table(place / "predictions.parquet")
    require(
        0 <= row < len(predictions),
        "row must be 0–{:,}, a prediction of the served day. Got {}.",
        len(predictions) - 1,
        row,
    )
    made = predictions.slice(row, 1).to_pylist()[0]
    flight = {name: made[name] for name in ("carrier", "flight", "tailnum", "origin", "dest")}
    features = {view: used(run, view, made) for view in VIEWS if made[VIEWS[view][0]]}
    return {
        "flight": flight,
        "moment": made[EVENT].isoformat(),
        "p_late": made["p_late"],
        "late": made["late"],
        "source": lines(run, [(made["file"], made["line"])])[0],
        "features": features,
        "model": of_model(run),
    }


def used(run: Run, view: str, made: dict[str, Any]) -> dict[str, Any]:
    """Return the feature row that was served for a prediction and the source lines behind it."""
    key, names, ttl = VIEWS[view]
    table = pq.read_table(
        done(run, "features")[1] / f"{view}.parquet", filters=[(key, "=", made[key])]
    )
    moment: datetime = made[EVENT]
    hour = moment.replace(minute=0, second=0, microsecond=0)  # when the store was last filled
    known = table.filter((pc.field(EVENT) <= hour) & (pc.field(CREATED) <= hour))
    rows = known.sort_by([(EVENT, "ascending"), (CREATED, "ascending")]).to_pylist()
    if not rows or rows[-1][EVENT] < moment - ttl:
        return {"as_of": None, "values": dict.fromkeys(names), "sources": []}
    row = rows[-1]
    found = weather(run, row) if view == "weather" else behind(run, view, row[key], row[EVENT])
    return {
        "as_of": row[EVENT].isoformat(),
        "values": {name: row[name] for name in names},
        "sources": found,
    }


def behind(run: Run, view: str, key: str, at: datetime) -> list[dict[str, Any]]:
    """Return the flights from which a row of a view was computed, as lines of their files."""
    import duckdb

    files = str(done(run, "load")[1] / TABLE / "*" / "*.parquet")
    sql = f"SELECT file, line FROM read_parquet($files) WHERE {BEHIND[view]}"
    with duckdb.connect() as connection:
        connection.execute("SET timezone = 'UTC'")
        found = connection.execute(sql, {"files": files, "key": key, "at": at}).fetchall()
    return lines(run, found)


def weather(run: Run, row: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the line of the stream that brought an hour of weather."""
    asked = (row["origin"], row[EVENT].strftime("%Y-%m-%dT%H:%M:%SZ"))
    path = done(run, "ingest")[1] / "raw" / "weather.jsonl"
    with path.open(encoding="utf-8") as stream:
        for number, line in enumerate(stream, 1):
            event = json.loads(line)
            if (event["origin"], event["time_hour"]) == asked:
                return [
                    {
                        "file": path.name,
                        "line": number,
                        "text": line.strip(),
                        "content": sha256(path),
                    }
                ]
    return []


def lines(run: Run, found: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
    """Return lines of the flight files with their text and the hash of their file.

    Raises
    ------
    InputError
        A file is gone or shorter than it was.
    """
    folder = done(run, "ingest")[1] / "raw" / "flights"
    wanted: dict[str, list[int]] = {}
    for file, line in found:
        wanted.setdefault(file, []).append(line)
    answer = []
    for file, numbers in wanted.items():
        path = folder / file
        try:
            text = path.read_text("utf-8").splitlines()
            answer += [
                {"file": file, "line": n, "text": text[n - 1], "content": sha256(path)}
                for n in numbers
            ]
        except (OSError, IndexError) as error:
            raise InputError(f"{file} must be as it was ingested. Run again to make it.") from error
    return answer


def as_text(found: dict[str, Any]) -> str:
    """Return the lineage of a model, or of a prediction with its model, as lines."""
    if "flight" in found:
        flight = found["flight"]
        named = f"{flight['carrier']} {flight['flight']} {flight['origin']}–{flight['dest']}"
        one = found["source"]
        top = [
            f"Prediction: {named} late with probability {found['p_late']:.3f},"
            f" known at {found['moment']}",
            f"  row       {one['file']}:{one['line']}  {one['content'][:SHOWN]}",
        ]
        for view, used_row in found["features"].items():
            top.append(f"  {view:10}as of {used_row['as_of']}: {used_row['values']}")
            top += [
                f"            {one['file']}:{one['line']}  {one['content'][:SHOWN]}"
                for one in used_row["sources"]
            ]
        return "\n".join([*top, as_text(found["model"])])
    model = found["model"]
    registered = "registered" if model["registered"] else "not registered"
    rows = [f"Model: {model['content'][:SHOWN]}, AUC {model['auc']:.3f}, {registered}", "Sources:"]
    rows += [
        f"  {name:14}{one['content'][:SHOWN]}  {one['rows']:,} rows, {one['interface']}"
        for name, one in found["sources"].items()
    ]
    rows.append("Stages:")
    for stage in found["stages"]:
        settings = ", ".join(f"{name} {value}" for name, value in stage["settings"].items())
        code = "code as now" if stage["code_is_current"] else "code has changed since"
        rows.append(
            f"  {stage['stage']:14}{stage['content'][:SHOWN]}  {stage['rows']:,} rows; {code}"
            f" ({stage['code'][:SHOWN]}); {settings or 'no settings'}"
        )
    libraries = ", ".join(f"{name} {number}" for name, number in found["libraries"].items())
    return "\n".join([*rows, f"Libraries: {libraries}", f"Code: {len(found['code'])} files"])
