"""Salt a skewed key: a random number on the large side, a copy per number on the small side."""

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

local = SparkSession.builder.master("local[*]").config("spark.driver.host", "127.0.0.1")
spark = local.getOrCreate()
SALTS = 8
hot = F.when(F.col("id") % 10 < 8, 0).otherwise(F.col("id") % 100)  # 80% of the rows: key 0
large = spark.range(100_000).select(hot.alias("key"), (F.rand(0) * SALTS).cast("int").alias("salt"))
small = spark.range(100).withColumnRenamed("id", "key")
copies = small.withColumn("salt", F.explode(F.array(*[F.lit(i) for i in range(SALTS)])))


def largest(*keys):
    parts = large.repartition(16, *keys).groupBy(F.spark_partition_id()).count()
    return parts.agg(F.max("count")).collect()[0][0]


same = large.join(small, "key").count() == large.join(copies, ["key", "salt"]).count()
print(same, largest("key") > 3 * largest("key", "salt"))  # True True
