"""The Spark lab: partitions, skew, laziness, memory and the crossing with pandas, on one real
Spark.
"""
