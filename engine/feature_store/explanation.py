"""The point-in-time join, explained: for each label the feature row that it gets, and for every
candidate why it did not win.

The definition, after Feast 0.67's offline stores (``offline_stores/dask.py`` and ``ibis.py``): of
the rows with the label's keys, those count whose event time is at or before the label's moment and
no older than the TTL (both ends count; a TTL of zero never expires) and, with
``filter_by_created``, that had arrived by then. The latest event wins, among equal ones the last to
arrive. Real Feast confirms it cell by cell (``engine.feature_store.point_in_time.real``). Inside
are as-of joins of Polars: the cost grows with labels plus rows, not with their product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, cast, get_args

import numpy as np
import pyarrow as pa

from engine.errors import require, require_choice
from engine.feature_store import join_columns as columns
from engine.feature_store.feast_repo import CREATED, EVENT, STORES, Store

if TYPE_CHECKING:
    import polars as pl

Verdict = Literal["won", "lost the tie", "older", "arrived too late", "expired", "future"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
# of a label: its value, or why there is none
Outcome = Literal["won", "arrived too late", "expired", "future", "no rows"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
NEVER = np.iinfo(np.int64).max  # arrival of a row that has none


def format_span(minutes: float) -> str:
    """Return a span of time as the page writes it: ``"40 min"``, ``"2.5 h"``, ``"3 days"``."""
    size, unit = (
        (1, "min") if abs(minutes) < 120 else (60, "h") if abs(minutes) < 2_880 else (1_440, "days")
    )
    return f"{minutes / size:,.1f}".removesuffix(".0") + f" {unit}"


@dataclass(frozen=True, slots=True, eq=False)
class Explanation:
    """For each of n labels the winning one of m feature rows. Times are integers of ``unit``,
    arrays in the tables' order.
    """

    labels: pa.Table
    features: pa.Table
    ttl: timedelta
    store: Store
    filter_by_created: bool
    unit: str  # "us" or "ns"
    label_time: np.ndarray  # (n,)
    label_entity: np.ndarray  # (n,) number of the label's keys, −1 where no feature row has them
    # (n,) the last of the labels with the same keys and moment: the one that the file store keeps
    group: np.ndarray
    row_time: np.ndarray  # (m,) event time
    # (m,) arrival; NEVER where it is missing; the event time where the source has no such column
    row_created: np.ndarray
    row_entity: np.ndarray  # (m,) −1 where nothing can match
    winner: np.ndarray  # (n,) feature row, −1 without one
    outcome: np.ndarray  # (n,) place in OUTCOMES

    @property
    def ttl_units(self) -> int:
        """The TTL as an integer of ``unit``."""
        micros = round(self.ttl / timedelta(microseconds=1))
        return micros * (1_000 if self.unit == "ns" else 1)

    @property
    def has_value(self) -> np.ndarray:
        """Whether a label has a winner, (n,)."""
        return np.asarray(self.winner >= 0)

    @property
    def returned(self) -> np.ndarray:
        """Whether the store's answer holds the label at all, (n,).

        ``duckdb`` returns every label. ``file`` filters the joined pairs, so that a label whose
        rows are all expired or all later vanishes, while one whose key has no rows stays; of equal
        labels it keeps one.
        """
        if self.store == "duckdb":
            return np.ones(len(self.winner), bool)
        lost = (self.outcome == OUTCOMES.index("expired")) | (
            self.outcome == OUTCOMES.index("future")
        )
        return np.asarray(~lost & (self.group == np.arange(len(self.group))))

    @property
    def leaked(self) -> np.ndarray:
        """Whether the winner arrived only after the label's moment, (n,): its value was not known
        then.
        """
        if not len(self.row_created):
            return np.zeros(len(self.winner), bool)
        arrival = self.row_created[np.maximum(self.winner, 0)]
        return np.asarray(self.has_value & (arrival > self.label_time))

    def count(self, outcome: Outcome) -> int:
        """Return how many labels ended so."""
        return int(np.count_nonzero(self.outcome == OUTCOMES.index(outcome)))

    def candidates(self, label: int) -> tuple[np.ndarray, list[Verdict]]:
        """Return all feature rows with the keys of ``label``, in order of event time and arrival,
        and the verdict on each.
        """
        rows = np.flatnonzero(
            (self.row_entity == self.label_entity[label]) & (self.row_entity >= 0)
        )
        rows = rows[np.lexsort((rows, self.row_created[rows], self.row_time[rows]))]
        moment, winner = self.label_time[label], self.winner[label]
        time, created = self.row_time[rows], self.row_created[rows]
        tied = time == self.row_time[winner] if winner >= 0 else np.zeros(len(rows), bool)
        late = created > moment if self.filter_by_created else np.zeros(len(rows), bool)
        old = time < moment - self.ttl_units if self.ttl else np.zeros(len(rows), bool)
        names = np.select(
            [time > moment, old, late, rows == winner, tied],
            ["future", "expired", "arrived too late", "won", "lost the tie"],
            "older",
        )
        return rows, cast(list[Verdict], names.tolist())

    def explain_verdict(self, label: int, row: int, verdict: Verdict) -> str:
        """Return why a candidate has its verdict, with its distances."""
        age = self._span(self.label_time[label] - self.row_time[row])
        late = (
            self._span(self.row_created[row] - self.label_time[label])
            if self.row_created[row] != NEVER
            else "no time"
        )
        if verdict == "won":
            known = (
                "it had arrived"
                if self.row_created[row] <= self.label_time[label]
                else f"though it arrived {late} later"
            )
            return f"the newest event, {age} before the label, {known}"
        return {
            "future": (
                f"its event comes {self._span(self.row_time[row] - self.label_time[label])} after"
                " the label"
            ),
            "expired": f"{age} old, the TTL is {self._span(self.ttl_units)}",
            "arrived too late": f"true {age} before the label, known only {late} after it",
            "lost the tie": "same event time as the winner, which arrived later",
            "older": f"valid, {age} old, but a newer event won",
        }[verdict]

    def _span(self, units: float) -> str:
        return format_span(units / (60e6 if self.unit == "us" else 60e9))

    def values(self, feature: str) -> np.ndarray:
        """Return each label's value of a feature, (n,) floats, NaN without one."""
        column = self.features[feature].to_numpy(zero_copy_only=False).astype(float)
        if not len(column):
            return np.full(len(self.winner), np.nan)
        return np.where(self.has_value, column[np.maximum(self.winner, 0)], np.nan)


