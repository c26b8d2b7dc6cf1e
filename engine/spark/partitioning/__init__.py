"""Partition explorer: in which partition Spark puts each row, computed here while you drag and
measured by Spark beside it.

Real and exact to the row: hash partitioning and bucketing (Spark's Murmur3 in NumPy,
``engine.spark.partitioning.murmur3``), round-robin counts (Spark's own starting points), coalesce.
Range cuts are those that Spark finds when it looks at every row; by default it looks at a sample,
so its own partitions differ a little. ``engine.spark.partitioning.real`` asks the real Spark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Annotated, Any, Literal, get_args

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import require, require_choice
from engine.ranges import SEED, Params, Range, Text
from engine.spark import keys
from engine.spark.keys import Source, TableName
from engine.spark.partitioning import murmur3

Strategy = Literal["hash", "range", "round-robin", "coalesce", "partitionBy files", "bucketing"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)
MAX_PARTITIONS = 400
N_ROWS = (10_000, 50_000, 200_000, 1_000_000)
N_SHOWN_KEYS = 12
BY_KEY = ("hash", "range", "partitionBy files", "bucketing")


def hash_partition(columns: Sequence[pa.Array | pa.ChunkedArray], n_partitions: int) -> np.ndarray:
    """Return the partition (0 … n_partitions − 1, int32) in which Spark's hash partitioning puts
    each row.

    ``columns`` are the key's columns, n rows each, as Arrow: ``pmod(murmur3(columns…),
    n_partitions)``. The same number is the bucket of ``bucketBy``. Exact against
    ``spark_partition_id()`` after ``df.repartition(n_partitions, *columns)``.

    Raises
    ------
    InputError
        No column, a type that has no hash here, or fewer than one partition.
    """
    require(n_partitions >= 1, "n_partitions must be 1 or more. Got {}.", n_partitions)
    partition: np.ndarray = np.mod(murmur3.hash_rows(columns), np.int32(n_partitions))
    return partition


def range_bounds(counts: np.ndarray, n_partitions: int) -> np.ndarray:
    """Return the places (in sorted order) of the keys that end a partition, at most n_partitions −
    1 of them.

    ``counts`` (k,) are the rows of each distinct key in sorted order, nulls first. As
    ``determineBounds`` in ``org.apache.spark.RangePartitioner``, had it looked at every row:
    walking up, the first new key at which a further n-th of the rows is reached. Few keys give
    fewer partitions than were asked for.
    """
    filled = np.cumsum(counts)
    step = filled[-1] / n_partitions
    bounds: list[int] = []
    for target in np.cumsum(np.full(n_partitions - 1, step)):
        place = max(int(np.searchsorted(filled, target)), bounds[-1] + 1 if bounds else 0)
        if place >= len(counts):
            break
        bounds.append(place)
    return np.array(bounds, np.int64)


def range_rows(counts: np.ndarray, n_partitions: int) -> np.ndarray:
    """Return rows a partition under ``repartitionByRange``, for keys of ``counts`` rows in sorted
    order, nulls first.
    """
    bounds = range_bounds(counts, n_partitions)
    partition = np.searchsorted(bounds, np.arange(len(counts)), side="left")
    return np.bincount(partition, weights=counts, minlength=len(bounds) + 1).astype(np.int64)


def slices(n_rows: int, n_slices: int) -> np.ndarray:
    """Return where each of ``n_slices`` input partitions begins, and the end (n_slices + 1), as
    Spark cuts a local table.
    """
    return np.arange(n_slices + 1) * n_rows // n_slices


def coalesced(n_input: int, n_partitions: int) -> np.ndarray:
    """Return which partition each input partition joins under ``coalesce(n_partitions)``:
    neighbours, whole, no shuffle.
    """
    n = min(n_input, n_partitions)
    starts = np.arange(n) * n_input // n
    return np.searchsorted(starts, np.arange(n_input), side="right") - 1


def round_robin_start(task: int, n_partitions: int) -> int:
    """Return where task ``task`` starts to deal: ``new XORShiftRandom(task).nextInt(n_partitions)``
    of Spark, for any n.
    """
    low = _bytes_hash(task, 0x3C074A61)
    seed = (_bytes_hash(task, low) << 32) | low
    while True:
        seed ^= (seed << 21) & 0xFFFFFFFFFFFFFFFF
        seed ^= seed >> 35
        seed ^= (seed << 4) & 0xFFFFFFFFFFFFFFFF
        bits = seed & 0x7FFFFFFF
        if n_partitions & (n_partitions - 1) == 0:
            return (n_partitions * bits) >> 31
        if bits - bits % n_partitions + n_partitions - 1 < 1 << 31:
            return bits % n_partitions


def _bytes_hash(task: int, seed: int) -> int:
    """Return ``scala.util.hashing.MurmurHash3.bytesHash`` of the eight big-endian bytes of
    ``task``, as 32 bits.
    """
    words = np.frombuffer(task.to_bytes(8, "big"), "<u4").astype(np.uint32).reshape(2, 1)
    state = np.array([seed], np.uint32)
    for word in words:
        state = murmur3.mix(state, word)
    return int(murmur3.finish(state, 8)[0])


def dealt(sizes: np.ndarray, n_partitions: int) -> np.ndarray:
    """Return rows a partition when each task deals its ``sizes[i]`` rows out in turn from its own
    starting point.
    """
    counts = np.zeros(n_partitions, np.int64)
    for task, size in enumerate(sizes.tolist()):
        start = round_robin_start(task, n_partitions) + 1
        counts += size // n_partitions
        counts[(start + np.arange(size % n_partitions)) % n_partitions] += 1
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitioningParams(Params):
    """Which rows, by which key, how, into how many."""

    table: TableName = "flights"
    keys: tuple[str, ...] = ("dest",)
    strategy: Strategy = "hash"
    # of files by partitionBy: no effect, each key has a folder
    n_partitions: Annotated[int, Range(1, MAX_PARTITIONS)] = 16
    n_before: Annotated[int, Range(1, MAX_PARTITIONS)] = 12  # the number that rows move from
    # a key to follow; empty: the commonest. Several columns: values with commas between
    typed: Annotated[str, Text(1_000)] = ""
    n_input: Annotated[int, Range(1, 64)] = 4  # partitions of the input
    exponent: Annotated[float, Range(0, 3, step=0.1)] = 1.2  # of the Zipf key
    n_rows: Annotated[int, Range(1_000, N_ROWS[-1], options=N_ROWS)] = 200_000  # of the Zipf key
    seed: Annotated[int, SEED] = 0  # of the Zipf key
    upload: str = ""

    def check_together(self) -> None:
        """Raise ``InputError`` unless the table has the key's columns and the strategy takes them."""
        require(len(self.keys) > 0, "keys must name at least one column. Got none. Choose one.")
        for name in self.keys:
            require_choice("keys", name, keys.key_columns(self.source))
        require(
            self.strategy != "range" or len(self.keys) == 1,
            "keys must be one column for range. Got {}.",
            len(self.keys),
        )

    @property
    def source(self) -> Source:
        """The rows; settings without influence on them are left out."""
        if self.table == "zipf":
            return Source("zipf", self.exponent, self.n_rows, self.seed)
        return Source(self.table, upload=self.upload if self.table == "upload" else "")


