"""A person's file as rows to resample: any columns of numbers as axes, any column of a few values
as the label, and which rows have to be left out.

Real: the file's own values. Classes keep the order of the label's values, which is also
imbalanced-learn's. Simplified: two axes, standardized; a file with more rows than asked for gives
rows at even distances.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as types

from engine import data
from engine.errors import name_in_sentence, require
from engine.sampling.rows import Points, is_number, standardized
from engine.texts import inert

MAX_CLASSES = 100
MAX_CATEGORIES = 100


def _read(path: str) -> pa.Table:
    table = data.read_upload(Path(path))
    require(table.num_rows > 0, "The file must have at least one row. Got none.")
    return table


def _present(column: pa.ChunkedArray, *, finite: bool) -> np.ndarray:
    """Return which rows have a value, (n,) bool: no null, no NaN, no empty text, and with
    ``finite`` no infinity.
    """
    there = column.is_valid()
    if types.is_floating(column.type):
        there = pc.and_(there, pc.is_finite(column) if finite else pc.invert(pc.is_nan(column)))
    elif types.is_string(column.type) or types.is_large_string(column.type):
        there = pc.and_(there, pc.not_equal(pc.utf8_trim_whitespace(column), ""))
    return np.asarray(there.fill_null(False).to_numpy(zero_copy_only=False), dtype=bool)


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Return the values as Python's own; −0.0 is 0.0."""
    values: list[Any] = column.to_pylist()
    return [value + 0.0 for value in values] if types.is_floating(column.type) else values


def _counts(column: pa.ChunkedArray) -> list[tuple[Any, int]]:
    """Return (value, rows) of each value that a column has, in the order of the values."""
    there = column.filter(pa.array(_present(column, finite=False)))
    counts: dict[Any, int] = {}
    found = there.value_counts()
    for value, n in zip(_values(found.field("values")), found.field("counts"), strict=True):
        counts[value] = counts.get(value, 0) + n.as_py()
    return sorted(counts.items())


