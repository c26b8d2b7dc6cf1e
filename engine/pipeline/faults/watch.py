"""Watch: the gates on a served day, each with its value, its limit and the moment at which it can
speak.

*Freshness* and *skew* are about serving, *volume*, *drift* and *score* about the day as a whole.
The limit of a drift is ``MARGIN`` times the largest distance that any learned day has from all
learned days: days differ, so a limit from textbooks would ring on each of them. PSI and KS cannot
tell a cold day from a change of unit, as both end at a ceiling; the Wasserstein distance can.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine.feature_store.feast_repo import EVENT
from engine.pipeline import store
from engine.pipeline.drift import Reference
from engine.pipeline.records import Count
from engine.pipeline.runner import Task, params_of
from engine.pipeline.stages import monitor, train
from engine.pipeline.stages.audit import TARGET
from engine.pipeline.stages.serve import STEP_HOURS, arrived, differs
from engine.pipeline.stages.training_set import NAMES, VIEWS
from engine.units import format_share

STALE = "_stale"  # folder of the features that were served, where they are not the fresh ones
FRESH_HOURS = {"airports": 2.0, "planes": 12.0, "weather": 3.0}  # of a view's newest row
MARGIN = 1.25
LEAST_VOLUME = 0.5  # of the median learned day
MORE_SKEW = 0.25  # share of a feature's values, beyond the base run's
MORE_MISSING = 0.25
MOST_SCORE_LOSS = 0.15  # in AUC, of what the probabilities promise: a day has few late flights
MINUTES_OF_DAY = 1_440.0
Alert = dict[str, Any]  # gate, hop, rule, value, limit, minute, fired


def gate(name: str, hop: str, rule: str, value: float | None, limit: float, minute: float) -> Alert:
    """Return a gate's answer: it fires where ``value`` is above ``limit`` or is missing."""
    return {
        "gate": name,
        "hop": hop,
        "rule": rule,
        "value": value,
        "limit": limit,
        "minute": minute,
        "fired": value is None or value > limit,
    }


def learned_rows(base_id: str) -> pd.DataFrame:
    """Return the rows of the training set that the base run's model has learned from."""
    base = store.run_of(base_id)
    record = base.stage("training_set")
    days = train.deal(params_of(base).dates)
    frame: pd.DataFrame = pq.read_table(
        store.place("training_set", record.key if record else "") / "rows.parquet"
    ).to_pandas()
    return frame[frame["flight_date"].isin(days.learn)]


def farthest_day(learned: pd.DataFrame, feature: str, whole: Reference) -> float:
    """Return the largest Wasserstein distance of one learned day from the ``whole`` of them, in
    standard deviations.
    """
    days = [part[feature].dropna().to_numpy(float) for _, part in learned.groupby("flight_date")]
    return max((distance(day, whole) for day in days if len(day)), default=0.0)


def reference_of(learned: pd.DataFrame, feature: str) -> Reference:
    """Return what a feature of a day is compared with: all rows that the model learned from."""
    return Reference(learned[feature].dropna().to_numpy(float))


def distance(batch: np.ndarray, reference: Reference) -> float:
    """Return the Wasserstein distance in standard deviations of the reference; 0 without rows."""
    found = reference.drift(batch)["wasserstein"]
    return 0.0 if np.isnan(found) else found


def fills_of(made: pd.DataFrame, features: Path) -> list[dict[str, Any]]:
    """Return of each fill of the online store its moment and how old the newest row of each view
    was (hours; ``None`` without a row).
    """
    moments = sorted(made[EVENT].dt.floor(f"{STEP_HOURS}h").unique())
    tables = {view: pq.read_table(features / f"{view}.parquet") for view in VIEWS}
    found = []
    for stamp in moments:
        moment = stamp.to_pydatetime()
        fill: dict[str, Any] = {"moment": moment.isoformat()}
        for view, (_, _, ttl) in VIEWS.items():
            newest = pc.max(arrived(tables[view], moment, ttl)[EVENT]).as_py()
            fill[view] = (moment - newest).total_seconds() / 3_600 if newest else None
        found.append(fill)
    return found


