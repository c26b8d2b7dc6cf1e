"""What *crossover* is asked for."""

from __future__ import annotations

from dataclasses import dataclass

from engine.errors import require, require_choice
from engine.spark.contest.data import N_ROWS
from engine.spark.contest.engines import CONTESTANTS, WORKS, Contestant, Work

MEMORY_GB = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverParams:
    """Which work, up to which size, in which engines."""

    work: Work = "group-by"
    n_rows: int = 100_000  # the largest size, one of N_ROWS
    contestants: tuple[Contestant, ...] = CONTESTANTS
    memory_gb: float = (
        64.0  # what one engine may hold, or most of what is free if that is less; 0.0625 … 64
    )
    repeats: int = 3  # 1 … 9

    def __post_init__(self) -> None:
        require_choice("work", self.work, WORKS)
        require(
            self.n_rows in N_ROWS,
            "n_rows must be one of {}. Got {}.",
            ", ".join(f"{n:,}" for n in N_ROWS),
            self.n_rows,
        )
        for contestant in self.contestants:
            require_choice("contestants", contestant, CONTESTANTS)
        require(
            self.memory_gb in MEMORY_GB,
            "memory_gb must be one of {}. Got {}.",
            MEMORY_GB,
            self.memory_gb,
        )
        require(1 <= self.repeats <= 9, "repeats must be 1 … 9. Got {}.", self.repeats)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes to run, smallest first."""
        return tuple(n for n in N_ROWS if n <= self.n_rows)

    @property
    def asked(self) -> tuple[Contestant, ...]:
        """The engines in their order; pandas and Spark always take part."""
        return tuple(
            name for name in CONTESTANTS if name in ("pandas", "Spark") or name in self.contestants
        )
