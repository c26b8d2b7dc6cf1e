"""AUC of a model with later columns: reported, and when served; AUC of a leak-free model."""

import json

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from engine.leakage import flights
from engine.leakage.availability import AvailabilityParams

PARAMS = AvailabilityParams()
table = flights.table()  # columns in groups; flights.KNOWN_AT says when each is known
known = PARAMS.known(PARAMS.moment)


def fit(groups, split):
    train, test = flights.split(len(table.y), split, PARAMS.n_rows, PARAMS.seed)
    model = HistGradientBoostingClassifier(
        max_iter=40, random_state=PARAMS.seed, early_stopping=False
    )
    model.fit(table.matrix(groups, train), table.y[train])
    return model, table.matrix(groups, test), table.y[test]


def auc(model, X, y):
    return round(float(roc_auc_score(y, model.predict_proba(X)[:, 1])), 4)


reported = auc(*fit(PARAMS.chosen, "random"))
model, X, y = fit(PARAMS.chosen, "in time order")
known_yet = table.columns(PARAMS.chosen, known)
served = auc(model, np.where(known_yet, X, np.nan), y)  # what is not known yet is empty
leak_free = auc(*fit(known, "in time order")) if known else 0.5
print(json.dumps({"reported AUC": reported, "served AUC": served, "leak-free AUC": leak_free}))
