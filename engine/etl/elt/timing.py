"""Times of *ETL or ELT*: each step of each way, each repeat into a new warehouse file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import pyarrow as pa

from engine import workspace
from engine.etl.elt.job import SUMMARY_SQL, WAYS, Way, clean, raw_rows, register, summarise
from engine.jobs import Progress, Steps, timed, to_end
from engine.units import format_bytes, format_factor, format_range, format_seconds

REPEATS = 5
LATE_MINUTES = 15


@dataclass(frozen=True, slots=True, eq=False)
class Race:
    """Measured seconds of each step of each way, one value per repeat, and the size of each
    warehouse file.
    """

    n_days: int
    seconds: dict[Way, dict[str, list[float]]]
    file_bytes: dict[Way, int]
    complete: bool = True

    @property
    def measured(self) -> bool:
        """Whether each way has been measured at least once."""
        return all(way in self.seconds for way in WAYS)

    def totals(self, way: Way) -> np.ndarray:
        """Return the seconds of one way, all steps together, for each repeat."""
        steps = list(self.seconds[way].values())
        n = min(len(step) for step in steps)
        return np.asarray(np.sum([step[:n] for step in steps], axis=0))

    def median(self, way: Way) -> float:
        """Return the median seconds of one way, all steps together."""
        return float(np.median(self.totals(way)))

    def verdict(self, way: Way) -> str:
        """Return one way against ELT in one sentence."""
        if not self.measured:
            return "Not measured yet: the first repeat is running."
        fast, slow = sorted((way, WAYS[2]), key=self.median)
        ratio = self.median(slow) / self.median(fast)
        if ratio < 1.1:
            return f"**{fast}** and {slow} take the same time (within 10%)."
        return f"**{fast}** is **{format_factor(ratio)}** faster than {slow}."

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each way, as texts."""
        return [
            {
                "way": way,
                **{
                    step: format_seconds(float(np.median(values)))
                    for step, values in self.seconds[way].items()
                },
                "together": format_seconds(self.median(way)),
                "range": format_range(
                    self.totals(way).min(), self.totals(way).max(), format_seconds
                ),
                "warehouse file": format_bytes(self.file_bytes[way]),
            }
            for way in WAYS
        ]


def _ways(
    raw: pa.Table, late: int
) -> dict[Way, list[tuple[str, Callable[[Any, dict[str, Any]], Any]]]]:
    """Return the steps of each way; each gets the connection and what earlier steps made."""

    def load(name: str) -> Callable[[Any, dict[str, Any]], Any]:
        def step(connection: Any, made: dict[str, Any]) -> Any:
            connection.register("arriving", made[name])
            connection.execute(f"CREATE TABLE {name} AS FROM arriving")
            return connection.execute("CHECKPOINT")

        return step

    def cleaning(_: Any, made: dict[str, Any]) -> None:
        made["cleaned"] = clean(raw)
        made["summary"] = summarise(made["cleaned"], late)

    def in_sql(rows: str) -> Callable[[Any, dict[str, Any]], Any]:
        return lambda connection, _: connection.execute(
            f"CREATE TABLE summary AS {SUMMARY_SQL.format(rows=rows, late=late)}"
        )

    return {
        "ETL, summary": [("transform", cleaning), ("load", load("summary"))],
        "ETL, cleaned rows": [
            ("transform", lambda _, made: made.update(cleaned=clean(raw))),
            ("load", load("cleaned")),
            ("transform in SQL", in_sql("cleaned")),
        ],
        "ELT, raw rows": [("load", load("raw")), ("transform in SQL", in_sql("raw"))],
    }


def race_steps(n_days: int) -> Steps:
    """Measure all three ways ``REPEATS`` times, in turns, each time into a new warehouse file."""
    import duckdb

    raw = raw_rows(n_days)
    seconds: dict[Way, dict[str, list[float]]] = {}
    file_bytes: dict[Way, int] = {}
    folder = workspace.scratch("elt")
    try:
        for repeat in range(REPEATS + 1):
            for way, steps in _ways(raw, LATE_MINUTES).items():
                yield Progress(
                    repeat / (REPEATS + 1), way, Race(n_days, seconds, file_bytes, False)
                )
                path = folder / f"{repeat}-{WAYS.index(way)}.duckdb"
                made: dict[str, Any] = {"raw": raw}
                with duckdb.connect(path, config={"threads": 1}) as connection:
                    register(connection)
                    taken = [
                        (name, timed(partial(step, connection, made))[0]) for name, step in steps
                    ]
                    connection.execute("CHECKPOINT")
                file_bytes[way] = path.stat().st_size
                if repeat:  # the first round warms up
                    for name, value in taken:
                        seconds.setdefault(way, {}).setdefault(name, []).append(value)
    finally:
        workspace.remove(folder)
    return Race(n_days, seconds, file_bytes)


race: Callable[[int], Race] = to_end(race_steps)
