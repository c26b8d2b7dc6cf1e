"""The script that reproduces *dose*: scikit-learn's model and scores on the pipeline's matrices."""

from __future__ import annotations

from typing import Any

from engine.source_code import fill

SCRIPT = '''"""The score that a leaky pipeline reports and the one that it earns in production, by scikit-learn; seeds' mean."""
import json

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, roc_auc_score

from engine.leakage import pipeline, process, trial
from engine.leakage.dose import DoseParams

PARAMS = @params
runs = []
for world in PARAMS.worlds(PARAMS.wide):
    rows = process.draw(world, len(pipeline.MECHANISMS))
    made = pipeline.prepare(rows, PARAMS.doses)  # every leak is in here: read engine/leakage/pipeline.py
    tried = []
    for columns in trial.candidates(made.X_train.shape[1], PARAMS.doses.n_models, world.seed):
        model = LogisticRegression(C=1.0, solver="newton-cholesky", tol=1e-10, max_iter=500)
        model.fit(made.X_train[:, columns], made.y_train)
        scores = []
        for X, y in ((made.X_test, made.y_test), (made.X_production, made.y_production)):
            chances = model.predict_proba(X[:, columns])[:, 1]
            scores += [roc_auc_score(y, chances), accuracy_score(y, chances >= 0.5)]
        tried.append(scores)
    runs.append(max(tried, key=lambda scores: scores[0]))  # with one model there is nothing to choose
means = np.mean(runs, axis=0).round(4).tolist()
print(json.dumps(dict(zip(["reported AUC", "reported accuracy", "production AUC", "production accuracy"], means))))
'''


def script(params: Any) -> str:
    """Return the script: scikit-learn on the matrices that the leaky pipeline makes."""
    return fill(SCRIPT, params=params)
