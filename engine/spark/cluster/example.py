"""An RDD remembers the steps it was made by, its lineage: what is lost is computed again."""

from pyspark.sql import SparkSession

local = SparkSession.builder.master("local[*]").config("spark.driver.host", "127.0.0.1")
context = local.getOrCreate().sparkContext
words = context.parallelize(["driver", "master", "executor", "worker"], 2)
lengths = words.map(lambda word: (len(word), 1)).reduceByKey(lambda a, b: a + b, 2)
lineage = lengths.toDebugString().decode()
print(lineage.count("ShuffledRDD"), lineage.count("ParallelCollectionRDD"))  # 1 1
print(sorted(lengths.collect()))  # [(6, 3), (8, 1)]