def explain(
    labels: pa.Table,
    features: pa.Table,
    *,
    keys: Sequence[str],
    ttl: timedelta,
    store: Store = "duckdb",
    filter_by_created: bool = False,
    event: str = EVENT,
    created: str | None = CREATED,
) -> Explanation:
    """Join each label with the feature row that was valid at its moment, as Feast's offline
    ``store`` does.

    Parameters
    ----------
    labels
        Entity rows: the ``keys`` and the moment ``event_timestamp``. Any order; naive timestamps
        are taken for UTC.
    features
        Feature rows: the ``keys``, the event time ``event`` and, where there is one, the arrival
        ``created``.
    ttl
        How old a value may be at the label's moment; zero: as old as it likes.
    store
        What differs: ``file`` compares nanoseconds, lets null keys match and loses rows (see
        ``Explanation.returned``).
    filter_by_created
        Leave out rows that arrived after the label's moment.

    Raises
    ------
    InputError
        A key or timestamp column is missing or of another type; a timestamp is missing; what Feast
        itself refuses.
    """
    _check_settings(keys, ttl, store)
    columns.check_keys(labels, features, keys)
    created = created if created in features.column_names else None
    fine = store == "file" and columns.have_nanoseconds(labels, features, event, created)
    unit = "ns" if fine else "us"
    moment = columns.read_times(labels, EVENT, "labels", unit, exact=True)
    time = columns.read_times(features, event, "features", unit)
    arrival = time
    if created is not None:
        arrival = columns.read_times(features, created, "features", unit, missing=NEVER)
    label_entity, row_entity = columns.number_entities(
        labels, features, keys, nulls_match=store == "file"
    )
    since = np.maximum(time, arrival) if filter_by_created else time
    right = _available(row_entity, time, since, arrival)
    ttl_units = round(ttl / timedelta(microseconds=1)) * (1_000 if unit == "ns" else 1)
    winner, outcome = _search(label_entity, moment, row_entity, time, right, ttl_units)
    return Explanation(
        labels=labels, features=features, ttl=ttl, store=store, unit=unit,
        filter_by_created=filter_by_created, label_time=moment, label_entity=label_entity,
        group=_groups(labels, keys, moment), row_time=time, row_created=arrival,
        row_entity=row_entity, winner=winner, outcome=outcome,
    )  # fmt: skip


