"""OpenLineage events of a run, as a file beside it: what any lineage tool reads.

Real: the classes and the file transport of openlineage-python; no address is called. The events are
made from the run's record, so the same run gives the same file. A stage that was kept is given as
the execution that made it.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from engine.pipeline import store
from engine.pipeline.records import Run, StageRecord
from engine.pipeline.stages import STAGES

NAMESPACE, JOB = "data-pipeline-playground", "pipeline"
PRODUCER = "urn:data-pipeline-playground"
IDS = uuid.uuid5(uuid.NAMESPACE_URL, PRODUCER)
DAY = re.compile(r"-\d{4}-\d\d-\d\d$")
NAMED = {stage.name: stage for stage in STAGES}


def path_of(run: Run) -> Path:
    """Return the file of a run's events."""
    return store.folder() / "runs" / f"{run.id}.openlineage.jsonl"


def write(run: Run) -> Path:
    """Write the events of a run, one JSON object a line, and return the file."""
    from openlineage.client.transport.file import FileConfig, FileTransport

    path = path_of(run)
    partial = path.with_suffix(".part")
    partial.unlink(missing_ok=True)
    transport = FileTransport(FileConfig(log_file_path=str(partial), append=True))
    for event in events(run):
        transport.emit(event)
    partial.replace(path)
    return path


def id_of(*parts: object) -> str:
    """Return a UUID that is the same for the same parts."""
    return str(uuid.uuid5(IDS, repr(parts)))


def time_of(seconds: float) -> str:
    """Return seconds since the epoch as OpenLineage has times."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def tables(record: StageRecord) -> dict[str, Path | None]:
    """Return each table that a stage made, with one of its files; days are one table. A stage
    without tables made one ``output``.
    """
    place = store.place(record.stage, record.key)
    found: dict[str, Path | None] = {}
    for path in sorted(place.rglob("*.parquet")):
        first = path.relative_to(place).parts[0]
        if not first.startswith(("_", ".")):
            found.setdefault(DAY.sub("", Path(first).stem), path)
    return found or {"output": None}


def facets(record: StageRecord, path: Path | None) -> dict[str, Any]:
    """Return what is said of a data set: its content hash and its columns."""
    from openlineage.client.facet_v2 import dataset_version_dataset, schema_dataset

    version = dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=record.digest)
    if path is None:
        return {"version": version}
    fields = [
        schema_dataset.SchemaDatasetFacetFields(name=field.name, type=str(field.type))
        for field in pq.read_schema(path)
    ]
    return {"version": version, "schema": schema_dataset.SchemaDatasetFacet(fields=fields)}


def sources(record: StageRecord) -> list[Any]:
    """Return the four sources that ingest read, each with the hash of its content."""
    from openlineage.client.event_v2 import InputDataset
    from openlineage.client.facet_v2 import (
        dataset_version_dataset,
        datasource_dataset,
        input_statistics_input_dataset,
    )

    return [
        InputDataset(
            NAMESPACE,
            f"source/{name}",
            facets={
                "version": dataset_version_dataset.DatasetVersionDatasetFacet(one["content"]),
                "dataSource": datasource_dataset.DatasourceDatasetFacet(name=one["interface"]),
            },
            inputFacets={
                "inputStatistics": input_statistics_input_dataset.InputStatisticsInputDatasetFacet(
                    rowCount=one["rows"]
                )
            },
        )
        for name, one in record.details.get("sources", {}).items()
    ]


def inputs(run: Run, record: StageRecord) -> list[Any]:
    """Return what a stage read."""
    from openlineage.client.event_v2 import InputDataset

    found = sources(record)
    for needed in record.inputs:
        made = run.stage(needed)
        if made is not None:
            found += [
                InputDataset(NAMESPACE, f"{needed}/{name}", facets=facets(made, path))
                for name, path in tables(made).items()
            ]
    return found


def outputs(record: StageRecord) -> list[Any]:
    """Return what a stage made; the first table has the stage's rows and bytes."""
    from openlineage.client.event_v2 import OutputDataset
    from openlineage.client.facet_v2 import output_statistics_output_dataset as statistics

    found = [
        OutputDataset(NAMESPACE, f"{record.stage}/{name}", facets=facets(record, path))
        for name, path in tables(record).items()
    ]
    size = statistics.OutputStatisticsOutputDatasetFacet(rowCount=record.n_out, size=record.n_bytes)
    found[0].outputFacets = {"outputStatistics": size}
    return found


def parameters(given: dict[str, Any]) -> Any:
    """Return settings as a facet of a run."""
    from openlineage.client.facet_v2 import execution_parameters_run as given_as

    listed = [
        given_as.ExecutionParameter(key=name, value=str(value)) for name, value in given.items()
    ]
    return given_as.ExecutionParametersRunFacet(parameters=listed)


def events(run: Run) -> list[Any]:
    """Return the events of a run, its stages in order between its own."""
    from openlineage.client.event_v2 import Job, RunEvent, RunState, set_producer
    from openlineage.client.event_v2 import Run as LineageRun
    from openlineage.client.facet_v2 import error_message_run, job_type_job, parent_run

    set_producer(PRODUCER)
    whole = id_of(run.id)

    def job(name: str, kind: str) -> Job:
        facet = job_type_job.JobTypeJobFacet(
            processingType="BATCH", integration="PLAYGROUND", jobType=kind
        )
        return Job(NAMESPACE, name, {"jobType": facet})

    def event(state: RunState, at: float, one: LineageRun, of: Job, **data: Any) -> RunEvent:
        return RunEvent(eventType=state, eventTime=time_of(at), run=one, job=of, **data)

    top, pipeline = (
        LineageRun(whole, {"executionParameters": parameters(run.params)}),
        job(JOB, "DAG"),
    )
    found = [event(RunState.START, run.began, top, pipeline)]
    parent = parent_run.ParentRunFacet(
        run=parent_run.Run(runId=whole), job=parent_run.Job(namespace=NAMESPACE, name=JOB)
    )
    end = run.began
    for record in run.stages:
        settings = {name: run.params[name] for name in NAMED[record.stage].settings}
        about = {
            "parent": parent,
            "executionParameters": parameters({**settings, "code": record.code}),
        }
        failed = record.state == "failed"
        if failed:
            about["errorMessage"] = error_message_run.ErrorMessageRunFacet(record.error, "python")
        one = LineageRun(id_of(record.stage, record.key, record.began), about)
        of, read = job(f"{JOB}.{record.stage}", "TASK"), inputs(run, record)
        state = RunState.FAIL if failed else RunState.COMPLETE
        made = [] if failed else outputs(record)
        end = max(end, record.began + record.seconds)
        found += [
            event(RunState.START, record.began, one, of, inputs=read),
            event(state, record.began + record.seconds, one, of, inputs=read, outputs=made),
        ]
    if run.state != "running":
        state = RunState.FAIL if run.state == "failed" else RunState.COMPLETE
        found.append(event(state, end, top, pipeline))
    return found
