"""Folds of one scheme over the flights: how many test rows fall on a day of training."""

import json

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, TimeSeriesSplit

from engine.leakage.time_splits import TimeSplitsParams, rows

PARAMS = TimeSplitsParams()
drawn = rows(PARAMS.n_rows, PARAMS.seed)
day, k = drawn.day, PARAMS.n_splits
days, X = np.unique(day), np.zeros(len(drawn.day))


def series(gap):  # over days, so that no day is cut
    for train, test in TimeSeriesSplit(k, gap=gap).split(days):
        yield np.flatnonzero(np.isin(day, days[train])), np.flatnonzero(np.isin(day, days[test]))


def purged():  # an answer is known a day later; after the test part an embargo
    for test in np.array_split(days, k):
        train = (day + 1 < test[0]) | (day > test[-1] + 1 + PARAMS.embargo_days)
        yield np.flatnonzero(train), np.flatnonzero(np.isin(day, test))


splits = {
    "shuffled": lambda: KFold(k, shuffle=True, random_state=PARAMS.seed).split(X),
    "by plane": lambda: GroupKFold(k).split(X, groups=drawn.plane),
    "by day": lambda: GroupKFold(k).split(X, groups=day),
    "by week": lambda: GroupKFold(k).split(X, groups=day // 7),
    "time series": lambda: series(0),
    "time series, gap": lambda: series(PARAMS.gap_days),
    "purged, embargo": purged,
}[PARAMS.scheme]()
numbers = {"n_train": 0, "n_test": 0, "n_mixed": 0}
near: list[int] = []
for train, test in splits:
    apart = np.abs(np.unique(day[train])[:, np.newaxis] - day[test][np.newaxis]).min(axis=0)
    numbers["n_train"] += len(train)
    numbers["n_test"] += len(test)
    numbers["n_mixed"] += int((apart == 0).sum())
    near += apart.tolist()
print(json.dumps(numbers | {"nearest_days": round(float(np.mean(near)), 4)}))