def _check_settings(keys: Sequence[str], ttl: timedelta, store: Store) -> None:
    require_choice("store", store, STORES)
    require(len(keys) > 0, "keys must name at least one column. Got none.")
    require(
        ttl >= timedelta(0) or store == "file",
        "ttl must be zero (never expires) or more. Got {}. Feast's duckdb store refuses it as well;"
        " the file store takes it and loses every label that has feature rows.",
        ttl,
    )


def _groups(labels: pa.Table, keys: Sequence[str], moment: np.ndarray) -> np.ndarray:
    import polars as pl

    names = list(keys)
    frame: Any = pl.from_arrow(labels.select(names))
    frame = frame.with_columns(pl.Series("moment", moment)).with_row_index("label")
    return cast(
        np.ndarray, frame.select(pl.col("label").max().over([*names, "moment"]))["label"].to_numpy()
    )


def _available(
    entity: np.ndarray, time: np.ndarray, since: np.ndarray, arrival: np.ndarray
) -> pl.DataFrame:
    """Return, for each moment at which a row becomes available, the best row of its entity so far:
    by event, then arrival.
    """
    import polars as pl

    order = np.lexsort((np.arange(len(time)), arrival, time))
    rank = np.empty(len(time), np.int64)
    rank[order] = np.arange(len(time))
    frame = pl.DataFrame({"entity": entity, "since": since, "rank": rank}).filter(
        (pl.col("entity") >= 0) & (pl.col("since") != NEVER)
    )
    frame = frame.sort("since", "rank").with_columns(best=pl.col("rank").cum_max().over("entity"))
    frame = frame.unique(["entity", "since"], keep="last", maintain_order=True)
    return frame.select(
        "entity", "since", best=pl.Series("row", order, pl.Int64).gather(frame["best"])
    )


def _search(
    label_entity: np.ndarray,
    moment: np.ndarray,
    row_entity: np.ndarray,
    time: np.ndarray,
    right: pl.DataFrame,
    ttl_units: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return winner and outcome of each label by as-of joins: on availability, and on event time
    alone for the reason.
    """
    import polars as pl

    left = (
        pl.DataFrame({"entity": label_entity, "moment": moment})
        .with_row_index("label")
        .sort("moment")
    )
    options: dict[str, Any] = {"left_on": "moment", "by": "entity", "check_sortedness": False}
    best = (
        left.join_asof(right.sort("since"), right_on="since", **options)
        .sort("label")["best"]
        .fill_null(-1)
        .to_numpy()
    )
    events = (
        pl.DataFrame({"entity": row_entity, "time": time})
        .with_columns(latest=pl.col("time"))
        .sort("time")
    )
    latest = left.join_asof(events, right_on="time", **options).sort("label")["latest"]
    past, latest_time = latest.is_not_null().to_numpy(), latest.fill_null(0).to_numpy()
    fresh = np.ones(len(moment), bool) if ttl_units == 0 else latest_time >= moment - ttl_units
    winner_time = time[np.maximum(best, 0)] if len(time) else np.zeros(len(moment), np.int64)
    won = (best >= 0) & ((winner_time >= moment - ttl_units) if ttl_units else True)
    reasons = ("won", "no rows", "future", "expired")
    places = [OUTCOMES.index(name) for name in reasons]
    outcome = np.select(
        [won, label_entity < 0, ~past, ~fresh], places, OUTCOMES.index("arrived too late")
    )
    return np.where(won, best, -1), outcome
