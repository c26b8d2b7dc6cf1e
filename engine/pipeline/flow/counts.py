"""What the stages will count, from the source alone, before anything runs.

Simplified: it assumes that no row breaks a rule of the quality gate. All other counts are exact.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine import data
from engine.etl import flight_days
from engine.pipeline.params import FIRST, PipelineParams
from engine.pipeline.records import Count
from engine.pipeline.stages.train import SERVED
from engine.pipeline.stages.training_set import NO_ANSWER


@lru_cache(maxsize=1)
def per_day() -> tuple[np.ndarray, np.ndarray]:
    """Return, for each day of 2013 (365,), its flights and those that never arrived."""
    flights = data.load("flights")
    days = pc.days_between(pa.scalar(FIRST), flight_days.dates(flights)).to_numpy()
    gone = flights["arr_delay"].is_null().to_numpy()
    return np.bincount(days, minlength=365), np.bincount(days[gone], minlength=365)


def expected_counts(params: PipelineParams) -> dict[str, Count]:
    """Return what each stage will take, drop and pass on, by its name."""
    first, last = ((day - FIRST).days for day in params.days)
    flights, gone = (column[first : last + 1] * params.scale for column in per_day())
    n, n_gone = int(flights.sum()), int(gone.sum())
    n_last, n_known = int(flights[-1]), n - n_gone
    n_served = n_last - int(gone[-1])
    n_compared = n_known - n_served
    same = {"ingest": n, "validate": n, "load": n, "features": n, "monitor": n}
    same |= {"audit": n_known, "register": n_compared, "serve": n_last}
    return {name: Count(rows, rows) for name, rows in same.items()} | {
        "training_set": Count(n, n_known, {NO_ANSWER: n_gone}),
        "train": Count(n_known, n_compared, {SERVED: n_served}),
    }
