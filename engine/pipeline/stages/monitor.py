"""Monitor: drift of what goes in, of what comes out, and of the score, week by week.

Each week after the days that were learned from is compared with those by the distances of
``engine.pipeline.drift``. Each alarms falsely: its rate of false alarms is measured here in two
simulations without drift. By rows: batches of the week's size are drawn from
the reference itself; chance alone then moves a large batch hardly at all. By days: whole learned
days are dealt at random into a batch and a reference. Flights of a day share their weather, so this
rate, which is the one that counts, is much higher.
*CBPE* (confidence-based performance estimation, NannyML) is the AUC that the calibrated
probabilities promise without any answers, beside the one that came true.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from engine.pipeline.drift import Reference
from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task
from engine.pipeline.stages import audit, train
from engine.pipeline.stages.audit import TARGET
from engine.pipeline.stages.training_set import NAMES, count, rows_of
from engine.units import format_share

N_DRAWS = 100  # batches without drift, by rows
N_DEALS = 40  # by days
MOST_DEALT = 4_000  # rows of either part
LIMITS = {"psi": 0.2, "ks": 0.1, "wasserstein": 0.1}
DAYS_OF_WEEK = 7
LEAST_ROWS = 200  # of a week with a score
MOST_MISSING = 0.5
MOST_SCORE_LOSS = 0.05  # in AUC, of what CBPE promised


def false_alarms(values: np.ndarray, n: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the share of batches of ``n`` rows, drawn from the reference itself, that each
    distance would call drift.
    """
    alarms, reference = dict.fromkeys(LIMITS, 0), Reference(values)
    for _ in range(N_DRAWS):
        found = reference.drift(rng.choice(values, n))
        for name, limit in LIMITS.items():
            alarms[name] += found[name] > limit
    return {name: n_alarms / N_DRAWS for name, n_alarms in alarms.items()}


def false_alarms_by_day(
    days: list[np.ndarray], n_days: int, rng: np.random.Generator
) -> dict[str, float]:
    """Return the share of deals of whole days, ``n_days`` to the batch and the others to the
    reference, that each distance would call drift; empty if no day is left for the reference.
    """
    if not 0 < n_days < len(days):
        return {}
    alarms = dict.fromkeys(LIMITS, 0)
    for _ in range(N_DEALS):
        order = rng.permutation(len(days))
        batch, rest = (
            np.concatenate([days[place] for place in part])[:: _step(days, part)]
            for part in (order[:n_days], order[n_days:])
        )
        found = Reference(rest).drift(batch)
        for name, limit in LIMITS.items():
            alarms[name] += found[name] > limit
    return {name: n_alarms / N_DEALS for name, n_alarms in alarms.items()}


def _step(days: list[np.ndarray], part: np.ndarray) -> int:
    """Return the step at which rows of some days are taken so that few enough are left."""
    return max(1, sum(len(days[place]) for place in part) // MOST_DEALT)


def promised_auc(p: np.ndarray) -> float:
    """Return the AUC that probabilities promise if they are calibrated: each row is late with its
    ``p`` and on time with the rest.
    """
    from sklearn.metrics import roc_auc_score

    answers = np.repeat([1, 0], len(p))
    return float(roc_auc_score(answers, np.tile(p, 2), sample_weight=np.concatenate([p, 1 - p])))


def weeks(frame: pd.DataFrame, days: train.Days) -> list[tuple[str, pd.DataFrame]]:
    """Return the rows after the learned days by calendar week, named by their first day."""
    after = frame[~frame["flight_date"].isin(days.learn)]
    dates = pd.to_datetime(after["flight_date"])
    monday = (dates - pd.to_timedelta(dates.dt.weekday, unit="D")).dt.strftime("%Y-%m-%d")
    return [(str(week), rows) for week, rows in after.groupby(monday)]


def alerts(week: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the rules that a week breaks."""
    found = []
    for name, values in week["drift"].items():
        if values["psi"] > LIMITS["psi"]:
            found.append({"rule": f"PSI of {name} at most {LIMITS['psi']}", "value": values["psi"]})
        if values["missing"] > MOST_MISSING:
            rule = f"at most {format_share(MOST_MISSING)} of {name} missing"
            found.append({"rule": rule, "value": values["missing"]})
    if week["auc"] is not None and week["auc"] < week["promised_auc"] - MOST_SCORE_LOSS:
        rule = f"AUC at most {MOST_SCORE_LOSS} below what the probabilities promise"
        found.append({"rule": rule, "value": week["auc"]})
    return [one | {"week": week["week"]} for one in found]


def work(task: Task) -> Count:
    """Compare each week with the learned days."""
    import joblib
    from sklearn.metrics import roc_auc_score

    path = task.read("training_set", "rows.parquet")
    frame = rows_of(path, [*audit.columns(), "flight_date", TARGET]).to_pandas()
    days, model = train.deal(task.params.dates), joblib.load(task.read("train", "model.joblib"))
    learned = frame[frame["flight_date"].isin(days.learn)]
    values = {name: learned[name].dropna().to_numpy(float) for name in NAMES}
    reference = {name: Reference(values[name]) for name in NAMES}
    rng, report, rates = np.random.default_rng(task.params.seed), [], {}
    parts = weeks(frame, days)
    for number, (name, rows) in enumerate(parts):
        p = model.predict(rows)
        answered = rows[TARGET].notna().to_numpy()
        answers = rows[TARGET].to_numpy()[answered].astype(bool)
        scored = answered.sum() >= LEAST_ROWS and len(set(answers.tolist())) == 2
        week: dict[str, Any] = {
            "week": name,
            "rows": len(rows),
            "mean_p": float(p.mean()),
            "late_share": float(answers.mean()) if len(answers) else None,
            "auc": float(roc_auc_score(answers, p[answered])) if scored else None,
            "promised_auc": promised_auc(p),
            "drift": {
                feature: reference[feature].drift(rows[feature].dropna().to_numpy(float))
                | {"missing": float(rows[feature].isna().mean())}
                for feature in NAMES
            },
        }
        report.append(week | {"alerts": alerts(week)})
        task.report((number + 1) / (len(parts) + 1))
    typical = int(np.median([week["rows"] for week in report]))
    by_day, n_days = {}, min(DAYS_OF_WEEK, len(days.learn) // 2)
    groups = [rows for _, rows in learned.groupby("flight_date")]
    for feature, known in values.items():
        rates[feature] = false_alarms(known, min(typical, 2_000), rng) if len(known) else {}
        parts_of_day = [rows[feature].dropna().to_numpy(float) for rows in groups]
        by_day[feature] = false_alarms_by_day(parts_of_day, n_days, rng)
    made = {
        "weeks": report,
        "false_alarms": rates,
        "batch_rows": min(typical, 2_000),
        "draws": N_DRAWS,
        "false_alarms_by_day": by_day,
        "batch_days": n_days,
        "deals": N_DEALS,
    }
    (task.folder / "monitor.json").write_text(json.dumps(made, indent=1), encoding="utf-8")
    n_alerts = sum(len(week["alerts"]) for week in report)
    n = count(path)
    details = {"weeks": len(report), "alerts": n_alerts, "rows_read": len(frame)}
    return Count(n, n, details=details)


STAGE = Stage("monitor", "Monitor", ("training_set", "train", "serve"), ("days", "seed"), work)
