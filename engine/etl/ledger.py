"""The truth ledger: a target compared with its source, row by row, counted and listed.

Every key of the source is *correct* (some copy in the target has its values), *stale* (copies, but
none with its values) or *lost* (no copy). Every row of the target is the one copy of a key, a
*duplicated* further copy, or *not deleted*: the source no longer has its key. So ``n_source =
correct + stale + lost`` and ``n_target = correct + stale + duplicated + not deleted``.

Real: the rows themselves are compared, column by column, by DuckDB over Arrow tables; nulls equal
nulls, NaN equals NaN.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InputError, require

Kind = Literal["correct", "stale", "lost", "duplicated", "not deleted"]
KINDS: tuple[Kind, ...] = get_args(Kind)
FAULTS: Final = KINDS[1:]
PLACE: Final = "__place"  # of a row in its table; no column of a visitor has this name
NOTHING: Final = np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """What ``reconcile`` found. Places are row numbers: in the source, but those of rows not
    deleted in the target.
    """

    source: pa.Table
    target: pa.Table
    keys: tuple[str, ...]
    lost: np.ndarray  # (n_lost,) places in the source
    stale: np.ndarray  # (n_stale, 2) place in the source, place of its last copy in the target
    duplicated: (
        np.ndarray
    )  # (keys with further copies, 2) place in the source, number of copies beyond the first
    undeleted: np.ndarray  # (n_undeleted,) places in the target

    @property
    def n_source(self) -> int:
        """Rows of the source."""
        return int(self.source.num_rows)

    @property
    def n_target(self) -> int:
        """Rows of the target."""
        return int(self.target.num_rows)

    @property
    def n_lost(self) -> int:
        """Keys of the source that the target lacks."""
        return len(self.lost)

    @property
    def n_stale(self) -> int:
        """Keys of which the target has copies, none with the source's values."""
        return len(self.stale)

    @property
    def n_duplicated(self) -> int:
        """Copies of a key of the source beyond its first."""
        return int(self.duplicated[:, 1].sum())

    @property
    def n_undeleted(self) -> int:
        """Rows of the target whose key the source does not have."""
        return len(self.undeleted)

    @property
    def n_correct(self) -> int:
        """Keys that the target has with the source's values."""
        return self.n_source - self.n_stale - self.n_lost

    @property
    def exact(self) -> bool:
        """Whether the target is the source: every row once, with its values, and no other."""
        return not (self.n_lost or self.n_stale or self.n_duplicated or self.n_undeleted)

    def counts(self) -> dict[Kind, int]:
        """Return the number of rows of each kind, in the order of ``KINDS``."""
        return {
            "correct": self.n_correct,
            "stale": self.n_stale,
            "lost": self.n_lost,
            "duplicated": self.n_duplicated,
            "not deleted": self.n_undeleted,
        }

    @property
    def verdict(self) -> str:
        """The ledger in one sentence."""
        if self.exact:
            return f"all **{self.n_source:,}** rows correct, none extra"
        faults = [
            f"**{n:,} {kind}**" for kind, n in self.counts().items() if kind != "correct" and n
        ]
        return f"{self.n_correct:,} of {self.n_source:,} rows correct, {', '.join(faults)}"

    def diff(self, limit: int | None = None) -> pa.Table:
        """Return the faulty rows: the keys, ``what``, and for a stale row each ``column`` that
        differs with both values.

        At most ``limit`` rows are listed (stale rows first); all by default.
        """
        parts = [
            *self._stale_parts(limit),
            self._part("lost", self.source, self.lost[:limit], "row", "is there", "missing"),
            self._duplicated_part(limit),
            self._part(
                "not deleted", self.target, self.undeleted[:limit], "row", "missing", "is there"
            ),
        ]
        table = pa.concat_tables(parts)
        return table if limit is None else table.slice(0, limit)

    def _part(
        self, what: str, table: pa.Table, places: np.ndarray, column: str, here: Any, there: Any
    ) -> pa.Table:
        """Return diff rows of one kind; ``here`` and ``there`` are one text for all rows or a text
        column.
        """
        n = len(places)
        columns = {name: table[name].take(pa.array(places)) for name in self.keys}
        texts = {"what": what, "column": column, "in source": here, "in target": there}
        for name, text in texts.items():
            columns[name] = (
                pa.repeat(pa.scalar(text, pa.string()), n) if isinstance(text, str) else text
            )
        return pa.table(columns)

    def _stale_parts(self, limit: int | None) -> list[pa.Table]:
        pairs = self.stale[:limit]
        parts = []
        for name in self.source.column_names:
            if name in self.keys or not len(pairs):
                continue
            left = self.source[name].take(pa.array(pairs[:, 0]))
            right = self.target[name].take(pa.array(pairs[:, 1]))
            differs = _differs(left, right)
            texts = [values.filter(pa.array(differs)).cast(pa.string()) for values in (left, right)]
            parts.append(self._part("stale", self.source, pairs[differs, 0], name, *texts))
        return parts

    def _duplicated_part(self, limit: int | None) -> pa.Table:
        pairs = self.duplicated[:limit]
        copies = pc.binary_join_element_wise(
            pa.array(pairs[:, 1] + 1).cast(pa.string()), "copies", " "
        )
        return self._part("duplicated", self.source, pairs[:, 0], "row", "1 row", copies)