def _is_class_like(column: pa.ChunkedArray) -> bool:
    """Whether a column has two values, or few with two rows each on average."""
    n_values = pc.count_distinct(column, mode="only_valid").as_py()
    n_most = min(MAX_CLASSES + 3, len(column))  # NaN, −0.0 and "" may be among them
    if not 2 <= n_values <= n_most:
        return False
    counts = _counts(column)
    n_rows = sum(n for _, n in counts)
    return len(counts) == 2 or 2 < len(counts) <= min(MAX_CLASSES, n_rows // 2)


def upload_columns(path: str) -> tuple[list[str], list[str]]:
    """Return the columns of an upload that can be an axis (numbers), and those that can be a label
    while two axes are left; those of two classes and of text come first.
    """
    table = _read(path)
    kinds = {field.name: field.type for field in table.schema}
    numbers = [name for name, type_ in kinds.items() if is_number(type_)]
    numbers.sort(key=lambda name: types.is_boolean(kinds[name]))
    require(
        len(numbers) >= 2,
        "The file must have two columns of numbers. Got {}. Upload one with more columns of"
        " numbers.",
        len(numbers),
    )
    labels = [
        name
        for name in table.column_names
        if (name not in numbers or len(numbers) > 2) and _is_class_like(table[name])
    ]
    require(
        len(labels) >= 1,
        "The file must have a column of 2–{} classes, the label, beside two columns of numbers. Got"
        " none. Upload one with such a column.",
        MAX_CLASSES,
    )
    order = {name: (len(_counts(table[name])) != 2, name in numbers) for name in labels}
    return numbers, sorted(labels, key=order.__getitem__)


def upload_classes(path: str, label: str) -> dict[str, int]:
    """Return the rows of each class of an upload, the rarest first."""
    counts = {str(value): n for value, n in _counts(_read(path)[label])}
    return dict(sorted(counts.items(), key=lambda found: found[1]))


def upload_categories(path: str, taken: Sequence[str]) -> list[str]:
    """Return the columns of an upload, but those taken, that can be SMOTE-NC's category: text
    first.
    """
    table = _read(path)
    names = [
        name
        for name in table.column_names
        if name not in taken
        and 2 <= pc.count_distinct(table[name], mode="only_valid").as_py() <= MAX_CATEGORIES
    ]
    return sorted(names, key=lambda name: is_number(table[name].type))


def uploaded(
    path: str,
    columns: tuple[str, str],
    label: str,
    n_rows: int,
    minority: str = "",
    category: str = "",
) -> Points:
    """Return the rows of an upload that have a number on both axes, a label and a category.

    Parameters
    ----------
    n_rows
        Rows to take at most, at even distances.
    minority
        The class to resample, as text; without it the rarest.
    category
        The column of SMOTE-NC; without it the half of the x axis that a row is in.

    Raises
    ------
    InputError
        A column is not there or cannot be used, or the rows taken have no two classes.
    """
    table = _read(path)
    for name in (*columns, label, *([category] if category else [])):
        require(
            name in table.column_names,
            "Columns must be in the file. Got {!r}. Choose another.",
            name_in_sentence(name),
        )
    require(
        columns[0] != columns[1],
        "x and y must be two different columns. Got {} twice. Choose another.",
        name_in_sentence(columns[0]),
    )
    table, n_left_out, notes = _complete(table, columns, label, category, n_rows)
    codes, classes = _classes(table[label], label)
    chosen = _minority(codes, classes, minority, label)
    X = standardized(table, columns)
    halves = np.where(X[:, 0] < 0, "low", "high")
    return Points(
        X,
        (codes == chosen).astype(int),
        _categories(table[category], category) if category else halves,
        tuple(f"{inert(name)} (standardized)" for name in columns),
        codes,
        classes,
        name_in_sentence(category) if category else "half of x",
        n_left_out,
        notes,
    )


def _complete(
    table: pa.Table, columns: tuple[str, str], label: str, category: str, n_rows: int
) -> tuple[pa.Table, int, tuple[str, ...]]:
    """Return at most ``n_rows`` rows that have all they need, how many have not, and the sentences
    about both.
    """
    there = {f"no label in {name_in_sentence(label)}": _present(table[label], finite=False)}
    for name in columns:
        there[f"no finite number in {name_in_sentence(name)}"] = _present(table[name], finite=True)
    if category:
        missing = f"no category in {name_in_sentence(category)}"
        there[missing] = _present(table[category], finite=False)
    whole = np.flatnonzero(np.logical_and.reduce(list(there.values())))
    reasons = [f"{(~rows).sum():,} with {what}" for what, rows in there.items() if not rows.all()]
    n_out = table.num_rows - len(whole)
    left_out = f"{n_out:,} of {table.num_rows:,} rows are left out**: {', '.join(reasons)}."
    require(
        len(whole) > 0,
        "A row must have a label and two numbers. {} Choose other columns.",
        left_out.replace("*", ""),
    )
    notes = [f"**{left_out}"] if n_out else []
    if len(whole) > n_rows:
        notes.append(f"**{n_rows:,} of {len(whole):,} rows** are taken, at even distances.")
    places = np.linspace(0, len(whole) - 1, min(n_rows, len(whole))).astype(int)
    return table.take(pa.array(whole[places])), n_out, tuple(notes)


def _classes(column: pa.ChunkedArray, label: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return each row's class, (n,) places, and the names of the classes in their order."""
    values = _values(column)
    found = sorted(set(values))
    require(
        len(found) >= 2,
        "Label {} must have two values in the rows taken. Got {}. Raise Rows, or choose another"
        " Label.",
        *(name_in_sentence(label), len(found)),
    )
    require(
        len(found) <= MAX_CLASSES,
        "Label {} must have at most {} classes. Got {:,}. Choose another Label.",
        *(name_in_sentence(label), MAX_CLASSES, len(found)),
    )
    place = {value: code for code, value in enumerate(found)}
    return np.array([place[value] for value in values]), tuple(str(value) for value in found)


def _minority(codes: np.ndarray, classes: tuple[str, ...], minority: str, label: str) -> int:
    """Return the code of the class with this name, without one that of the rarest."""
    if not minority:
        return int(np.argmin(np.bincount(codes)))
    require(
        minority in classes,
        "Minority must be a class of {} in the rows taken. Got {!r}. Raise Rows or choose another.",
        *(name_in_sentence(label), name_in_sentence(minority)),
    )
    return classes.index(minority)


def _categories(column: pa.ChunkedArray, name: str) -> np.ndarray:
    """Return a column as categories, (n,): numbers and truth values as such, for the library sorts
    them; all others as text.
    """
    kept = is_number(column.type) and not types.is_decimal(column.type)
    values = [value if kept else str(value) for value in _values(column)]
    n_categories = len(set(values))
    require(
        n_categories <= MAX_CATEGORIES,
        "Category {} must have at most {} values. Got {:,}. Choose another Category.",
        *(name_in_sentence(name), MAX_CATEGORIES, n_categories),
    )
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
