"""Spark's order of keys: nulls first, −0 equal to 0, NaN above all numbers, text by its bytes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.spark.partitioning.murmur3 import canonical


def ranks(column: pa.ChunkedArray) -> np.ndarray:
    """Return a number for each value (n,) that sorts as Spark sorts the values: equal for equal
    ones, 0 for null.
    """
    encoded = pc.dictionary_encode(column.combine_chunks())
    values = encoded.dictionary
    if pa.types.is_floating(values.type):
        of_values = np.unique(canonical(values.to_numpy()), return_inverse=True)[1]
    else:
        of_values = np.empty(len(values), np.int64)
        of_values[pc.sort_indices(values).to_numpy()] = np.arange(len(values))
    place = pc.fill_null(encoded.indices, -1).to_numpy()
    found: np.ndarray = np.concatenate((of_values + 1, [0]))[place]
    return found
