"""Partition explorer: in which partition Spark puts each row, computed here while you drag and
measured by Spark beside it.

Real and exact to the row: hash partitioning and bucketing (Spark's Murmur3 in NumPy,
``engine.spark.partitioning.murmur3``), round-robin counts (Spark's own starting points), coalesce.
Range cuts are those that Spark finds when it looks at every row; by default it looks at a sample,
so its own partitions differ a little. ``engine.spark.partitioning.real`` asks the real Spark.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import name_in_sentence, require
from engine.spark import keys
from engine.spark.keys import Source
from engine.spark.partitioning import murmur3, order
from engine.spark.partitioning.folders import Folders
from engine.spark.partitioning.params import PartitioningParams
from engine.spark.partitioning.result import PartitioningResult, Route
from engine.spark.partitioning.spelling import key_texts, parse_key

__all__ = [
    "PartitioningParams",
    "PartitioningResult",
    "coalesced",
    "hash_partition",
    "key_partitions",
    "range_bounds",
    "range_rows",
    "round_robin",
    "round_robin_start",
    "row_partitions",
    "run",
    "slices",
    "write_problem",
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


@lru_cache(maxsize=8)
def _hashes(source: Source, names: tuple[str, ...]) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Return the distinct keys, their hashes (k,) and their rows (k,): what every number of
    partitions is made from.
    """
    found = keys.distinct(source, names)
    columns, counts = found.columns[:-1], found.columns[-1].to_numpy()
    return found.select(range(len(names))), murmur3.hash_rows(columns), counts


@lru_cache(maxsize=8)
def _sorted_counts(source: Source, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows of each key in Spark's order, nulls first, and for each distinct key its
    place in that order: what range cuts are made from.
    """
    found, _, counts = _hashes(source, (name,))
    place = np.unique(order.ranks(found[name]), return_inverse=True)[1]
    return np.bincount(place, weights=counts).astype(np.int64), place


@lru_cache(maxsize=8)
def _folders(source: Source, names: tuple[str, ...]) -> Folders:
    found, _, counts = _hashes(source, names)
    return Folders.of(found, counts)


def key_partitions(p: PartitioningParams) -> np.ndarray | None:
    """Return the partition of each distinct key (k,), as in ``keys.distinct``; None where the key
    does not decide.
    """
    if p.strategy in ("hash", "bucketing"):
        by_hash: np.ndarray = np.mod(_hashes(p.source, p.keys)[1], np.int32(p.n_partitions))
        return by_hash
    if p.strategy == "partitionBy files":
        return _folders(p.source, p.keys).places
    if p.strategy == "range":
        counts, place = _sorted_counts(p.source, p.keys[0])
        return np.searchsorted(range_bounds(counts, p.n_partitions), place, side="left")
    return None


def row_partitions(p: PartitioningParams) -> np.ndarray | None:
    """Return the partition of each row (n,) in the order of ``keys.load``; None for round-robin,
    before which Spark sorts the rows by a hash.
    """
    by_key = key_partitions(p)
    if by_key is not None:
        by_row: np.ndarray = by_key[keys.places(p.source, p.keys)]
        return by_row
    if p.strategy == "round-robin":
        return None
    sizes = np.diff(slices(keys.load(p.source).num_rows, p.n_input))
    return np.repeat(coalesced(p.n_input, p.n_partitions), sizes)


def write_problem(p: PartitioningParams) -> str:
    """Return why Spark cannot write the folders of ``partitionBy``, as a sentence; "" if it can."""
    found, _, _ = _hashes(p.source, p.keys)
    rows = keys.places(p.source, p.keys)
    tasks = [rows[start:end] for start, end in itertools.pairwise(slices(len(rows), p.n_input))]
    return _folders(p.source, p.keys).problem(found, tasks)


def _rows(p: PartitioningParams) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return rows per partition under the strategy, and the names of the partitions."""
    counts = _hashes(p.source, p.keys)[2]
    n = p.n_partitions
    if p.strategy == "partitionBy files":
        folders = _folders(p.source, p.keys)
        return folders.rows, folders.names
    if p.strategy == "range":
        rows = range_rows(_sorted_counts(p.source, p.keys[0])[0], n)
    elif (by_key := key_partitions(p)) is not None:
        rows = np.bincount(by_key, weights=counts, minlength=n).astype(np.int64)
    else:
        sizes = np.diff(slices(int(counts.sum()), p.n_input))
        rows = (
            round_robin(sizes, n)
            if p.strategy == "round-robin"
            else np.bincount(coalesced(p.n_input, n), weights=sizes).astype(int)
        )
    return rows, tuple(str(i) for i in range(len(rows)))


def _typed(p: PartitioningParams, found: pa.Table) -> tuple[list[pa.Array], int | None]:
    """Return the key to follow, one value a column, and its place among the distinct keys; None
    where no row has it.
    """
    if not p.typed.strip():
        return [column.slice(0, 1).combine_chunks() for column in found.columns], 0
    values = parse_key(p.typed, found.schema)
    mask = np.ones(found.num_rows, bool)
    for column, value in zip(found.columns, values, strict=True):
        mask &= _same(column.combine_chunks(), value)
    place = np.flatnonzero(mask)
    return values, int(place[0]) if len(place) else None


def _same(column: pa.Array, value: pa.Array) -> np.ndarray:
    """Return where a column has a value (an array of one), null and NaN included; −0 is not 0."""
    if value.null_count:
        return np.asarray(column.is_null())
    if pa.types.is_floating(column.type):
        bits = pa.int64() if column.type.bit_width == 64 else pa.int32()
        column, value = column.view(bits), value.view(bits)
    return np.asarray(pc.fill_null(pc.equal(column, value[0]), False))


def run(params: PartitioningParams) -> PartitioningResult:
    """Compute the preview: rows per partition, and where keys go."""
    found, hashes, counts = _hashes(params.source, params.keys)
    rows, labels = _rows(params)
    before, after = np.mod(hashes, params.n_before), np.mod(hashes, params.n_partitions)
    names = key_texts(found.slice(0, N_SHOWN_KEYS).columns)
    routes = tuple(
        Route(name, int(counts[i]), int(hashes[i]), int(before[i]), int(after[i]))
        for i, name in enumerate(names)
    )
    key, place = _typed(params, found)
    hashed = int(murmur3.hash_rows(key)[0])
    typed = Route(
        key_texts(key)[0],
        0 if place is None else int(counts[place]),
        hashed,
        hashed % params.n_before,
        hashed % params.n_partitions,
    )
    by_key = key_partitions(params)
    return PartitioningResult(
        params,
        rows,
        labels,
        len(counts),
        names[0],
        int(counts[0]),
        routes,
        typed,
        float(counts[before != after].sum() / counts.sum()),
        followed=_followed(
            params, typed, None if place is None or by_key is None else by_key[place]
        ),
        notes=_notes(params),
    )


def _followed(p: PartitioningParams, typed: Route, place: int | None) -> int | None:
    """Return the partition with the followed key, where the key decides."""
    if p.strategy in ("hash", "bucketing"):
        return typed.after
    return None if place is None else int(place)


def _notes(p: PartitioningParams) -> tuple[str, ...]:
    """Return what is special about the key's types and folders, a sentence each."""
    by_name = keys.notes(p.source)
    of_types = [
        f"**{name_in_sentence(name)}:** {by_name[name]}." for name in p.keys if name in by_name
    ]
    if p.strategy != "partitionBy files":
        return tuple(of_types)
    return (*of_types, *_folders(p.source, p.keys).notes)
