"""Rows to resample: features, minority, classes; and columns of a table as such features."""

from __future__ import annotations

import decimal
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.types as types

from engine.errors import name_in_sentence, require

DIGITS = 100  # of a decimal column's values and their differences, at most


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Rows to resample: ``X`` of shape (n, d), ``y`` of shape (n,) with 1 for the minority, a
    category for each row.

    Of an upload ``codes`` are what the library gets as labels: places in ``classes``, which are in
    the order of the label's own values, as the library orders classes.
    """

    X: np.ndarray
    y: np.ndarray
    category: np.ndarray  # (n,) text; of an upload the column's own values
    names: tuple[str, ...] = ("x", "y")
    codes: np.ndarray | None = None  # (n,) places in ``classes``; without it ``y``
    classes: tuple[str, ...] = ("majority", "minority")
    category_name: str = "category"
    n_left_out: int = 0  # rows of the file without a label, a number or a category
    notes: tuple[str, ...] = ()  # sentences: which rows of the file are not among these

    @property
    def n_minority(self) -> int:
        """Rows of the minority."""
        return int(self.y.sum())

    @property
    def labels(self) -> np.ndarray:
        """The class of each row, (n,) places in ``classes``."""
        return self.y if self.codes is None else self.codes

    @property
    def minority(self) -> int:
        """The minority's place in ``classes``."""
        return 1 if self.codes is None else int(self.codes[np.argmax(self.y)])

    @property
    def has_more_classes(self) -> bool:
        """Whether there are more than two."""
        return len(self.classes) > 2

    @property
    def sizes(self) -> np.ndarray:
        """Rows of each class, (c,)."""
        return np.bincount(self.labels, minlength=len(self.classes))

    @property
    def n_largest(self) -> int:
        """Rows of the largest class but the minority."""
        return int(np.delete(self.sizes, self.minority).max())

    def name_of(self, code: int) -> str:
        """Return the name of a class as it may be in a sentence."""
        return name_in_sentence(self.classes[code])


def is_number(type_: pa.DataType) -> bool:
    """Whether a column of this type can be an axis; true and false count as 1 and 0."""
    return bool(
        types.is_integer(type_)
        or types.is_floating(type_)
        or types.is_decimal(type_)
        or types.is_boolean(type_)
    )


def standardized(table: pa.Table, columns: tuple[str, str]) -> np.ndarray:
    """Return the two columns, which have a finite number in every row, with mean 0 and deviation 1.

    Raises
    ------
    InputError
        A column is no number, or constant.
    """
    found: list[np.ndarray] = []
    for name in columns:
        column = table[name]
        require(
            is_number(column.type),
            "Column {} must hold numbers: distances need them. Got {}. Choose another x or y"
            " column.",
            *(name_in_sentence(name), column.type),
        )
        values = _floats(column)
        require(
            bool((values != values[0]).any()),
            "Column {} must hold two different values at least. Got {!r} in every row. Choose"
            " another x or y column.",
            *(name_in_sentence(name), float(values[0])),
        )
        found.append(_standard(values))
    return np.column_stack(found)


def _standard(values: np.ndarray) -> np.ndarray:
    """Return values with mean 0 and deviation 1; those whose squares have no double are scaled
    first.
    """
    largest = np.abs(values).max()
    if not 1e-100 < largest < 1e100:
        values = values / largest
    return np.asarray((values - values.mean()) / values.std())


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    """Return numbers as doubles, and whole numbers or decimals that doubles cannot tell apart as
    their differences from the smallest.
    """
    if types.is_floating(column.type):
        return np.asarray(column.cast(pa.float64()).to_numpy())
    exact = column.to_pylist()
    values = np.array([float(value) for value in exact])
    if len(set(exact)) == len(set(values.tolist())):
        return values
    with decimal.localcontext() as context:
        context.prec = DIGITS
        least = min(exact)
        return np.array([float(value - least) for value in exact])
