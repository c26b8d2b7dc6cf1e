"""The script behind *lazy ledger*: the chain as a person would write it, with the jobs counted by
Spark's own tracker.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.source_code import Code, fill
from engine.spark.lazy import chain
from engine.spark.script_session import SESSION

if TYPE_CHECKING:
    from engine.spark.lazy import LazyParams

SCRIPT = '''"""A chain of transformations: the jobs and stages before the action and for it."""
import json
import uuid

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

@session
for key, value in @settings.items():
    spark.conf.set(key, value)
airlines = spark.read.parquet("datasets/airlines.parquet")
flights = spark.read.parquet("datasets/flights.parquet").select(*@columns)
context, tracker = spark.sparkContext, spark.sparkContext.statusTracker()


def jobs(group):
    context._jsc.sc().listenerBus().waitUntilEmpty()  # Spark tells of what ended a moment later
    return tracker.getJobIdsForGroup(group)


chain, action = uuid.uuid4().hex, uuid.uuid4().hex
context.setJobGroup(chain, "the transformations")
frame = (
    flights
@chain)
before = jobs(chain)
context.setJobGroup(action, "the action")
rows = @action
stages = {stage for job in jobs(action) for stage in tracker.getJobInfo(job).stageIds}
infos = [info for stage in stages if (info := tracker.getStageInfo(stage))]
ran = [info for info in infos if info.numCompletedTasks]  # not the skipped ones
print(json.dumps({"rows": rows, "jobs before the action": len(before), "stages": len(ran)}))
'''


def script(params: LazyParams) -> str:
    """Return the script."""
    actions = {
        "count": "frame.count()",
        "collect": "frame.toArrow().num_rows",
        "first 20": "frame.limit(20).toArrow().num_rows",
    }
    return fill(
        SCRIPT,
        session=Code(SESSION),
        settings=params.settings,
        columns=sorted(chain.COLUMNS),
        chain=Code("".join(f"    {chain.STEPS[step].code}\n" for step in params.chain)),
        action=Code(actions[params.action]),
    )
