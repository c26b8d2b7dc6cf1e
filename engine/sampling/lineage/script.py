"""Resample points with imbalanced-learn alone, and print what came out."""

import json

from imblearn import combine, over_sampling, under_sampling

from engine.sampling.lineage import LineageParams
from engine.sampling.samplers import coordinates, sampler_settings, task

PARAMS = LineageParams()
method, k, seed = PARAMS.method, PARAMS.k_neighbors, PARAMS.seed
points = PARAMS.points()
given = task(method, PARAMS.ratio, points)  # features, labels and sampling_strategy
X, y = given.X, given.y
smote = over_sampling.SMOTE(sampling_strategy=given.strategy, k_neighbors=k, random_state=seed)
if method == "SMOTE + ENN":
    X, y = combine.SMOTEENN(smote=smote).fit_resample(X, y)
elif method == "SMOTE + Tomek":
    X, y = combine.SMOTETomek(smote=smote).fit_resample(X, y)
elif method != "none":
    name, settings = sampler_settings(method, k, given.strategy, seed)
    module = over_sampling if name.startswith("over") else under_sampling
    X, y = getattr(module, name.split(".")[1])(**settings).fit_resample(X, y)
X = coordinates(method, X, points)
sums = {"x_sum": float(X[:, 0].sum()), "y_sum": float(X[:, 1].sum())}
print(json.dumps({"n_rows": len(y), "n_minority": int((y == given.minority).sum()), **sums}))
