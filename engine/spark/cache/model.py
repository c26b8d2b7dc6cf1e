"""Spark's unified memory as a model: how a heap is divided. Checked against the live executor's own
figure in the tests.

Simplified: on-heap memory of one executor, by the rules of
``org.apache.spark.memory.UnifiedMemoryManager``; what a region really holds changes with every
task, for execution and storage borrow from each other.
"""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import require

RESERVED_BYTES = 300 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Regions:
    """Bytes of each region of a heap."""

    reserved: int  # Spark's own
    user: int  # your objects, UDFs, RDD metadata
    execution: int  # shuffles, joins, sorts; may evict storage down to its protected part
    storage: int  # cached partitions that execution cannot evict

    @property
    def unified(self) -> int:
        """What execution and storage share: the most that can be cached while nothing runs."""
        return self.execution + self.storage


def regions(heap_bytes: int, fraction: float = 0.6, storage_fraction: float = 0.5) -> Regions:
    """Return the regions of a heap under ``spark.memory.fraction`` and
    ``spark.memory.storageFraction``.

    Raises
    ------
    InputError
        A heap that Spark refuses (below 1.5 × the 300 MiB it reserves), or a share outside 0 … 1.
    """
    least = RESERVED_BYTES * 3 // 2
    require(
        heap_bytes >= least,
        "The heap must be at least {:,} bytes: Spark refuses less. Got {:,}.",
        least,
        heap_bytes,
    )
    require(0 < fraction <= 1, "fraction must be above 0, at most 1. Got {}.", fraction)
    require(0 <= storage_fraction <= 1, "storage_fraction must be 0–1. Got {}.", storage_fraction)
    usable = heap_bytes - RESERVED_BYTES
    unified = int(usable * fraction)
    storage = int(unified * storage_fraction)
    return Regions(RESERVED_BYTES, usable - unified, unified - storage, storage)
