"""Throughputs, sizes and faults of this machine, as the design canvas needs them: each with the run
that it is from.

Nothing is a constant: a figure whose experiment has not run is missing, and the canvas says which
experiment gives it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from engine.practice import evidence

Found = Callable[[str], tuple[Any, str] | None]  # source -> its Result and the mark of its run
LOOKBACKS = range(15)  # days
ENGINES = ("pandas", "Polars", "DuckDB", "Spark")


@dataclass(frozen=True, slots=True)
class FormatFigures:
    """One format, for each byte of the same rows as CSV."""

    family: str
    stored: float  # bytes in its file
    write_seconds: float
    scan_seconds: float  # reading all rows of ``scanned`` of the columns
    scanned: float  # share of the columns, 0–1


@dataclass(frozen=True, slots=True)
class EngineFigures:
    """One engine on this machine: seconds = start + each × bytes of CSV."""

    start_seconds: float
    each_seconds: float
    memory: float | None  # peak bytes for each byte of CSV; None where it was not measured
    largest_bytes: float = 0.0  # of CSV, that it was measured at


@dataclass(frozen=True, slots=True)
class Measures:
    """What is known; an empty field or ``None`` where its experiment has not run."""

    cores: int
    formats: Mapping[str, FormatFigures] = field(default_factory=dict)
    engines: Mapping[str, EngineFigures] = field(default_factory=dict)
    late: tuple[float, ...] = ()  # share of rows never counted, by days of lookback
    repeated: Mapping[str, float] = field(default_factory=dict)  # rows after a 2nd run by the 1st
    partial_lost: float | None = None  # share of rows lost when part of a day replaces it
    undeleted: float | None = None  # share of deletes that a cursor misses
    silent: Mapping[str, tuple[int, int]] = field(default_factory=dict)  # family -> wrong, of
    wrong_open: float | None = None  # error of the worst number downstream without a gate
    wrong_gate: float | None = None  # with it
    marks: Mapping[str, str] = field(default_factory=dict)  # source -> which run and when


def find(source: str) -> tuple[Any, str] | None:
    """Return the Result of a source that this server has, with the mark of its run."""
    if source in evidence.COMPUTED:
        found = evidence.find(source)
        return None if found is None else (evidence.computed(source), found.mark)
    kept = evidence.kept_result(source)
    if kept is None:
        return _loaded_in_memory() if source == "etl.loads" else None
    return kept[0], evidence.Evidence(source, "", "server", kept[1]).mark


@lru_cache(maxsize=1)
def _loaded_in_memory() -> tuple[Any, str]:
    """Return the default loads in memory, which leave the same rows as those of files."""
    from engine.etl import loads

    result = loads.expected(loads.LoadsParams())
    return result, evidence.Evidence("etl.loads", "", "computed", time.time()).mark


def collect(found: Found = find, sources: tuple[str, ...] = ()) -> Measures:
    """Return all figures. ``found`` looks a source up; of ``sources`` alone, if given."""
    readers: dict[str, Callable[[Any], dict[str, Any]]] = {
        "formats.race": lambda race: {"formats": formats_of(race)},
        "spark.crossover": lambda result: {"engines": engines_of(result)},
        "etl.late": lambda result: {
            "late": tuple(float((result.late > days).mean()) for days in LOOKBACKS)
        },
        "etl.loads": loads_of,
        "etl.change_capture": lambda result: {
            "undeleted": result.cursor_undeleted / max(1, result.n_deletes)
        },
        "formats.evolution": lambda result: {
            "silent": {name: (n, len(result.cells) // 4) for name, n in result.n_silent.items()}
        },
        "etl.quality": lambda result: {
            "wrong_open": result.worst_error_open,
            "wrong_gate": result.worst_error,
        },
    }
    known: dict[str, Any] = {"cores": os.cpu_count() or 1}
    marks = {}
    for source, read in readers.items():
        hit = found(source) if not sources or source in sources else None
        if hit is not None:
            known |= read(hit[0])
            marks[source] = hit[1]
    return Measures(**known, marks=marks)


def formats_of(race: Any) -> dict[str, FormatFigures]:
    """Return the figures of every format of a race in which CSV took part."""
    csv = race.lane("CSV")
    if csv is None or not csv.file_bytes:
        return {}
    figures = {}
    for lane in race.lanes:
        write, scan = (lane.median_seconds(what) for what in ("write", "read columns"))
        if not lane.refused and write and scan:
            figures[lane.name] = FormatFigures(
                lane.family,
                lane.file_bytes / csv.file_bytes,
                write / csv.file_bytes,
                scan / csv.file_bytes,
                len(race.params.columns) / race.n_columns,
            )
    return figures


def engines_of(result: Any) -> dict[str, EngineFigures]:
    """Return the figures of every engine that *Spark or pandas* has measured at two sizes."""
    from engine.spark.contest import curves

    figures = {}
    for name in ENGINES:
        cells = result.points(name)
        sizes = [cell.size_bytes for cell in cells]
        curve = curves.fit(sizes, [cell.median_seconds for cell in cells])
        if curve is not None and curve.each > 0:
            growth = result.growth(name)
            memory = growth.each if growth is not None and growth.each > 0 else None
            figures[name] = EngineFigures(curve.start, curve.each, memory, max(sizes))
    return figures


def loads_of(result: Any) -> dict[str, Any]:
    """Return what a repeated run and a partial file did to each load strategy."""
    twice = {lane.strategy: lane.ledgers for lane in result.lanes if len(lane.ledgers) == 2}
    partition = twice.get("overwrite partition")
    return {
        "repeated": {
            name: second.n_target / max(1, first.n_target)
            for name, (first, second) in twice.items()
        },
        "partial_lost": partition[0].n_lost / partition[0].n_source if partition else None,
    }
