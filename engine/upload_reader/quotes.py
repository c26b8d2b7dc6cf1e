"""Quotation marks of a CSV text in the form of RFC 4180, where a program wrote them in another."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

from engine.errors import InputError
from engine.upload_reader.layout import find_layout
from engine.upload_reader.options import Options, Report

INSIDE = rb'[^",;|\t\r\n]'
LONE = re.compile(INSIDE + rb'"' + INSIDE)  # a single mark within a cell
ESCAPED = re.compile(rb'\\"')
AFTER_BLANK = re.compile(rb'[,;|\t] +"')
BACKSLASH = re.compile(rb'\\(["\\])|\\')


def plain_quotes(text: bytes, options: Options, report: Report) -> bytes:
    r"""Return a text whose quotation marks are doubled within cells and stand at a cell's ends.

    Marks written ``\"``, cells that begin after a blank, and marks that are letters, as they are in
    tab-separated text, are rewritten where the whole text can only be read so; letters after a
    closing mark are noted.
    """
    if b'"' not in text:
        return text
    try:
        separator = find_layout(text, options, Report()).separator
    except InputError:
        return text  # refused later, with the reason
    escaped, is_tab = ESCAPED.search(text), separator == "\t"
    broken = (escaped or is_tab) and _broken(text, separator, even=True)
    if broken and escaped:
        # a backslash before anything else is one
        doubled = BACKSLASH.sub(lambda found: found[0] if found[1] else rb"\\", text)
        if not _broken(doubled, separator, even=True, escapechar="\\"):
            report.notes.append('Quotation marks written as \\" are read as "".')
            return _rewritten(doubled, separator, escapechar="\\")
    if broken and is_tab and not _broken(text, separator, even=True, quoting=csv.QUOTE_NONE):
        report.notes.append("Quotation marks are read as letters: they close no cell here.")
        return _rewritten(text, separator, quoting=csv.QUOTE_NONE)
    blank = AFTER_BLANK.search(text) and _has_blank_cells(text, separator)
    if blank and not _broken(text, separator, even=True, skipinitialspace=True):
        report.notes.append("Blanks between a separator and a quotation mark left out.")
        return _rewritten(text, separator, skipinitialspace=True)
    if LONE.search(text) and (line := _broken(text, separator)):
        report.notes.append(
            f"Line {line:,} has letters after a closing quotation mark: read as part of the cell."
        )
    return text


def _rows(text: bytes, separator: str, **form: Any) -> Any:
    lines = io.TextIOWrapper(io.BytesIO(text), "utf-8", newline="")
    return csv.reader(lines, delimiter=separator, **form)


def _broken(text: bytes, separator: str, even: bool = False, **form: Any) -> int:
    """Return the line of the first row that breaks the rules of quotation marks, or, if rows must
    be ``even``, has another width than the first; 0 if none does.
    """
    rows = _rows(text, separator, strict=True, **form)
    width = 0
    try:
        for row in rows:
            width = width or len(row)
            if even and row and len(row) != width:
                return int(rows.line_num)
    except csv.Error as error:
        # a mark that is never closed is refused later
        return int(rows.line_num) if even or "expected after" in str(error) else 0
    return 0


def _has_blank_cells(text: bytes, separator: str) -> bool:
    cells: Iterator[str] = (cell for row in _rows(text, separator) for cell in row)
    return any(cell[:1] == " " and cell.lstrip(" ")[:1] == '"' for cell in cells)


def _rewritten(text: bytes, separator: str, **form: Any) -> bytes:
    """Return the text as Python's csv module writes the rows that it reads; it does not tell an
    empty text in quotation marks from no text.
    """
    target = io.BytesIO()
    lines = io.TextIOWrapper(target, "utf-8", newline="")
    csv.writer(lines, delimiter=separator, lineterminator="\n").writerows(
        _rows(text, separator, **form)
    )
    lines.flush()
    return target.getvalue()
