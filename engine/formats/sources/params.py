"""What a run of *sources* is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from engine.ranges import SEED, Params, Range

PAGES = (5, 10, 20, 50)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcesParams(Params):
    """When the sources are read, and how each of them is."""

    at_hour: Annotated[int, Range(0, 24)] = 22  # of the day, when the first page is asked for
    page_rows: Annotated[int, Range(5, 50, options=PAGES)] = 10  # of the API, at most
    gap_minutes: Annotated[int, Range(0, 60, step=5)] = 15  # between two calls of the API
    age_hours: Annotated[int, Range(0, 24)] = 6  # of the files, when they are read
    n_repeats: Annotated[int, Range(0, 50)] = 10  # changes that the stream delivers again
    number: Annotated[int, SEED] = 0  # of the flight that is shown as it came
