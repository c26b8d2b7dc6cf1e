"""The script that reproduces *arena*: imbalanced-learn and scikit-learn alone, but for the rows and
the focal loss.
"""

from __future__ import annotations

from typing import Any

from engine.source_code import fill

SCRIPT = '''"""Average precision of every strategy on the first split: only training rows are ever resampled."""
import json

from imblearn import combine, over_sampling, under_sampling
from imblearn.pipeline import make_pipeline
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import StandardScaler

from engine.sampling.arena import ArenaParams, splits
from engine.sampling.samplers import sampler_settings
from engine.sampling.arena.strategies import classifier, fitted, refusal

PARAMS = @params
rows, train, test = next(splits(PARAMS))
X, y = rows.X[train], rows.y[train]
smote = over_sampling.SMOTE(sampling_strategy=PARAMS.ratio, k_neighbors=PARAMS.k_neighbors, random_state=PARAMS.seed)
numbers = {}
for strategy in PARAMS.entered:
    if refusal(strategy, PARAMS.model):
        continue
    if strategy in ("focal loss", "SMOTE-NC", "SMOTEN"):  # ours: the loss, and categories folded for the sampler and back
        chances = fitted(strategy, X, y, PARAMS, rows.names)(rows.X[test])
    else:
        parts = [StandardScaler()]
        if strategy.startswith("SMOTE + "):
            parts.append(combine.SMOTEENN(smote=smote) if strategy.endswith("ENN") else combine.SMOTETomek(smote=smote))
        elif strategy not in ("nothing", "class weights"):
            name, settings = sampler_settings(strategy, PARAMS.k_neighbors, PARAMS.ratio, PARAMS.seed)
            module = over_sampling if name.startswith("over") else under_sampling
            parts.append(getattr(module, name.split(".")[1])(**settings))
        parts.append(classifier(PARAMS.model, PARAMS.seed, weighted=strategy == "class weights"))
        try:
            chances = make_pipeline(*parts).fit(X, y).predict_proba(rows.X[test])[:, 1]
        except (ValueError, RuntimeError):  # the sampler refuses these rows: it did not enter
            continue
    numbers[f"{strategy}: average precision"] = round(float(average_precision_score(rows.y[test], chances)), 4)
print(json.dumps(numbers))
'''


def script(params: Any) -> str:
    """Return the script: imbalanced-learn and scikit-learn alone, but for the rows and the focal
    loss.
    """
    return fill(SCRIPT, params=params)
