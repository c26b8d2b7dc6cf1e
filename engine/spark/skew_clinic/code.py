"""The script behind *skew clinic*: the join as it is and salted, by PySpark alone, but for the
made-up rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.source_code import Code, fill
from engine.spark.script_session import SESSION

if TYPE_CHECKING:
    from engine.spark.skew_clinic import SkewClinicParams

SCRIPT = '''"""A skewed join as it is and with salt: the same answer, another largest partition."""
import json

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from engine.spark import skew
from engine.spark.keys import Source

N_PARTITIONS, N_SALTS = @n_partitions, @n_salts
@session
fact = spark.createDataFrame(skew.facts(@source)).withColumn("salt", (F.col("row") % N_SALTS).cast("int"))
dim = spark.createDataFrame(skew.regions())
copies = dim.withColumn("salt", F.explode(F.array(*[F.lit(i) for i in range(N_SALTS)])))  # one for each salt


def answer(joined):
    rows = joined.groupBy("region").agg(F.sum("amount"), F.count("*")).collect()
    return skew.digest(sorted(tuple(row) for row in rows))


def largest(*by):
    return max(row["count"] for row in fact.repartition(N_PARTITIONS, *by).groupBy(F.spark_partition_id()).count().collect())


plain, salted = answer(fact.join(dim, "key")), answer(fact.join(copies, ["key", "salt"]))
assert plain == salted
print(json.dumps({"answer": plain, "largest partition by key": largest("key"),
                  "largest partition by key and salt": largest("key", "salt")}))
'''


def script(params: SkewClinicParams) -> str:
    """Return the script."""
    return fill(
        SCRIPT,
        session=Code(SESSION),
        n_partitions=params.n_partitions,
        n_salts=params.n_salts,
        source=params.source,
    )
