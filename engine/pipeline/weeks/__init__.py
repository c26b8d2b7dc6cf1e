"""Monitor: week by week, the score measured on labels beside the one estimated without them, and
the drift of each feature beside how often it would be reported by chance.

Real: what the stages ``monitor`` and ``serve`` of a run measured. Their docstrings say how.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.feature_store.feast_repo import CREATED, EVENT
from engine.pipeline import choice, store
from engine.pipeline.records import Run
from engine.pipeline.stages.monitor import LIMITS
from engine.pipeline.stages.training_set import NAMES, VIEWS
from engine.ranges import Choice, Params, Text
from engine.units import (
    format_day,
    format_number,
    format_seconds,
    format_share,
    format_signed,
    format_time,
)

Distance = Literal["psi", "ks", "wasserstein"]
TITLES: dict[str, str] = {"psi": "PSI", "ks": "KS", "wasserstein": "Wasserstein"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeksParams(Params):
    """A run, a feature and a distance."""

    run: Annotated[str, Text(22)] = ""  # id; "" is the latest of the first settings
    feature: Annotated[str, Choice(tuple(NAMES))] = "temp"
    distance: Distance = "psi"


@dataclass(frozen=True, slots=True)
class Fresh:
    """The newest row of a view that was known at the last prediction."""

    view: str
    happened: datetime
    age: timedelta  # at that prediction
    limit: timedelta  # a value may be that old


@dataclass(frozen=True, slots=True, eq=False)
class WeeksResult:
    """What the monitor of a run has seen."""

    params: WeeksParams
    run_id: str
    weeks: list[dict[str, Any]]  # as the stage wrote them
    false_alarms: dict[str, dict[str, float]]  # feature -> distance -> share of batches
    batch_rows: int
    skewed: dict[str, float]  # feature -> share of the served values that differ from training
    fresh: list[Fresh]

    @property
    def scored(self) -> list[dict[str, Any]]:
        """The weeks with a measured score."""
        return [week for week in self.weeks if week["auc"] is not None]

    @property
    def n_alerts(self) -> int:
        """Alerts of all weeks."""
        return sum(len(week["alerts"]) for week in self.weeks)

    @property
    def n_drifted(self) -> int:
        """Features beyond the limit of the chosen distance in the last week."""
        return sum(value > self.limit for value in self.last_drift.values())

    @property
    def limit(self) -> float:
        """Above it the chosen distance is drift."""
        return LIMITS[self.params.distance]

    @property
    def last_drift(self) -> dict[str, float]:
        """The chosen distance of each feature in the last week."""
        return {
            name: values[self.params.distance] for name, values in self.weeks[-1]["drift"].items()
        }

    @property
    def value(self) -> float:
        """The chosen distance of the chosen feature in the last week."""
        return self.last_drift[self.params.feature]

    @property
    def false_alarm_rate(self) -> float:
        """Share of batches without drift that the chosen distance reports for the chosen
        feature.
        """
        return self.false_alarms[self.params.feature].get(self.params.distance, float("nan"))

    @property
    def score_loss(self) -> float:
        """Largest AUC estimated less AUC measured, of any week; 0 without a scored week."""
        return max((week["promised_auc"] - week["auc"] for week in self.scored), default=0.0)

    @property
    def verdict(self) -> str:
        """What the weeks say, the title of the first chart."""
        drifted = f"{self.n_drifted} of {len(NAMES)} features drifted"
        if not self.scored:
            return f"No week has enough labels for a score; in the last {drifted}."
        week = self.scored[-1]
        day = format_day(date.fromisoformat(week["week"]))
        return (
            f"Week of {day}: AUC **{week['auc']:.3f}** measured, **{week['promised_auc']:.3f}**"
            f" estimated without labels; {drifted}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons, with this run's numbers."""
        feature, title = self.params.feature, TITLES[self.params.distance]
        verb = "above" if self.value > self.limit else "within"
        changes = [week["auc"] - week["promised_auc"] for week in self.scored]
        listed = ", ".join(format_signed(change) for change in changes)
        return [
            f"**{title} of {feature}** in the last week: {self.value:.3f}, {verb} the limit of"
            f" {self.limit:g}.",
            f"**False alarms**: without drift, {format_share(self.false_alarm_rate)} of batches of"
            f" {format_number(self.batch_rows)} rows would be reported. They are drawn from the"
            " learned days.",
            f"**Drift is not performance**: AUC measured less AUC estimated is"
            f" {listed or 'not known: no week is scored'}.",
            f"**{self.n_alerts} alerts** in {len(self.weeks)} weeks.",
        ]

    def headline(self) -> dict[str, Any]:
        """Return the numbers that the script reproduces."""
        return {
            "weeks": len(self.weeks),
            "alerts": self.n_alerts,
            "drifted": self.n_drifted,
            "value": round(self.value, 4),
        }

    def alerts(self) -> list[dict[str, str]]:
        """Return one row for each alert."""
        return [
            {
                "week from": format_day(date.fromisoformat(one["week"])),
                "rule": one["rule"],
                "value": format_number(one["value"], 3),
                "run": self.run_id,
            }
            for week in self.weeks
            for one in week["alerts"]
        ]

    def freshness(self) -> list[dict[str, str]]:
        """Return one row for each view."""
        return [
            {
                "view": one.view,
                "newest row, UTC": format_time(one.happened),
                "age at the last prediction": format_seconds(one.age.total_seconds()),
                "limit": format_seconds(one.limit.total_seconds()),
                "state": "fresh" if one.age <= one.limit else "stale",
            }
            for one in self.fresh
        ]

    def table(self) -> pa.Table:
        """Return one row for each week and feature."""
        return pa.Table.from_pylist(
            [
                {"week": week["week"], "auc": week["auc"], "promised_auc": week["promised_auc"]}
                | {"feature": name, **values}
                for week in self.weeks
                for name, values in week["drift"].items()
            ]
        )


def freshness_of(run: Run) -> list[Fresh]:
    """Return how old the newest row of each view was at the last prediction of the served day."""
    made = {record.stage: store.place(record.stage, record.key) for record in run.stages}
    served = pq.read_table(made["serve"] / "predictions.parquet", columns=[EVENT])[EVENT]
    now = pc.max(served)
    found = []
    for view, (_, _, limit) in VIEWS.items():
        rows = pq.read_table(made["features"] / f"{view}.parquet", columns=[EVENT, CREATED])
        known = rows.filter(
            pc.and_(pc.less_equal(rows[CREATED], now), pc.less_equal(rows[EVENT], now))
        )
        newest = pc.max(known[EVENT]).as_py()
        if newest is not None:
            found.append(Fresh(view, newest, now.as_py() - newest, limit))
    return found


@lru_cache(maxsize=8)
def _read(run_id: str) -> tuple[dict[str, Any], dict[str, float], list[Fresh]]:
    """Return what the stages of a run wrote: it never changes."""
    found = choice.find(run_id)
    made = {record.stage: record for record in found.stages}
    path = store.place("monitor", made["monitor"].key) / "monitor.json"
    serve = made["serve"].details
    return json.loads(path.read_text("utf-8")), serve["skewed_shares"], freshness_of(found)


def run(params: WeeksParams) -> WeeksResult:
    """Read what the monitor of a run wrote.

    Raises
    ------
    InputError
        No such run is kept.
    """
    run_id = choice.find(params.run).id
    made, skewed, fresh = _read(run_id)
    return WeeksResult(
        params, run_id, made["weeks"], made["false_alarms"], made["batch_rows"], skewed, fresh
    )
