"""The script that reproduces *lineage*: imbalanced-learn alone, but for the points."""

from __future__ import annotations

from typing import Any

from engine.source_code import fill

SCRIPT = '''"""Resample two-class points with imbalanced-learn alone, and print what came out."""
import json

from imblearn import combine, over_sampling, under_sampling

from engine.sampling.lineage import LineageParams
from engine.sampling.samplers import coordinates, features, sampler_settings

PARAMS = @params
points = PARAMS.points()
X, y = features(PARAMS.method, points), points.y
if PARAMS.method == "SMOTE + ENN" or PARAMS.method == "SMOTE + Tomek":
    smote = over_sampling.SMOTE(sampling_strategy=PARAMS.ratio, k_neighbors=PARAMS.k_neighbors, random_state=PARAMS.seed)
    pipeline = combine.SMOTEENN(smote=smote) if PARAMS.method == "SMOTE + ENN" else combine.SMOTETomek(smote=smote)
    X, y = pipeline.fit_resample(X, y)
elif PARAMS.method != "none":
    name, settings = sampler_settings(PARAMS.method, PARAMS.k_neighbors, PARAMS.ratio, PARAMS.seed)
    module = over_sampling if name.startswith("over") else under_sampling
    X, y = getattr(module, name.split(".")[1])(**settings).fit_resample(X, y)
X = coordinates(PARAMS.method, X, points)
x_sum, y_sum = float(X[:, 0].sum()), float(X[:, 1].sum())
print(json.dumps({"n_rows": len(y), "n_minority": int(y.sum()), "x_sum": x_sum, "y_sum": y_sum}))
'''


def script(params: Any) -> str:
    """Return the script: imbalanced-learn alone, but for the points."""
    return fill(SCRIPT, params=params)
