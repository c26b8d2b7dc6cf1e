"""A batch with its faults, held to its contract by pandera: the rows that break each rule."""

import json

import pandas as pd

from engine.etl import gate, quality
from engine.etl.quality import QualityParams

PARAMS = QualityParams()
BATCH = (PARAMS.table, PARAMS.fault, PARAMS.dose, PARAMS.first_day, PARAMS.n_days, PARAMS.seed)
RULES, UNIQUE = PARAMS.contract.rules, list(PARAMS.contract.unique)
NULLS = PARAMS.contract.unique_nulls  # in the unique rule: equal or distinct


def values_of(reference):
    table, _, column = reference.partition(".")
    return set(pd.read_parquet(f"datasets/{table}.parquet")[column].dropna())


batch = quality.batch_of(*BATCH).table.to_pandas()
references = {rule["references"] for rule in RULES.values() if "references" in rule}
known = {reference: values_of(reference) for reference in references}
found = gate.broken(RULES, UNIQUE, NULLS, known, batch)  # two pandera schemas, made of the rules

checks: list[str] = []  # texts
warnings: list[str] = []  # of those that only warn
for column, rule in RULES.items():
    texts = gate.texts(column, rule).values()
    checks += texts
    if rule.get("on_fail") == "warn":
        warnings += texts
if UNIQUE:
    checks.append(gate.unique_text(RULES, UNIQUE, NULLS))
quarantined = set().union(*(rows for check, rows in found.items() if check not in warnings))
numbers = {"n_rows": len(batch), "n_quarantined": len(quarantined)}
print(json.dumps(numbers | {check: len(found.get(check, ())) for check in checks}))
