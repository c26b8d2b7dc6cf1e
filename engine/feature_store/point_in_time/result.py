"""What a point-in-time join is asked for, and what came of it, in numbers and in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from engine.errors import require_choice
from engine.feature_store import flight_features
from engine.feature_store.explanation import OUTCOMES, VERDICTS, Explanation, Outcome, format_span
from engine.feature_store.feast_repo import CREATED, EVENT, Store
from engine.feature_store.flight_features import FEATURES, KEYS, Source
from engine.feature_store.point_in_time.naive_joins import Joined
from engine.feature_store.point_in_time.real import Check
from engine.ranges import SEED, Choice, Params, Range
from engine.units import format_seconds

AIRPORTS = ("JFK", "LGA", "EWR")
SPANS: dict[str, int] = {  # as the sliders write them -> minutes
    "−1 h": -60, "0": 0, "15 min": 15, "30 min": 30, "1 h": 60, "90 min": 90, "2 h": 120,
    "3 h": 180, "6 h": 360, "12 h": 720, "1 day": 1_440, "2 days": 2_880, "7 days": 10_080,
    "30 days": 43_200,
}  # fmt: skip
TTLS = tuple(SPANS)
DELAYS = tuple(name for name, minutes in SPANS.items() if 0 <= minutes <= 2_880)
N_ROWS = (12, 24, 48, 96, 200, 500, 1_000, 2_000, 5_000)
N_LABELS = (1, 4, 8, 12, 16, 24, 50, 100, 200, 500)
MAX_CANDIDATES = 500  # explained in words at once, the nearest first


@lru_cache(maxsize=1)
def planes() -> tuple[str, ...]:
    """Return the twelve planes that landed most often."""
    counts = pc.value_counts(flight_features.feature_rows("planes")["tailnum"])
    order = np.argsort(-np.asarray(counts.field("counts")), kind="stable")[:12]
    return tuple(counts.field("values").take(pa.array(order)).to_pylist())


def _s(n: float) -> str:
    """Return the ending of a plural."""
    return "" if n == 1 else "s"


@dataclass(frozen=True, slots=True, kw_only=True)
class PointInTimeParams(Params):
    """The key, the time of the labels, the arrival of feature rows, and the settings of Feast's
    join.
    """

    source: Source = "weather"
    ttl: Annotated[str, Choice(TTLS)] = "2 h"  # "0" never expires
    offset: Annotated[str, Choice(DELAYS)] = "3 h"  # from the label's moment to the departure
    delay: Annotated[str, Choice(DELAYS)] = "0"  # from event to arrival
    correct: bool = False  # whether one row in six is corrected later
    store: Store = "duckdb"
    filter_by_created: bool = False
    airport: Annotated[str, Choice(AIRPORTS)] = "JFK"  # with source "weather"
    plane: str = "N725MQ"  # with source "planes": one of ``planes()``
    first_day: Annotated[int, Range(1, 360)] = 45  # of 2013
    n_rows: Annotated[int, Range(4, 5_000, options=N_ROWS)] = 48  # consecutive feature rows
    n_labels: Annotated[int, Range(1, 500, options=N_LABELS)] = 12  # flights, evenly taken
    seed: Annotated[int, SEED] = 0  # of the corrections

    def check_together(self) -> None:
        """Raise ``InputError`` for a plane that is none of ``planes()``."""
        require_choice("plane", self.plane, planes())

    @property
    def time_to_live(self) -> timedelta:
        """The TTL as Feast takes it."""
        return timedelta(minutes=SPANS[self.ttl])

    @property
    def key(self) -> str:
        """The join key's column."""
        return KEYS[self.source]

    @property
    def entity(self) -> str:
        """The key's value."""
        return self.airport if self.source == "weather" else self.plane

    @property
    def feature(self) -> str:
        """The feature that is joined."""
        return FEATURES[self.source][0]


