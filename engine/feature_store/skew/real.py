"""The same mistakes on the real Feast: two stores from one definition, one right and one as the
faulty path serves it.

Real: both are repositories of their own with ``definitions.py`` applied; features are materialized
as scheduled into SQLite and read with ``get_online_features``; training's come from
``get_historical_features``; the on-demand view runs inside Feast both times; what was served is
logged with ``write_logged_features`` and read back. Simplified: a sample of flights, for each group
of flights is a materialization of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from engine import workspace
from engine.feature_store import feast_internals, feast_repo, lab_repo, raw_values, serving, skew
from engine.feature_store.model_inputs import INPUTS, REQUEST, WEATHER, WINDOW
from engine.feature_store.raw_values import Flights
from engine.feature_store.skew import Score, SkewParams
from engine.jobs import Progress, Steps, to_end

if TYPE_CHECKING:
    from feast import FeatureService, FeatureStore

N_GROUPS, N_IN_GROUP = 4, 4  # materializations, flights of each
N_SINGLE = 10  # materializations where every flight has its own
SERVICE = "delay_inputs"
VIEWS = ["weather", "plane_history"]
YEAR_BEGINS = datetime(2012, 12, 31, tzinfo=UTC)
REFS = [f"model_inputs:{name}" for name in INPUTS]


@dataclass(frozen=True, slots=True, eq=False)
class Confirmation:
    """What Feast says of a sample of flights: cells compared, and how many are the same."""

    params: SkewParams
    n_flights: int = 0
    n_cells: int = 0  # flights × inputs
    n_offline: int = 0  # cells in which get_historical_features gives training's values
    n_online: int = 0  # cells in which get_online_features gives the values as served
    n_repaired: int = 0  # cells in which both agree, from one definition and fresh values
    n_wrong: int = 0  # cells in which Feast's own training and serving values differ
    n_logged: int = 0  # answers logged and read back
    n_logged_same: int = 0  # cells of the log that are the values as served
    logged: Score | None = None  # of a model trained on values as served
    complete: bool = False

    @property
    def agrees(self) -> bool:
        """Whether Feast gave the computed values everywhere."""
        return (
            self.n_cells == self.n_offline == self.n_online == self.n_repaired == self.n_logged_same
        )

    @property
    def verdict(self) -> str:
        """What Feast says, in one sentence."""
        if not self.complete:
            return "Feast is still running."
        badge = ":material/verified:" if self.agrees else ":material/error:"
        return (
            f"{badge} On {self.n_flights} flights Feast gives the predicted values in"
            f" {self.n_offline:,} (training) and {self.n_online:,} (serving) of {self.n_cells:,}"
            f" cells; {self.n_wrong:,} differ between the two. With one on-demand view and fresh"
            f" values **{self.n_repaired:,}** of {self.n_cells:,} agree."
        )

    @property
    def fixes(self) -> list[dict[str, str]]:
        """Each mistake that is made, what prevents it, and the evidence of this run."""
        code = (
            "One on-demand view for both",
            f"{self.n_repaired:,} of {self.n_cells:,} cells agree, offline and online",
        )
        remedy = {
            "stale": (
                "Materialize more often, or push",
                f"{self.n_repaired:,} of {self.n_cells:,} cells agree with fresh values",
            ),
            "transform": code,
            "default": code,
            "time zone": code,
            "unit": ("One definition, the unit as a tag of the field", code[1]),
        }
        rows = [
            {"mistake": text, "what prevents it": remedy[name][0], "evidence": remedy[name][1]}
            for name, text in self.params.mistakes.items()
        ]
        auc = (
            ""
            if self.logged is None
            else f", AUC {self.logged.auc:.3f} for a model trained on values as served"
        )
        seen = f"{self.n_logged:,} answers logged and read again{auc}"
        return [
            *rows,
            {
                "mistake": "any mistake",
                "what prevents it": "Log what is served; train on it",
                "evidence": seen,
            },
        ]


def sample(params: SkewParams) -> Flights:
    """Return the flights that are asked for: a few of each of some materializations, spread over
    the month.
    """
    _, served = raw_values.split(params.seed)
    runs = skew.last_run(served.asked, params.stale_hours)
    different = np.unique(runs)
    chosen = different[
        np.linspace(
            len(different) // 10, len(different) - 1, N_GROUPS if params.stale_hours else N_SINGLE
        ).astype(int)
    ]
    return served.take(
        np.concatenate([np.flatnonzero(runs == second)[:N_IN_GROUP] for second in chosen])
    )


def _repository(folder: Path, flights: Flights, params: SkewParams | None) -> FeatureStore:
    """Return a repository of the sampled flights' planes; with ``params``, its sources are as the
    faulty path has them.
    """
    weather, planes = raw_values.weather_feed(), raw_values.plane_feed()
    columns: dict[str, np.ndarray] = dict(weather.columns)
    if params is not None:
        columns["pressure"] = np.where(
            np.isnan(columns["pressure"]), float(params.missing_hpa), columns["pressure"]
        )
        columns |= {
            name: skew.in_other_unit(_named(columns), params.unit)[name].to_numpy()
            for name in WEATHER
        }
    mean = raw_values.mean_delay(WINDOW if params is None else params.window)
    last = raw_values.mean_delay(1)
    mine = np.flatnonzero(np.isin(planes.key, flights.plane))
    rows = np.arange(len(weather.key))
    tables = (
        weather.table("origin", columns, rows),
        planes.table("tailnum", {"mean_delay": mean, "last_delay": last}, mine),
    )
    return lab_repo.applied(lab_repo.write(folder, *tables))


def _named(columns: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the weather columns with the request's, which ``in_other_unit`` may change as well."""
    n = len(columns["temp"])
    return pd.DataFrame({**columns, "scheduled_at": np.zeros(n), "distance": np.zeros(n)})


