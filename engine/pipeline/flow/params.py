"""The settings of a run as the page offers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.errors import require
from engine.pipeline.params import LEAST_DAYS, Gate, Model, PipelineParams
from engine.ranges import Params, Range, rule_of
from engine.units import day_of_2013

LEAD, LATE, SEEDS = (rule_of(PipelineParams, n) for n in ("lead_minutes", "late_share", "seed"))
DAYS_OF_2013 = 365


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowParams(Params):
    """Which days, when their flights are predicted, and how."""

    first_day: Annotated[int, Range(1, DAYS_OF_2013 - LEAST_DAYS + 1)] = 23  # of 2013, from 1
    n_days: Annotated[int, Range(LEAST_DAYS, DAYS_OF_2013, most=90)] = 22
    lead_minutes: Annotated[int, LEAD] = 120
    model: Model = "boosting"
    gate: Gate = "strict"
    late_share: Annotated[float, LATE] = 0.05
    seed: Annotated[int, SEEDS] = 0

    def check_together(self) -> None:
        """Refuse days after 2013."""
        require(
            self.first_day + self.n_days - 1 <= DAYS_OF_2013,
            "first_day and n_days must end in 2013. Got {} days from {} on.",
            self.n_days,
            day_of_2013(self.first_day),
        )

    @property
    def pipeline(self) -> PipelineParams:
        """The settings as the pipeline takes them."""
        last = day_of_2013(self.first_day + self.n_days - 1)
        return PipelineParams(
            days=(day_of_2013(self.first_day), last),
            lead_minutes=self.lead_minutes,
            model=self.model,
            gate=self.gate,
            late_share=self.late_share,
            seed=self.seed,
        )
