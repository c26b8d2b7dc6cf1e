"""What a run of *famous* is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

from engine.ranges import SEED, Params, Range


@dataclass(frozen=True, slots=True, kw_only=True)
class FamousParams(Params):
    """Whether the audit is shown, what it is given, and the recreated tables."""

    audit: bool = False  # whether its findings are shown
    named: bool = False  # whether the hospital is named to it as the group
    repeats: Annotated[int, Range(1, 5)] = 2  # tables of each case
    seed: Annotated[int, SEED] = 0

    def measuring(self) -> FamousParams:
        """Return these settings with the shown parts at their defaults: one job measures both."""
        return replace(self, audit=False, named=False)