def requests(flights: Flights, params: SkewParams | None) -> list[dict[str, Any]]:
    """Return the entity rows of the flights; with ``params``, as the faulty path asks."""
    raw = pd.DataFrame(
        {
            "scheduled_at": flights.scheduled,
            "distance": flights.distance,
            "temp": 0.0,
            "wind_speed": 0.0,
        }
    )
    if params is not None:
        raw = skew.in_other_unit(raw, params.unit)
        raw["scheduled_at"] += 3600 * params.slip_hours
    origins, planes = raw_values.weather_feed().names, raw_values.plane_feed().names
    return [
        {
            "origin": origins[origin],
            "tailnum": planes[plane],
            "scheduled_at": int(scheduled),
            "distance": float(distance),
        }
        for origin, plane, scheduled, distance in zip(
            flights.origin, flights.plane, raw["scheduled_at"], raw["distance"], strict=True
        )
    ]


def _matrix(answer: dict[str, list[Any]]) -> np.ndarray:
    return np.array([answer[name] for name in INPUTS], dtype=float).T


def _same(a: np.ndarray, b: np.ndarray) -> int:
    return int(np.isclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True).sum())


def _serve(
    store: FeatureStore,
    flights: Flights,
    asked: list[dict[str, Any]],
    stale_hours: int,
    answers: list[Any],
) -> Iterator[int]:
    """Materialize for each group of flights as scheduled and ask for them; ``answers`` takes
    Feast's answers in order.
    """
    runs = skew.last_run(flights.asked, stale_hours)
    for second in np.unique(runs):
        yield len(answers)
        serving.materialize(store, YEAR_BEGINS, datetime.fromtimestamp(int(second), UTC), VIEWS)
        rows = [asked[place] for place in np.flatnonzero(runs == second)]
        with serving.feast_alone():
            answers.append(store.get_online_features(REFS, rows))


