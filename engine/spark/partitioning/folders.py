"""Folders of ``partitionBy``: which keys share one, and what Spark cannot write."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.spark.partitioning import order
from engine.spark.partitioning.spelling import (
    HIVE_ESCAPED,
    MAX_NAME_BYTES,
    folder_names,
    key_texts,
    quoted,
)


@dataclass(frozen=True, slots=True, eq=False)
class Folders:
    """The folders of all keys."""

    names: tuple[str, ...]  # (m,) as Spark writes them, without the columns' names
    rows: np.ndarray  # (m,)
    places: np.ndarray  # (k,) the folder of each distinct key
    notes: tuple[str, ...]  # what else there is to say, a sentence each

    @classmethod
    def of(cls, found: pa.Table, counts: np.ndarray) -> Folders:
        """Return the folders of distinct keys with their rows (k,)."""
        by_name: dict[str, int] = {}
        names = folder_names(found.columns)
        places = np.array([by_name.setdefault(name, len(by_name)) for name in names], np.int64)
        rows = np.bincount(places, weights=counts).astype(np.int64)
        return cls(tuple(by_name), rows, places, tuple(_notes(found, tuple(by_name), places)))

    def problem(self, found: pa.Table, tasks: Iterable[np.ndarray]) -> str:
        """Return why Spark fails to write these folders, as a sentence; "" if it can.

        ``tasks`` are the rows of each input partition: their places among the distinct keys.
        """
        for name in self.names:
            for part, column in zip(name.split("/"), found.column_names, strict=True):
                if "\0" in part:
                    return (
                        f"{NO_FOLDER} A key has the character NUL, which no folder name can have."
                    )
                name_bytes = f"{column.translate(HIVE_ESCAPED)}={part}".encode()
                if (size := len(name_bytes)) > MAX_NAME_BYTES:
                    return (
                        f"{NO_FOLDER} A folder name can have {MAX_NAME_BYTES} bytes. The name of"
                        f" {quoted(part)} would have {size:,}."
                    )
        written = _written(found)
        sort_keys = [order.ranks(column) for column in written.columns][::-1]
        same = _first_of_equals(written)
        for rows in tasks:
            rows = rows[np.lexsort([key[rows] for key in sort_keys])]
            keys = same[rows]
            opened = keys[np.flatnonzero(np.diff(keys, prepend=-1))]
            folders = self.places[opened]
            first = np.unique(folders, return_index=True)[1]
            if len(first) < len(folders):
                again = folders[np.setdiff1d(np.arange(len(folders)), first)[0]]
                return _opened_twice(found, self, int(again), opened)
        return ""


NO_FOLDER = "Spark cannot write these folders."


def _written(found: pa.Table) -> pa.Table:
    """Return the keys as the writer compares them: no text at all is null already."""
    columns = [
        pc.if_else(pc.equal(column, ""), None, column)
        if pa.types.is_string(column.type)
        else column
        for column in found.columns
    ]
    return pa.table(columns, names=[str(i) for i in range(len(columns))])


def _first_of_equals(written: pa.Table) -> np.ndarray:
    """Return for each key the place of the first that is the same to the writer (k,)."""
    place = np.zeros(written.num_rows, np.int64)
    for column in written.columns:
        encoded = pc.dictionary_encode(column.combine_chunks(), null_encoding="encode")
        place = place * len(encoded.dictionary) + encoded.indices.to_numpy()
        _, first, inverse = np.unique(place, return_index=True, return_inverse=True)
        place = inverse
    return np.asarray(first[place])


def _opened_twice(found: pa.Table, folders: Folders, folder: int, opened: np.ndarray) -> str:
    """Return the sentence for a folder that one task opens twice, with the two keys."""
    sharing = np.unique(opened[folders.places[opened] == folder])
    name = quoted(folders.names[folder])
    if len(sharing) > 1:
        one, other = (_key(found, int(i)) for i in sharing[:2])
        reason = f"{one} and {other} are different keys with the same folder name."
    else:
        reason = "Its rows are between those of a key that Spark sorts as equal (0.0 and -0.0)."
    return (
        f"{NO_FOLDER} One task would open the folder {name} twice, which Spark refuses (file"
        f" already exists). {reason} Replace one of the values, or choose another key."
    )


def _key(found: pa.Table, place: int) -> str:
    return quoted(key_texts(found.slice(place, 1).columns)[0])


def _notes(found: pa.Table, names: tuple[str, ...], places: np.ndarray) -> Iterable[str]:
    """Return which keys share a folder, and which would where case is ignored."""
    if len(names) < len(places):
        several = np.flatnonzero(np.bincount(places) > 1)
        one, other = (_key(found, int(i)) for i in np.flatnonzero(places == several[0])[:2])
        yield (
            f"**Shared folder:** {one} and {other} are both in {quoted(names[several[0]])}."
            f" {len(places):,} keys make {len(names):,} folders."
        )
    lower: dict[str, str] = {}
    for name in names:
        if (other := lower.setdefault(name.lower(), name)) != name:
            yield (
                f"**Case:** {quoted(other)} and {quoted(name)} differ only in case. Where the"
                " file system ignores it (Windows, macOS), they share a folder."
            )
            return
