"""Where the cells of a CSV text are: separator, header and the first line of rows, found in its
first megabyte.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from itertools import islice

from engine.errors import InputError
from engine.upload_reader.limits import check_size
from engine.upload_reader.options import FOUND, NO_SEPARATOR, Options, Report

SAMPLE_BYTES = 1 << 20
SAMPLE_ROWS = 300
CANDIDATES = ("\t", ";", "|", ",")  # a comma is in many texts: of equals, the others come first
# what is no column's name
KINDS = {
    "number": r"[+-]?[$€£]?(\d[\d.,'\u00a0\u202f]*|[.,]\d+)(e[+-]?\d+)?\s?[%€$£]?|[+-]?inf|nan",
    "time": r"\d{1,4}[-./]\d{1,2}[-./]\d{1,4}([T ]\d\d:\d\d.*)?|\d\d?:\d\d(:\d\d.*)?",
    "flag": r"true|false",
}
VALUES = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in KINDS.items()}
SEP_LINE = re.compile(r'"?sep=([!-~\t])"?', re.IGNORECASE)  # Excel's first line
WHOLE = re.compile(r"\d{1,4}")
YEAR = re.compile(r"(1[89]|20|21)\d\d")
csv.field_size_limit(2**31 - 1)


@dataclass(frozen=True, slots=True)
class Layout:
    """How to cut a text into cells: ``names`` has one name a cell, empty where there is none,
    ``start`` is the first byte of the first row, ``first_line`` its line in the file (from 1).
    """

    separator: str
    names: list[str]
    start: int
    first_line: int


def find_layout(text: bytes, options: Options, report: Report) -> Layout:
    """Return the layout of a text in UTF-8; what was left out or named is noted in ``report``.

    Raises
    ------
    InputError
        No line holds anything, or the first is no header of what is below it.
    """
    sample = text[:SAMPLE_BYTES].decode("utf-8", "ignore")
    lines = list(io.StringIO(sample, newline=""))
    if len(text) > SAMPLE_BYTES and len(lines) > 1:
        lines.pop()  # cut short
    n_above, separator = _above(lines, options.separator, report)
    body = lines[n_above:]
    if not body:
        raise InputError(
            "This CSV file holds no row. Upload one with a header and at least one row."
        )
    separator = separator or _find_separator(body)
    report.separator = separator
    rows = cells(body, separator)
    first = rows[0]
    has_header = _is_header(rows) if options.header == FOUND else options.header == "yes"
    report.header = "yes" if has_header else "no"
    check_size(0, len(first))
    names = _names(first, rows[1:], report) if has_header else [""] * len(first)
    if not has_header and options.header == FOUND:
        report.notes.append("The first line is taken as values, not as names of columns.")
    n_head = n_above + (_lines_of_first(body, separator) if has_header else 0)
    start = sum(len(line.encode()) for line in lines[:n_head])
    return Layout(separator, names, start, n_head + 1)


def cells(lines: list[str], separator: str, n_rows: int = SAMPLE_ROWS) -> list[list[str]]:
    """Return the cells of the first rows; blank lines are left out, quotes are respected."""
    reader = csv.reader(lines, delimiter=separator)
    return list(islice((row for row in reader if row), n_rows))


def _above(lines: list[str], separator: str, report: Report) -> tuple[int, str]:
    """Return how many lines are above the header (blank, comments, Excel's ``sep=``), and the
    separator that was chosen there or in ``separator``.
    """
    chosen = "" if separator == FOUND else separator
    n, n_comments = 0, 0
    while n < len(lines):
        line = lines[n].strip()
        if (given := SEP_LINE.fullmatch(lines[n].rstrip("\r\n"))) and n == 0:
            chosen = chosen or given[1]
        elif line.startswith("#") and not _is_named(lines[n:], chosen):
            n_comments += 1
        elif line:
            break
        n += 1
    if n_comments:
        report.notes.append(f"Lines that begin with # above the header left out: {n_comments:,}.")
    return n, chosen


def _is_named(lines: list[str], separator: str) -> bool:
    """Whether a line that begins with # is the header: names without a space after the mark, as
    many as the next line has cells.
    """
    if lines[0].startswith(("# ", "##")) or len(lines) < 2:
        return False
    for candidate in [separator] if separator else CANDIDATES:
        head, *rest = [len(row) for row in cells(lines[:2], candidate)]
        if head > 1 and rest == [head]:
            return True
    return False


def _find_separator(lines: list[str]) -> str:
    """Return the separator by which most rows have as many cells as the header; of equals, the one
    whose cells are values.
    """
    found = {separator: cells(lines, separator) for separator in CANDIDATES}
    fits = {separator: _fit(rows) for separator, rows in found.items() if len(rows[0]) > 1}
    if fits:
        return max(fits, key=lambda separator: fits[separator])
    for separator, rows in found.items():
        widths = {len(row) for row in rows[1:]}
        if len(rows) > 2 and len(widths) == 1 and (width := widths.pop()) > 1 + (separator == ","):
            raise InputError(
                f"The first line must be the header. Got 1 cell there and {width} in each line"
                " after it: delete what is above the header, or choose another separator."
            )
    return NO_SEPARATOR


def _fit(rows: list[list[str]]) -> tuple[float, float]:
    """Return the share of rows as wide as the first one, and the share of their cells that are
    values rather than text.
    """
    head, *body = rows
    if not body:
        return 1.0, 0.0
    wide = [row for row in body if len(row) == len(head)]
    if all(len(row) == len(head) + 1 for row in body):
        wide = body
    all_cells = [cell.strip() for row in wide for cell in row]
    typed = sum(1 for cell in all_cells if not cell or _kind(cell))
    return len(wide) / len(body), typed / max(1, len(all_cells))


def _kind(cell: str) -> str:
    """Return which kind of value a cell is, empty for text. A date is asked for before a number,
    which 1.2.2013 looks like.
    """
    kinds = ("time", "number", "flag")
    return next((kind for kind in kinds if VALUES[kind].fullmatch(cell)), "")


def _is_header(rows: list[list[str]]) -> bool:
    """Whether the first row names the columns: not if it has, in each column of values, a value
    of the kind below it.

    Years above other numbers and 0, 1, 2 … are names, as is a row whose first cell is empty.
    """
    head = [cell.strip() for cell in rows[0]]
    body = [row for row in rows[1:] if len(row) == len(head)]
    if not body:
        return len(rows) > 1 or not any(map(_kind, head))
    kinds = {n: {_kind(cell) for row in body if (cell := row[n].strip())} for n in range(len(head))}
    valued = [n for n, found in kinds.items() if found and "" not in found]
    if not head[0] or not valued or any(head[n] and _kind(head[n]) not in kinds[n] for n in valued):
        return True
    named = [head[n] for n in valued]
    if len(set(named)) < len(named):
        return False
    if _is_count(named) and (named[0] == "0" or len(named) < len(head)):
        return True
    years = all(map(YEAR.fullmatch, named))
    return years and not all(YEAR.fullmatch(row[n].strip()) for row in body for n in valued)


def _is_count(cells: list[str]) -> bool:
    """Whether the cells are three or more whole numbers in a row, such as 0, 1, 2."""
    if len(cells) < 3 or not all(map(WHOLE.fullmatch, cells)):
        return False
    return [int(cell) for cell in cells] == list(range(int(cells[0]), int(cells[0]) + len(cells)))


def _names(head: list[str], body: list[list[str]], report: Report) -> list[str]:
    """Return the names of the header, with an empty one more where rows have a cell more: in
    front, or at the end if those cells are empty.
    """
    head = [name.strip() for name in head]
    if len(head) > 1 and body and all(len(row) == len(head) + 1 for row in body):
        trailing = all(not row[-1].strip() for row in body)
        head = [*head, ""] if trailing else ["", *head]
        if not trailing:
            report.notes.append(
                "The header has one name fewer than the rows have cells: the first column is the"
                " one without a name."
            )
    return head


def _lines_of_first(lines: list[str], separator: str) -> int:
    reader = csv.reader(lines, delimiter=separator)
    next(row for row in reader if row)
    return reader.line_num
