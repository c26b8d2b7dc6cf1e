"""The settings of the tab, and of one execution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.pipeline.faults.kinds import FAULTS, NONE, Fault
from engine.ranges import Choice, Params


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultsParams(Params):
    """The fault that is looked at, and executed first."""

    fault: Fault = "duplicated_batch"
    every: bool = False  # execute all faults


@dataclass(frozen=True, slots=True, kw_only=True)
class OneParams(Params):
    """One daily run, with a fault or without."""

    fault: Annotated[str, Choice((NONE, *FAULTS))] = NONE
