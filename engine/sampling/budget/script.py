"""What a budget of alarms finds, by scikit-learn and pandas: the top of each day, and a threshold
chosen on training rows.
"""

import json

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from engine.sampling.arena.strategies import classifier
from engine.sampling.budget import periods
from engine.sampling.budget.params import BudgetParams

PARAMS = BudgetParams()
train, test, day, flights_per_day = periods(PARAMS.training())
model = make_pipeline(StandardScaler(), classifier(PARAMS.model, PARAMS.seed, weighted=False))
folds = StratifiedKFold(3, shuffle=True, random_state=PARAMS.seed)
unseen = cross_val_predict(model, train.X, train.y, cv=folds, method="predict_proba")[:, 1]
n_above = max(1, round(PARAMS.per_day / flights_per_day * len(unseen)))
threshold = np.float32(np.sort(unseen)[::-1][n_above - 1])
chances = model.fit(train.X, train.y).predict_proba(test.X)[:, 1]
rows = pd.DataFrame({"day": day, "y": test.y, "chance": chances})
ranks = rows.groupby("day")["chance"].rank(method="first", ascending=False)
top = rows[ranks <= PARAMS.per_day]
alarms = rows["chance"].astype("float32") >= threshold
numbers = {
    "n_positive": rows["y"].sum(),
    "n_alarms": len(top),
    "n_found": top["y"].sum(),
    "n_days_over": (alarms.groupby(rows["day"]).sum() > PARAMS.per_day).sum(),
}
print(json.dumps({name: int(number) for name, number in numbers.items()}))
