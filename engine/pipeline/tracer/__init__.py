"""Row tracer: one served flight, from its line in the raw file to its prediction and its outcome.

Real: everything is read from what the stages of a run left behind, the raw file's bytes included.
Simplified: the reasons of a prediction change one feature at a time, so what features do together
is not divided among them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import pyarrow.parquet as pq

from engine.errors import require
from engine.etl import rules
from engine.feature_store.feast_repo import CREATED, EVENT
from engine.pipeline import choice, store
from engine.pipeline.records import Run
from engine.pipeline.runner import params_of
from engine.pipeline.stages import train, validate
from engine.pipeline.stages.audit import columns
from engine.pipeline.stages.serve import STEP_HOURS
from engine.pipeline.stages.training_set import NAMES, VIEWS
from engine.pipeline.tracer.result import AsOf, RawLine, Reason, TracerResult
from engine.ranges import Params, Range, Text

MOST_FLIGHTS = 100_000  # of a served day, at the largest scale
RUN_ID_LENGTH = 22


@dataclass(frozen=True, slots=True, kw_only=True)
class TracerParams(Params):
    """A run, and one of the flights that it served."""

    run: Annotated[str, Text(RUN_ID_LENGTH)] = ""  # id; "" is the latest of the first settings
    flight: Annotated[int, Range(1, MOST_FLIGHTS)] = 1  # place by predicted probability, from 1


def made(run: Run, stage: str) -> Path:
    """Return the folder with what a stage of a whole run made."""
    record = run.stage(stage)
    require(record is not None, "run must have come to the stage {}. Got {}.", stage, run.id)
    return store.place(stage, record.key)  # type: ignore[union-attr]


def served(run: Run) -> pd.DataFrame:
    """Return the served flights, the highest probability first; ties by line."""
    rows: pd.DataFrame = pq.read_table(made(run, "serve") / "predictions.parquet").to_pandas()
    return rows.sort_values(["p_late", "line"], ascending=[False, True], ignore_index=True)


def raw_line(path: Path, number: int) -> RawLine:
    """Return line ``number`` (from 1) of a file with the offset of its first byte."""
    offset = 0
    with path.open("rb") as file:
        for place, line in enumerate(file, 1):
            if place == number:
                return RawLine(path.name, number, offset, line)
            offset += len(line)
    require(False, "line must be in {}. Got {}.", path.name, number)
    raise AssertionError


def as_of(rows: pd.DataFrame, view: str, moment: pd.Timestamp) -> AsOf:
    """Return which row of one key wins at ``moment``, and one that is not yet known then: the
    newest that had happened but not arrived, without one the next to happen.

    ``rows`` are those of one key. A row is known if it happened and had arrived by the moment; the
    newest that happened wins, of two versions the one that arrived last; one older than the view's
    limit gives no value. A row that happened before the winner is not named.
    """
    ttl = VIEWS[view][2]
    known = rows[(rows[EVENT] <= moment) & (rows[CREATED] <= moment)]
    known = known[known[EVENT] > moment - ttl].sort_values([EVENT, CREATED])
    happened = rows[(rows[EVENT] <= moment) & (rows[CREATED] > moment)].sort_values(EVENT)
    coming = rows[rows[EVENT] > moment].sort_values([EVENT, CREATED])
    unknown = None
    if len(happened) and not (len(known) and happened[EVENT].iloc[-1] < known[EVENT].iloc[-1]):
        unknown = happened.iloc[-1].to_dict()
    elif len(coming):
        unknown = coming.iloc[0].to_dict()
    return AsOf(view, moment, known.iloc[-1].to_dict() if len(known) else None, unknown)


def in_store(
    rows: pd.DataFrame, view: str, fills: list[pd.Timestamp], moment: pd.Timestamp
) -> AsOf:
    """Return which row of one key is served at ``moment`` after ``fills``, in order of time: what
    one of them brought stays until a later one brings a newer row. What is too old by the moment is
    withheld: ``expired``.
    """
    wins = (as_of(rows, view, fill) for fill in reversed(fills))
    found = next((win for win in wins if win.won is not None), None)
    if found is None or found.won is None:
        return as_of(rows, view, fills[-1])
    if found.won[EVENT] < moment - VIEWS[view][2]:
        return replace(found, won=None, expired=found.won)
    return found


def fills_before(flights: pd.DataFrame, moment: pd.Timestamp) -> list[pd.Timestamp]:
    """Return when the online store was filled up to a moment: at each hour with a flight to
    predict.
    """
    hours = flights[EVENT].dt.floor(f"{STEP_HOURS}h")
    return sorted(hours[hours <= moment].unique())


def rows_of(run: Run, view: str, flight: pd.Series) -> pd.DataFrame:
    """Return the rows of a view that belong to the flight's plane or airport."""
    key = VIEWS[view][0]
    path = made(run, "features") / f"{view}.parquet"
    found: pd.DataFrame = pq.read_table(path, filters=[(key, "=", flight[key])]).to_pandas()
    return found


