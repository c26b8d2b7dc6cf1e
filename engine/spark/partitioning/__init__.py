"""Partition explorer: in which partition Spark puts each row, computed here while you drag and
measured by Spark beside it.

Real and exact to the row: hash partitioning and bucketing (Spark's Murmur3 in NumPy,
``engine.spark.partitioning.murmur3``), round-robin counts (Spark's own starting points), coalesce.
Range cuts are those that Spark finds when it looks at every row; by default it looks at a sample,
so its own partitions differ a little. ``engine.spark.partitioning.real`` asks the real Spark.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import require
from engine.spark import keys
from engine.spark.keys import Source
from engine.spark.partitioning import murmur3
from engine.spark.partitioning.params import PartitioningParams
from engine.spark.partitioning.result import PartitioningResult, Route

__all__ = [
    "PartitioningParams",
    "PartitioningResult",
    "coalesced",
    "hash_partition",
    "range_bounds",
    "range_rows",
    "round_robin",
    "round_robin_start",
    "run",
    "slices",
]

N_SHOWN_KEYS = 12


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
    """Return rows per partition under ``repartitionByRange``, for keys of ``counts`` rows in sorted
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
    """Return the partition of each input partition under ``coalesce(n_partitions)``:
    neighbours, whole, no shuffle.
    """
    n = min(n_input, n_partitions)
    starts = np.arange(n) * n_input // n
    return np.searchsorted(starts, np.arange(n_input), side="right") - 1


def round_robin_start(task: int, n_partitions: int) -> int:
    """Return the partition that task ``task`` starts with, as Spark does, for any n: ``new
    XORShiftRandom(task).nextInt(n_partitions)``.
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


def round_robin(sizes: np.ndarray, n_partitions: int) -> np.ndarray:
    """Return rows per partition when each task distributes its ``sizes[i]`` rows in turn from its
    own starting point.
    """
    counts = np.zeros(n_partitions, np.int64)
    for task, size in enumerate(sizes.tolist()):
        start = round_robin_start(task, n_partitions) + 1
        counts += size // n_partitions
        counts[(start + np.arange(size % n_partitions)) % n_partitions] += 1
    return counts


def _format_key(values: Sequence[Any]) -> str:
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
    """Return rows per partition under the strategy, and the names of the partitions."""
    found, hashes, counts = _hashes(p.source, p.keys)
    n = p.n_partitions
    if p.strategy == "partitionBy files":
        return counts, tuple(_format_key(row.values()) for row in found.select(p.keys).to_pylist())
    if p.strategy in ("hash", "bucketing"):
        rows = np.bincount(np.mod(hashes, n), weights=counts, minlength=n).astype(np.int64)
    elif p.strategy == "range":
        rows = range_rows(_sorted_counts(p.source, p.keys[0]), n)
    else:
        sizes = np.diff(slices(int(counts.sum()), p.n_input))
        rows = (
            round_robin(sizes, n)
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
    rule = "The key to follow must be {} values with commas between ({}). Got {!r}."
    require(len(parts) == len(p.keys), rule, len(p.keys), ", ".join(p.keys), p.typed)
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
    """Compute the preview: rows per partition, and where keys go."""
    found, hashes, counts = _hashes(params.source, params.keys)
    rows, labels = _rows(params)
    before, after = np.mod(hashes, params.n_before), np.mod(hashes, params.n_partitions)
    names = [
        _format_key(row.values())
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
        _format_key(key), n_rows, hashed, hashed % params.n_before, hashed % params.n_partitions
    )
    moved = float(counts[before != after].sum() / counts.sum())
    return PartitioningResult(
        params, rows, labels, len(counts), names[0], int(counts[0]), routes, typed, moved
    )
