"""Folds of one scheme by scikit-learn, purged ones by hand; the chance of one without positives."""

import json
from math import comb

import numpy as np
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    StratifiedGroupKFold,
    StratifiedKFold,
    TimeSeriesSplit,
)

from engine.sampling.splits import SplitsParams, development

PARAMS = SplitsParams()
rows, _ = development(PARAMS)
X, y, hour = rows.X, rows.y, rows.hour
k, seed, horizon = PARAMS.n_splits, PARAMS.seed, PARAMS.horizon_hours
day = (hour // 24).astype(int)
n_gap = round(PARAMS.gap_days * len(y) / (np.ptp(hour) / 24))


def purged():
    for test in np.array_split(np.arange(len(hour)), k):
        first, last = hour[test].min(), hour[test].max()
        keep = (hour + horizon <= first) | (hour >= last + horizon + 24 * PARAMS.embargo_days)
        yield np.flatnonzero(keep), test


splits = {  # generators: only the one asked for is run
    "shuffled": KFold(k, shuffle=True, random_state=seed).split(X),
    "stratified": StratifiedKFold(k, shuffle=True, random_state=seed).split(X, y),
    "by day": GroupKFold(k).split(X, y, day),
    "stratified by day": StratifiedGroupKFold(k, shuffle=True, random_state=seed).split(X, y, day),
    "time series": TimeSeriesSplit(k, gap=n_gap).split(X),
    "purged, embargo": purged(),
}[PARAMS.scheme]
numbers: dict[str, float] = {"n_train": 0, "n_test": 0, "n_overlaps": 0}
for train, test in splits:
    near = np.abs(hour[train][:, np.newaxis] - hour[test][np.newaxis]).min(axis=1) < horizon
    numbers["n_train"] += len(train)
    numbers["n_test"] += len(test)
    numbers["n_overlaps"] += int(near.sum())
n, positives = len(y), round(PARAMS.rate * len(y))
sizes = [n // k + (i < n % k) for i in range(k)]
empty = 0.0  # inclusion and exclusion over all sets of folds
for chosen in range(1, 2**k):
    held = [size for i, size in enumerate(sizes) if chosen >> i & 1]
    empty -= (-1) ** len(held) * comb(n - sum(held), positives) / comb(n, positives)
numbers["chance_of_empty"] = round(empty, 6)
print(json.dumps(numbers))
