"""Spark's own hash of a row, in NumPy: Murmur3 x86 32-bit as
``org.apache.spark.unsafe.hash.Murmur3_x86_32`` computes it.

Not the textbook Murmur3: Spark mixes each byte of a string that is left over after the last whole
word as a signed word of its own. Columns are chained: the hash of one is the seed of the next,
beginning with 42; a null leaves the seed as it is. Everything wraps around at 32 bits, which
NumPy's unsigned integers do by themselves. Exact for every type that ``as_spark`` takes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import InputError
from engine.spark.column_types import as_spark

SEED = 42
C1, C2 = np.uint32(0xCC9E2D51), np.uint32(0x1B873593)
BLOCK = 1 << 15  # rows at a time: the working set stays in the cache


def _rotate(x: np.ndarray, by: int) -> np.ndarray:
    return (x << np.uint32(by)) | (x >> np.uint32(32 - by))


def mix(h: np.ndarray, word: np.ndarray) -> np.ndarray:
    """Return the states ``h`` (n,) after one 32-bit word each, as uint32."""
    return _rotate(h ^ (_rotate(word * C1, 15) * C2), 13) * np.uint32(5) + np.uint32(0xE6546B64)


def finish(h: np.ndarray, size_bytes: np.ndarray | int) -> np.ndarray:
    """Return the hashes (n,) of inputs of ``size_bytes`` bytes whose words have all been mixed, as
    uint32.
    """
    h = (
        h ^ np.uint32(size_bytes)
        if isinstance(size_bytes, int)
        else h ^ size_bytes.astype(np.uint32)
    )
    h = (h ^ (h >> np.uint32(16))) * np.uint32(0x85EBCA6B)
    h = (h ^ (h >> np.uint32(13))) * np.uint32(0xC2B2AE35)
    out: np.ndarray = h ^ (h >> np.uint32(16))
    return out


def hash_ints(values: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return ``hashInt`` of n 32-bit integers under n seeds, as n uint32."""
    out = np.empty(len(values), np.uint32)
    words = values.view(np.uint32)
    for start in range(0, len(values), BLOCK):
        part = slice(start, start + BLOCK)
        out[part] = finish(mix(seeds[part], words[part]), 4)
    return out


