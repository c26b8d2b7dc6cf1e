"""What a run of *enrich* is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from engine.ranges import SEED, SHARE, Params, Range

Join = Literal["left", "inner"]
Clock = Literal["New York time", "UTC"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrichParams(Params):
    """The batch, its faults, and how the other sources are joined to it."""

    fault_share: Annotated[float, SHARE] = 0.2  # of the cells of each text column
    join: Join = "left"
    clock: Clock = "New York time"  # for the key of the weather
    first_day: Annotated[int, Range(1, 365)] = 175  # of 2013; 175 is 24 June
    n_days: Annotated[int, Range(1, 7)] = 3
    seed: Annotated[int, SEED] = 0  # of the faults
