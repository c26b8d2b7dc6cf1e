"""The script behind *Spark or pandas*: the largest size once in pandas and once in Spark, the same
answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.source_code import Code, fill
from engine.spark.contest.engines import SPARK_SCHEMA, SQL
from engine.spark.script_session import SESSION

if TYPE_CHECKING:
    from engine.spark.crossover import CrossoverParams

SCRIPT = '''"""One piece of work in pandas and in Spark, over CSV files derived from TPC-H."""
import json

import pandas as pd
from pyspark.sql import SparkSession

from engine.jobs import run_to_end
from engine.spark.contest import data, engines

files = run_to_end(data.steps(@n_rows))  # made once, in the workspace
@pandas
@session
SCHEMA = {  # guessed, the types would cost a second pass over the files
    "lineitem": @lineitem,
    "orders": @orders,
}
for name, schema in SCHEMA.items():
    table = spark.read.csv(f"{files.folder}/{name}.csv", schema=schema, header=True)
    table.createOrReplaceTempView(name)
in_spark = [list(row) for row in spark.sql("""
@sql
""").collect()]

in_pandas, in_spark = engines.plain(in_pandas), engines.plain(in_spark)
assert engines.same(in_pandas, in_spark)  # sums of doubles to nine digits
answer = engines.describe(in_pandas)
print(json.dumps({"rows": files.n_rows, "bytes on disk": files.size_bytes, "answer": answer}))
'''
PANDAS = {
    "filter": (
        """columns = ["l_shipdate", "l_discount", "l_quantity", "l_extendedprice"]
lines = pd.read_csv(files.lineitem, usecols=columns, parse_dates=["l_shipdate"])
in_1994 = lines.l_shipdate.between("1994-01-01", "1994-12-31")
kept = lines[in_1994 & lines.l_discount.between(0.045, 0.075) & (lines.l_quantity < 24)]
in_pandas = [[len(kept), (kept.l_extendedprice * kept.l_discount).sum()]]
"""
    ),
    "group-by": (
        """lines = pd.read_csv(files.lineitem, usecols=["l_partkey", "l_quantity"])
sold = lines.groupby("l_partkey", as_index=False)["l_quantity"].sum()
most = sold.sort_values(["l_quantity", "l_partkey"], ascending=[False, True]).head(10)
in_pandas = most.values.tolist()
"""
    ),
    "join": (
        """dates = ["l_commitdate", "l_receiptdate"]
columns = ["l_orderkey", "l_extendedprice", *dates]
lines = pd.read_csv(files.lineitem, usecols=columns, parse_dates=dates)
orders = pd.read_csv(files.orders, usecols=["o_orderkey", "o_orderpriority"])
late = lines[lines.l_receiptdate > lines.l_commitdate]
late = late.merge(orders, left_on="l_orderkey", right_on="o_orderkey")
prices = late.groupby("o_orderpriority")["l_extendedprice"]
in_pandas = [[name, len(price), price.sum()] for name, price in prices]
"""
    ),
    "window": (
        """order = ["l_orderkey", "l_extendedprice", "l_linenumber"]
lines = pd.read_csv(files.lineitem, usecols=order)
ranked = lines.sort_values(order, ascending=[True, False, True])
first = ranked[ranked.groupby("l_orderkey").cumcount() == 0]
in_pandas = [[len(first), first.l_extendedprice.sum()]]
"""
    ),
}


def script(params: CrossoverParams) -> str:
    """Return the script; it imports this project only for the files and the comparison, which are
    its own.
    """
    work = {"pandas": Code(PANDAS[params.work]), "sql": Code(SQL[params.work])}
    return fill(SCRIPT, session=Code(SESSION), n_rows=params.n_rows, **work, **SPARK_SCHEMA)
