"""Average precision of every strategy on the first split: only training rows are ever resampled."""

import json

from imblearn import combine, over_sampling, under_sampling
from imblearn.pipeline import make_pipeline
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import StandardScaler

from engine.sampling.arena import ArenaParams, splits
from engine.sampling.arena.strategies import classifier, fitted, refusal
from engine.sampling.samplers import sampler_settings

PARAMS = ArenaParams()
k, ratio, seed = PARAMS.k_neighbors, PARAMS.ratio, PARAMS.seed
rows, train, test = next(splits(PARAMS))
X, y = rows.X[train], rows.y[train]
smote = over_sampling.SMOTE(sampling_strategy=ratio, k_neighbors=k, random_state=seed)
numbers = {}
for strategy in PARAMS.entered:
    if refusal(strategy, PARAMS.model):
        continue
    if strategy in ("focal loss", "SMOTE-NC", "SMOTEN"):  # ours: the loss, categories kept whole
        chances = fitted(strategy, X, y, PARAMS, rows.names)(rows.X[test])
    else:
        parts = [StandardScaler()]
        if strategy == "SMOTE + ENN":
            parts.append(combine.SMOTEENN(smote=smote))
        elif strategy == "SMOTE + Tomek":
            parts.append(combine.SMOTETomek(smote=smote))
        elif strategy not in ("baseline", "class weights"):
            name, settings = sampler_settings(strategy, k, ratio, seed)
            module = over_sampling if name.startswith("over") else under_sampling
            parts.append(getattr(module, name.split(".")[1])(**settings))
        parts.append(classifier(PARAMS.model, seed, weighted=strategy == "class weights"))
        try:
            chances = make_pipeline(*parts).fit(X, y).predict_proba(rows.X[test])[:, 1]
        except (ValueError, RuntimeError):  # the sampler refuses these rows: it did not enter
            continue
    precision = float(average_precision_score(rows.y[test], chances))
    numbers[f"{strategy}: average precision"] = round(precision, 4)
print(json.dumps(numbers))
