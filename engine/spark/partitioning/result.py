"""What the partition explorer finds: rows a partition, and the way of single keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from engine.spark.partitioning import text

if TYPE_CHECKING:
    from engine.spark.partitioning import PartitioningParams


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
        return text.verdict(self)

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return text.why(self)

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
