"""Monitor: week by week, the score that came true beside the one promised without answers, and the
drift of each feature beside how often it would be reported by chance.

Real: what the stage ``monitor`` measured in a run. Its docstring says how.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

import pyarrow as pa

from engine.pipeline import choice, store
from engine.pipeline.stages.monitor import LIMITS
from engine.pipeline.stages.training_set import NAMES
from engine.ranges import Choice, Params, Text
from engine.units import format_day, format_number, format_share, format_signed

Distance = Literal["psi", "ks", "wasserstein"]
TITLES: dict[str, str] = {"psi": "PSI", "ks": "KS", "wasserstein": "Wasserstein"}


@dataclass(frozen=True, slots=True, kw_only=True)
class WeeksParams(Params):
    """A run, a feature and a distance."""

    run: Annotated[str, Text(22)] = ""  # id; "" is the latest of the first settings
    feature: Annotated[str, Choice(tuple(NAMES))] = "temp"
    distance: Distance = "psi"


@dataclass(frozen=True, slots=True, eq=False)
class WeeksResult:
    """What the monitor of a run has seen."""

    params: WeeksParams
    run_id: str
    weeks: list[dict[str, Any]]  # as the stage wrote them
    false_alarms: dict[str, dict[str, float]]  # feature -> distance -> share of batches
    batch_rows: int

    @property
    def scored(self) -> list[dict[str, Any]]:
        """The weeks with a score that came true."""
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
        """Largest AUC promised less AUC that came true, of any week; 0 without a scored week."""
        return max((week["promised_auc"] - week["auc"] for week in self.scored), default=0.0)

    @property
    def verdict(self) -> str:
        """What the weeks say, the title of the first chart."""
        drifted = f"{self.n_drifted} of {len(NAMES)} features drifted"
        if not self.scored:
            return f"No week has enough answers for a score; in the last {drifted}."
        week = self.scored[-1]
        day = format_day(date.fromisoformat(week["week"]))
        return (
            f"Week of {day}: AUC **{week['auc']:.3f}** came true,"
            f" **{week['promised_auc']:.3f}** was promised without answers; in the last week"
            f" {drifted}."
        )

    @property
    def why(self) -> list[str]:
        """The reasons, with this run's numbers."""
        feature, title = self.params.feature, TITLES[self.params.distance]
        verb = "above" if self.value > self.limit else "within"
        changes = [week["auc"] - week["promised_auc"] for week in self.scored]
        listed = ", ".join(format_signed(change) for change in changes)
        return [
            f"{title} of {feature} in the last week: {self.value:.3f}, {verb} the limit of"
            f" {self.limit:g}.",
            f"Without drift it would be reported in {format_share(self.false_alarm_rate)} of"
            f" batches of {format_number(self.batch_rows)} rows, drawn from the learned days.",
            f"AUC that came true less AUC promised: {listed or 'no week scored'}. Drift of a"
            " feature is not a loss of score.",
            f"{self.n_alerts} alerts in {len(self.weeks)} weeks.",
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
            {"week from": one["week"], "rule": one["rule"], "value": format_number(one["value"], 3)}
            for week in self.weeks
            for one in week["alerts"]
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


def run(params: WeeksParams) -> WeeksResult:
    """Read what the monitor of a run wrote.

    Raises
    ------
    InputError
        No such run is kept.
    """
    found = choice.find(params.run)
    record = found.stages[-1]
    path = store.place(record.stage, record.key) / "monitor.json"
    made = json.loads(path.read_text("utf-8"))
    return WeeksResult(params, found.id, made["weeks"], made["false_alarms"], made["batch_rows"])