def typical(rows: pd.DataFrame) -> dict[str, Any]:
    """Return the median of each number that the model sees, of a text the most frequent value."""
    return {
        name: rows[name].mode().iloc[0] if name in train.CATEGORIES else rows[name].median()
        for name in columns()
    }


def reasons(model: Any, row: pd.DataFrame, usual: dict[str, Any]) -> list[Reason]:
    """Return, for each feature, how much lower the probability is once that feature alone is set to
    its usual value; the largest first.
    """
    changed = pd.concat([row.assign(**{name: value}) for name, value in usual.items()])
    p, others = float(model.predict(row)[0]), model.predict(changed)
    found = [
        Reason(name, row[name].iloc[0], usual[name], p - float(other))
        for name, other in zip(usual, others, strict=True)
    ]
    return sorted(found, key=lambda one: -abs(one.effect))


@dataclass(frozen=True, slots=True, eq=False)
class Shared:
    """What all flights of a run need: read once, as the outputs of stages never change."""

    flights: pd.DataFrame  # as ``served`` has them
    training: pd.DataFrame  # by file and line
    usual: dict[str, Any]  # of the learned days
    model: Any


@lru_cache(maxsize=2)
def shared(run_id: str) -> Shared:
    """Read what all flights of a run need."""
    import joblib

    found = choice.find(run_id)
    training = pq.read_table(made(found, "training_set") / "rows.parquet").to_pandas()
    learned = training["flight_date"].isin(train.deal(params_of(found).dates).learn)
    return Shared(
        served(found),
        training.set_index(["file", "line"], drop=False),
        typical(training[learned]),
        joblib.load(made(found, "train") / "model.joblib"),
    )


def run(params: TracerParams) -> TracerResult:
    """Trace one flight.

    Raises
    ------
    InputError
        No such run is kept, or it served fewer flights.
    """
    found = choice.find(params.run)
    whole = shared(found.id)
    n = len(whole.flights)
    require(
        params.flight <= n, "flight must be 1–{} in run {}. Got {}.", n, found.id, params.flight
    )
    flight = whole.flights.iloc[params.flight - 1]
    trained = whole.training.loc[[(flight["file"], flight["line"])]].reset_index(drop=True)
    moment = flight[EVENT]
    fills = fills_before(whole.flights, moment)
    views = {view: rows_of(found, view, flight) for view in VIEWS}
    online = trained.assign(**{name: flight[f"served_{name}"] for name in NAMES})
    day = str(trained["flight_date"].iloc[0])
    loaded = pq.ParquetFile(
        made(found, "load") / "flights" / f"flight_date={day}" / "part-0.parquet"
    ).read()
    return TracerResult(
        params=params,
        run_id=found.id,
        n_flights=n,
        flight=flight.to_dict(),
        raw=raw_line(
            made(found, "ingest") / "raw" / "flights" / flight["file"], int(flight["line"])
        ),
        gate=_gate(found, day, int(flight["line"])),
        loaded=next(row for row in loaded.to_pylist() if row["line"] == flight["line"]),
        training={name: float(trained[name].iloc[0]) for name in NAMES},
        wins={view: as_of(rows, view, moment) for view, rows in views.items()},
        served_wins={view: in_store(rows, view, fills, moment) for view, rows in views.items()},
        reasons=reasons(whole.model, online, whole.usual),
        details={record.stage: record.details for record in found.stages},
    )


def _gate(run: Run, day: str, line: int) -> list[str]:
    """Return the rules that only count and that the flight's line breaks; it passed all others."""
    folder = made(run, "validate")
    rows = pq.read_table(folder / f"flights-{day}.parquet")
    names = rows["line"].to_pylist()
    known = {
        f"{table}.{key}": set(pq.read_table(folder / f"{table}.parquet")[key].to_pylist())
        for table, key in (("planes", "tailnum"), ("airlines", "carrier"))
    }
    contract = rules.parse("flights").names
    row = rows.slice(names.index(line), 1).select(contract).to_pandas()
    lenient = params_of(run).gate == "lenient"
    return list(validate.broken_rules("flights", row, known, lenient)[1])
