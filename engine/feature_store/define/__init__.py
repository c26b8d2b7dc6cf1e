"""Define a view: a feature view made from controls, applied to a repository of its own and read.

Real: Feast itself takes or refuses the definition, in its own words; the source is the real
landings of planes and the real weather of a week. The row that each label should get is found
beside it by binary search (``joined``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from engine import workspace
from engine.feature_store import feast_repo, raw_values, serving
from engine.feature_store.calls import NOW, SINCE, landings
from engine.feature_store.define.result import (
    COLUMNS,
    KEYS,
    N_LABELS,
    DefineParams,
    DefineResult,
    Entity,
)
from engine.jobs import Progress, Steps, to_end

__all__ = ["DefineParams", "DefineResult", "default_job", "expected", "labels", "run", "steps"]
PROJECT = "mine"
EVERY = timedelta(hours=12)  # between two labels


@lru_cache(maxsize=2)
def source(entity: Entity) -> pa.Table:
    """Return the week's rows of the entity's source, in order of time."""
    if entity == "plane":
        return landings()
    feed = raw_values.weather_feed()
    inside = np.flatnonzero((feed.second >= SINCE.timestamp()) & (feed.second <= NOW.timestamp()))
    inside = inside[np.argsort(feed.second[inside], kind="stable")]
    return feed.table("origin", {name: feed.columns[name] for name in COLUMNS[entity]}, inside)


@lru_cache(maxsize=2)
def _key(entity: Entity) -> str:
    """Return the key with most rows, the first by name among equals."""
    names, counts = np.unique(
        source(entity)[KEYS[entity]].to_numpy(zero_copy_only=False), return_counts=True
    )
    return str(names[np.argmax(counts)])


def _seconds(column: Any) -> np.ndarray:
    return np.asarray(column.cast(pa.timestamp("s", "UTC")).cast(pa.int64()).to_numpy())


def labels(params: DefineParams) -> pd.DataFrame:
    """Return the labels: one key, every twelve hours, half past, up to now."""
    last = NOW - timedelta(minutes=30)
    moments = [last - EVERY * number for number in reversed(range(N_LABELS))]
    key = _key(params.entity)
    return pd.DataFrame(
        {KEYS[params.entity]: key, feast_repo.EVENT: pd.Series(moments).dt.as_unit("us")}
    )


def expected(params: DefineParams) -> DefineResult:
    """Return, without Feast, which row each label should get."""
    table, key = source(params.entity), _key(params.entity)
    mine = np.flatnonzero(table[KEYS[params.entity]].to_numpy(zero_copy_only=False) == key)
    rows = _seconds(table[feast_repo.EVENT].take(pa.array(mine)))
    asked = _seconds(pa.array(labels(params)[feast_repo.EVENT]))
    place = np.searchsorted(rows, asked, side="right") - 1
    old = asked - rows[np.maximum(place, 0)] > 3600 * params.ttl_hours
    joined = np.where((place < 0) | (old & (params.ttl_hours > 0)), -1, place)
    return DefineResult(params, key, rows, asked, joined, complete=False)


def made(params: DefineParams, path: Path) -> list[Any]:
    """Return the definition as Feast objects; what Feast refuses here, it raises."""
    key = feast_repo.entity(KEYS[params.entity])
    fields = dict(params.schema)
    ttl = timedelta(hours=params.ttl_hours)
    return [key, feast_repo.view(params.name, path, entities=[key], features=fields, ttl=ttl)]


def as_text(value: Any) -> str | None:
    """Return a value as the page writes it, ``None`` for a null."""
    if value is None or pd.isna(value):
        return None
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("-", "−", 1) if isinstance(value, int | float) else text


class Attempt:
    """The stages of one definition in a folder; each stores what it found in ``found``."""

    def __init__(self, folder: Path, params: DefineParams) -> None:
        self.folder, self.params = folder, params
        self.path = feast_repo.write(source(params.entity), folder / "rows.parquet")
        self.store = feast_repo.open_repo(folder, project=PROJECT)
        self.objects: list[Any] = []
        self.found: dict[str, Any] = {}

    @property
    def stages(self) -> dict[str, Callable[[], None]]:
        """Return name -> call, in order."""
        return {
            "define": self._define,
            "apply": lambda: self.store.apply(self.objects),
            "train": self._train,
            "materialize": self._materialize,
            "serve": self._serve,
        }

    def _define(self) -> None:
        self.objects = made(self.params, self.path)

    def _features(self) -> list[str]:
        return [f"{self.params.name}:{name}" for name, _ in self.params.schema]

    def _train(self) -> None:
        asked = labels(self.params)
        answer = self.store.get_historical_features(asked, self._features()).to_df()
        answer = answer.sort_values(feast_repo.EVENT)
        names = [name for name, _ in self.params.schema]
        self.found["answers"] = tuple(
            {name: as_text(value) for name, value in zip(names, row, strict=True)}
            for row in answer[names].itertuples(index=False)
        )

    def _materialize(self) -> None:
        self.store.materialize(SINCE, NOW, feature_views=[self.params.name])
        self.found["n_online"] = serving.n_rows(self.folder / "online.db")

    def _serve(self) -> None:
        key = {KEYS[self.params.entity]: _key(self.params.entity)}
        answer = self.store.get_online_features(self._features(), [key]).to_dict()
        self.found["served"] = {name: as_text(answer[name][0]) for name, _ in self.params.schema}
        table, key_name = source(self.params.entity), KEYS[self.params.entity]
        mine = table[key_name].to_numpy(zero_copy_only=False) == key[key_name]
        last = table.take(pa.array([np.flatnonzero(mine)[-1]]))
        self.found["newest"] = {
            name: as_text(last[name][0].as_py()) for name, _ in self.params.schema
        }


def steps(params: DefineParams) -> Steps:
    """Define, apply, train, materialize, serve, up to where Feast refuses.

    Returns
    -------
    DefineResult
    """
    folder = workspace.scratch("feast-define")
    refused_at = error = ""
    try:
        yield Progress(0.0, "feature_store.yaml")
        attempt = Attempt(folder, params)
        for number, (name, stage) in enumerate(attempt.stages.items()):
            yield Progress((number + 1) / 6, name)
            try:
                with serving.feast_alone():
                    stage()
            except Exception as problem:  # its parts fail in their libraries' ways: all are shown
                text = " ".join(str(problem).replace(str(folder), "…").split())
                refused_at, error = name, f"{type(problem).__name__}: {text[:600]}"
                break
        plan = expected(params)
        return DefineResult(
            params, plan.key, plan.rows, plan.asked, plan.joined, refused_at, error, **attempt.found
        )
    finally:
        workspace.remove(folder)


run: Callable[[DefineParams], DefineResult] = to_end(steps)


TYPICAL_SECONDS = 0.5  # of the default job: the warm-up's order


def default_job() -> tuple[Any, Any]:
    """Return the steps and Params that the server computes before the first visit."""
    return steps, DefineParams()
