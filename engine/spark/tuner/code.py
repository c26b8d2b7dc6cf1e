"""The script behind *partition count*: the job with AQE, and the tasks of its last stage, by
PySpark alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.source_code import Code, fill, literal
from engine.spark.script_session import SESSION
from engine.spark.tuner import jobs

if TYPE_CHECKING:
    from engine.spark.tuner import TunerParams

SCRIPT = '''"""How many shuffle partitions does adaptive query execution leave? The tasks of the last stage tell."""
import json
import uuid

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

@session
ASKED = @asked
for key, value in @settings.items():
    spark.conf.set(key, value)
flights = spark.read.parquet("datasets/flights.parquet")@copies
planes = spark.read.parquet("datasets/planes.parquet").select("tailnum", "manufacturer", "seats")
frame = @code
group = uuid.uuid4().hex
spark.sparkContext.setJobGroup(group, "the action")
frame.write.format("noop").mode("overwrite").save()  # every row is computed, none is kept
spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()  # Spark tells of what ended a moment later
tracker = spark.sparkContext.statusTracker()
stages = {stage for job in tracker.getJobIdsForGroup(group) for stage in tracker.getJobInfo(job).stageIds}
ran = [info for stage in sorted(stages) if (info := tracker.getStageInfo(stage)) and info.numCompletedTasks]  # not the skipped
print(json.dumps({"AQE's partitions": ran[-1].numTasks, "asked for": ASKED}))
'''


def script(params: TunerParams) -> str:
    """Return the script."""
    copies = (
        f".crossJoin(F.broadcast(spark.range({literal(params.copies)})))"
        if params.copies > 1
        else ""
    )
    return fill(
        SCRIPT,
        session=Code(SESSION),
        asked=params.numbers[-1],
        settings=jobs.settings(params.numbers[-1], params.target_kb),
        copies=Code(copies),
        code=Code(jobs.CODE[params.workload]),
    )
