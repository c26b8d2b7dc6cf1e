"""The script of *repairs*: what the code panel shows."""

from __future__ import annotations

from engine.leakage.repairs import RepairsParams
from engine.leakage.repairs.cases import case_of, codes
from engine.source_code import Code, fill

SCRIPT = '''"""Both pipelines as on screen, the first seed; the tables are engine.leakage's."""

import json

from sklearn.metrics import roc_auc_score

from engine.leakage import rounds

WRONG = """\\
@wrong"""
RIGHT = """\\
@right"""
numbers = {}
for way, code in (("wrong", WRONG), ("right", RIGHT)):
    table, fresh = rounds.tables(@case, @seed)
    names = {"table": table}
    exec(code, names)
    earned = roc_auc_score(fresh["y"], names["predict"](fresh))
    numbers[f"{way} reported"] = round(float(names["score"]), 4)
    numbers[f"{way} production"] = round(float(earned), 4)
print(json.dumps(numbers))
'''


def script(params: RepairsParams) -> str:
    """Return the script: both pipelines, as they stand."""
    wrong, right = codes(params.mechanism)
    return fill(
        SCRIPT,
        case=case_of(params.mechanism)[0],
        seed=params.seed,
        wrong=Code(wrong),
        right=Code(right),
    )
