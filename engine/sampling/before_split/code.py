"""The script of *before_split*: what the code panel shows."""

from __future__ import annotations

from engine.sampling.before_split import BeforeSplitParams
from engine.source_code import fill

SCRIPT = '''"""SMOTE before the split and after it, by imbalanced-learn and scikit-learn alone; the first seed."""
import json

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import make_pipeline
from sklearn.metrics import roc_auc_score

from engine.sampling import flight_rows
from engine.sampling.before_split import BeforeSplitParams, classifier

PARAMS = @params
rows = flight_rows.take(PARAMS.target, PARAMS.positives, PARAMS.n_rows, PARAMS.seed)
X, y = flight_rows.standardise(rows.X)[0], rows.y
smote = SMOTE(sampling_strategy=PARAMS.ratio, k_neighbors=PARAMS.k_neighbors, random_state=PARAMS.seed)

X_all, y_all = smote.fit_resample(X, y)  # the trap: synthetic rows of test rows reach the training part, and the other way
shuffled = np.random.default_rng(PARAMS.seed).permutation(len(y_all))
cut = round(len(shuffled) * flight_rows.TEST_SHARE)
test, train = shuffled[:cut], shuffled[cut:]
chances = classifier(PARAMS.model, PARAMS.seed).fit(X_all[train], y_all[train]).predict_proba(X_all[test])[:, 1]
real = test < len(y)

train, untouched = rows.split("random", PARAMS.seed)
right = make_pipeline(smote, classifier(PARAMS.model, PARAMS.seed)).fit(X[train], y[train])
numbers = {
    "reported AUC": roc_auc_score(y_all[test], chances),
    "AUC of the same model on real test rows": roc_auc_score(y_all[test][real], chances[real]),
    "AUC after the split": roc_auc_score(y[untouched], right.predict_proba(X[untouched])[:, 1]),
}
print(json.dumps({name: round(float(value), 4) for name, value in numbers.items()}))
'''


def script(params: BeforeSplitParams) -> str:
    """Return the script: imbalanced-learn and scikit-learn alone, but for the rows."""
    return fill(SCRIPT, params=params)
