"""Schema evolution: a file written with one schema and read with the next, for nine changes and
four formats.

Real: all 36 cells are written and read by the formats' own writers and readers
(``engine.formats.evolution.schema_changes``), and each outcome is found by comparing what was read
with what the change means. Simplified: a few rows, one change at a time, and one common reader a
format; another reader (Spark, DuckDB) may fill, cast or refuse where this one does not.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from engine.formats.evolution import schema_changes
from engine.formats.evolution.schema_changes import (
    CHANGES,
    FORMATS,
    NEW_NAME,
    OLD_NAME,
    WHAT_CHANGES,
    Change,
    CsvColumns,
    Direction,
    Format,
    Meeting,
)
from engine.ranges import SEED, Params, Range

__all__ = [
    "CHANGES",
    "FORMATS",
    "OUTCOMES",
    "Cell",
    "EvolutionParams",
    "EvolutionResult",
    "run",
]

Outcome = Literal["same", "filled", "nulls", "silently wrong", "error"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class EvolutionParams(Params):
    """Direction, settings of the readers, and the selected cell."""

    direction: Direction = "backward"  # backward: v2 reads v1's file; forward: v1 reads v2's file
    # how the CSV reader names columns: from the file, or from its schema in order
    csv_columns: CsvColumns = "by header"
    aliases: bool = False  # whether v2's Avro schema names the old name of a renamed field
    change: Change = "number to text"  # the cell selected
    format: Format = "CSV"
    n_rows: Annotated[int, Range(2, 50)] = 12  # the first is a cancelled flight
    seed: Annotated[int, SEED] = 0  # of the rows drawn


@dataclass(frozen=True, slots=True, eq=False)
class Cell:
    """What happened for one change in one format."""

    change: Change
    format: Format
    outcome: Outcome
    detail: str  # one sentence
    error: str  # "TypeName: text" of the exception, empty without one
    written: pa.Table
    expected: pa.Table
    read: pa.Table | None  # None with an exception
    n_wrong: int  # values that are there and are not the ones expected
    n_lost: int  # nulls where a value was expected


@dataclass(frozen=True, slots=True, eq=False)
class EvolutionResult:
    """The matrix of changes × formats, and the selected cell."""

    params: EvolutionParams
    cells: tuple[Cell, ...]  # 36: change by change, formats in order

    def cell(self, change: str, format: str) -> Cell:
        """Return one cell of the matrix."""
        return next(cell for cell in self.cells if (cell.change, cell.format) == (change, format))

    def count(self, outcome: Outcome, format: str | None = None) -> int:
        """Return how many of the cells, or of one format's nine, have this outcome."""
        return sum(cell.outcome == outcome and format in (None, cell.format) for cell in self.cells)

    @property
    def selected(self) -> Cell:
        """The cell that the params select."""
        return self.cell(self.params.change, self.params.format)

    @property
    def outcome(self) -> Outcome:
        """Outcome of the selected cell."""
        return self.selected.outcome

    @property
    def n_silent(self) -> dict[Format, int]:
        """How many of its nine changes each format read wrongly without an error."""
        return {format: self.count("silently wrong", format) for format in FORMATS}

    @property
    def n_silently_wrong(self) -> int:
        """Cells of 36 in which a reader returned wrong values without an error."""
        return self.count("silently wrong")

    @property
    def n_errors(self) -> int:
        """Cells of 36 in which the reader refused."""
        return self.count("error")

    @property
    def n_unharmed(self) -> int:
        """Cells of 36 in which every value came back, or the default stood in for a new one."""
        return self.count("same") + self.count("filled")

    @property
    def n_avro_errors(self) -> int:
        """Changes of nine that Avro refused."""
        return self.count("error", "Avro")

    @property
    def verdict(self) -> str:
        """Which formats lose or change values without an error."""
        reader = (
            "Old files, new schema"
            if self.params.direction == "backward"
            else "New files, old schema"
        )
        worst = max(self.n_silent.values())
        if worst:
            guilty = [format for format, n in self.n_silent.items() if n == worst]
            verb = "is" if len(guilty) == 1 else "are"
            found = (
                f"{_join(guilty)} {verb} silently wrong in **{worst} of {len(CHANGES)}** changes"
            )
            others = [f"{format} in {n}" for format, n in self.n_silent.items() if 0 < n < worst]
            found += f" ({', '.join(others)})" if others else ""
        else:
            found = f"no format is silently wrong in any of **{len(CHANGES)}** changes"
        silent = self.n_silent["Avro"]
        clean = "is never silently wrong" if silent == 0 else f"is silently wrong in {silent}"
        return f"{reader}: {found}; Avro refuses {self.n_avro_errors} with an error and {clean}."

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return [
            (
                f"**{self.selected.format}, {self.selected.change}**"
                f" ({WHAT_CHANGES[self.selected.change]}): {self.selected.detail}"
            ),
            self._why_on_read(),
            self._why_avro(),
            self._why_parquet(),
        ]

    def _why_on_read(self) -> str:
        chosen = [cell for cell in self.cells if cell.format in ("CSV", "JSON")]
        answered = [cell for cell in chosen if cell.outcome != "error"]
        n_nulls, n_wrong = sum(c.n_lost > 0 for c in answered), sum(c.n_wrong > 0 for c in answered)
        text = (
            "**Schema-on-read**: CSV and JSON files have no schema, the reader brings one. They"
            f" return rows in {len(answered)} of {len(chosen)} cells: nulls instead of"
            f" values in {n_nulls}, wrong values in {n_wrong}."
        )
        refused = [c.change for c in chosen if c.format == "JSON" and "changed from" in c.error]
        return text + (
            f" JSON quotes text, so it refuses: {', '.join(refused)}." if refused else ""
        )

    def _why_avro(self) -> str:
        cells = [cell for cell in self.cells if cell.format == "Avro"]
        refused = [cell.change for cell in cells if cell.outcome == "error"]
        text = (
            "**Schema-on-write**: an Avro file has its writer's schema. The reader compares it with"
            " its own before it reads values."
        )
        return f"{text} It refuses: {', '.join(refused)}."

    def _why_parquet(self) -> str:
        nulls, wrong = self.count("nulls", "Parquet"), self.count("silently wrong", "Parquet")
        return (
            "**Parquet** has its schema too, but pyarrow casts the file to the reader's schema and"
            f" fills missing columns with nulls: nulls in {nulls}, silently wrong in {wrong},"
            f" errors in {self.count('error', 'Parquet')} of {len(CHANGES)}."
        )

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "n_rows": self.params.n_rows,
            "n_same": self.count("same"),
            "n_filled": self.count("filled"),
            "n_nulls": self.count("nulls"),
            "n_silently_wrong": self.n_silently_wrong,
            "n_errors": self.n_errors,
            "outcome": self.outcome,
        }

    def table(self) -> pa.Table:
        """Return the matrix, one row a cell."""
        names = ("change", "format", "outcome", "n_wrong", "n_lost", "detail", "error")
        columns = {name: [getattr(cell, name) for cell in self.cells] for name in names}
        return pa.table(columns).rename_columns(
            {"n_wrong": "n_values_wrong", "n_lost": "n_values_lost"}
        )


