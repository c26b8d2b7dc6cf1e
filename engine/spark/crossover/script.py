"""One piece of work in pandas and in Spark, over CSV files derived from TPC-H: the same answer."""

import json

import pandas as pd
from pyspark.sql import SparkSession

from engine.jobs import run_to_end
from engine.spark.contest import data, engines
from engine.spark.crossover import CrossoverParams

PARAMS = CrossoverParams()
files = run_to_end(data.steps(PARAMS.n_rows))  # made once, in the workspace


def lines(*columns, dates=()):
    return pd.read_csv(files.lineitem, usecols=[*columns, *dates], parse_dates=list(dates))


def filtered():
    found = lines("l_discount", "l_quantity", "l_extendedprice", dates=["l_shipdate"])
    in_1994 = found.l_shipdate.between("1994-01-01", "1994-12-31")
    kept = found[in_1994 & found.l_discount.between(0.045, 0.075) & (found.l_quantity < 24)]
    return [[len(kept), (kept.l_extendedprice * kept.l_discount).sum()]]


def grouped():
    found = lines("l_partkey", "l_quantity")
    sold = found.groupby("l_partkey", as_index=False)["l_quantity"].sum()
    most = sold.sort_values(["l_quantity", "l_partkey"], ascending=[False, True]).head(10)
    return most.values.tolist()


def joined():
    found = lines("l_orderkey", "l_extendedprice", dates=["l_commitdate", "l_receiptdate"])
    orders = pd.read_csv(files.orders, usecols=["o_orderkey", "o_orderpriority"])
    late = found[found.l_receiptdate > found.l_commitdate]
    late = late.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
    prices = late.groupby("o_orderpriority")["l_extendedprice"]
    return [[name, len(price), price.sum()] for name, price in prices]


def ranked():
    order = ["l_orderkey", "l_extendedprice", "l_linenumber"]
    found = lines(*order).sort_values(order, ascending=[True, False, True])
    first = found[found.groupby("l_orderkey").cumcount() == 0]
    return [[len(first), first.l_extendedprice.sum()]]


WORK = {"filter": filtered, "group-by": grouped, "join": joined, "window": ranked}
in_pandas = engines.to_python(WORK[PARAMS.work]())

spark = (
    SparkSession.builder.master("local[*]")
    .config("spark.driver.bindAddress", "127.0.0.1")
    .config("spark.driver.host", "127.0.0.1")  # no port on the network
    .getOrCreate()
    .newSession()
)
for name, schema in engines.SPARK_SCHEMA.items():  # guessed, it would cost a second pass
    table = spark.read.csv(f"{files.folder}/{name}.csv", schema=schema, header=True)
    table.createOrReplaceTempView(name)
rows = spark.sql(engines.SQL[PARAMS.work]).collect()
in_spark = engines.to_python([list(row) for row in rows])

assert engines.same(in_pandas, in_spark)  # sums of doubles to nine digits
answer = engines.describe(in_pandas)
print(json.dumps({"rows": files.n_rows, "bytes on disk": files.size_bytes, "answer": answer}))
