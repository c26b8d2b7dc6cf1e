"""The ten cases of the game and what can be asked about each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.pipeline.faults.executed import Executed
from engine.pipeline.faults.incident import TITLES
from engine.pipeline.faults.kinds import FAULTS, KINDS, NONE
from engine.pipeline.faults.result import HOPS
from engine.units import format_number

Rows = list[dict[str, str]]
CASES: tuple[tuple[str, int], ...] = (  # by seed: what is executed, and its level
    ("schema_change", 1),
    ("killed_worker", 2),
    ("stale_features", 3),
    ("late_file", 1),
    ("leaking_column", 2),
    (NONE, 3),
    ("duplicated_batch", 1),
    ("killed_spark", 2),
    ("time_zone_slip", 3),
    ("unit_change", 3),
)
UNDECIDED, NO_FAULT = "not yet", "no fault"
ANSWERS = {NONE: NO_FAULT} | {fault: KINDS[fault].title for fault in FAULTS}


@dataclass(frozen=True, slots=True)
class Clue:
    """What can be looked at, and the minutes that looking takes."""

    title: str
    minutes: int
    rows: Callable[[Executed, Executed], Rows]  # of the case's run and the run without a fault


def log(one: Executed, clean: Executed) -> Rows:
    """Return the stages up to the first that failed, with what it said."""
    failed = one.failures[0] if one.failures else None
    found: Rows = []
    for name in HOPS:
        if failed is not None and failed.hop == name:
            return [*found, {"stage": TITLES[name], "state": "failed", "message": failed.error}]
        found.append({"stage": TITLES[name], "state": "done", "message": ""})
    return found


def row_counts(one: Executed, clean: Executed) -> Rows:
    """Return the rows of each stage that ended before the first failure, beside a day without a
    fault.
    """
    failed = one.failures[0].hop if one.failures else ""
    found = []
    for name in HOPS:
        mine, theirs = one.record(name), clean.record(name)
        if name == failed or mine is None or theirs is None:
            break
        found.append(
            {
                "stage": TITLES[name],
                "rows in": format_number(mine.n_in),
                "rows out": format_number(mine.n_out),
                "rows out, without a fault": format_number(theirs.n_out),
            }
        )
    return found


def raw_lines(one: Executed, clean: Executed) -> Rows:
    """Return the first lines of the day's file and of its weather, beside those that were sent on a
    day without a fault.
    """
    found = []
    for source, count in (("flights", "n_flights"), ("weather", "n_weather")):
        lines, usual = one.raw[source], clean.raw[source]
        n, n_usual = format_number(one.raw[count]), format_number(clean.raw[count])
        found.append({"source": source, "here": f"{n} rows", "should be": f"{n_usual} rows"})
        for number in range(max(len(lines), len(usual))):
            found.append(
                {
                    "source": source,
                    "here": lines[number] if number < len(lines) else "",
                    "should be": usual[number] if number < len(usual) else "",
                }
            )
    return found


def gates(*names: str) -> Callable[[Executed, Executed], Rows]:
    """Return the clue that shows what some gates measured on the day, beside their limits."""

    def rows(one: Executed, clean: Executed) -> Rows:
        return [
            {
                "rule": alert["rule"],
                "value": _number(alert["value"]),
                "limit": _number(alert["limit"]),
                "alert": "yes" if alert["fired"] else "",
            }
            for alert in ([] if one.failures else one.alerts)
            if alert["gate"] in names
        ]

    return rows


def _number(value: Any) -> str:
    return "none" if value is None else format_number(value, 2)


CLUES: dict[str, Clue] = {
    "log": Clue("Run log", 5, log),
    "rows": Clue("Rows per stage", 10, row_counts),
    "raw": Clue("Raw lines", 20, raw_lines),
    "store": Clue("Online store's age", 10, gates("freshness")),
    "skew": Clue("Served against trained", 15, gates("skew")),
    "drift": Clue("Feature drift", 25, gates("drift", "missing", "volume")),
    "score": Clue("Score against promise", 60, gates("score")),
}