def freshness(fills: list[dict[str, Any]]) -> list[Alert]:
    """Return for each view the first fill at which its newest row was too old, else its oldest."""
    start = datetime.fromisoformat(fills[0]["moment"])
    found = []
    for view, limit in FRESH_HOURS.items():
        old = [fill for fill in fills if fill[view] is None or fill[view] > limit]
        shown = old[0] if old else max(fills, key=lambda fill, view=view: fill[view])  # type: ignore[misc]
        minute = (datetime.fromisoformat(shown["moment"]) - start).total_seconds() / 60
        rule = f"newest row of {view} at most {limit:g} h old"
        found.append(gate("freshness", "serve", rule, shown[view], limit, minute))
    return found


def of_day(
    rows: pd.DataFrame, learned: pd.DataFrame, skew: dict[str, float], usual: dict[str, float]
) -> list[Alert]:
    """Return the gates that need the whole day: volume, skew, missing values, drift."""
    usual_rows = float(learned.groupby("flight_date").size().median())
    missing_rows = 1 - len(rows) / usual_rows
    end = MINUTES_OF_DAY
    rule = f"at least {format_share(LEAST_VOLUME)} of the usual rows of a day"
    found = [gate("volume", "watch", rule, missing_rows, 1 - LEAST_VOLUME, end)]
    for name in NAMES:
        limit = usual[name] + MORE_SKEW
        rule = f"{name} served as trained"
        found.append(gate("skew", "serve", rule, skew[name], limit, end))
        empty = float(rows[name].isna().mean()) - float(learned[name].isna().mean())
        found.append(gate("missing", "watch", f"{name} is there", empty, MORE_MISSING, end))
        day, whole = rows[name].dropna().to_numpy(float), reference_of(learned, name)
        limit = MARGIN * farthest_day(learned, name, whole)
        rule = f"{name} no farther than a learned day"
        found.append(gate("drift", "watch", rule, distance(day, whole), limit, end))
    return found


def score(made: pd.DataFrame) -> tuple[list[Alert], dict[str, Any]]:
    """Return the gate on the score, which speaks once the last flight has landed, and the score."""
    from sklearn.metrics import roc_auc_score

    answered = made[made[TARGET].notna()]
    answers = answered[TARGET].astype(bool).to_numpy()
    if not 0 < answers.sum() < len(answers):
        return [], {"auc": None}
    auc = float(roc_auc_score(answers, answered["p_late"]))
    promised = monitor.promised_auc(made["p_late"].to_numpy())
    moments = answered["sched_dep"]
    hours = (moments.max() - moments.min()).total_seconds() / 3_600
    late = answered["arr_delay"].max() / 60 + hours
    rule = "AUC as the probabilities promise"
    alert = gate("score", "watch", rule, promised - auc, MOST_SCORE_LOSS, late * 60)
    return [alert], {"auc": auc, "promised_auc": promised, "rows": len(answered)}


def watch(task: Task) -> Count:
    """Hold the served day against the gates."""
    params: Any = task.params
    rows = pq.read_table(task.read("training_set", "rows.parquet")).to_pandas()
    rows = rows[rows["flight_date"] == task.params.days[1]].reset_index(drop=True)
    made = pq.read_table(task.read("serve", "predictions.parquet")).to_pandas()
    stale = task.read("serve", STALE)
    features = stale if stale.is_dir() else task.inputs["features"]
    base = store.run_of(params.base)
    served = base.stage("serve")
    usual = served.details["skewed_shares"] if served else dict.fromkeys(NAMES, 1.0)
    skew = {
        name: float(differs(made[f"served_{name}"].to_numpy(), rows[name].to_numpy(float)).mean())
        for name in NAMES
    }
    alerts = freshness(fills_of(made, features)) + of_day(
        rows, learned_rows(params.base), skew, usual
    )
    late, scores = score(made)
    found: dict[str, Any] = {"alerts": alerts + late, "score": scores}
    (task.folder / "watch.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    n_fired = sum(one["fired"] for one in found["alerts"])
    return Count(len(made), len(made), details={"fired": n_fired, **scores})
