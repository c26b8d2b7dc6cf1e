"""Days that are on both sides: shuffled folds, folds by day, folds that train on the past only."""

import pandas as pd
from sklearn.model_selection import KFold, StratifiedGroupKFold, TimeSeriesSplit

flights = pd.read_parquet("datasets/flights.parquet", columns=["time_hour", "arr_delay"])
flights = flights.dropna().sample(5_000, random_state=0).sort_values("time_hour")
day, late = flights["time_hour"].dt.date.to_numpy(), flights["arr_delay"] > 30


def shared(folds):
    train, test = next(folds)
    return len(set(day[train]) & set(day[test]))


print(shared(KFold(5, shuffle=True, random_state=0).split(flights)))  # 347
print(shared(StratifiedGroupKFold(5).split(flights, late, groups=day)))  # 0
print(shared(TimeSeriesSplit(5, gap=50).split(flights)))  # 0
