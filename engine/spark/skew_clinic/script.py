"""A skewed join as it is and with salt: the same answer, another largest partition."""

import json

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from engine.spark import skew
from engine.spark.skew_clinic import SkewClinicParams

PARAMS = SkewClinicParams()
spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
    .newSession()
)
salt = (F.col("row") % PARAMS.n_salts).cast("int")
fact = spark.createDataFrame(skew.facts(PARAMS.source)).withColumn("salt", salt)
dim = spark.createDataFrame(skew.regions())
salts = F.array(*[F.lit(i) for i in range(PARAMS.n_salts)])
copies = dim.withColumn("salt", F.explode(salts))  # one for each salt


def answer(joined):
    rows = joined.groupBy("region").agg(F.sum("amount"), F.count("*")).collect()
    return skew.digest(sorted(tuple(row) for row in rows))


def largest(*by):
    split = fact.repartition(PARAMS.n_partitions, *by)
    return max(row["count"] for row in split.groupBy(F.spark_partition_id()).count().collect())


plain, salted = answer(fact.join(dim, "key")), answer(fact.join(copies, ["key", "salt"]))
assert plain == salted
numbers = {
    "answer": plain,
    "largest partition by key": largest("key"),
    "largest partition by key and salt": largest("key", "salt"),
}
print(json.dumps(numbers))
