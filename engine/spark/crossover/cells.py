"""What *Spark or pandas* measures, one cell for each engine and size, and the record of it that the
workspace keeps.

A record belongs to one machine and one set of versions: it is set aside as soon as either changes.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict, dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import psutil

from engine import workspace
from engine.spark.contest.engines import Answer, Contestant, Work

PACKAGES = ("pandas", "pyspark", "duckdb", "polars")


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """One engine at one size: measured, or refused."""

    contestant: Contestant
    asked: int  # which of the sizes
    n_rows: int  # of lineitem, exactly
    size_bytes: int  # of the two files
    measured_at: str  # UTC, ISO 8601
    seconds: tuple[float, ...] = ()  # every run, in order
    peak_bytes: int = 0  # 0: not to be known, on a cluster
    answer: Answer | None = None
    start_seconds: float = 0.0  # of the process, not counted
    shuffle_bytes: int = 0  # Spark
    spill_bytes: int = 0  # Spark
    refused: str = ""  # why it did not run, or did not end
    # of the machine in the minute before the end: runnable processes, this one's included
    load: float = 0.0

    @property
    def median_seconds(self) -> float:
        """The median run."""
        return median(self.seconds)


@lru_cache(maxsize=1)
def machine() -> dict[str, Any]:
    """Return what a record must agree with: cores, memory and versions."""
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "memory_bytes": psutil.virtual_memory().total,
        "python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
    }


def load() -> float:
    """Return the load of the machine, 0 where the system does not tell."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _path(work: Work) -> Path:
    return workspace.server() / "crossover" / f"{work}.json"


@lru_cache(maxsize=16)
def _read(path: Path, changed: int) -> tuple[Cell, ...]:
    """Return the cells of a record; ``changed`` is its time of change, for the cache."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["machine"] != machine():
            return ()
        return tuple(
            Cell(**{**cell, "seconds": tuple(cell["seconds"])}) for cell in content["cells"]
        )
    except (
        ValueError,
        KeyError,
        TypeError,
    ):  # a record of an older version, or cut short: measured again
        return ()


def recall(work: Work) -> tuple[Cell, ...]:
    """Return what was last measured for a piece of work on this machine with these versions."""
    path = _path(work)
    return _read(path, path.stat().st_mtime_ns) if path.exists() else ()


def keep(work: Work, cell: Cell) -> None:
    """Add a measured cell to the record, in place of the last one of its engine and size."""
    others = [
        old for old in recall(work) if (old.contestant, old.asked) != (cell.contestant, cell.asked)
    ]
    content = {
        "machine": machine(),
        "cells": [
            asdict(c) for c in sorted([*others, cell], key=lambda c: (c.contestant, c.asked))
        ],
    }
    workspace.write(_path(work), json.dumps(content, indent=1))
