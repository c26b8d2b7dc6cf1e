"""The script that reproduces *splits*: scikit-learn alone, but for the rows."""

from __future__ import annotations

from typing import Any

from engine.source_code import fill

SCRIPT = '''"""Folds of one scheme by scikit-learn, purged ones by hand; and the chance of a fold without positives."""
import json
from math import comb

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold, TimeSeriesSplit

from engine.sampling.splits import SplitsParams, development

PARAMS = @params
rows, _ = development(PARAMS)
X, y, hour, k, horizon = rows.X, rows.y, rows.hour, PARAMS.n_splits, PARAMS.horizon_hours
day = (hour // 24).astype(int)


def purged():
    for test in np.array_split(np.arange(len(hour)), k):
        first, last = hour[test].min(), hour[test].max()
        keep = (hour + horizon <= first) | (hour >= last + horizon + 24 * PARAMS.embargo_days)
        yield np.flatnonzero(keep), test


splits = {
    "shuffled": lambda: KFold(k, shuffle=True, random_state=PARAMS.seed).split(X),
    "stratified": lambda: StratifiedKFold(k, shuffle=True, random_state=PARAMS.seed).split(X, y),
    "by day": lambda: GroupKFold(k).split(X, y, day),
    "stratified by day": lambda: StratifiedGroupKFold(k, shuffle=True, random_state=PARAMS.seed).split(X, y, day),
    "time series": lambda: TimeSeriesSplit(k, gap=round(PARAMS.gap_days * len(y) / (np.ptp(hour) / 24))).split(X),
    "purged, embargo": purged,
}[PARAMS.scheme]()
numbers = {"n_train": 0, "n_test": 0, "n_overlaps": 0}
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
'''


def script(params: Any) -> str:
    """Return the script: scikit-learn alone, but for the rows."""
    return fill(SCRIPT, params=params)
