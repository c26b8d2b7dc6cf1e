"""How every script of the Spark lab gets its session: one of this machine's cores, or the one that
is there already.
"""

SESSION = """spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
    .newSession()
)"""