def _differs(left: pa.ChunkedArray, right: pa.ChunkedArray) -> np.ndarray:
    """Return which values are distinct, (n,) bool: null equals null, NaN equals NaN."""
    unequal = pc.fill_null(pc.not_equal(left, right), False)
    nulls = pc.not_equal(left.is_null(), right.is_null())
    if pa.types.is_floating(left.type):
        both = pc.and_(pc.fill_null(pc.is_nan(left), False), pc.fill_null(pc.is_nan(right), False))
        unequal = pc.and_not(unequal, both)
    return np.asarray(pc.or_(unequal, nulls))


@lru_cache(maxsize=1)
def _database() -> Any:
    import duckdb

    return duckdb.connect()


def _aligned(source: pa.Table, target: pa.Table, keys: tuple[str, ...]) -> pa.Table:
    """Return the target with the source's columns and types, or say why that cannot be."""
    require(len(keys) > 0, "keys must name at least one column. Got none.")
    missing = [name for name in keys if name not in source.column_names]
    require(not missing, "keys must be columns of the source. Got {}.", ", ".join(missing))
    missing = [name for name in source.column_names if name not in target.column_names]
    require(
        not missing, "target must have every column of the source. It lacks {}.", ", ".join(missing)
    )
    target = target.select(source.column_names)
    if target.schema.types != source.schema.types:
        try:
            target = target.cast(pa.schema([field.with_nullable(True) for field in source.schema]))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            raise InputError(f"target must hold values of the source's types. {error}") from error
    return target


def reconcile(source: pa.Table, target: pa.Table, keys: tuple[str, ...] | list[str]) -> Ledger:
    """Compare a target with the source that it should equal, row by row.

    Parameters
    ----------
    source
        The truth; its ``keys`` are unique (nulls count as a value).
    target
        What was loaded; further columns of its own (load times, batch numbers) are left aside.
    keys
        Columns that together name a row.

    Raises
    ------
    InputError
        A column is missing or of a type that cannot be compared, or the source holds a key twice.
    """
    keys = tuple(keys)
    target = _aligned(source, target, keys)
    values = [name for name in source.column_names if name not in keys]
    same_key = " AND ".join(f's."{name}" IS NOT DISTINCT FROM t."{name}"' for name in keys)
    same_row = (
        " AND ".join(f's."{name}" IS NOT DISTINCT FROM t."{name}"' for name in values) or "true"
    )
    with _database().cursor() as cursor:
        for name, table in (("source", source), ("target", target)):
            cursor.register(name, table.append_column(PLACE, pa.array(np.arange(table.num_rows))))
        named = ", ".join(f'"{name}"' for name in keys)
        distinct = cursor.execute(f"SELECT count(*) FROM (SELECT DISTINCT {named} FROM source)")
        n_keys, n = distinct.fetchone()[0], source.num_rows
        message = "source must hold each key once. {:,} rows have {:,} keys."
        require(n_keys == n, message, n, n_keys)
        found = cursor.execute(
            f"SELECT s.{PLACE} AS place, count(t.{PLACE}) AS copies, coalesce(max(t.{PLACE}), -1)"
            f" AS last, coalesce(bool_or(t.{PLACE} IS NOT NULL AND {same_row}), false) AS same FROM"
            f" source s LEFT JOIN target t ON {same_key} GROUP BY s.{PLACE} HAVING copies <> 1 OR"
            " NOT same ORDER BY place"
        ).fetchnumpy()
        extra_rows = cursor.execute(
            f"SELECT t.{PLACE} AS place FROM target t ANTI JOIN source s ON {same_key} ORDER BY"
            " place"
        )
        undeleted = np.asarray(extra_rows.fetchnumpy()["place"], np.int64)
    place, copies, last, same = (
        np.asarray(found[name]) for name in ("place", "copies", "last", "same")
    )
    stale, extra = (copies > 0) & ~same, copies > 1
    return Ledger(
        source=source,
        target=target,
        keys=keys,
        lost=place[copies == 0],
        stale=np.stack([place[stale], last[stale]], axis=1),
        duplicated=np.stack([place[extra], copies[extra] - 1], axis=1),
        undeleted=undeleted,
    )


def state_hash(table: pa.Table) -> str:
    """Return 16 hex digits that name a table's rows as a multiset: the order of rows does not
    matter, copies do.

    The sum of a 64-bit hash of every row, modulo 2**64. Unlike an exclusive or, a sum does not let
    two copies cancel out.
    """
    if not table.num_rows:
        return "0" * 16
    with _database().cursor() as cursor:
        cursor.register("rows", table)
        (total,) = cursor.execute("SELECT sum(hash(r)::HUGEINT) FROM rows r").fetchone()
    return f"{int(total) % 2**64:016x}"
