"""The wrong and the right pipeline, run as they are on screen, with the first seed."""

import json

from sklearn.metrics import roc_auc_score

from engine.leakage import rounds
from engine.leakage.repairs import WAYS, RepairsParams
from engine.leakage.repairs.cases import case_of, codes

PARAMS = RepairsParams()
case, _ = case_of(PARAMS.mechanism)
numbers = {}
for way, code in zip(WAYS, codes(PARAMS.mechanism), strict=True):
    table, fresh = rounds.tables(case, PARAMS.seed)
    pipeline = {"table": table}
    exec(code, pipeline)  # the text on screen; it defines score and predict(rows)
    earned = roc_auc_score(fresh["y"], pipeline["predict"](fresh))
    numbers[f"{way} reported"] = round(float(pipeline["score"]), 4)
    numbers[f"{way} production"] = round(float(earned), 4)
print(json.dumps(numbers))
