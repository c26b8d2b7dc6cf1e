"""What *crossover* is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.ranges import Choice, Choices, Params, Range
from engine.spark.contest.data import N_ROWS
from engine.spark.contest.engines import CONTESTANTS, Contestant, Work

MEMORY_GB = (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossoverParams(Params):
    """Which work, up to which size, in which engines."""

    work: Work = "group-by"
    n_rows: Annotated[int, Choice(N_ROWS)] = 100_000  # the largest size
    contestants: Annotated[tuple[Contestant, ...], Choices(CONTESTANTS, least=0)] = CONTESTANTS
    # what one engine may hold, or most of what is free if that is less
    memory_gb: Annotated[float, Choice(MEMORY_GB)] = 64.0
    repeats: Annotated[int, Range(1, 9)] = 3

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
