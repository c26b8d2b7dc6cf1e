"""Online detectors beside the weekly distances: river's ADWIN, Page–Hinkley and KSWIN read one
flight after another and say at which one something changed.

Real: river's detectors with their defaults on the flights after the learned days, in order of their
moments; the values are in standard deviations of the learned days. At most ``N_FLIGHTS`` flights,
evenly in time. False alarms: the share of ``N_STREAMS`` streams of as many flights, drawn from the
learned days in random order, in which a detector speaks at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from engine.feature_store.feast_repo import EVENT
from engine.jobs import Progress, Steps, to_end
from engine.pipeline import choice, store
from engine.pipeline.runner import params_of
from engine.pipeline.stages import train
from engine.pipeline.stages.audit import TARGET
from engine.pipeline.stages.training_set import NAMES
from engine.ranges import Choice, Params, Text
from engine.units import format_share, format_time

N_FLIGHTS = 400
N_STREAMS = 10
ERROR = "squared error"
DETECTORS = ("ADWIN", "PageHinkley", "KSWIN")  # as river calls them


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamsParams(Params):
    """A run and a feature."""

    run: Annotated[str, Text(22)] = ""
    feature: Annotated[str, Choice(tuple(NAMES))] = "temp"


@dataclass(frozen=True, slots=True)
class Watched:
    """What one detector said of one stream: the first alarm (``None``: none), how many there were,
    and its share of false alarms.
    """

    detector: str
    values: str  # what the stream is of
    first: datetime | None
    n_alarms: int
    false_share: float


@dataclass(frozen=True, slots=True, eq=False)
class StreamsResult:
    """What the detectors said, as far as they have read."""

    params: StreamsParams
    n_flights: int
    watched: tuple[Watched, ...]

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each detector and stream, as a page shows it."""
        return [
            {
                "stream": one.values,
                "detector": one.detector,
                "first alarm, UTC": format_time(one.first) if one.first else "none",
                "alarms": str(one.n_alarms),
                "false alarms": f"{format_share(one.false_share)} of {N_STREAMS} streams",
            }
            for one in self.watched
        ]


def detector(name: str, seed: int) -> Any:
    """Return one of river's detectors, with its defaults."""
    from river import drift

    return drift.KSWIN(seed=seed) if name == "KSWIN" else getattr(drift, name)()


def alarms(name: str, values: np.ndarray, seed: int = 0) -> list[int]:
    """Return the places (0-based) in ``values`` (n,) at which a detector speaks."""
    reader, found = detector(name, seed), []
    for place, value in enumerate(values.tolist()):
        reader.update(value)
        if reader.drift_detected:
            found.append(place)
    return found


def false_share(name: str, draw: Callable[[int], np.ndarray]) -> float:
    """Return the share of streams without drift, ``draw(number)``, in which a detector speaks."""
    return sum(bool(alarms(name, draw(number), number)) for number in range(N_STREAMS)) / N_STREAMS


def standardized(
    frame: pd.DataFrame, p: np.ndarray, learned: np.ndarray, values: str
) -> tuple[np.ndarray, pd.DataFrame, np.ndarray]:
    """Return the learned values (m,), the flights after them and their values (n,), both in
    standard deviations of the learned ones; flights without a value are left out.
    """
    column = frame[values].to_numpy(float)
    if values == ERROR:
        column = (frame[TARGET].astype(float).to_numpy() - p) ** 2
    known = ~np.isnan(column)
    reference = column[learned & known]
    deviation = reference.std() or 1.0
    scaled = (column - reference.mean()) / deviation
    later = ~learned & known
    return scaled[learned & known], frame[later], scaled[later]


def read(run_id: str) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Return the flights of a run in order of their moments, their probabilities (n,), and which
    were learned from (n,).
    """
    import joblib

    found = choice.find(run_id)
    made = {record.stage: store.place(record.stage, record.key) for record in found.stages}
    frame = pq.read_table(made["training_set"] / "rows.parquet").to_pandas()
    frame = frame[frame[TARGET].notna()].sort_values(EVENT, kind="stable")
    p = joblib.load(made["train"] / "model.joblib").predict(frame)
    learned = frame["flight_date"].isin(train.deal(params_of(found).dates).learn).to_numpy()
    return frame.assign(**{ERROR: np.nan}), p, learned


def steps(params: StreamsParams) -> Steps:
    """Let each detector read the errors and the feature: a ``Progress`` after each.

    Returns
    -------
    StreamsResult
    """
    frame, p, learned = read(params.run)
    result = StreamsResult(params, 0, ())
    rng = np.random.default_rng(0)
    n_parts = 2 * len(DETECTORS)
    for values in (ERROR, params.feature):
        reference, later, column = standardized(frame, p, learned, values)
        step = max(1, len(column) // N_FLIGHTS)
        later, column = later.iloc[::step], column[::step]
        streams = [rng.choice(reference, len(column)) for _ in range(N_STREAMS)]
        for name in DETECTORS:
            yield Progress(len(result.watched) / n_parts, f"{name} reads {values}", result)
            found = alarms(name, column)
            first = later[EVENT].iloc[found[0]].to_pydatetime() if found else None
            share = false_share(name, streams.__getitem__)
            one = Watched(name, values, first, len(found), share)
            result = StreamsResult(params, len(column), (*result.watched, one))
    return result


run = to_end(steps)
