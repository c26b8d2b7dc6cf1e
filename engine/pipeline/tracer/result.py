"""One flight on its way through a run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from engine.feature_store.feast_repo import CREATED, EVENT
from engine.pipeline.stages.training_set import LATE_MINUTES, VIEWS
from engine.units import format_day, format_number, format_share, format_signed, format_time

if TYPE_CHECKING:
    from engine.ranges import Params

TOLERANCE = 1e-9
DUMP_BYTES = 16  # of the raw line in a row


@dataclass(frozen=True, slots=True)
class RawLine:
    """A line of a raw file: its number from 1, the offset of its first byte, its bytes."""

    file: str
    number: int
    offset: int
    content: bytes

    @property
    def text(self) -> str:
        """The line as text, without its end."""
        return self.content.decode().rstrip("\r\n")

    @property
    def dump(self) -> str:
        """The bytes: in each row the offset in the file, ``DUMP_BYTES`` bytes, the same as text."""
        rows = []
        for start in range(0, len(self.content), DUMP_BYTES):
            part = self.content[start : start + DUMP_BYTES]
            text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
            rows.append(f"{self.offset + start:8d}  {part.hex(' '):{3 * DUMP_BYTES}} {text}")
        return "\n".join(rows)


@dataclass(frozen=True, slots=True)
class AsOf:
    """Which row of a view wins at a moment; ``unknown`` was not yet known."""

    view: str
    moment: pd.Timestamp
    won: dict[str, Any] | None
    unknown: dict[str, Any] | None
    expired: dict[str, Any] | None = None  # in the online store, but too old to be served

    @property
    def known(self) -> str:
        """When the row that won happened and arrived."""
        if self.won is None:
            return "no row"
        return f"row of {format_time(self.won[EVENT])}, arrived {self.won[CREATED]:%H:%M}"

    def value(self, name: str) -> float:
        """Return a feature's value, NaN where no row wins."""
        value = None if self.won is None else self.won[name]
        return math.nan if value is None else float(value)


@dataclass(frozen=True, slots=True)
class Reason:
    """What a feature does to the prediction: ``effect`` is p less p with the usual value."""

    name: str
    value: Any
    usual: Any
    effect: float


def same(first: float, second: float) -> bool:
    """Whether two values are equal; two missing ones are."""
    return abs(first - second) <= TOLERANCE or (math.isnan(first) and math.isnan(second))


def shown(value: Any) -> str:
    """Return a value of a feature as text."""
    if isinstance(value, str):
        return value
    number = float(value)
    if math.isnan(number):
        return "missing"
    return format_number(number, 0 if number.is_integer() else 2)


