"""What a run of *streaming* is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from engine.ranges import Choice, Params, Range

Origin = Literal["EWR", "JFK", "LGA"]
Mode = Literal["append", "update", "complete"]
WINDOWS = (30, 60, 120, 240)  # minutes, each a part of a day: windows begin at midnight


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamingParams(Params):
    """Which flights arrive, and how Spark counts them by window of their event time."""

    delay_minutes: Annotated[int, Range(0, 480, step=15)] = 60  # of the watermark
    window_minutes: Annotated[int, Choice(WINDOWS)] = 60
    mode: Mode = "append"  # which windows go to the sink
    origin: Origin = "JFK"
    day: Annotated[int, Range(1, 365)] = 191  # of 2013; 191 is 10 July, with thunderstorms
