"""Sources: the same 50 flights from an API, a database, a stream and two files, each really read;
what each tells and what it hides, counted against the table itself.

Real: HTTP calls on loopback, SQLite, CSV and Parquet (``engine.formats.sources.read``). Simplified:
one day, one table, a clock that is a setting (``engine.formats.sources.server``); the database
answers with one query, so nothing changes while it reads; the stream keeps every change of the day.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from engine import workspace
from engine.formats.sources import day, read
from engine.formats.sources.params import SourcesParams
from engine.formats.sources.result import Claim, SourcesResult
from engine.formats.sources.server import serve

__all__ = ["Claim", "SourcesParams", "SourcesResult", "run"]


def run(params: SourcesParams) -> SourcesResult:
    """Read every source and count what came back against the table."""
    ids = sorted({change.row["id"] for change in day.changes()})
    sample = ids[params.number % len(ids)]
    start = 60.0 * params.at_hour
    folder = TemporaryDirectory(dir=workspace.temporary())
    with folder as name, serve() as address:
        pages = read.api(address, start, params.page_rows, params.gap_minutes, sample)
        end = start + (pages.n_calls - 1) * params.gap_minutes
        exported = max(0.0, end - 60 * params.age_hours)
        readings = (
            pages,
            read.database(Path(name), end, sample),
            read.stream(address, end, params.n_repeats, sample),
            read.csv_file(Path(name), exported, sample),
            read.parquet_file(Path(name), exported, sample),
        )
    return SourcesResult(params, sample, end, exported, readings)
