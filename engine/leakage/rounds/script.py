"""The pipeline of a round, run as it is on screen, and its score in production."""

import json

from sklearn.metrics import roc_auc_score

from engine.leakage import rounds
from engine.leakage.rounds import RoundsParams
from engine.leakage.rounds.cases import CASES

PARAMS = RoundsParams()
case = rounds.deal(PARAMS.level, PARAMS.number, PARAMS.seed)
table, fresh = rounds.tables(case, PARAMS.seed)
pipeline = {"table": table}
exec(CASES[case].code, pipeline)  # the text on screen; it defines score and predict(rows)
numbers = {"reported AUC": round(float(pipeline["score"]), 4)}
if PARAMS.revealed:
    earned = roc_auc_score(fresh["y"], pipeline["predict"](fresh))
    numbers["production AUC"] = round(float(earned), 4)
print(json.dumps(numbers))
