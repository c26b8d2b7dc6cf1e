"""What a race found: bytes, every single run, what each round trip changed; and the answer in
words.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from statistics import median
from typing import Literal, get_args

import pyarrow as pa

from engine.formats.race import fidelity
from engine.formats.race.contestants import FORMATS
from engine.formats.race.fidelity import Change
from engine.formats.race.params import RaceParams
from engine.units import format_bytes, format_factor, format_seconds, format_share, format_time

Operation = Literal["write", "read all", "read columns", "read filtered"]
OPERATIONS: tuple[Operation, ...] = get_args(Operation)


def _times(factor: float, more: str, less: str) -> str:
    """Return a factor with its direction: ``"5.5× faster"``, ``"2.0× slower"``."""
    return (
        f"{format_factor(factor)} {more}" if factor >= 1 else f"{format_factor(1 / factor)} {less}"
    )


@dataclass(frozen=True, slots=True)
class Lane:
    """What is known of one format so far."""

    name: str
    file_bytes: int = 0  # 0: not written yet
    seconds: dict[Operation, tuple[float, ...]] = field(
        default_factory=dict
    )  # every single run, in order
    changes: tuple[Change, ...] | None = None  # what reading all of it changed; None: not read yet
    n_matching: int | None = None  # rows that the filter found in this format's file
    refused: str = ""  # why this format cannot hold the table

    @property
    def family(self) -> str:
        """The format without its codec."""
        return FORMATS[self.name].family

    def median_seconds(self, operation: Operation) -> float | None:
        """Return the median of the runs so far, ``None`` without any."""
        runs = self.seconds.get(operation, ())
        return median(runs) if runs else None

    @property
    def fidelity(self) -> str:
        """What the round trip changed, in one line."""
        return self.refused or ("…" if self.changes is None else fidelity.summary(self.changes))


@dataclass(frozen=True, slots=True, eq=False)
class RaceResult:
    """Bytes, times and changes of each format; while the race runs, what there is of them."""

    params: RaceParams
    lanes: tuple[Lane, ...]  # in the order of params.formats
    n_rows: int
    n_columns: int
    table_bytes: int  # of the rows as Arrow memory: what MB/s counts
    n_matching: int  # rows in the range, by definition
    left_out: tuple[str, ...]  # columns that not all formats can store
    measured_at: datetime
    wall_seconds: float = 0.0  # of the whole race
    timed_seconds: float = 0.0  # of it, inside the calls that are shown
    complete: bool = False
    preview: bool = False  # of a few rows, shown until the race has measured something

    def lane(self, name: str) -> Lane | None:
        """Return the lane of a format that took part and was not refused, else ``None``."""
        return next((lane for lane in self.lanes if lane.name == name and not lane.refused), None)

    def best(self, operation: Operation) -> Lane | None:
        """Return the lane with the shortest median."""
        timed = [lane for lane in self.lanes if lane.seconds.get(operation)]
        return min(timed, key=lambda lane: lane.median_seconds(operation) or 0.0, default=None)

    @property
    def smallest(self) -> Lane | None:
        """The lane with the smallest file."""
        return min(
            (lane for lane in self.lanes if lane.file_bytes),
            key=lambda lane: lane.file_bytes,
            default=None,
        )

    @property
    def smallest_family(self) -> str:
        """The family of the format with the smallest file, ``""`` before there is one."""
        return self.smallest.family if self.smallest else ""

    def megabytes_per_second(self, lane: Lane, operation: Operation) -> float | None:
        """Return Arrow bytes of the whole table by the median second, in MB/s: the same numerator
        for every format.
        """
        seconds = lane.median_seconds(operation)
        return self.table_bytes / seconds / 1e6 if seconds else None

    def factor(self, lane: Lane, operation: Operation) -> float | None:
        """Return how many times as long as the best a format takes."""
        best, own = self.best(operation), lane.median_seconds(operation)
        return own / (best.median_seconds(operation) or own) if best and own else None

    @property
    def csv_over_parquet_bytes(self) -> float:
        """How many times as large CSV is as Parquet with Snappy; 0 unless both raced."""
        csv, parquet = self.lane("CSV"), self.lane("Parquet snappy")
        return (
            csv.file_bytes / parquet.file_bytes if csv and parquet and parquet.file_bytes else 0.0
        )

    def round_trip(self, lane: Lane) -> str:
        """Return what became of a format's columns, in a few words: how many changed, and in which
        ways.
        """
        if lane.refused or lane.changes is None:
            return "refused" if lane.refused else "…"
        kinds = ", ".join(dict.fromkeys(change.kind for change in lane.changes))
        return (
            f"{self.n_changed(lane.name)} of {self.n_columns} changed: {kinds}"
            if lane.changes
            else "faithful"
        )

    @property
    def n_changed_by_csv(self) -> int:
        """Columns that came back from CSV changed."""
        return self.n_changed("CSV")

    def n_changed(self, name: str) -> int:
        """Return how many columns came back from a format changed; 0 if it did not race."""
        lane = self.lane(name)
        return len({change.column for change in lane.changes or ()}) if lane else 0

    @property
    def overhead_share(self) -> float:
        """The harness's own share of the race: (wall − timed calls) / wall, 0–1, comparing tables
        included.
        """
        return 1 - self.timed_seconds / self.wall_seconds if self.wall_seconds else 0.0

    @property
    def verdict(self) -> str:
        """The best Parquet against plain CSV, else the best against the slowest."""
        operation: Operation = "read columns"
        lanes = [lane for lane in self.lanes if lane.seconds.get(operation) and lane.file_bytes]
        if not lanes:
            return "The first files are being written."
        early = f"Preview on {self.n_rows:,} rows: " if self.preview else ""
        best = self.fastest_of("Parquet", operation) or self.best(operation) or lanes[0]
        other = self.lane("CSV") if self.params.formats != ("CSV",) else None
        if other is None or other not in lanes or other is best:
            other = max(lanes, key=lambda lane: lane.median_seconds(operation) or 0.0)
        if other is best:
            size = format_bytes(best.file_bytes)
            return (
                f"{early}{best.name} stores the {self.n_rows:,} rows in **{size}**. Choose a second"
                " format to compare."
            )
        faster = (other.median_seconds(operation) or 0.0) / (best.median_seconds(operation) or 1.0)
        smaller = other.file_bytes / best.file_bytes
        return (
            f"{early}{best.name} reads {len(self.params.columns)} of {self.n_columns} columns"
            f" **{_times(faster, 'faster', 'slower')}** than {other.name}, from a file"
            f" **{_times(smaller, 'smaller', 'larger')}**. On round trip {other.name} changes"
            f" {self.n_changed(other.name)} of {self.n_columns} columns, {best.name}"
            f" {self.n_changed(best.name)}."
        )

    def fastest_of(self, family: str, operation: Operation) -> Lane | None:
        """Return the lane of ``family`` with the shortest median, ``None`` without one."""
        timed = [
            lane for lane in self.lanes if lane.family == family and lane.seconds.get(operation)
        ]
        return min(timed, key=lambda lane: lane.median_seconds(operation) or 0.0, default=None)

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return [
            reason
            for reason in (
                self._why_bytes(),
                self._why_columns(),
                self._why_close(),
                self._why_fidelity(),
                self._why_n(),
            )
            if reason
        ]

    def _why_bytes(self) -> str:
        sized = sorted(
            (lane for lane in self.lanes if lane.file_bytes), key=lambda lane: lane.file_bytes
        )
        if len(sized) < 2:
            return ""
        small, large = sized[0], sized[-1]
        text = (
            f"**Size**: {small.name} is smallest ({format_bytes(small.file_bytes)},"
            f" {small.file_bytes / self.n_rows:.1f} bytes per row), {large.name} largest"
            f" ({large.file_bytes / self.n_rows:.1f})."
        )
        if large.family == "JSON Lines":
            text += " JSON Lines repeats every column's name in every row."
        return text

    def _why_columns(self) -> str:
        share: dict[str, float] = {}
        for lane in self.lanes:
            whole, some = lane.median_seconds("read all"), lane.median_seconds("read columns")
            if whole and some:
                share[lane.family] = min(share.get(lane.family, 9.0), some / whole)
        if not share:
            return ""
        shares = ", ".join(f"{family} {format_share(value)}" for family, value in share.items())
        return (
            f"**{len(self.params.columns)} of {self.n_columns} columns** take, as a share of"
            f" reading all: {shares}. Row formats must read and parse every row."
        )

    def _why_close(self) -> str:
        close = []
        for operation in OPERATIONS:
            timed = [lane for lane in self.lanes if lane.seconds.get(operation)]
            timed.sort(key=lambda lane: lane.median_seconds(operation) or 0.0)
            if len(timed) > 1 and max(timed[0].seconds[operation]) >= min(
                timed[1].seconds[operation]
            ):
                close.append(f"{operation} ({timed[0].name}, {timed[1].name})")
        return (
            f"**Too close to call**, the runs of the two fastest overlap: {'; '.join(close)}."
            if close
            else ""
        )

    def _why_fidelity(self) -> str:
        compared = [lane for lane in self.lanes if lane.changes is not None]
        faithful = [lane.name for lane in compared if not lane.changes]
        text = f"**Round trip**: unchanged with {', '.join(faithful) or 'no format'}."
        same: dict[str, list[str]] = {}
        for lane in compared:
            if lane.changes:
                same.setdefault(lane.fidelity, []).append(lane.name)
        text += "".join(
            f" {', '.join(names)} changed: {changes}." for changes, names in same.items()
        )
        wrong = [
            f"{lane.name} finds {lane.n_matching:,}"
            for lane in compared
            if lane.n_matching not in (None, self.n_matching)
        ]
        if wrong:
            text += f" The filter should find {self.n_matching:,} rows: {', '.join(wrong)}."
        return text

    def _why_n(self) -> str:
        spreads = [
            max(runs) / min(runs)
            for lane in self.lanes
            for runs in lane.seconds.values()
            if len(runs) > 1
        ]
        n = max((len(runs) for lane in self.lanes for runs in lane.seconds.values()), default=0)
        text = (
            f"Measured {format_time(self.measured_at)} UTC, {n} runs each, files warm in the"
            " system's cache"
        )
        if spreads:
            worst = format_factor(max(spreads))
            text += (
                f"; slowest / fastest run: median {format_factor(median(spreads))}, at most {worst}"
            )
        return (
            f"{text}. Overhead of the harness: {format_share(self.overhead_share)} of"
            f" {format_seconds(self.wall_seconds)}."
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces: sizes, rows found, columns changed; never
        a time.
        """
        numbers: dict[str, int | float | str] = {
            "n_rows": self.n_rows,
            "n_matching": self.n_matching,
        }
        for lane in self.lanes:
            if not lane.refused:
                numbers[f"{lane.name} bytes"] = lane.file_bytes
                numbers[f"{lane.name} columns changed"] = self.n_changed(lane.name)
        return numbers

    def table(self) -> pa.Table:
        """Return one row for each format and operation, with every single run."""
        rows = [
            {
                "format": lane.name,
                "file_bytes": lane.file_bytes,
                "operation": operation,
                "median_seconds": lane.median_seconds(operation),
                "megabytes_per_second": self.megabytes_per_second(lane, operation),
                "factor_to_best": self.factor(lane, operation),
                "runs_seconds": " ".join(f"{s:.6f}" for s in lane.seconds.get(operation, ())),
                "fidelity": lane.fidelity,
            }
            for lane in self.lanes
            for operation in OPERATIONS
        ]
        return pa.Table.from_pylist(rows)
