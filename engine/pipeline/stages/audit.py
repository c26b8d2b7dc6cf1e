"""Audit: the Leakage lab's audit reads the training set; a certain leak stops the run.

It sees the rows in the order of their moments, the last fifth as test rows, and when each column
is known: those of the schedule long before, those of the feature store at the moment.
"""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InputError
from engine.feature_store.feast_repo import EVENT
from engine.leakage import audit
from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task
from engine.pipeline.stages.training_set import NAMES, SCHEDULE, count, rows_of

N_ROWS = 20_000  # drawn evenly in time: the audit's scores are exact enough with these
TEST_SHARE = 0.2
TARGET = "late"


def columns() -> list[str]:
    """Return the columns that the model may see."""
    return [*SCHEDULE, *NAMES]


def subject(rows: pa.Table, extra: tuple[str, ...] = ()) -> pa.Table:
    """Return what is audited: at most ``N_ROWS`` labelled rows in order of time, with their side of
    the split.
    """
    rows = rows.filter(rows[TARGET].is_valid()).sort_by(EVENT)
    step = max(1, -(-len(rows) // N_ROWS))
    rows = rows.take(pa.array(np.arange(0, len(rows), step)))
    n_test = round(TEST_SHARE * len(rows))
    side = pa.array(["train"] * (len(rows) - n_test) + ["test"] * n_test)
    return rows.select([*columns(), *extra, EVENT, TARGET]).append_column("split", side)


def work(task: Task) -> Count:
    """Audit the training set; its rows pass unchanged, or the run stops."""
    path, labelled = task.read("training_set", "rows.parquet"), pc.field(TARGET).is_valid()
    n = count(path, labelled)
    table = subject(rows_of(path, [*columns(), EVENT, TARGET], labelled))
    known_at: dict[str, object] = dict.fromkeys(columns(), 0.0)
    found = audit.audit_table(table, TARGET, time=EVENT, split="split", known_at=known_at)  # type: ignore[arg-type]
    report = [
        {
            "detector": one.detector,
            "columns": list(one.columns),
            "severity": one.severity,
            "evidence": one.evidence,
            "fix": one.fix,
        }
        for one in found.findings
    ]
    (task.folder / "findings.json").write_text(json.dumps(report, indent=1), encoding="utf-8")
    certain = [one for one in report if one["severity"] == "certain"]
    if certain:
        first = certain[0]
        raise InputError(
            f"The training set must hold no certain leak. Got {len(certain)}: {first['evidence']}"
            f" {first['fix']}"
        )
    return Count(n, n, details={"audited": len(table), "findings": report})


STAGE = Stage("audit", "Leakage audit", ("training_set",), (), work)
