"""What a visitor's own feature view is asked: its rows as the offline store has them, and labels of
our choosing, under names that no column of theirs can take.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InputError, require
from engine.feature_store import feast_internals, serving
from engine.feature_store.feast_internals import DUMMY_KEY
from engine.feature_store.feast_repo import EVENT, TIMESTAMP

if TYPE_CHECKING:
    from feast import FeatureStore, FeatureView

N_KEYS, N_MOMENTS = 6, 24
HOUR = 3_600_000_000  # in microseconds, as everything here
VALUE, ARRIVAL, LABEL = "__value", "__arrival", "__label"
FILE = ("file", "dask")  # two names of one store


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """The rows of a view and the labels that ask for them, both with the columns ``keys``."""

    keys: tuple[str, ...]  # of the rows
    label_keys: tuple[str, ...]  # their names in a label, where a projection maps them
    rows: pa.Table  # (m,) keys, VALUE, EVENT and, where the source has one, ARRIVAL
    top: pa.Table  # the keys asked for
    row_key: np.ndarray  # (m,) place in ``top``, −1 for a key that is not asked for
    labels: pa.Table  # (n,) keys and EVENT: each of ``top`` at N_MOMENTS moments
    n_without_time: int  # rows without an event time, left out

    @property
    def without_entity(self) -> bool:
        """Whether all rows are of one key, which no label has to name: the view has no entity, or
        its registry no column for it.
        """
        return self.keys == (DUMMY_KEY,)

    @property
    def names(self) -> tuple[str, ...]:
        """The keys asked for, as texts."""
        if self.without_entity:
            return ("(no join key)",)
        return tuple(
            ", ".join("null" if value is None else str(value) for value in key.values())
            for key in self.top.to_pylist()
        )

    @property
    def label_key(self) -> np.ndarray:
        """The place in ``top`` of each label's key, (n,)."""
        return np.repeat(np.arange(self.top.num_rows), N_MOMENTS)


@contextmanager
def feast_speaks() -> Iterator[None]:
    """Take Feast's turn; whatever it raises becomes a sentence with its own words.

    Raises
    ------
    InputError
        Feast, or a library below it, fails.
    """
    try:
        with serving.feast_alone():
            yield
    except InputError:
        raise
    except Exception as error:
        words = " ".join(str(error).split())[:300]
        raise InputError(f"Feast itself stops: {type(error).__name__}: {words}") from error


def ask_for(store: FeatureStore, view: FeatureView, feature: str) -> Asked:
    """Return the rows of a view and labels for the keys with most of them.

    Raises
    ------
    InputError
        There are no rows, or Feast cannot read them.
    """
    mapped = dict(view.projection.join_key_map)
    keys = tuple(column.name for column in view.entity_columns)
    if mapped and store.config.offline_store.type not in FILE:
        keys = tuple(key for key in keys if key in mapped)  # the others it does not compare
    named_keys = [key for key in keys if key != DUMMY_KEY]
    with feast_speaks():
        table = feast_internals.read_source(store, view, named_keys, feature)
    if not named_keys:
        keys, same_key = (DUMMY_KEY,), pa.chunked_array([[""] * table.num_rows], pa.string())
        table = table.drop_columns(set(keys) & set(table.column_names))
        table = table.append_column(DUMMY_KEY, same_key)
    source: Any = view.batch_source
    named = {source.timestamp_field: EVENT, source.created_timestamp_column or None: ARRIVAL}
    taken = [*keys, feature, source.timestamp_field]
    taken += [source.created_timestamp_column] if source.created_timestamp_column else []
    columns = [VALUE if place == len(keys) else named.get(n, n) for place, n in enumerate(taken)]
    rows = pa.table(
        {
            column: plain(table[name], time=column in (EVENT, ARRIVAL))
            for column, name in zip(columns, taken, strict=True)
        }
    )
    require(rows.num_rows > 0, "its source has no rows")
    timeless = rows[EVENT].is_null()
    lost = rows.filter(timeless)
    rows = rows.filter(pc.invert(timeless))
    left_out = set(_keys_of(lost, keys)) if store.config.offline_store.type in FILE else set()
    top = _top(rows, keys, left_out)
    require(
        top.num_rows > 0,
        "no key has an event time in all of its rows. {:,} rows have none",
        lost.num_rows,
    )
    place = {key: number for number, key in enumerate(_keys_of(top, keys))}
    row_key = np.array([place.get(key, -1) for key in _keys_of(rows, keys)], np.int64)
    label_keys = tuple(mapped.get(key, key) for key in keys)
    return Asked(keys, label_keys, rows, top, row_key, _labels(rows, top), lost.num_rows)


