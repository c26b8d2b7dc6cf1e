"""Cache a table that several actions read, look where it is kept, and give the memory back."""

from pyspark import StorageLevel
from pyspark.sql import SparkSession

local = SparkSession.builder.master("local[*]").config("spark.driver.host", "127.0.0.1")
spark = local.getOrCreate()
flights = spark.read.parquet("datasets/flights.parquet").where("month = 1")
flights.persist(StorageLevel.MEMORY_AND_DISK)  # only marked: the first action fills the cache
print(f"{flights.count():,}", flights.where("arr_delay > 30").count())  # 27,004 3740
print(flights.storageLevel.useMemory, flights.storageLevel.useDisk)  # True True
flights.unpersist()  # else later tables evict it, or it evicts them
print(flights.is_cached)  # False