def _join(names: Iterable[str]) -> str:
    """Return names as people list them: ``"a, b and c"``."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _wide(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return integers as 64 bits, so that values are compared and not widths; text as it is."""
    return column.cast(pa.int64()) if pa.types.is_integer(column.type) else column


def compare(read: pa.ChunkedArray, expected: pa.ChunkedArray) -> tuple[pa.Array, pa.Array]:
    """Return two masks over the rows: values that are there but wrong, and nulls where a value was
    expected.
    """
    equal = pc.fill_null(pc.equal(_wide(read), _wide(expected)), False)
    wrong = pc.and_(read.is_valid(), pc.invert(equal))
    lost = pc.and_(read.is_null(), expected.is_valid())
    return wrong, lost


def judge(meeting: Meeting, read: pa.Table) -> tuple[Outcome, int, int, str]:
    """Return outcome, values wrong, values lost and a sentence, from what was read and what should
    have been.
    """
    n_rows = len(meeting.expected)
    if len(read) != n_rows:
        return (
            "silently wrong",
            abs(len(read) - n_rows),
            0,
            f"{len(read):,} rows came back of {n_rows:,}.",
        )
    masks = {name: compare(read[name], meeting.expected[name]) for name in meeting.reader.names}
    n_wrong, n_lost = (sum(pc.sum(mask[i]).as_py() for mask in masks.values()) for i in (0, 1))
    if n_wrong:
        name = next(name for name, (wrong, _) in masks.items() if pc.any(wrong).as_py())
        row = pc.index(masks[name][0], True).as_py()
        got, want = (_format_value(table[name][row].as_py()) for table in (read, meeting.expected))
        are = "value is" if n_wrong == 1 else "values are"
        text = (
            f"{n_wrong:,} {are} wrong of {n_rows * len(masks):,}, without an error: {name} reads"
            f" {got} instead of {want}."
        )
        return "silently wrong", n_wrong, n_lost, text
    if n_lost:
        name = next(name for name, (_, lost) in masks.items() if pc.any(lost).as_py())
        return "nulls", 0, n_lost, _lost_sentence(meeting, name, n_lost, n_rows)
    if meeting.added in meeting.defaults:
        default = meeting.defaults[meeting.added]
        return (
            "filled",
            0,
            0,
            f"{meeting.added} reads {default!r}, the default, in all {n_rows:,} rows.",
        )
    if meeting.added:
        return (
            "nulls",
            0,
            0,
            f"{meeting.added} is not in the file and reads null in all {n_rows:,} rows.",
        )
    return "same", 0, 0, f"All {n_rows * len(masks):,} values are as the change requires."