def plain(column: pa.ChunkedArray, *, time: bool = False) -> pa.ChunkedArray:
    """Return a column with its times in UTC (without a zone: taken for UTC), at least in
    microseconds, and its text plain. A ``time`` in nanoseconds comes as text from duckdb.
    """
    kind = column.type
    if time and (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return column.cast(pa.timestamp("ns", "UTC"))
    if pa.types.is_dictionary(kind):
        return plain(column.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        unit = "ns" if kind.unit == "ns" else "us"
        return column.cast(pa.timestamp(unit, "UTC"))
    if pa.types.is_date(kind):
        return column.cast(TIMESTAMP)
    return column.cast(pa.string()) if pa.types.is_large_string(kind) else column


def _keys_of(table: pa.Table, keys: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Return each row's key; a NaN, which equals nothing, is none."""
    return [
        tuple(None if value != value else value for value in key)
        for key in zip(*(table[name].to_pylist() for name in keys), strict=True)
    ]


def _top(rows: pa.Table, keys: tuple[str, ...], left_out: set[tuple[Any, ...]]) -> pa.Table:
    """Return the keys with most rows, in order; a key of nulls is one too."""
    counted: dict[tuple[Any, ...], int] = {}
    first: dict[tuple[Any, ...], int] = {}
    for row, key in enumerate(_keys_of(rows, keys)):
        counted[key] = counted.get(key, 0) + 1
        first.setdefault(key, row)
    found = sorted(counted.keys() - left_out, key=lambda key: (-counted[key], first[key]))
    places = [first[key] for key in found[:N_KEYS]]
    return rows.select(keys).take(pa.array(places, pa.int64()))


def _labels(rows: pa.Table, top: pa.Table) -> pa.Table:
    """Return each key at N_MOMENTS evenly spaced moments of the rows' time, a day at least."""
    times = np.asarray(rows[EVENT].cast(TIMESTAMP, safe=False).cast(pa.int64()))
    end = max(times.max(), times.min() + N_MOMENTS * HOUR)
    moments = np.linspace(times.min(), end, N_MOMENTS + 1)[1:].astype(np.int64)
    labels = top.take(pa.array(np.repeat(np.arange(top.num_rows), N_MOMENTS)))
    tiled = pa.array(np.tile(moments, top.num_rows)).cast(TIMESTAMP)
    return labels.append_column(EVENT, tiled)


def answers_of(
    store: FeatureStore, view: FeatureView, feature: str, asked: Asked
) -> dict[int, Any]:
    """Return label -> value as Feast answers it, as ``plain_value``; a label that its answer does
    not hold is not there.
    """
    labels = asked.labels.rename_columns([*asked.label_keys, EVENT])
    frame = (labels.select([EVENT]) if asked.without_entity else labels).to_pandas()
    frame[LABEL] = np.arange(len(frame))
    with feast_speaks():
        answer = feast_internals.ask_view(store, view, frame, feature)
    numbers, values = answer[LABEL].astype(int), answer[feature]
    return {int(number): plain_value(value) for number, value in zip(numbers, values, strict=True)}


def plain_value(value: Any) -> Any:
    """Return a value of Arrow or pandas in plain Python: ``None`` for null, NaN and NaT, lists for
    arrays, moments in UTC.
    """
    if isinstance(value, np.ndarray | list | tuple):
        return [plain_value(part) for part in value]
    if isinstance(value, dict):
        return {key: plain_value(part) for key, part in value.items()}
    if isinstance(value, np.datetime64):
        value = pa.scalar(value).as_py()
    elif isinstance(value, np.generic):
        value = value.item()
    if value is None or value is pa.NA or type(value).__name__ in ("NaTType", "NAType"):
        return None
    if isinstance(value, datetime):  # pandas' Timestamp is one
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    return None if isinstance(value, float) and value != value else value


def same(a: Any, b: Any) -> bool:
    """Return whether two plain values are the same, floating-point numbers but for rounding."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) or isinstance(b, float):
        numbers = (int, float)
        if not (isinstance(a, numbers) and isinstance(b, numbers)):
            return False
        return bool(np.isclose(float(a), float(b), rtol=1e-9, atol=1e-9))
    return bool(a == b)