@dataclass(frozen=True, slots=True, eq=False)
class TracerResult:
    """All hops of one flight."""

    params: Params
    run_id: str
    n_flights: int
    flight: dict[str, Any]  # of the served predictions
    raw: RawLine
    gate: list[str]  # rules that only count and that the line breaks
    loaded: dict[str, Any]
    training: dict[str, float]  # feature -> value in the training set
    wins: dict[str, AsOf]  # view -> at the moment of prediction
    served_wins: dict[str, AsOf]  # view -> in the online store, at the fill that brought it
    reasons: list[Reason]
    details: dict[str, dict[str, Any]]  # stage -> its own numbers

    @property
    def p_late(self) -> float:
        """Predicted probability to be late, 0–1."""
        return float(self.flight["p_late"])

    @property
    def late(self) -> bool:
        """Whether it was late; a flight that never arrived was not."""
        return bool(self.flight["arr_delay"] > LATE_MINUTES)

    @property
    def name(self) -> str:
        """The flight as a timetable has it."""
        one = self.flight
        return f"{one['carrier']} {one['flight']} {one['origin']} → {one['dest']}"

    @property
    def moment(self) -> pd.Timestamp:
        """When it was predicted."""
        return self.flight[EVENT]

    @property
    def skewed(self) -> list[str]:
        """Features whose served value is not the training value."""
        return [
            name
            for name, value in self.training.items()
            if not same(value, float(self.flight[f"served_{name}"]))
        ]

    @property
    def n_skewed(self) -> int:
        """Features whose served value is not the training value."""
        return len(self.skewed)

    @property
    def expired(self) -> list[str]:
        """Views of which the online store has only a row that is too old."""
        return [view for view, win in self.served_wins.items() if win.expired is not None]

    @property
    def outcome(self) -> str:
        """What became of the flight."""
        delay = self.flight["arr_delay"]
        if math.isnan(delay):
            return "it never arrived"
        if delay < 0:
            return f"it arrived {-delay:.0f} min early"
        return f"it arrived {delay:.0f} min late"

    @property
    def verdict(self) -> str:
        """What the trace says, the title of the first chart."""
        n = self.n_skewed
        same_text = "served as trained" if not n else f"{n} of {len(self.training)} differ"
        return (
            f"{self.name}: **{format_share(self.flight['p_late'])}** likely to be more than"
            f" {LATE_MINUTES} min late; {self.outcome}. Features: {same_text}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons, with this flight's numbers."""
        first = self.reasons[0]
        found = [
            f"Predicted at {format_time(self.moment)} UTC, for a departure at"
            f" {format_time(self.flight['sched_dep'])}.",
            f"Largest reason: {first.name} = {shown(first.value)}. With the usual"
            f" {shown(first.usual)} alone changed, the probability moves by"
            f" {format_signed(-100 * first.effect, 1)} points.",
        ]
        for view, win in self.wins.items():
            if win.won is None:
                found.append(f"{view}: no row was known and young enough. The value is missing.")
            elif win.unknown is not None and win.unknown[EVENT] <= win.moment:
                found.append(
                    f"{view}: the row of {win.unknown[EVENT]:%H:%M} existed, but arrived at"
                    f" {win.unknown[CREATED]:%H:%M}, after the moment: it may not be used."
                )
        found += [
            f"{view}: the store still holds a value of {format_day(row[EVENT])}, older than the"
            " view's limit. It is withheld, as in training."
            for view in self.expired
            if (row := self.served_wins[view].expired) is not None
        ]
        if self.skewed:
            found.append(
                f"Served from another row than trained: {', '.join(self.skewed)}. The online store"
                " is filled at each full hour."
            )
        return found

    def features(self) -> list[dict[str, Any]]:
        """Return one row for each feature: the row that won, the next one, both values."""
        rows = []
        for view, (_, names, _) in VIEWS.items():
            win, next_row = self.wins[view], self.wins[view].unknown
            for name in names:
                rows.append(
                    {
                        "feature": name,
                        "training": shown(self.training[name]),
                        "served": shown(self.flight[f"served_{name}"]),
                        "same": "differs" if name in self.skewed else "same",
                        "event time": format_time(win.won[EVENT]) if win.won else "–",
                        "arrived": format_time(win.won[CREATED]) if win.won else "–",
                        "next, not yet known": shown_next(next_row, name),
                    }
                )
        return rows

    def hops(self) -> list[dict[str, str]]:
        """Return the way of the flight, one row a stage, then the outcome."""
        one, raw, loaded = self.flight, self.raw, self.loaded
        counted = "; ".join(self.gate) or "none"
        plane = f"{loaded['manufacturer']}, {loaded['plane_year']}, {loaded['seats']} seats"
        plane = plane if loaded["seats"] else "not in the planes database"
        answer = "none" if math.isnan(one["arr_delay"]) else "late" if self.late else "not late"
        learn, decision = self.details["train"]["learn"], self.details["register"]
        champion = "registered" if decision["registered"] else "not registered"
        filled = max(win.moment for win in self.served_wins.values())
        rows = [
            (
                "Ingest",
                f"{raw.file}, line {raw.number:,}: {len(raw.content):,} bytes from byte"
                f" {raw.offset:,} on",
            ),
            ("Validate", f"passed; rules that only count and that it breaks: {counted}"),
            ("Enrich and load", f"{loaded['airline']}; plane {one['tailnum']}: {plane}"),
            ("Features", "; ".join(f"{name}: {win.known}" for name, win in self.wins.items())),
            (
                "Training set",
                f"the rows known at {format_time(self.moment)} UTC; answer, known later: {answer}",
            ),
            (
                "Leakage audit",
                f"{format_number(self.details['audit']['audited'])} rows audited, no certain leak",
            ),
            ("Train", f"learned {learn['first']} to {learn['last']}, without this flight's day"),
            ("Register", f"the model is {champion}"),
            (
                "Serve",
                f"store filled at {filled:%H:%M}; {self.n_skewed} of {len(self.training)} features"
                " differ from training",
            ),
            (
                "Predict",
                f"{format_share(self.p_late)} to be late; with the training values"
                f" {format_share(one['p_late_offline'])}",
            ),
            ("Outcome", self.outcome),
        ]
        return [{"hop": hop, "what": what} for hop, what in rows]

    def headline(self) -> dict[str, Any]:
        """Return the numbers that the script reproduces."""
        return {
            "flight": self.name,
            "byte": self.raw.offset,
            "p_late": round(float(self.flight["p_late"]), 6),
            "differ": self.n_skewed,
        }

    def table(self) -> pa.Table:
        """Return one row for each feature."""
        return pa.Table.from_pylist(self.features())


def shown_next(row: dict[str, Any] | None, name: str) -> str:
    """Return the value of a row that was not known, with when it arrived."""
    if row is None:
        return "none"
    value = math.nan if row[name] is None else row[name]
    return f"{shown(value)} (arrived {format_time(row[CREATED])})"
