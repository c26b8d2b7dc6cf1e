"""What each source tells and hides: counts of what came back, against the table itself."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from itertools import pairwise

import pyarrow as pa

from engine.formats.sources import day, read
from engine.formats.sources.day import MIDNIGHT, TYPES, Change, Row
from engine.formats.sources.params import SourcesParams
from engine.formats.sources.read import Reading
from engine.units import format_bytes, format_time

QUESTIONS = (
    "rows as they are now",
    "deletes reported",
    "changes reported",
    "columns with types",
    "in order of change",
    "in the first call",
)


@dataclass(frozen=True, slots=True)
class Claim:
    """One answer of a source: ``n`` of ``of``."""

    n: int
    of: int

    @property
    def share(self) -> float:
        """Share, 0–1; 1 where there is nothing to tell."""
        return self.n / self.of if self.of else 1.0

    def __str__(self) -> str:
        return f"{self.n:,} of {self.of:,}"


def count(n: int, noun: str) -> str:
    """Return a number with its noun: ``"1 delete"``, ``"6 deletes"``."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


@dataclass(frozen=True, eq=False)
class SourcesResult:
    """What came back from each source, and what the table was when the last page was read."""

    params: SourcesParams
    sample: str  # id of the flight that is shown as it came
    minute: float  # of the day, when the reading ended
    exported: float  # when the files were written
    readings: tuple[Reading, ...]

    @cached_property
    def seen(self) -> tuple[Change, ...]:
        """The changes of the table until the reading ended."""
        return day.until(self.minute)

    @cached_property
    def truth(self) -> dict[str, Row]:
        """The table when the reading ended, rows by id."""
        return day.state(self.seen)

    @property
    def n_deletes(self) -> int:
        """Flights that left the table."""
        return sum(change.op == "delete" for change in self.seen)

    def reading(self, start: str) -> Reading:
        """Return the reading of the source whose name starts so."""
        return next(one for one in self.readings if one.source.startswith(start))

    def n_right(self, reading: Reading) -> int:
        """Rows of the table that the source gives as they are now."""
        rows = reading.rows
        return sum(id_ in rows and read.same(rows[id_], row) for id_, row in self.truth.items())

    def n_missing(self, reading: Reading) -> int:
        """Rows of the table that did not come at all."""
        return len(self.truth.keys() - reading.rows.keys())

    def n_gone(self, reading: Reading) -> int:
        """Rows that came although the table has them no more."""
        return len(reading.rows.keys() - self.truth.keys())

    def n_in_order(self, reading: Reading) -> int:
        """Neighbors that came in the order in which they were changed."""
        last = {change.row["id"]: change.position for change in self.seen}
        places = reading.positions or [last[id_] for id_ in reading.ids]
        return sum(one <= other for one, other in pairwise(places))

    def claims(self, reading: Reading) -> dict[str, Claim]:
        """Return the answers of a source to ``QUESTIONS``."""
        n_changes = len(reading.ops) or len(reading.rows)  # a row is the last change of its flight
        n_deletes = sum(op == "delete" for op in reading.ops.values())
        answers = (
            Claim(self.n_right(reading), len(self.truth)),
            Claim(n_deletes, self.n_deletes),
            Claim(n_changes, len(self.seen)),
            Claim(read.typed(reading.rows.values()), len(TYPES)),
            Claim(self.n_in_order(reading), max(0, len(reading.ids) - 1)),
            Claim(reading.first_call, reading.n_messages),
        )
        return dict(zip(QUESTIONS, answers, strict=True))

    @property
    def stale_rows(self) -> int:
        """Rows of the Parquet file that are not as the table is now, or no more in it."""
        file = self.reading("File, Parquet")
        return len(file.rows) - self.n_right(file)

    @property
    def api_missing(self) -> int:
        """Rows that no page of the API had."""
        return self.n_missing(self.reading("API"))

    @property
    def verdict(self) -> str:
        """What only the stream tells, and how old the files are."""
        file = self.reading("File, Parquet")
        pages = f"; the API's pages miss {self.api_missing}" if self.api_missing else ""
        return (
            f"Only the **stream** reports all {len(self.seen)} changes and"
            f" {count(self.n_deletes, 'delete')}. The file has"
            f" **{self.n_right(file)} of {len(self.truth)} rows** as they are now{pages}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        pages, base, stream = (self.reading(name) for name in ("API", "Database", "Stream"))
        text, parquet = self.reading("File, CSV"), self.reading("File, Parquet")
        moved = (
            "a flight that is deleted between two pages moves the others up, so"
            f" {self.api_missing} never came"
            if self.api_missing
            else "no row was lost between them this time"
        )
        return [
            (
                f"**API**: {pages.n_calls} calls of at most {self.params.page_rows} rows, one every"
                f" {self.params.gap_minutes} min; {moved}."
            ),
            (
                f"**Database**: every row as it is now. {len(self.seen) - len(base.rows)} changes"
                f" are overwritten, and of {count(self.n_deletes, 'delete')} there is no trace."
            ),
            (
                f"**Stream**: every change with its kind, in order. {stream.n_messages} messages"
                f" must be replayed for {len(stream.rows)} rows, and"
                f" {stream.n_messages - len(stream.ops)} came twice."
            ),
            (
                f"**File**: written {format_time(self.moment(self.exported))}. {self.stale_rows} of"
                f" its {len(parquet.rows)} rows are out of date, {self.n_gone(parquet)} of them"
                " deleted since."
            ),
            (
                f"**Types**: CSV keeps {read.typed(text.rows.values())} of {len(TYPES)} columns,"
                f" JSON and SQLite {read.typed(base.rows.values())} (times become text), Parquet"
                f" {read.typed(parquet.rows.values())}."
            ),
        ]

    @staticmethod
    def moment(minute: float) -> datetime:
        """Return a minute of the day as a time, New York."""
        return MIDNIGHT + timedelta(minutes=minute)

    def headline(self) -> dict[str, int]:
        """Return the numbers that the script reproduces."""
        return {
            "n_rows": len(self.truth),
            "n_changes": len(self.seen),
            "n_deletes": self.n_deletes,
            "api_missing": self.api_missing,
            "stale_rows": self.stale_rows,
        }

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each source, as texts."""
        return [
            {
                "source": one.source,
                "calls": str(one.n_calls),
                "bytes": format_bytes(one.size_bytes),
                "rows or messages": str(one.n_messages),
                "missing": str(self.n_missing(one)),
                "deleted, still there": str(self.n_gone(one)),
                **{name: str(claim) for name, claim in self.claims(one).items()},
            }
            for one in self.readings
        ]

    def table(self) -> pa.Table:
        """Return one row for each source and question."""
        return pa.Table.from_pylist(
            [
                {"source": one.source, "question": name, "n": claim.n, "of": claim.of}
                for one in self.readings
                for name, claim in self.claims(one).items()
            ]
        )