@dataclass(frozen=True, slots=True)
class Route:
    """One key on its way: its hash, and its partition before and after the number of partitions
    changes.
    """

    key: str
    n_rows: int
    hash: int  # signed 32 bits
    before: int  # partition of n_before
    after: int  # partition of n_partitions

    @property
    def moved(self) -> bool:
        """Whether its rows travel when n_before becomes n_partitions."""
        return self.before != self.after


@dataclass(frozen=True, slots=True, eq=False)
class PartitioningResult:
    """Rows a partition, and the way of single keys."""

    params: PartitioningParams
    rows: np.ndarray  # (n,) rows of each partition (of each folder, for partitionBy)
    labels: tuple[str, ...]  # (n,) names of the partitions
    n_distinct: int
    hottest: str
    hottest_rows: int
    routes: tuple[Route, ...]  # the commonest keys, hottest first
    typed: Route
    moved_share: (
        float  # of all rows, when n_before becomes n_partitions under hash partitioning, 0–1
    )

    @property
    def n_rows(self) -> int:
        """Rows in all."""
        return int(self.rows.sum())

    @property
    def non_empty(self) -> int:
        """Partitions with at least one row."""
        return int(np.count_nonzero(self.rows))

    @property
    def largest(self) -> int:
        """Rows of the largest partition."""
        return int(self.rows.max())

    @property
    def skew(self) -> float:
        """Rows of the largest partition by the mean over all partitions: 1 is even."""
        return float(self.largest / self.rows.mean())

    @property
    def verdict(self) -> str:
        """The answer in one sentence."""
        p = self.params
        if p.strategy == "partitionBy files":
            return (
                f"partitionBy({_listed(p.keys)}) makes **{len(self.rows):,}** folders, the largest"
                f" {self.skew:.1f} times the mean: up to {len(self.rows) * p.n_input:,} files from"
                f" {p.n_input} input partitions."
            )
        return (
            f"{_listed(p.keys) if p.strategy in BY_KEY else p.strategy} into {len(self.rows)}: the"
            f" largest partition holds **{self.skew:.1f}** times the mean,"
            f" {len(self.rows) - self.non_empty} of {len(self.rows)} stay empty."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        p, n, t = self.params, len(self.rows), self.typed
        if p.strategy in ("hash", "bucketing"):
            times = self.hottest_rows / (self.n_rows / n)
            return [
                (
                    f"{self.n_distinct:,} distinct keys fall into {n} partitions by hash modulo"
                    f" {n}: all rows of a key share one."
                ),
                (
                    f"The commonest, {self.hottest}, has {self.hottest_rows:,} rows, {times:.1f}"
                    " times the mean partition: no number of partitions takes it apart."
                ),
                (
                    f"{t.key}: hash {t.hash:,}, modulo {p.n_before} is partition {t.before}, modulo"
                    f" {p.n_partitions} is partition {t.after}. Going from {p.n_before} to"
                    f" {p.n_partitions} partitions moves {self.moved_share:.1%} of all rows."
                ),
            ]
        if p.strategy == "range":
            return [
                (
                    f"Range cuts the sorted keys into {n} runs of about {self.n_rows // n:,} rows."
                    f" A key is never cut in two: the commonest, {self.hottest}"
                    f" ({self.hottest_rows:,} rows), sets the floor."
                ),
                (
                    "Spark cuts by a sample of the rows, so what it measures differs a little from"
                    " this cut by all of them."
                ),
            ]
        if p.strategy == "round-robin":
            return [
                (
                    f"Each of the {p.n_input} input partitions deals its rows out in turn:"
                    f" partitions differ by at most {p.n_input} rows. The price: every row travels,"
                    " and rows of one key lie everywhere."
                ),
            ]
        if p.strategy == "coalesce":
            return [
                (
                    f"coalesce joins whole neighbours among the {p.n_input} input partitions and"
                    " moves nothing over the network. It cannot make more than there are, nor mend"
                    f" uneven ones: {n} come out of {p.n_partitions} asked for."
                ),
            ]
        return [
            (
                f"Each of {self.n_distinct:,} keys gets a folder, and each of {p.n_input} tasks"
                " writes a file into every folder it has rows for. The mean folder has"
                f" {self.n_rows / n:,.0f} rows: many small files are slow to list and to open."
            ),
        ]

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces."""
        return {
            "rows": self.n_rows,
            "partitions": len(self.rows),
            "non-empty": self.non_empty,
            "largest partition": self.largest,
            "largest by mean": round(self.skew, 3),
        }

    def table(self) -> pa.Table:
        """Return one row a partition."""
        return pa.table({"partition": list(self.labels), "rows": self.rows})


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)


def _written(values: Sequence[Any]) -> str:
    """Return a key as Spark writes it into folder names."""
    spelled = {None: "null", True: "true", False: "false"}
    texts = (
        (
            spelled.get(v) or str(v)
            if v is None or isinstance(v, bool)
            else str(v).removesuffix("+00:00")
        )
        for v in values
    )
    return ", ".join(texts)


@lru_cache(maxsize=8)
def _hashes(source: Source, names: tuple[str, ...]) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Return the distinct keys, their hashes (k,) and their rows (k,): what every number of
    partitions is made from.
    """
    found = keys.distinct(source, names)
    return found, murmur3.hash_rows([found[name] for name in names]), found["n_rows"].to_numpy()


@lru_cache(maxsize=8)
def _sorted_counts(source: Source, name: str) -> np.ndarray:
    """Return the rows of each distinct key in sorted order, nulls first: what range cuts are made
    from.
    """
    found = keys.distinct(source, (name,))
    order = pc.sort_indices(found, sort_keys=[(name, "ascending", "at_start")])
    counts: np.ndarray = found["n_rows"].to_numpy()[order.to_numpy()]
    return counts


def _rows(p: PartitioningParams) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return rows a partition under the strategy, and the names of the partitions."""
    found, hashes, counts = _hashes(p.source, p.keys)
    n = p.n_partitions
    if p.strategy == "partitionBy files":
        return counts, tuple(_written(row.values()) for row in found.select(p.keys).to_pylist())
    if p.strategy in ("hash", "bucketing"):
        rows = np.bincount(np.mod(hashes, n), weights=counts, minlength=n).astype(np.int64)
    elif p.strategy == "range":
        rows = range_rows(_sorted_counts(p.source, p.keys[0]), n)
    else:
        sizes = np.diff(slices(int(counts.sum()), p.n_input))
        rows = (
            dealt(sizes, n)
            if p.strategy == "round-robin"
            else np.bincount(coalesced(p.n_input, n), weights=sizes).astype(int)
        )
    return rows, tuple(str(i) for i in range(len(rows)))


def _typed(
    p: PartitioningParams, found: pa.Table, counts: np.ndarray
) -> tuple[tuple[Any, ...], int]:
    """Return the key to follow and how many rows it has."""
    if not p.typed.strip():
        return tuple(found.select(p.keys).slice(0, 1).to_pylist()[0].values()), int(counts[0])
    parts = p.typed.split(",") if len(p.keys) > 1 else [p.typed]
    rule = "typed must be {} values with commas between ({}). Got {!r}."
    require(len(parts) == len(p.keys), rule, len(p.keys), _listed(p.keys), p.typed)
    key = tuple(
        keys.parse(text, found.schema.field(name).type, name)
        for text, name in zip(parts, p.keys, strict=True)
    )
    mask = np.ones(len(counts), bool)
    for name, value in zip(p.keys, key, strict=True):
        column = found[name]
        same = (
            pc.is_null(column)
            if value is None
            else pc.fill_null(pc.equal(column, pa.scalar(value, column.type)), False)
        )
        mask &= same.to_numpy()
    return key, int(counts[mask].sum())


def run(params: PartitioningParams) -> PartitioningResult:
    """Compute the preview: rows a partition and the way of the commonest keys and of the typed one."""
    found, hashes, counts = _hashes(params.source, params.keys)
    rows, labels = _rows(params)
    before, after = np.mod(hashes, params.n_before), np.mod(hashes, params.n_partitions)
    names = [
        _written(row.values())
        for row in found.select(params.keys).slice(0, N_SHOWN_KEYS).to_pylist()
    ]
    routes = tuple(
        Route(name, int(counts[i]), int(hashes[i]), int(before[i]), int(after[i]))
        for i, name in enumerate(names)
    )
    key, n_rows = _typed(params, found, counts)
    columns = [
        pa.array([value], found.schema.field(name).type)
        for value, name in zip(key, params.keys, strict=True)
    ]
    hashed = int(murmur3.hash_rows(columns)[0])
    typed = Route(
        _written(key), n_rows, hashed, hashed % params.n_before, hashed % params.n_partitions
    )
    moved = float(counts[before != after].sum() / counts.sum())
    return PartitioningResult(
        params, rows, labels, len(counts), names[0], int(counts[0]), routes, typed, moved
    )
