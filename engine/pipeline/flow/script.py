"""The whole pipeline for a range of days, stage by stage."""

import json

from engine.pipeline.flow import FlowParams
from engine.pipeline.runner import run_stages
from engine.pipeline.stages import STAGES
from engine.spark import session

PARAMS = FlowParams()
run = run_stages(STAGES, PARAMS.pipeline)
numbers = {f"{one.stage} out": one.n_out for one in run.stages}
unexplained = [one.n_in - one.n_out - sum(one.dropped.values()) for one in run.stages]
numbers["without a reason"] = sum(map(abs, unexplained))
for record in run.stages:
    if record.stage == "train":
        for name in ("model", "baseline"):
            numbers[f"AUC {name}"] = round(record.details[name]["auc"], 4)
session.ENGINE.stop()
print(json.dumps(numbers))
