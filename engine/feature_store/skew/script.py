"""Join the flights as training does and as serving does, and score one model on both."""

import json

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from engine.feature_store import raw_values
from engine.feature_store.model_inputs import INPUTS, WEATHER, model_inputs
from engine.feature_store.skew import SkewParams

PARAMS = SkewParams()
weather, planes = raw_values.weather_feed(), raw_values.plane_feed()
weather_rows = pd.DataFrame(
    {"key": weather.key, "second": weather.second, **weather.columns}
).sort_values("second")
landings = pd.DataFrame(
    {"key": planes.key, "second": planes.second, "delay": planes.columns["arr_delay"]}
)


def joined(flights, second, window):
    means = landings.groupby("key")["delay"].rolling(window, min_periods=1).mean()
    rows = (
        landings.assign(mean_delay=means.to_numpy())
        .drop(columns="delay")
        .sort_values("second", kind="stable")
    )
    asked = pd.DataFrame(
        {
            "place": range(len(second)),
            "second": second,
            "origin": flights.origin,
            "plane": flights.plane,
        }
    )
    asked = asked.sort_values("second", kind="stable")
    at = pd.merge_asof(asked, weather_rows, on="second", left_by="origin", right_by="key").drop(
        columns="key"
    )
    at = pd.merge_asof(at, rows, on="second", left_by="plane", right_by="key").sort_values(
        "place", ignore_index=True
    )
    return at[[*WEATHER, "mean_delay"]].assign(
        scheduled_at=flights.scheduled, distance=flights.distance
    )


train, served = raw_values.split(PARAMS.seed)
right = joined(served, served.asked, 5)
every = 3600 * PARAMS.stale_hours
last_run = served.asked // every * every if every else served.asked
wrong = joined(served, last_run, PARAMS.window)
wrong["pressure"] = wrong["pressure"].fillna(PARAMS.missing_hpa)
wrong["scheduled_at"] += 3600 * PARAMS.slip_hours
if PARAMS.unit == "temperature in °C":
    wrong["temp"] = (wrong["temp"] - 32) / 1.8
elif PARAMS.unit == "wind in m/s":
    wrong["wind_speed"] *= 0.44704
elif PARAMS.unit == "distance in km":
    wrong["distance"] *= 1.609344
faulty = np.random.default_rng(PARAMS.seed).random(len(right)) < PARAMS.share
mixed = pd.DataFrame({name: np.where(faulty, wrong[name], right[name]) for name in right})
aged = joined(served, np.where(faulty, last_run, served.asked), 5)
training, serving, one = (
    model_inputs(raw)[list(INPUTS)].to_numpy(float) for raw in (right, mixed, aged)
)
if PARAMS.model == "boosting":
    model = HistGradientBoostingClassifier(max_iter=60, random_state=PARAMS.seed)
else:
    model = make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(max_iter=500))
model.fit(model_inputs(joined(train, train.asked, 5))[list(INPUTS)].to_numpy(float), train.late)
auc = [
    roc_auc_score(served.late, model.predict_proba(inputs)[:, 1])
    for inputs in (training, serving, one)
]
differs = ~np.isclose(training, serving, rtol=1e-9, atol=1e-9, equal_nan=True)
numbers = {
    "differ_share": round(float(differs.mean()), 6),
    "auc_trained": round(auc[0], 6),
    "auc_served": round(auc[1], 6),
    "auc_one_definition": round(auc[2], 6),
}
print(json.dumps(numbers))
