"""Where a model and a prediction come from: each hash and feature computed again from the lines;
the events against the specification.
"""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow.parquet as pq
import pytest
from referencing import Registry, Resource

from engine import workspace
from engine.errors import InputError
from engine.pipeline import events, lineage, store, versions
from engine.pipeline.records import Run
from engine.pipeline.runner import code_of
from engine.pipeline.stages import STAGES, serve
from engine.pipeline.stages.training_set import VIEWS

SPECIFICATION = [
    json.loads(path.read_text("utf-8"))
    for path in sorted((Path(__file__).parent / "openlineage").glob("*.json"))
]
SCHEMAS: Registry[Any] = Registry().with_resources(
    (schema["$id"], Resource.from_contents(schema)) for schema in SPECIFICATION
)


def validator(reference: str) -> jsonschema.Draft202012Validator:
    """A validator of one definition; a schema that is not here is an error."""
    return jsonschema.Draft202012Validator(
        {"$ref": reference},
        registry=SCHEMAS,
        format_checker=jsonschema.Draft202012Validator.FORMAT_CHECKER,
    )


def facets(value: Any) -> Iterator[dict[str, Any]]:
    """Every facet inside an event."""
    if isinstance(value, dict):
        if "_schemaURL" in value:
            yield value
        for inner in value.values():
            yield from facets(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from facets(inner)


def check(path: Path) -> list[dict[str, Any]]:
    """The events of a file, each and each of its facets held against the specification."""
    found = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for event in found:
        validator(event["schemaURL"]).validate(event)
        for facet in facets(event):
            validator(facet["_schemaURL"]).validate(facet)
    return found


def test_the_events_of_a_run_are_what_the_specification_asks_for(run: Run) -> None:
    found = check(events.write(run))
    assert check(events.write(run)) == found  # the same run gives the same file
    whole, *stages, end = found
    assert (whole["eventType"], end["eventType"]) == ("START", "COMPLETE")
    by_job: dict[str, list[dict[str, Any]]] = {}
    for event in stages:
        by_job.setdefault(event["job"]["name"].removeprefix("pipeline."), []).append(event)
        assert event["run"]["facets"]["parent"]["run"]["runId"] == whole["run"]["runId"]
    assert list(by_job) == [stage.name for stage in STAGES]
    for stage in STAGES:
        start, over = by_job[stage.name]
        assert (start["eventType"], over["eventType"]) == ("START", "COMPLETE")
        assert start["run"]["runId"] == over["run"]["runId"]
        read = {one["name"].partition("/")[0] for one in over["inputs"]}
        assert read == set(stage.needs or ["source"])
        record = run.stage(stage.name)
        assert record is not None
        assert {one["facets"]["version"]["datasetVersion"] for one in over["outputs"]} == {
            record.digest
        }
        assert over["outputs"][0]["outputFacets"]["outputStatistics"]["rowCount"] == record.n_out
    loaded = {one["name"]: one for one in by_job["load"][1]["outputs"]}
    columns = [field["name"] for field in loaded["load/flights"]["facets"]["schema"]["fields"]]
    assert {"file", "line", "departed", "landed"} <= set(columns)
    assert {one["name"] for one in by_job["ingest"][1]["inputs"]} == {
        f"source/{name}" for name in ("flights", "weather", "planes", "airlines")
    }


def test_a_failed_run_says_so_in_its_events_and_a_wrong_event_is_refused(run: Run) -> None:
    bad = replace(run.stages[1], state="failed", error="days must have flights.", digest="")
    stopped = replace(run, id="20130101-000000-abcdef", stages=(run.stages[0], bad))
    found = check(events.write(stopped))
    events.path_of(stopped).unlink()
    assert [event["eventType"] for event in found] == [
        *("START", "START", "COMPLETE", "START", "FAIL", "FAIL")
    ]
    assert found[4]["run"]["facets"]["errorMessage"]["message"] == "days must have flights."
    assert not found[4]["outputs"]
    with pytest.raises(jsonschema.ValidationError):
        validator(found[0]["schemaURL"]).validate(found[0] | {"eventTime": "yesterday"})


def test_a_model_is_traced_to_its_sources_code_and_settings(run: Run) -> None:
    found = lineage.of_model(run)
    trained, ingested = run.stage("train"), run.stage("ingest")
    assert trained is not None and ingested is not None
    model = store.place("train", trained.key) / "model.joblib"
    assert found["model"]["content"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert [stage["stage"] for stage in found["stages"]] == [
        *("ingest", "validate", "load", "features", "training_set", "audit", "train")
    ]
    made = {stage["stage"]: stage for stage in found["stages"]}
    for stage in found["stages"]:
        assert all(made[name]["content"] == digest for name, digest in stage["inputs"].items())
        assert stage["code_is_current"]
    raw = store.place("ingest", ingested.key) / "raw"
    assert found["sources"]["weather"]["content"] == (
        hashlib.sha256((raw / "weather.jsonl").read_bytes()).hexdigest()
    )
    assert found["sources"]["flights"]["content"] == store.digest(raw / "flights")
    assert found["sources"]["flights"]["rows"] == ingested.n_in
    code = found["code"]
    assert {"engine/pipeline/stages/train.py", "engine/leakage/audit/__init__.py"} <= set(code)
    for name, digest in code.items():
        assert hashlib.sha256((workspace.REPOSITORY / name).read_bytes()).hexdigest() == digest
    old = replace(trained, code="0" * 64)
    stages = tuple(old if one == trained else one for one in run.stages)
    assert "code has changed since" in lineage.as_text(
        lineage.of_model(replace(run, stages=stages))
    )


def test_a_stage_is_made_anew_by_its_own_code_and_by_what_that_imports(run: Run) -> None:
    code = {stage.name: versions.modules(stage.work.__module__) for stage in STAGES}
    everywhere = {"engine.pipeline.runner", "engine.pipeline.store", "engine.data"}
    assert all(everywhere - {"engine.data"} <= names for names in code.values())
    assert "engine.pipeline.enlarge" in code["ingest"]  # imported inside a function
    assert "engine.pipeline.enlarge" not in code["load"]
    assert "engine.etl.gate" in code["validate"] and "engine.etl.gate" not in code["ingest"]
    assert "engine.pipeline.stages.train" in code["monitor"]
    for name in ("report", "lineage", "events", "flow", "__main__"):
        assert not any(f"engine.pipeline.{name}" in names for names in code.values())
    assert len({code_of(stage) for stage in STAGES}) == len(STAGES)
    assert {record.stage: record.code for record in run.stages} == {
        stage.name: code_of(stage) for stage in STAGES
    }


def numbers(source: dict[str, Any], name: str, header: list[str]) -> float:
    cells = dict(zip(header, next(csv.reader([source["text"]])), strict=True))
    return float(cells[name])


def test_a_prediction_is_traced_to_the_lines_that_gave_its_features(run: Run) -> None:
    """What was served is computed again from nothing but the lines that are named."""
    served, ingested = run.stage("serve"), run.stage("ingest")
    assert served is not None and ingested is not None
    made = pq.read_table(store.place("serve", served.key) / "predictions.parquet").to_pylist()
    raw = store.place("ingest", ingested.key) / "raw"
    n_known = dict.fromkeys(VIEWS, 0)
    for row in range(0, len(made), 53):
        found, prediction = lineage.of_prediction(run, row), made[row]
        assert found["flight"]["flight"] == prediction["flight"]
        own = found["source"]
        path = raw / "flights" / own["file"]
        header = path.read_text("utf-8").splitlines()[0].replace('"', "").split(",")
        assert numbers(own, "flight", header) == prediction["flight"]
        assert own["content"] == hashlib.sha256(path.read_bytes()).hexdigest()
        for view, used in found["features"].items():
            names = VIEWS[view][1]
            for name in names:
                got, listed = (
                    math.nan if value is None else value
                    for value in (prediction[f"served_{name}"], used["values"][name])
                )
                assert math.isclose(got, listed) or (math.isnan(got) and math.isnan(listed))
            n_known[view] += used["as_of"] is not None
            if used["as_of"] is None:
                assert not used["sources"]
            elif view == "planes":
                delays = [numbers(one, "arr_delay", header) for one in used["sources"]]
                assert used["values"]["landings"] == len(delays)
                assert used["values"]["last_delay"] == delays[0]
                assert math.isclose(used["values"]["mean_delay"], sum(delays) / len(delays))
            elif view == "airports":
                delays = [numbers(one, "dep_delay", header) for one in used["sources"]]
                assert used["values"]["recent_departures"] == len(delays)
                if delays:
                    assert math.isclose(used["values"]["recent_delay"], sum(delays) / len(delays))
            else:
                (line,) = used["sources"]
                event = json.loads(line["text"])
                assert {name: event[name] for name in names} == used["values"]
    assert all(n > 3 for n in n_known.values())
    text = lineage.as_text(lineage.of_prediction(run, 0))
    assert made[0]["file"] in text and "Sources:" in text and serve.STEP_HOURS == 1


def test_a_row_or_a_stage_that_is_not_there_gets_a_sentence(run: Run) -> None:
    for row in (-1, 10**6):
        with pytest.raises(InputError, match="row must be 0–"):
            lineage.of_prediction(run, row)
    with pytest.raises(InputError, match="must have come to train"):
        lineage.of_model(replace(run, stages=run.stages[:3]))
    gone = replace(run, stages=(*run.stages[:6], replace(run.stages[6], key="0" * 24)))
    with pytest.raises(InputError, match="It was deleted"):
        lineage.of_model(gone)
