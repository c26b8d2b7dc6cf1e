"""Resample two-class points with imbalanced-learn alone, and print what came out."""

import json

from imblearn import combine, over_sampling, under_sampling

from engine.sampling.lineage import LineageParams
from engine.sampling.samplers import coordinates, features, sampler_settings

PARAMS = LineageParams()
method, k, ratio, seed = PARAMS.method, PARAMS.k_neighbors, PARAMS.ratio, PARAMS.seed
points = PARAMS.points()
X, y = features(method, points), points.y
smote = over_sampling.SMOTE(sampling_strategy=ratio, k_neighbors=k, random_state=seed)
if method == "SMOTE + ENN":
    X, y = combine.SMOTEENN(smote=smote).fit_resample(X, y)
elif method == "SMOTE + Tomek":
    X, y = combine.SMOTETomek(smote=smote).fit_resample(X, y)
elif method != "none":
    name, settings = sampler_settings(method, k, ratio, seed)
    module = over_sampling if name.startswith("over") else under_sampling
    X, y = getattr(module, name.split(".")[1])(**settings).fit_resample(X, y)
X = coordinates(method, X, points)
x_sum, y_sum = float(X[:, 0].sum()), float(X[:, 1].sum())
print(json.dumps({"n_rows": len(y), "n_minority": int(y.sum()), "x_sum": x_sum, "y_sum": y_sum}))
