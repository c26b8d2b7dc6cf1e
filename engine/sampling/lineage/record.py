"""Which rows each synthetic row was made from, as noted while imbalanced-learn ran."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Record:
    """One entry for each of s synthetic rows, in the library's order; indices are input rows."""

    seed_index: np.ndarray  # (s,) the row that it starts from
    # (s,) the row that it goes to; the seed itself where it is only copied or voted on
    neighbour_index: np.ndarray
    step: np.ndarray  # (s,) share of the way, in [0, 1); SVM-SMOTE also steps away, in (-0.5, 0]
    weight: np.ndarray  # (s,) 1, but in Borderline-2 in [0, 0.5) towards a majority neighbour
    neighbours: np.ndarray  # (s, k) the rows that could have been chosen, nearest first

    @staticmethod
    def empty(k: int = 0) -> Record:
        """Return the record of no synthetic row."""
        none, no_share = np.empty(0, int), np.empty(0)
        return Record(
            seed_index=none,
            neighbour_index=none,
            step=no_share,
            weight=no_share,
            neighbours=np.empty((0, k), int),
        )

    @staticmethod
    def copies(seeds: np.ndarray, neighbours: np.ndarray) -> Record:
        """Return the record of rows that start from their seed alone: copied, or voted on."""
        return Record(
            seed_index=seeds,
            neighbour_index=seeds,
            step=np.zeros(len(seeds)),
            weight=np.ones(len(seeds)),
            neighbours=neighbours,
        )

    @staticmethod
    def joined(records: list[Record], k: int) -> Record:
        """Return the records of several calls as one."""
        if not records:
            return Record.empty(k)
        names = [field.name for field in fields(Record)]
        return Record(**{n: np.concatenate([getattr(r, n) for r in records]) for n in names})
