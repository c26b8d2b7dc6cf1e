"""Five published leaks: the AUC that a model reports, and how many of them the audit finds."""

import json

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from engine.leakage import famous
from engine.leakage.audit import audit_table
from engine.leakage.famous.cases import CASES, recreate
from engine.leakage.famous.params import FamousParams

PARAMS = FamousParams()
numbers: dict[str, float] = {"n_found": 0}
for case in CASES:
    aucs, sets = [], []
    for seed in range(PARAMS.seed, PARAMS.seed + PARAMS.repeats):
        made = recreate(case, seed)
        rows = made.table.to_pandas()
        X = rows[list(made.features)].apply(
            lambda c: (
                c.map({v: i for i, v in enumerate(sorted(c.dropna().unique()))})
                if c.dtype == object
                else c
            )
        )
        test = rows["part"] == "test"
        model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, random_state=seed)
        model.fit(X[~test].to_numpy(float), rows["y"][~test])
        chances = model.predict_proba(X[test].to_numpy(float))[:, 1]
        aucs.append(roc_auc_score(rows["y"][test], chances))
        group = (made.group if PARAMS.named else "") or None
        audited = audit_table(made.audited, "y", split="part", group=group)
        sets.append(set(famous.found(audited, made).detectors))
    numbers["n_found"] += bool(set.intersection(*sets))
    numbers[f"{case}: reported"] = round(float(np.mean(aucs)), 4)
print(json.dumps(numbers))
