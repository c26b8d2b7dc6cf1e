"""Seconds of each stage against the flights that went in, over the runs that are kept.

Only what was measured: a stage that a run took over from an earlier one keeps the seconds of that.
"""

from __future__ import annotations

from engine.pipeline.records import Run, StageRecord
from engine.pipeline.stages import STAGES
from engine.units import format_bytes, format_number, format_seconds

# what does the work of a stage
ENGINES = {
    "ingest": "pyarrow, HTTP, SQLite",
    "validate": "pandera",
    "load": "DuckDB",
    "features": "Spark",
    "training_set": "Feast on DuckDB",
    "audit": "scikit-learn",
    "train": "scikit-learn",
    "register": "scikit-learn",
    "serve": "Feast on SQLite",
    "monitor": "NumPy",
}
SHORTEST = 0.01  # seconds that the chart's logarithmic axis can show


def points(runs: list[Run]) -> dict[str, list[StageRecord]]:
    """Return each stage's records by flights in, fewest first; of several as large the one of the
    fewest seconds.
    """
    found: dict[str, list[StageRecord]] = {}
    for stage in STAGES:
        best: dict[int, StageRecord] = {}
        for record in filter(None, (run.stage(stage.name) for run in runs)):
            if record.state == "failed" or not record.n_in:
                continue
            known = best.get(record.n_in)
            if known is None or record.seconds < known.seconds:
                best[record.n_in] = record
        found[stage.name] = [best[n] for n in sorted(best)]
    return found


def table(runs: list[Run]) -> list[dict[str, str]]:
    """Return one row for each stage of the largest run: its engine, rows, seconds and speed."""
    rows, found = [], points(runs)
    for stage in STAGES:
        if made := found[stage.name]:
            one = made[-1]
            speed = one.n_in / max(one.seconds, SHORTEST)
            rows.append(
                {
                    "stage": stage.title,
                    "engine": ENGINES[stage.name],
                    "flights in": format_number(one.n_in),
                    "seconds": format_seconds(one.seconds),
                    "flights a second": format_number(speed),
                    "written": format_bytes(one.n_bytes),
                }
            )
    return rows
