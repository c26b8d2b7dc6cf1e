"""CSV: text with one row a line, in any of the forms that programs write it in."""

from __future__ import annotations

import csv as python_csv
import io
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as csv

from engine.errors import InputError
from engine.upload_reader.columns import check_names
from engine.upload_reader.encodings import read_text
from engine.upload_reader.layout import Layout, find_layout
from engine.upload_reader.limits import check_size, listed, reason
from engine.upload_reader.options import FOUND, ColumnRead, Options, Report
from engine.upload_reader.quotes import LONE, plain_quotes
from engine.upload_reader.typed import find_decimal_mark, typed

END = "\x1e"  # a cell that no text has
EMPTY_LINE = re.compile(rb"\n(?=\r?\n)|\r(?=\r)")
KINDS = (
    (pa.types.is_boolean, "true or false"),
    (pa.types.is_integer, "whole numbers"),
    (pa.types.is_floating, "numbers"),
    (pa.types.is_decimal, "decimals"),
    (pa.types.is_date, "dates"),
    (pa.types.is_timestamp, "dates with time"),
    (pa.types.is_time, "times"),
)


def read_csv(path: Path, options: Options, report: Report) -> pa.Table:
    """Return the table of a CSV file as ``options`` want it, and note in ``report`` how it was
    read.

    Cells are cut by pyarrow, as text; types come from whole columns (``typed``). A cell without
    anything, quotation marks included, is null, as it is for pandas, Spark and DuckDB.

    Raises
    ------
    InputError
        Not text, a row of another width than the header, an open quote, no rows.
    """
    report.format = "CSV"
    text = read_text(path, options, report)
    text = plain_quotes(text, options, report)
    layout = find_layout(text, options, report)
    table = _cut(text, layout, report, path)
    _note_blank_lines(text, layout, report)
    del text
    columns = [column.combine_chunks() for column in table.columns]
    names = _names(layout.names, columns, report)
    columns = columns[: len(names)]
    report.decimal = options.decimal
    if options.decimal == FOUND:
        report.decimal, note = find_decimal_mark(columns, layout.separator)
        report.notes += [note] if note else []
    return type_columns(names, columns, options, report)


def type_columns(
    names: list[str], columns: list[pa.Array], options: Options, report: Report
) -> pa.Table:
    """Return columns of text in their types, each listed in ``report``; ``columns`` is emptied, for
    both forms of all columns at once would be twice the memory.
    """
    check_size(0, len(names))
    check_names(names)
    found = []
    for name in names:
        column, note = typed(columns.pop(0), report.decimal, options.wish(name))
        report.columns.append(ColumnRead(name, kind_of(column.type), note))
        found.append(column)
    return pa.table(found, names=names)


def kind_of(type_: pa.DataType) -> str:
    """Return the word for a type."""
    return next((word for test, word in KINDS if test(type_)), "text")


def _cut(text: bytes, layout: Layout, report: Report, path: Path) -> pa.Table:
    """Return the cells as columns of text, named by their number."""
    comments = blank = 0
    n_columns = len(layout.names)
    names = [str(number) for number in range(n_columns)]

    def on_wrong_width(row: csv.InvalidRow) -> str:
        nonlocal comments, blank
        is_comment = row.text.startswith("#")
        comments += is_comment
        is_blank = not row.text.strip()
        blank += is_blank
        return "skip" if is_comment or is_blank else "error"

    rows = pa.py_buffer(memoryview(text)[layout.start :])
    if not rows.size:
        return pa.table([pa.array([], pa.string())] * n_columns, names=names)
    try:
        table = csv.read_csv(
            pa.BufferReader(rows),
            # one block: a cell may have as many lines as it likes
            csv.ReadOptions(use_threads=False, block_size=rows.size + 1, column_names=names),
            csv.ParseOptions(
                delimiter=layout.separator,
                newlines_in_values=True,
                invalid_row_handler=on_wrong_width,
            ),
            csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                null_values=[""],
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        raise InputError(_ragged(text, layout) or _unreadable(error, path)) from error
    check_size(table.num_rows, n_columns)
    if text.count(b'"', layout.start) % 2 or LONE.search(text, layout.start):
        _check_quotes(text, layout)
    if comments:
        report.notes.append(f"Lines that begin with # among the rows left out: {comments:,}.")
    if blank:
        report.notes.append(f"Lines of blanks left out: {blank:,}.")
    return table


def _records(
    text: bytes, layout: Layout, after: tuple[str, ...] = ()
) -> Iterator[tuple[int, list[str]]]:
    """Yield each row and its first line's number, for sentences: ten times slower than pyarrow."""
    lines = io.TextIOWrapper(io.BytesIO(memoryview(text)[layout.start :]), "utf-8", newline="")
    reader = python_csv.reader(chain(lines, after), delimiter=layout.separator)
    line = layout.first_line
    for row in reader:
        yield line, row
        line = layout.first_line + reader.line_num


def _ragged(text: bytes, layout: Layout) -> str:
    """Return the sentence about the first row that is not as wide as the header."""
    wanted = len(layout.names)
    for line, row in _records(text, layout):
        if len(row) != wanted and "".join(row).strip() and not row[0].startswith("#"):
            return (
                f"This CSV file cannot be read: line {line:,} has {len(row):,}"
                f" cell{'s' * (len(row) != 1)}, the first line has {wanted:,}. Correct the line, or"
                " choose another separator under the uploader."
            )
    return ""


def _unreadable(error: Exception, path: Path) -> str:
    return (
        f"This CSV file cannot be read: {reason(error, path)}. Every line must have as many cells"
        " as the header."
    )


def _check_quotes(text: bytes, layout: Layout) -> None:
    """Raise ``InputError`` if a quote is never closed: all lines after it would be one cell."""
    last: tuple[int, list[str]] = (0, [])
    for record in _records(text, layout, after=("\n", END)):
        last = record
    line, row = last
    if row != [END]:
        raise InputError(
            f"A quotation mark that opens in the row of line {line:,} is never closed. Close it, or"
            ' write it twice ("") where it belongs to the text.'
        )


def _note_blank_lines(text: bytes, layout: Layout, report: Report) -> None:
    """Note how many empty lines there are between rows: pyarrow leaves them out."""
    n, quoted, place, end = 0, False, layout.start, len(text)
    while end and text[end - 1] in b"\r\n":
        end -= 1
    for found in EMPTY_LINE.finditer(text, max(place - 1, 0), end):
        quoted ^= bool(text.count(b'"', place, found.start()) % 2)
        place = max(place, found.start())
        n += not quoted
    if n:
        report.notes.append(f"Empty lines left out: {n:,}.")


def _names(given: list[str], columns: list[pa.Array], report: Report) -> list[str]:
    """Return a name for every column; a last one without name and values, which a separator at the
    end of each line makes, is left out.
    """
    names = list(given)
    if len(names) > 1 and not names[-1] and columns[-1].null_count == len(columns[-1]):
        report.notes.append("An empty last column, after the last separator, left out.")
        names.pop()
    unnamed = [number for number, name in enumerate(names) if not name]
    for number in unnamed:
        name = f"column {number + 1}"
        while name in names:
            name += "_"
        names[number] = name
    if unnamed and len(unnamed) < len(names):
        report.notes.append(f"Without a name: {listed([names[n] for n in unnamed])}.")
    return names