def steps(params: SkewParams) -> Steps:
    """Ask Feast for training's values, for those served, and for the repaired ones; log; train on
    what was served.

    Returns
    -------
    Confirmation
        With ``complete`` set.
    """
    folder = workspace.scratch("feast-skew")
    flights = sample(params)
    found = Confirmation(
        params, n_flights=len(flights.asked), n_cells=len(flights.asked) * len(INPUTS)
    )
    everyone = replace(params, share=1.0)  # the sample goes through the faulty path as a whole
    try:
        yield Progress(0.0, "making two repositories from one definition", found)
        right, wrong = (
            _repository(folder / "right", flights, None),
            _repository(folder / "wrong", flights, everyone),
        )
        yield Progress(0.15, "get_historical_features", found)
        offline = _historical(right, flights)
        fresh: list[Any] = []
        served: list[Any] = []
        for n in _serve(right, flights, requests(flights, None), 0, fresh):
            yield Progress(0.2 + 0.015 * n, "serving from one definition", found)
        for n in _serve(wrong, flights, requests(flights, everyone), params.stale_hours, served):
            yield Progress(0.5 + 0.02 * n, "serving with the mistakes", found)
        online, repaired = (
            np.vstack([_matrix(answer.to_dict()) for answer in answers])
            for answers in (served, fresh)
        )
        expected_online = skew.inputs_of(skew.served_raw(flights, everyone))
        expected = skew.inputs_of(raw_values.raw_values(flights, flights.asked, WINDOW))
        found = replace(
            found,
            n_offline=_same(offline, expected),
            n_online=_same(online, expected_online),
            n_repaired=_same(repaired, offline),
            n_wrong=found.n_cells - _same(online, offline),
        )
        yield Progress(0.75, "logging what was served", found)
        n_logged, n_same = _logged(wrong, folder / "wrong", online, requests(flights, everyone))
        found = replace(found, n_logged=n_logged, n_logged_same=n_same)
        yield Progress(0.85, "training on what was served", found)
        return replace(found, logged=train_on_log(params), complete=True)
    finally:
        workspace.remove(folder)


def _historical(store: FeatureStore, flights: Flights) -> np.ndarray:
    """Return training's inputs of the flights by get_historical_features, in the flights' order."""
    labels = pd.DataFrame(requests(flights, None))
    moments = pa.array(flights.asked * 1_000_000).cast(pa.timestamp("us", "UTC"))
    labels[feast_repo.EVENT] = moments.to_pandas()
    labels["place"] = np.arange(len(labels))
    answer = feast_repo.historical(store, labels, REFS).sort_values("place")
    return np.asarray(answer[list(INPUTS)].to_numpy(float))


def _logged(
    store: FeatureStore, folder: Path, online: np.ndarray, asked: list[dict[str, Any]]
) -> tuple[int, int]:
    """Log what was served as Feast's feature server does, read it back; return its rows and the
    same cells.
    """
    service: FeatureService = store.get_feature_service(SERVICE)
    schema = feast_internals.log_schema(store, service)
    now, n = datetime(2013, 8, 1, tzinfo=UTC), len(asked)
    columns: dict[str, Any] = {name: [row[name] for row in asked] for name in REQUEST}
    for place, name in enumerate(INPUTS):
        columns |= {
            f"model_inputs__{name}": online[:, place],
            f"model_inputs__{name}__status": [1] * n,
        }
    columns |= {
        feast_internals.LOG_TIMESTAMP: [now] * n,
        feast_internals.LOG_DATE: [now.date()] * n,
        feast_internals.LOG_REQUEST: [str(i) for i in range(n)],
    }
    arrays = [
        pa.array(columns.get(field.name, [now] * n), from_pandas=True).cast(field.type)
        for field in schema
    ]
    (folder / lab_repo.DATA / "served").mkdir(exist_ok=True)  # the duckdb store does not make it
    with serving.feast_alone():
        store.write_logged_features(pa.Table.from_arrays(arrays, schema=schema), service)
    log = ds.dataset(folder / lab_repo.DATA / "served", format="parquet").to_table()
    order = np.argsort([int(request) for request in log[feast_internals.LOG_REQUEST].to_pylist()])
    back = np.array(
        [log[f"model_inputs__{name}"].to_numpy(zero_copy_only=False) for name in INPUTS], float
    ).T[order]
    return log.num_rows, _same(back, online)


def train_on_log(params: SkewParams) -> Score:
    """Return the score, on values as served, of a model that was trained on values as served."""
    train, served = raw_values.split(params.seed)
    model = skew.fit_model(
        params.model, skew.inputs_of(skew.served_raw(train, params)), train.late, params.seed
    )
    return skew.score_model(
        "trained on the log",
        model,
        skew.inputs_of(skew.served_raw(served, params)),
        params.seed,
    )


confirm: Callable[[SkewParams], Confirmation] = to_end(steps)


TYPICAL_SECONDS = 5.0  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return the steps and Params that the server computes before the first visit."""
    return steps, SkewParams()