def _lost_sentence(meeting: Meeting, name: str, n_lost: int, n_rows: int) -> str:
    if name in meeting.defaults:
        return (
            f"{name} reads null in all {n_rows:,} rows: this reader cannot use the default"
            f" {meeting.defaults[name]!r}."
        )
    other = {OLD_NAME: NEW_NAME, NEW_NAME: OLD_NAME}.get(name, name)
    return (
        f"{name} reads null in all {n_rows:,} rows; the file has {n_lost:,} values for it under the"
        f" name {other}."
    )


def _format_value(value: object) -> str:
    return "null" if value is None else repr(value) if isinstance(value, str) else f"{value:,}"


def _cell(change: Change, format: Format, meeting: Meeting, params: EvolutionParams) -> Cell:
    from fastavro.read import SchemaResolutionError

    outcome: Outcome
    read, error = None, ""
    content = schema_changes.write(meeting.written, format)
    try:
        read = schema_changes.read(
            content, format, meeting, csv_columns=params.csv_columns, aliases=params.aliases
        )
    except (pa.ArrowException, SchemaResolutionError) as refusal:
        error = f"{type(refusal).__name__}: {refusal}"
        outcome, n_wrong, n_lost, detail = (
            "error",
            0,
            0,
            f"Refused: {error.strip().splitlines()[0]}",
        )
    else:
        outcome, n_wrong, n_lost, detail = judge(meeting, read)
    left_out = params.n_rows - len(meeting.written)
    if left_out:
        rows, their = ("row", "its") if left_out == 1 else ("rows", "their")
        detail += (
            f" {left_out:,} {rows} could not be written: {their} delay needs more than 8 bits."
        )
    return Cell(
        change,
        format,
        outcome,
        detail,
        error,
        meeting.written,
        meeting.expected,
        read,
        n_wrong,
        n_lost,
    )


@lru_cache(maxsize=64)
def _matrix(params: EvolutionParams) -> tuple[Cell, ...]:
    """Return the 36 cells, for params with the default selection."""
    rows = schema_changes.sample(params.n_rows, params.seed)
    meetings = {change: schema_changes.meet(change, params.direction, rows) for change in CHANGES}
    return tuple(
        _cell(change, format, meetings[change], params) for change in CHANGES for format in FORMATS
    )


def run(params: EvolutionParams) -> EvolutionResult:
    """Write and read all 36 cells (once for the same settings; selecting another cell computes
    nothing).
    """
    key = EvolutionParams(
        direction=params.direction,
        csv_columns=params.csv_columns,
        aliases=params.aliases,
        n_rows=params.n_rows,
        seed=params.seed,
    )
    return EvolutionResult(params, _matrix(key))