def hash_longs(values: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return ``hashLong`` of n 64-bit integers under n seeds, as n uint32: the low word first, then
    the high one.
    """
    out = np.empty(len(values), np.uint32)
    words = values.view(np.uint64)
    for start in range(0, len(values), BLOCK):
        part = slice(start, start + BLOCK)
        low, high = words[part].astype(np.uint32), (words[part] >> np.uint64(32)).astype(np.uint32)
        out[part] = finish(mix(mix(seeds[part], low), high), 8)
    return out


def hash_bytes(data: np.ndarray, offsets: np.ndarray, seeds: np.ndarray) -> np.ndarray:
    """Return ``hashUnsafeBytes`` of n byte strings under n seeds, as n uint32.

    ``data`` holds the bytes (uint8), ``offsets`` (n + 1) where each string begins. The loop is over
    the words of the longest string, not over rows; it goes on with the strings that have a word
    left.
    """
    sizes = np.diff(offsets)
    h = seeds.copy()
    n_words = sizes // 4
    shifts = np.arange(0, 32, 8, dtype=np.uint32)
    rows = np.flatnonzero(n_words)
    word = 0
    while len(rows):
        at = offsets[rows] + 4 * word
        words = (data[at[:, np.newaxis] + np.arange(4)].astype(np.uint32) << shifts).sum(
            axis=1, dtype=np.uint32
        )
        h[rows] = mix(h[rows], words)
        word += 1
        rows = rows[n_words[rows] > word]
    for left in range(3):
        rows = np.flatnonzero(sizes % 4 > left)
        tail = data[offsets[rows] + 4 * n_words[rows] + left].view(np.int8).astype(np.int32)
        h[rows] = mix(h[rows], tail.view(np.uint32))
    return finish(h, sizes)


def _strings(column: pa.Array, seeds: np.ndarray) -> np.ndarray:
    """Hash a string or binary column without nulls; equal values under one seed are hashed once."""
    constant = len(seeds) > 0 and bool((seeds == seeds[0]).all())
    if constant:
        encoded = column.dictionary_encode()
        column, positions = encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False)
        seeds = seeds[: len(column)]
    column = column.cast(pa.large_binary())
    buffers = column.buffers()
    offsets = np.frombuffer(buffers[1], np.int64)[column.offset : column.offset + len(column) + 1]
    data = np.frombuffer(buffers[2] or b"", np.uint8)
    hashed = hash_bytes(data, offsets, seeds)
    return hashed[positions] if constant else hashed


def canonical(values: np.ndarray) -> np.ndarray:
    """Return floats with one zero and one NaN: what Spark's hash and its order see."""
    values = values + values.dtype.type(0)  # −0 becomes 0
    values[np.isnan(values)] = np.nan
    return values


def _wide_decimals(column: pa.Array, seeds: np.ndarray) -> np.ndarray:
    """Hash decimals of more than 18 digits: the bytes of the unscaled number, as Java's
    ``BigInteger.toByteArray`` gives them (two's complement, the highest first, as few as will do).
    """
    own = np.frombuffer(column.buffers()[1], np.uint8).reshape(-1, 16)
    high_first = own[column.offset : column.offset + len(column), ::-1]
    signs = np.where(high_first[:, :1] >= 128, np.uint8(255), np.uint8(0))
    spare = (high_first[:, :-1] == signs) & ((high_first[:, 1:] ^ signs) < 128)
    n_spare = np.logical_and.accumulate(spare, axis=1).sum(axis=1)
    kept = np.arange(16) >= n_spare[:, np.newaxis]
    offsets = np.concatenate(([0], np.cumsum(16 - n_spare)))
    return hash_bytes(high_first[kept], offsets, seeds)


def _hash_values(column: pa.Array, seeds: np.ndarray) -> np.ndarray:
    """Hash a column without nulls, as ``as_spark`` gives it, by the rule of its type."""
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return _strings(column, seeds)
    if pa.types.is_decimal(kind):
        if kind.precision > 18:
            return _wide_decimals(column, seeds)
        low = np.frombuffer(column.buffers()[1], np.int64)[::2]
        values = low[column.offset : column.offset + len(column)]
        return hash_longs(np.ascontiguousarray(values), seeds)
    if pa.types.is_floating(kind):
        values = canonical(column.to_numpy())
    elif pa.types.is_temporal(kind):
        values = column.view(pa.int32() if kind.bit_width == 32 else pa.int64()).to_numpy()
    elif pa.types.is_int64(kind):
        values = column.to_numpy()
    else:
        values = column.cast(pa.int32()).to_numpy()
    short = values.dtype.itemsize == 4
    return (hash_ints if short else hash_longs)(np.ascontiguousarray(values), seeds)


def hash_column(column: pa.Array | pa.ChunkedArray, seeds: np.ndarray) -> np.ndarray:
    """Return the hash of each row of ``column`` under its seed, as n uint32; a null's hash is its
    seed.

    Raises
    ------
    InputError
        A type that Spark cannot hash or that is not reproduced here (nested types).
    """
    column = as_spark(column)
    if column.null_count == 0:
        return _hash_values(column, seeds)
    known = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
    out = seeds.copy()
    out[known] = _hash_values(pc.drop_null(column), seeds[known])
    return out


def hash_rows(columns: Sequence[pa.Array | pa.ChunkedArray]) -> np.ndarray:
    """Return what Spark SQL's ``hash(columns…)`` gives for each row, as n int32 (signed, as Spark
    shows it).
    """
    if not columns:
        raise InputError("columns must name at least one key. Got none.")
    seeds = np.full(len(columns[0]), SEED, np.uint32)
    for column in columns:
        seeds = hash_column(column, seeds)
    return seeds.view(np.int32)