@dataclass(frozen=True, slots=True, eq=False)
class PointInTimeResult:
    """The explained join beside the two naive ones; with ``check`` once Feast has answered."""

    params: PointInTimeParams
    explanation: Explanation
    latest: Joined
    equi: Joined
    check: Check | None = None
    complete = True

    @property
    def n_labels(self) -> int:
        """Entity rows asked for."""
        return len(self.explanation.winner)

    @property
    def n_returned(self) -> int:
        """Rows in the store's answer."""
        return int(self.explanation.returned.sum())

    @property
    def n_lost(self) -> int:
        """Labels that vanish from the answer."""
        return self.n_labels - self.n_returned

    @property
    def n_with_value(self) -> int:
        """Labels that are returned with a feature row."""
        return int(np.count_nonzero(self.explanation.returned & self.explanation.has_value))

    @property
    def n_leaked(self) -> int:
        """Labels joined with a row that arrived only after their moment."""
        return int(np.count_nonzero(self.explanation.returned & self.explanation.leaked))

    @property
    def lost_share(self) -> float:
        """Share of the labels that vanish, 0–1."""
        return self.n_lost / max(1, self.n_labels)

    @property
    def n_latest_future(self) -> int:
        """Labels that the latest-value join gives a value from the future."""
        return int(self.latest.future.sum())

    @property
    def n_equi_future(self) -> int:
        """Labels that the equi-join gives a value from the future."""
        return int(self.equi.future.sum())

    @property
    def value(self) -> np.ndarray:
        """The joined value of each label, (n,) NaN without one."""
        return self.explanation.values(self.params.feature)

    @property
    def verdict(self) -> str:
        """How many labels get a value by each join, and how many of them from the future."""
        leaked = f"**{self.n_leaked:,} leaked**" if self.n_leaked else "0 leaked"
        lost = f", **{self.n_lost:,} missing**" if self.n_lost else ""
        return (
            f"Point-in-time join: **{self.n_with_value:,} of {self.n_labels:,}** labels get a"
            f" value, {leaked}{lost}. From the future: latest value"
            f" **{self.n_latest_future:,}**, equi-join **{self.n_equi_future:,}**."
        )

    @property
    def why(self) -> list[str]:
        """The reasons for this outcome, with its values."""
        return [
            *self._why_values(),
            *self._why_none(),
            *self._why_rows(),
            self._why_naive(),
            *self._why_feast(),
        ]

    def _why_values(self) -> list[str]:
        explanation = self.explanation
        won = explanation.has_value
        if not won.any():
            return ["No label gets a value."]
        age = (explanation.label_time[won] - explanation.row_time[explanation.winner[won]]) / 60e6
        n = explanation.count("won")
        reasons = [
            f"**{n:,} label{_s(n)}** get{'s' * (n == 1)} the newest row at or before the label's"
            f" time. Age: median {format_span(np.median(age))}, maximum {format_span(age.max())}."
        ]
        leaked = explanation.leaked
        if leaked.any():
            late = (
                explanation.row_created[explanation.winner[leaked]] - explanation.label_time[leaked]
            ) / 60e6
            reasons.append(
                f"**{self.n_leaked:,} leaked**: the row arrived up to {format_span(late.max())}"
                " after the label's time. created_timestamp only breaks ties; “Filter by arrival”"
                " leaves such rows out."
            )
        return reasons

    def _why_none(self) -> list[str]:
        reasons: dict[Outcome, str] = {
            "arrived too late": "recent rows had not arrived yet",
            "expired": f"the newest row is older than the TTL of {self.params.ttl}",
            "future": "all rows are later than the label",
            "no rows": "the key has no feature rows",
        }
        counts = {outcome: self.explanation.count(outcome) for outcome in reasons}
        return [
            f"**{n:,} label{_s(n)} without a value**: {reasons[outcome]}."
            for outcome, n in counts.items()
            if n
        ]

    def _why_rows(self) -> list[str]:
        merged = int(np.count_nonzero(self.explanation.group != np.arange(self.n_labels)))
        reasons = []
        if self.n_lost:
            are = "is" if self.n_lost == 1 else "are"
            reasons.append(
                f"**{self.n_lost:,} of {self.n_labels:,} labels {are} missing from the answer**."
                " The file store drops labels whose rows are all expired or later, and keeps one"
                " of equal labels. The duckdb store keeps all, with nulls."
            )
        if merged:
            have = "has" if merged == 1 else "have"
            reasons.append(
                f"{merged:,} label{_s(merged)} {have} the same key and time as another label."
            )
        return reasons

    def _why_naive(self) -> str:
        row = (
            "the weather of the departure hour"
            if self.params.source == "weather"
            else "the row that already includes this flight"
        )
        return (
            f"**Latest value** gives all labels the newest row of {self.params.entity}."
            f" **Equi-join** reads {row}. Both ignore the label's time."
        )

    def _why_feast(self) -> list[str]:
        if self.check is None:
            return []
        return [
            f"{self.check.badge}, compared cell by cell: one call of get_historical_features,"
            f" {format_seconds(self.check.seconds)}."
        ]

    def headline(self) -> dict[str, int | float | str]:
        """Return the numbers that the script reproduces with Feast; a sum not of the file store,
        which loses ties.
        """
        numbers: dict[str, int | float | str] = {
            "n_labels": self.n_labels,
            "n_returned": self.n_returned,
            "n_with_value": self.n_with_value,
        }
        if self.params.store == "duckdb":
            numbers["value_sum"] = round(float(np.nansum(self.value)), 6)
        return numbers

    def table(self) -> pa.Table:
        """Return one row for each label: its moment, and what each join gives it."""
        explanation = self.explanation
        winner = pa.array(np.maximum(explanation.winner, 0), mask=~explanation.has_value)
        moments = pc.take(explanation.features[EVENT], winner)
        return pa.table(
            {
                "label": np.arange(self.n_labels),
                "flight": explanation.labels["flight_name"],
                "moment": explanation.labels[EVENT],
                "outcome": [OUTCOMES[place] for place in explanation.outcome],
                "returned": explanation.returned,
                "event_time": moments,
                "created": pc.take(explanation.features[CREATED], winner),
                self.params.feature: self.value,
                "latest_value": self.latest.value,
                "latest_from_future": self.latest.future,
                "equi_join": self.equi.value,
                "equi_from_future": self.equi.future,
            }
        )

    def candidate_table(self, label: int) -> pa.Table:
        """Return a label's candidate rows with their verdicts: the winner first, then by verdict,
        nearest event first.
        """
        explanation = self.explanation
        rows, verdicts = explanation.candidates(label)
        places = np.asarray([VERDICTS.index(verdict) for verdict in verdicts], int)
        order = np.lexsort(
            (np.abs(explanation.label_time[label] - explanation.row_time[rows]), places)
        )
        order = order[:MAX_CANDIDATES]
        rows, verdicts = rows[order], [verdicts[place] for place in order]
        features = explanation.features.take(pa.array(rows))
        return pa.table(
            {
                "verdict": verdicts,
                "event time": features[EVENT],
                "arrived": features[CREATED],
                "version": features["version"],
                self.params.feature: features[self.params.feature],
                "why": [
                    explanation.explain_verdict(label, int(row), verdict)
                    for row, verdict in zip(rows, verdicts, strict=True)
                ],
            }
        )
