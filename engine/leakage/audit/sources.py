"""The tables that the Audit tab can look at: real flights with three targets, synthetic
customers without a leak or with one, uploads.

Real: flights, all 19 columns, the target made from the outcome and left beside the columns that
give it away. When a column is known is declared for a prediction two hours before departure; the
hours are round ones, what matters is their sign.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.errors import require
from engine.leakage import plants
from engine.leakage.audit.detectors.clock import KnownAt
from engine.ranges import SEED, Params, Range, Text

Source = Literal[
    "late flights",
    "cancelled flights",
    "minutes late",
    "clean, synthetic",
    "leaky, synthetic",
    "upload",
]
Split = Literal["none", "random", "in time order"]
Group = Literal["none", "tailnum", "date"]
N_ROWS = (2_000, 5_000, 20_000, 100_000, 336_776)
TEST_SHARE = 0.25
LATE_MINUTES = 15
KNOWN_AT: dict[str, float] = {
    "dep_time": 2,
    "dep_delay": 2,
    "air_time": 4.5,
    "arr_time": 4.5,
    "arr_delay": 4.5,
}
NONE = "(none)"


NAME = Text(10_000)  # of a column of an upload; the table itself says whether there is one


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditParams(Params):
    """Which table, and which of its columns are which."""

    source: Source = "late flights"
    n_rows: Annotated[int, Range(1_000, N_ROWS[-1], options=N_ROWS)] = 5_000  # flights drawn
    split: Split = "random"
    group: Group = "tailnum"
    clock: bool = False  # whether it is declared when each column is known
    seed: Annotated[int, SEED] = 0
    upload: Annotated[str, Text(10_000)] = ""
    target: Annotated[str, NAME] = ""  # the rest: for uploads
    time_column: Annotated[str, NAME] = NONE
    group_column: Annotated[str, NAME] = NONE
    split_column: Annotated[str, NAME] = NONE


@dataclass(frozen=True, slots=True, eq=False)
class Named:
    """A table with its target and the columns that have a role."""

    table: pa.Table
    target: str
    time: str | None = None
    group: str | None = None
    split: str | None = None
    known_at: KnownAt = field(default_factory=dict)


def load(params: AuditParams) -> Named:
    """Return the table that ``params`` name.

    Raises
    ------
    InputError
        There is no upload, or no target was chosen for it.
    """
    if params.source == "upload":
        return _upload(params)
    if params.source in ("clean, synthetic", "leaky, synthetic"):
        return _synthetic(params)
    return _flights(params)


def _upload(params: AuditParams) -> Named:
    table = data.read_upload(Path(params.upload))
    require(
        params.target in table.column_names,
        "target must be a column of your file. Got {!r}.",
        params.target,
    )
    roles = {"time": params.time_column, "group": params.group_column, "split": params.split_column}
    chosen = {role: None if name == NONE else name for role, name in roles.items()}
    return Named(table, params.target, **chosen)  # type: ignore[arg-type]


def _synthetic(params: AuditParams) -> Named:
    if params.source == "clean, synthetic":
        made = plants.clean(params.seed)
        return Named(made.table, made.target, made.time, made.group, made.split, made.known_at)
    made = plants.planted("effect, moment declared", params.seed)
    known_at = made.known_at if params.clock else {}
    return Named(made.table, made.target, made.time, made.group, made.split, known_at)


@lru_cache(maxsize=2)
def _all_flights() -> pa.Table:
    flights = data.load("flights")
    return flights.take(pc.sort_indices(flights.column("time_hour")))


def _flights(params: AuditParams) -> Named:
    flights = _all_flights()
    departed, arrived = (
        flights.column("dep_time").is_valid(),
        flights.column("arr_delay").is_valid(),
    )
    cancelled = params.source == "cancelled flights"
    if not cancelled:
        flights = flights.filter(pc.and_(departed, arrived))
    rng = np.random.default_rng(params.seed)
    if params.n_rows < flights.num_rows:
        flights = flights.take(
            pa.array(np.sort(rng.choice(flights.num_rows, params.n_rows, replace=False)))
        )
    if cancelled:
        target, answer = "cancelled", pc.is_null(flights.column("dep_time"))
    else:
        target, answer = "late", pc.greater(flights.column("arr_delay"), LATE_MINUTES)
    if params.source == "minutes late":
        target = "arr_delay"
    else:
        flights = flights.append_column(target, answer)
    if params.group == "date":
        flights = flights.append_column("date", flights.column("time_hour").cast(pa.date32()))
    split = None
    if params.split != "none":
        split, n = "part", flights.num_rows
        is_test = (
            np.arange(n) >= n * (1 - TEST_SHARE)
            if params.split == "in time order"
            else rng.random(n) < TEST_SHARE
        )
        if params.split == "in time order":  # rows of one hour stay together
            hour = flights.column("time_hour").to_numpy()
            is_test = hour >= hour[is_test][0]
        flights = flights.append_column(split, pa.array(np.where(is_test, "test", "train")))
    known_at = (
        {name: hours for name, hours in KNOWN_AT.items() if name != target} if params.clock else {}
    )
    return Named(
        flights,
        target,
        "time_hour",
        None if params.group == "none" else params.group,
        split,
        known_at,
    )


def upload_columns(path: str) -> list[str]:
    """Return the column names of an uploaded table."""
    return list(data.read_upload(Path(path)).column_names)
