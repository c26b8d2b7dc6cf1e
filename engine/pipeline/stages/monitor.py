"""Monitor: drift of what goes in, of what comes out, and of the score, week by week.

Each week after the days that were learned from is compared with those. *PSI* on ten bins with equal
shares of the reference, the *KS* distance and the *Wasserstein* distance over the reference's
standard deviation say how far a feature has moved. Each alarms falsely at small batches: its rate
of false alarms is measured here by drawing batches of the week's size from the reference itself.
*CBPE* (confidence-based performance estimation, NannyML) is the AUC that the calibrated
probabilities promise without any answers, beside the one that came true.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from engine.pipeline.records import Count
from engine.pipeline.runner import Stage, Task
from engine.pipeline.stages import audit, train
from engine.pipeline.stages.audit import TARGET
from engine.pipeline.stages.training_set import NAMES, count, rows_of
from engine.units import format_share

N_BINS = 10
N_DRAWS = 100  # batches without drift
LIMITS = {"psi": 0.2, "ks": 0.1, "wasserstein": 0.1}
LEAST_ROWS = 200  # of a week with a score
MOST_MISSING = 0.5
MOST_SCORE_LOSS = 0.05  # in AUC, of what CBPE promised


def drift(batch: np.ndarray, reference: np.ndarray) -> dict[str, float]:
    """Return the three distances of a batch from the reference, both without missing values."""
    from scipy.stats import ks_2samp, wasserstein_distance

    if not len(batch) or not len(reference):
        return dict.fromkeys(LIMITS, float("nan"))
    edges = np.unique(np.quantile(reference, np.linspace(0, 1, N_BINS + 1)[1:-1]))
    shares = [
        np.bincount(np.searchsorted(edges, values, side="right"), minlength=len(edges) + 1)
        / len(values)
        for values in (batch, reference)
    ]
    got, expected = (np.maximum(share, 0.5 / len(batch)) for share in shares)
    deviation = reference.std() or 1.0
    return {
        "psi": float(((got - expected) * np.log(got / expected)).sum()),
        "ks": float(ks_2samp(batch, reference, method="asymp").statistic),
        "wasserstein": float(wasserstein_distance(batch, reference) / deviation),
    }


def false_alarms(reference: np.ndarray, n: int, rng: np.random.Generator) -> dict[str, float]:
    """Return the share of batches of ``n`` rows, drawn from the reference itself, that each
    distance would call drift.
    """
    alarms = dict.fromkeys(LIMITS, 0)
    for _ in range(N_DRAWS):
        found = drift(rng.choice(reference, n), reference)
        for name, limit in LIMITS.items():
            alarms[name] += found[name] > limit
    return {name: n_alarms / N_DRAWS for name, n_alarms in alarms.items()}


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
    reference = {name: learned[name].dropna().to_numpy(float) for name in NAMES}
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
                feature: drift(rows[feature].dropna().to_numpy(float), reference[feature])
                | {"missing": float(rows[feature].isna().mean())}
                for feature in NAMES
            },
        }
        report.append(week | {"alerts": alerts(week)})
        task.report((number + 1) / (len(parts) + 1))
    typical = int(np.median([week["rows"] for week in report]))
    for feature, values in reference.items():
        rates[feature] = false_alarms(values, min(typical, 2_000), rng) if len(values) else {}
    made = {"weeks": report, "false_alarms": rates, "batch_rows": min(typical, 2_000)}
    (task.folder / "monitor.json").write_text(json.dumps(made, indent=1), encoding="utf-8")
    n_alerts = sum(len(week["alerts"]) for week in report)
    n = count(path)
    details = {"weeks": len(report), "alerts": n_alerts, "rows_read": len(frame)}
    return Count(n, n, details=details)


STAGE = Stage("monitor", "Monitor", ("training_set", "train", "serve"), ("days", "seed"), work)
