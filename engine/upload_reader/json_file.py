"""JSON: an array of objects, or one object a line; each value keeps what JSON says it is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from engine.errors import InputError, name_in_sentence, require
from engine.upload_reader.csv_file import kind_of
from engine.upload_reader.encodings import read_text
from engine.upload_reader.limits import check_nested, check_size
from engine.upload_reader.options import FOUND, ColumnRead, Options, Report
from engine.upload_reader.typed import count, numbers, typed

BATCH_ROWS = 10_000
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
HALF_PAIR = (
    "{} holds half of a UTF-16 pair (\\ud800 to \\udfff), which is no letter. Write the whole pair,"
    " then upload again."
)
SPACE = re.compile(r"[ \t\r\n]*")


class Number(str):
    """A number as the file writes it: its digits are kept until the whole column is known."""


KINDS = {str: "text", Number: "numbers", bool: "true or false"}


class Column:
    """One column as it grows: texts, and how many values of each kind they stand for."""

    def __init__(self, n_rows: int) -> None:
        self.chunks = [pa.nulls(n_rows, pa.string())] if n_rows else []
        self.texts: list[str | None] = []
        self.counts = dict.fromkeys(KINDS, 0)

    def flush(self, n_rows: int, name: str) -> None:
        """Turn the texts of the last ``n_rows`` rows into Arrow, which takes a tenth of the
        memory.
        """
        missing = [None] * (n_rows - len(self.texts))
        try:
            self.chunks.append(pa.array(self.texts + missing, pa.string()))
        except UnicodeEncodeError as error:
            raise InputError(HALF_PAIR.format(name_in_sentence(name))) from error
        self.texts = []

    def whole(self) -> pa.Array:
        """Return all texts."""
        return pa.chunked_array(self.chunks, pa.string()).combine_chunks()


def read_json(path: Path, options: Options, report: Report) -> pa.Table:
    """Return the table of a JSON file: a column for each name in its objects, null where an object
    lacks it.

    Raises
    ------
    InputError
        Not JSON, not objects, nested values, a name twice in one object, no rows.
    """
    report.format, report.decimal = "JSON", "."
    text = read_text(path, options, report).decode("utf-8")
    columns: dict[str, Column] = {}
    n_rows = 0
    for row in _objects(text, report):
        _add(row, columns, n_rows)
        n_rows += 1
        if n_rows % BATCH_ROWS == 0:
            check_size(n_rows, len(columns))
            for name, column in columns.items():
                column.flush(BATCH_ROWS, name)
    require(n_rows > 0, "This JSON file has no rows. Upload one with at least one object.")
    check_size(n_rows, len(columns))
    for name, column in columns.items():
        column.flush(n_rows % BATCH_ROWS, name)
    return _typed(columns, options, report)


def _typed(columns: dict[str, Column], options: Options, report: Report) -> pa.Table:
    """Return the columns in their types, each listed in ``report``; ``columns`` is emptied."""
    found = {}
    for name in list(columns):
        column = columns.pop(name)
        kinds = [kind for kind, n in column.counts.items() if n]
        wish = options.wish(name)
        note = ""
        values = column.whole()
        if wish != FOUND:
            values, note = typed(values, ".", wish)
        elif kinds == [bool]:
            values = values.cast(pa.bool_())
        elif kinds == [Number]:
            values, note = numbers(values, ".", wanted=False)
        elif kinds == [str]:
            values, note = _dates(values)
        elif kinds:
            counts = [f"{KINDS[kind]} in {count(column.counts[kind])}" for kind in kinds]
            note = f"{', '.join(counts)}: kept as text"
        report.columns.append(ColumnRead(name, kind_of(values.type), note))
        found[name] = values
    return pa.table(found)


def _dates(values: pa.Array) -> tuple[pa.Array, str]:
    """Return texts as dates or times, with a note, if all are such, for JSON has no other way to
    write them.
    """
    column, note = typed(values, ".")
    return (column, note) if pa.types.is_temporal(column.type) else (values, "")


def _objects(text: str, report: Report) -> Iterator[tuple[tuple[str, Any], ...]]:
    """Yield each object as pairs of name and value, one after another: the whole as Python objects
    would take ten times the file.
    """
    decode = json.JSONDecoder(
        parse_int=Number, parse_float=Number, parse_constant=Number, object_pairs_hook=tuple
    ).raw_decode
    place = _skip(text, 0)
    in_array = text[place : place + 1] == "["
    report.format = "JSON" if in_array else "JSON Lines"
    place = _skip(text, place + 1) if in_array else place
    n = 0
    while place < len(text) and not (in_array and text[place] == "]"):
        if in_array and n:
            _expect(text, place, ",")
            place = _skip(text, place + 1)
        row, place = _decode(decode, text, place)
        n += 1
        if not isinstance(row, tuple):
            raise InputError(
                "A JSON file must be an array of objects, or one object a line. Item"
                f" {n:,} is {_word(row)}: write each row as an object with named values."
            )
        yield row
        place = _skip(text, place)
    if in_array:
        _expect(text, place, "]")
        if (rest := _skip(text, place + 1)) < len(text):
            raise InputError(_where(text, rest, "there is more after the end of the array"))


def _decode(decode: Any, text: str, place: int) -> tuple[Any, int]:
    try:
        value, place = decode(text, place)
        return value, place
    except json.JSONDecodeError as error:
        raise InputError(_where(text, error.pos, error.msg[:1].lower() + error.msg[1:])) from error
    except RecursionError as error:
        raise InputError(
            _where(text, place, "values are nested too deeply; flatten or drop them")
        ) from error


def _skip(text: str, place: int) -> int:
    found = SPACE.match(text, place)
    return found.end() if found else place


def _expect(text: str, place: int, mark: str) -> None:
    if text[place : place + 1] != mark:
        raise InputError(_where(text, place, f"expecting {mark!r}"))


def _where(text: str, place: int, what: str) -> str:
    """Return the sentence about a fault at a place of the text."""
    if place >= len(text):
        return (
            f"This JSON file is cut short: it ends where more must come ({what}). Write it again"
            " from its source."
        )
    line = text.count("\n", 0, place) + 1
    column = place - text.rfind("\n", 0, place)
    return (
        f"This JSON file cannot be read: line {line:,}, character {column:,}: {what}. Correct it"
        " there, then upload again."
    )


def _word(value: Any) -> str:
    if isinstance(value, list):
        return "an array"
    words = {str: "a text", Number: "a number", bool: "true or false"}
    return "null" if value is None else words[type(value)]


def _add(row: tuple[tuple[str, Any], ...], columns: dict[str, Column], n_rows: int) -> None:
    """Add one object as the row after ``n_rows`` others."""
    in_batch = n_rows % BATCH_ROWS
    for name, value in row:
        column = columns.get(name)
        if column is None:
            if LONE_SURROGATE.search(name):
                raise InputError(HALF_PAIR.format("A name"))
            column = columns[name] = Column(n_rows - in_batch)
        texts = column.texts
        if len(texts) < in_batch:
            texts += [None] * (in_batch - len(texts))
        if len(texts) > in_batch:
            raise InputError(
                f"Names in an object must differ. {name_in_sentence(name)} appears twice in row"
                f" {n_rows + 1:,}: rename one, then upload again."
            )
        if value is None:
            texts.append(None)
            continue
        kind = type(value)
        if kind not in KINDS:
            check_nested([name])
        column.counts[kind] += 1
        texts.append(("true" if value else "false") if kind is bool else value)
