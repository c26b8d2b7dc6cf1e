"""SMOTE before the split and after it, by imbalanced-learn and scikit-learn; the first seed."""

import json

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.metrics import roc_auc_score

from engine.sampling import flight_rows
from engine.sampling.before_split import BeforeSplitParams, classifier

PARAMS = BeforeSplitParams()
model, seed = PARAMS.model, PARAMS.seed
rows = flight_rows.take(PARAMS.target, PARAMS.positives, PARAMS.n_rows, seed)
X, y = flight_rows.standardise(rows.X)[0], rows.y
smote = SMOTE(sampling_strategy=PARAMS.ratio, k_neighbors=PARAMS.k_neighbors, random_state=seed)

# the trap: synthetic rows of test rows reach the training part, and the other way
X_all, y_all = smote.fit_resample(X, y)
shuffled = np.random.default_rng(seed).permutation(len(y_all))
cut = round(len(shuffled) * flight_rows.TEST_SHARE)
test, train = shuffled[:cut], shuffled[cut:]
leaky = classifier(model, seed).fit(X_all[train], y_all[train])
chances = leaky.predict_proba(X_all[test])[:, 1]
real = test < len(y)

train, untouched = rows.split("random", seed)
right = make_pipeline(smote, classifier(model, seed)).fit(X[train], y[train])
numbers = {
    "reported AUC": roc_auc_score(y_all[test], chances),
    "AUC of the same model on real test rows": roc_auc_score(y_all[test][real], chances[real]),
    "AUC after the split": roc_auc_score(y[untouched], right.predict_proba(X[untouched])[:, 1]),
}
print(json.dumps({name: round(float(value), 4) for name, value in numbers.items()}))
