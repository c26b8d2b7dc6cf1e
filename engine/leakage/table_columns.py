"""A table as detectors read it: every column as codes of its exact values, and as numbers where it
has an order.

Simplified: times count as numbers (seconds since 1970); text is compared exactly as it stands, case
and spaces included.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InputError, require

MAX_CELLS = 40_000_000  # rows are sampled beyond that
MIN_ROWS = 60
N_BINS = 64
N_FOLDS = 5
FOLD_SEED = 20_130_101
TEST_WORDS = ("test", "hold", "valid", "eval", "prod")


@dataclass(eq=False)
class Column:
    """One column. ``codes`` (n,): number of the exact value, −1 for null; ``numbers`` (n,) float64
    with nan, or ``None``.
    """

    name: str
    kind: Literal["number", "whole", "time", "category"]
    codes: np.ndarray
    n_distinct: int
    numbers: np.ndarray | None
    values: pa.Array  # the exact value of each code

    @cached_property
    def null(self) -> np.ndarray:
        """Which rows are empty."""
        return np.asarray(self.codes < 0)

    @property
    def n_null(self) -> int:
        """Number of empty cells."""
        return int(self.null.sum())

    @cached_property
    def bins(self) -> tuple[np.ndarray, int]:
        """Bin of each row, nulls a bin of their own, and how many: exact values if few or without
        order, else quantiles.
        """
        if self.numbers is None or self.n_distinct <= N_BINS:
            return self.codes + 1, self.n_distinct + 1
        known = self.numbers[~self.null]
        sample = known if len(known) <= 40_000 else known[:: len(known) // 20_000]
        edges = np.unique(np.quantile(sample, np.linspace(0, 1, N_BINS + 1)[1:-1]))
        found = np.searchsorted(edges, self.numbers, side="right") + 1
        found[self.null] = 0
        return found, len(edges) + 2

    def text(self, row: int) -> str:
        """Return the value in a row as text."""
        code = int(self.codes[row])
        return "null" if code < 0 else str(self.values[code].as_py())


def read_column(name: str, values: pa.ChunkedArray | pa.Array) -> Column | str:
    """Return the column, or the reason why it cannot be audited."""
    kind = values.type
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pa.types.is_dictionary(kind):
        values = values.dictionary_decode()
        kind = values.type
    if pa.types.is_nested(kind):
        return "nested values"
    if pa.types.is_null(kind) or values.null_count == len(values):
        return "empty in every row"
    if pa.types.is_float16(kind):
        values = values.cast(pa.float64())
        kind = values.type
    if pa.types.is_floating(kind):
        values = pc.if_else(pc.is_finite(values), values, pa.scalar(None, kind))
        if values.null_count == len(values):
            return "no finite number"
    encoded = values.dictionary_encode()
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    n_distinct = len(encoded.dictionary)
    if n_distinct == 1 and not values.null_count:
        return "one value in every row"
    numbers, order = _numbers(values)
    return Column(name, order, codes, n_distinct, numbers, encoded.dictionary)


def _numbers(
    values: pa.Array,
) -> tuple[np.ndarray | None, Literal["number", "whole", "time", "category"]]:
    kind = values.type
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return _floats(values), "whole"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _floats(values), "number"
    if pa.types.is_timestamp(kind):
        micro = values.cast(
            pa.timestamp("us", tz=kind.tz), safe=False
        )  # of nanoseconds the last three digits go
        return _floats(micro.cast(pa.int64())) / 1e6, "time"
    if pa.types.is_date(kind):
        return _floats(values.cast(pa.timestamp("us")).cast(pa.int64())) / 1e6, "time"
    if pa.types.is_duration(kind):
        return _floats(values.cast(pa.int64())), "whole"
    return None, "category"


def _floats(values: pa.Array) -> np.ndarray:
    return np.asarray(
        values.cast(pa.float64(), safe=False).fill_null(float("nan")).to_numpy(zero_copy_only=False)
    )


@dataclass(eq=False)
class Subject:
    """The table under audit: its columns, its target, and the parts that the user named.

    ``y`` (n,): 0/1 for a target of two classes, else numbers. ``is_test`` (n,) bool, or ``None``.
    ``rows`` (n,): number of each row in the table as given (rows without a target are left out).
    """

    columns: dict[str, Column]
    target: str
    y: np.ndarray
    binary: bool
    positive: str  # the class counted as 1
    rows: np.ndarray
    skipped: dict[str, str]  # column -> why it is not audited
    remarks: list[str] = field(default_factory=list)
    time: Column | None = None
    group: Column | None = None
    is_test: np.ndarray | None = None
    split_why_not: str = ""

    @property
    def n(self) -> int:
        """Rows under audit."""
        return len(self.y)

    @cached_property
    def folds(self) -> np.ndarray:
        """Fold of each row, 0 … N_FOLDS − 1, dealt at random from a fixed seed; rows of a named
        group share theirs.
        """
        rng = np.random.default_rng(FOLD_SEED)
        if self.group is None:
            return rng.permutation(np.arange(self.n) % N_FOLDS)
        dealt = rng.permutation(np.arange(self.group.n_distinct + 1) % N_FOLDS)
        return np.asarray(
            np.where(self.group.null, np.arange(self.n) % N_FOLDS, dealt[self.group.codes + 1])
        )

    @property
    def time_name(self) -> str:
        """Name of the time column, or what stands for it in words."""
        return self.time.name if self.time is not None else "its moment"

    @property
    def group_name(self) -> str:
        """Name of the group column, or what stands for it in words."""
        return self.group.name if self.group is not None else "group"

    @property
    def numeric(self) -> list[Column]:
        """The columns that hold numbers (times left out)."""
        return [column for column in self.columns.values() if column.kind in ("number", "whole")]

    def original(self, places: np.ndarray, limit: int = 8) -> tuple[int, ...]:
        """Return the numbers, in the table as given, of the first few rows at ``places``."""
        return tuple(int(row) for row in self.rows[places[:limit]])


def read(
    table: pa.Table,
    target: str,
    *,
    time: str | None = None,
    group: str | None = None,
    split: str | None = None,
) -> Subject:
    """Return the subject of an audit.

    Raises
    ------
    InputError
        A named column is not there, the target is empty, has one class or too many, or there are
        too few rows.
    """
    names = table.column_names
    for role, name in (("target", target), ("time", time), ("group", group), ("split", split)):
        require(
            name is None or name in names,
            "{} must be one of the table's columns. Got {!r}.",
            role,
            name,
        )
    roles = [name for name in (target, time, split) if name]
    require(
        len(set(roles)) == len(roles),
        "target, time and split must be different columns. Got {}.",
        ", ".join(roles),
    )
    table = table.rename_columns(_distinct(names))
    rows, remarks = _usable_rows(table, target)
    picked = table if len(rows) == table.num_rows else table.take(pa.array(rows))
    y, binary, positive = _target(picked.column(target), target)
    columns: dict[str, Column] = {}
    skipped: dict[str, str] = {}
    for name in picked.column_names:
        if name == target:
            continue
        column = read_column(name, picked.column(name))
        if isinstance(column, str):
            skipped[name] = column
        else:
            columns[name] = column
    subject = Subject(columns, target, y, binary, positive, rows, skipped, remarks)
    if time is not None:
        subject.time = columns.pop(time, None)
    if split is not None:
        subject.is_test, subject.split_why_not = _split(columns.pop(split, None), split, remarks)
    if group is not None:
        subject.group = columns.pop(group, None)
    return subject


def _distinct(names: list[str]) -> list[str]:
    """Return the names with a number behind each that stands twice."""
    seen: dict[str, int] = {}
    out = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        out.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return out


def _usable_rows(table: pa.Table, target: str) -> tuple[np.ndarray, list[str]]:
    """Return the rows with a known target, sampled where the table is huge, and what was left out
    in words.
    """
    known = np.flatnonzero(pc.is_valid(table.column(target)).to_numpy())
    remarks = []
    if len(known) < table.num_rows:
        remarks.append(f"{table.num_rows - len(known):,} rows without {target} left out")
    most = max(2_000, MAX_CELLS // max(1, table.num_columns))
    if len(known) > most:
        remarks.append(
            f"{most:,} of {len(known):,} rows drawn at random: copies are found only if both rows"
            " are drawn"
        )
        known = np.sort(np.random.default_rng(FOLD_SEED).choice(known, most, replace=False))
    require(
        len(known) >= MIN_ROWS,
        "The table must have at least {} rows with a target. Got {:,} of {:,}.",
        *(MIN_ROWS, len(known), table.num_rows),
    )
    return known, remarks


def _target(values: pa.ChunkedArray, name: str) -> tuple[np.ndarray, bool, str]:
    column = read_column(name, values)
    if isinstance(column, str):
        raise InputError(
            f"The target must have two values at least. {name} cannot be one: {column}."
        )
    if column.n_distinct == 2:
        counts = np.bincount(column.codes, minlength=2)
        texts = [str(value.as_py()) for value in column.values]
        positive = int(
            np.argmin(counts)
            if column.numbers is None
            else column.codes[np.nanargmax(column.numbers)]
        )
        require(
            counts.min() >= 10, "Each class of the target must have 10 rows at least. Got {:,} of "
                                "{}.",
            *(int(counts.min()), texts[int(np.argmin(counts))]),
        )  # fmt: skip
        return (column.codes == positive).astype(np.float64), True, texts[positive]
    require(
        column.numbers is not None,
        "The target must have two classes, or be a number. {} has {:,} text values: make one column"
        " a class, of two values.",
        *(name, column.n_distinct),
    )
    y = np.asarray(column.numbers, dtype=np.float64)
    return y, False, ""


def _split(column: Column | None, name: str, remarks: list[str]) -> tuple[np.ndarray | None, str]:
    """Return which rows are test rows, or why the split column tells none."""
    if column is None:
        return None, f"{name} has one value in every row: it splits nothing"
    if column.n_distinct > 20:
        return (
            None,
            (
                f"{name} has {column.n_distinct:,} values: a split column has a few, such as train"
                " and test"
            ),
        )
    if column.n_null:
        return (
            None,
            f"{name} is empty in {column.n_null:,} rows: name the side of each",
        )
    texts = [str(value.as_py()) for value in column.values]
    test = [
        code for code, text in enumerate(texts) if any(word in text.lower() for word in TEST_WORDS)
    ]
    train = [
        code for code, text in enumerate(texts) if "train" in text.lower() or "fit" in text.lower()
    ]
    if not test and train:
        test = [code for code in range(len(texts)) if code not in train]
    if not test and set(texts) <= {"0", "1", "False", "True"}:
        test = [code for code, text in enumerate(texts) if text in ("1", "True")]
    if not test or len(test) == len(texts):
        test = [int(np.argmin(np.bincount(column.codes)))]
    is_test = np.isin(column.codes, test)
    remarks.append(
        f"test rows: {name} = {', '.join(texts[code] for code in test)} ({int(is_test.sum()):,})"
    )
    return is_test, ""


def cells(
    codes: np.ndarray, n_codes: int, subject: Subject, y: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Return rows and sum of ``y`` in each code by fold, both (n_codes, N_FOLDS)."""
    place = codes * N_FOLDS + subject.folds
    size = n_codes * N_FOLDS
    rows = np.bincount(place, minlength=size).reshape(n_codes, N_FOLDS).astype(np.float64)
    sums = np.bincount(place, weights=subject.y if y is None else y, minlength=size).reshape(
        n_codes, N_FOLDS
    )
    return rows, sums


def named(names: Any) -> str:
    """Return a few names in words: ``a, b and 3 more``."""
    names = list(names)
    return (
        ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"
    )
