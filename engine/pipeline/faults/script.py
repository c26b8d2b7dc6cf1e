"""One fault, executed on the daily run of the pipeline."""

import json

from engine.pipeline import choice
from engine.pipeline.faults import FaultsParams
from engine.pipeline.faults.executed import perform
from engine.pipeline.runner import run_stages
from engine.pipeline.stages import STAGES
from engine.spark import session

PARAMS = FaultsParams()
base = choice.latest() or run_stages(STAGES, choice.FIRST_RUN)  # it trains the model
executed = perform(PARAMS.fault, base)
session.ENGINE.stop()
caught = executed.caught
numbers = {
    "caught at": caught.hop if caught else "no gate",
    "failed attempts": len(executed.failures),
    "predictions": 0 if executed.served is None else len(executed.served.p),
}
print(json.dumps(numbers))
