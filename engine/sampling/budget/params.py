"""What a run of *budget* is asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from engine.ranges import SEED, Params, Range
from engine.sampling.arena.strategies import ArenaParams
from engine.sampling.flight_rows import Positives, Target

Model = Literal["logistic", "boosting"]
N_ROWS = (20_000, 50_000, 100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetParams(Params):
    """How many alarms a day are looked at, and what is predicted from what."""

    per_day: Annotated[int, Range(5, 500, step=5)] = 200  # alarms
    model: Model = "logistic"
    target: Target = "cancelled"
    positives: Positives = "0.1%"
    n_rows: Annotated[int, Range(20_000, 100_000, options=N_ROWS)] = 50_000  # that train
    seed: Annotated[int, SEED] = 0

    def training(self) -> BudgetParams:
        """Return these settings with the budget at its default: no model depends on it."""
        return replace(self, per_day=200)

    @property
    def trained(self) -> ArenaParams:
        """The settings of the models, as the arena takes them."""
        return ArenaParams(model=self.model, seed=self.seed)
