"""The faults: what each does to the run, with what mechanism, and where a gate should see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Fault = Literal[
    "late_file",
    "flaky_api",
    "schema_change",
    "duplicated_batch",
    "unit_change",
    "time_zone_slip",
    "killed_worker",
    "full_disk",
    "killed_spark",
    "leaking_column",
    "stale_features",
]
FAULTS: tuple[Fault, ...] = get_args(Fault)
NONE = "none"
FILE_LATE_MINUTES = 60  # the late file arrives that long after it is due


@dataclass(frozen=True, slots=True)
class Kind:
    """One fault.

    ``hop`` is the stage that it hits; ``expected`` the one whose gate should catch it, as designed,
    ``""`` for none. ``waits`` are the minutes before each new attempt of a stage that failed for a
    reason that may pass.
    """

    title: str
    hop: str
    expected: str
    story: str  # what is done, really
    waits: tuple[int, ...] = ()


KINDS: dict[str, Kind] = {
    "late_file": Kind(
        "Late file",
        "ingest",
        "ingest",
        "The file of the served day is not written until 60 min after it is due.",
        (5, 15, 60),
    ),
    "flaky_api": Kind(
        "Flaky API",
        "ingest",
        "ingest",
        "The airlines API answers its first two requests with HTTP 503.",
        (5, 15, 60),
    ),
    "schema_change": Kind(
        "Schema change",
        "ingest",
        "ingest",
        "The header of the served day's file says departure_delay, not dep_delay.",
    ),
    "duplicated_batch": Kind(
        "Duplicated batch",
        "ingest",
        "validate",
        "The served day's file holds every line twice.",
    ),
    "unit_change": Kind(
        "Unit change",
        "ingest",
        "watch",
        "The weather stream sends the temperatures of the served day in °C, not °F.",
    ),
    "time_zone_slip": Kind(
        "Time zone slip",
        "ingest",
        "",
        "time_hour of the served day's flights is New York's clock, marked as UTC.",
    ),
    "killed_worker": Kind(
        "Killed worker",
        "load",
        "load",
        "The process that loads the days gets SIGKILL after half of them.",
        (5, 15),
    ),
    "full_disk": Kind(
        "Full disk",
        "load",
        "load",
        "After half of the days the kernel refuses the loading process any larger file"
        " (RLIMIT_FSIZE: error EFBIG where a full disk gives ENOSPC).",
        (5, 15),
    ),
    "killed_spark": Kind(
        "Killed Spark",
        "features",
        "features",
        "Spark's Java process gets SIGKILL once the first of three tables is written.",
        (5, 15),
    ),
    "leaking_column": Kind(
        "Leaking column",
        "training_set",
        "audit",
        "last_delay is joined to the flight's own landing: it holds the answer.",
    ),
    "stale_features": Kind(
        "Stale features",
        "serve",
        "serve",
        "The online store gets no row newer than midnight; training reads the fresh ones.",
    ),
}
