"""The four pieces of work of *Spark or pandas*, in four engines: each from CSV files on disk to a
few rows of answer.

Real: every call reads its files again, with the types and columns that it needs given, and does the
whole work. pandas is used as its documentation teaches (``usecols``, ``parse_dates``), on one core;
Polars scans lazily; Spark and DuckDB run the same SQL on the same schema. Money is double precision
in all four: sums are compared to nine digits, because their order differs.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal, get_args

from engine.spark.contest.data import Files

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    from pyspark.sql import SparkSession

Work = Literal["filter", "group-by", "join", "window"]
WORKS: tuple[Work, ...] = get_args(Work)
Contestant = Literal["pandas", "Spark", "DuckDB", "Polars"]
CONTESTANTS: tuple[Contestant, ...] = get_args(Contestant)
Answer = list[list[Any]]  # rows of labels and numbers
TOLERANCE = 1e-9  # relative: double-precision sums in another order
SAYS: dict[Work, str] = {
    "filter": (
        "revenue at stake in 1994: keep about 2% of the lines by date, discount and quantity, and"
        " sum"
    ),
    "group-by": "the ten parts sold most: sum quantities by part, one group for every part",
    "join": (
        "late lines by priority: lines received after the date promised, joined with their orders"
    ),
    "window": "most expensive line of each order: rank lines in their order, sum the first ones",
}
SQL: dict[Work, str] = {
    "filter": (
        """SELECT count(*), sum(l_extendedprice * l_discount) FROM lineitem
WHERE l_shipdate >= DATE '1994-01-01' AND l_shipdate < DATE '1995-01-01'
  AND l_discount > 0.045 AND l_discount < 0.075 AND l_quantity < 24"""
    ),
    "group-by": (
        """SELECT l_partkey, sum(l_quantity) AS sold FROM lineitem
GROUP BY l_partkey ORDER BY sold DESC, l_partkey LIMIT 10"""
    ),
    "join": (
        """SELECT o_orderpriority, count(*), sum(l_extendedprice)
FROM lineitem JOIN orders ON l_orderkey = o_orderkey
WHERE l_receiptdate > l_commitdate GROUP BY o_orderpriority ORDER BY o_orderpriority"""
    ),
    "window": (
        """SELECT count(*), sum(l_extendedprice) FROM (
  SELECT l_extendedprice, row_number() OVER (
    PARTITION BY l_orderkey ORDER BY l_extendedprice DESC, l_linenumber) AS place
  FROM lineitem) AS ranked WHERE place = 1"""
    ),
}
SPARK_SCHEMA = {
    "lineitem": (
        "l_orderkey long, l_partkey long, l_suppkey long, l_linenumber int, l_quantity double,"
        " l_extendedprice double, l_discount double, l_tax double, l_returnflag string,"
        " l_linestatus string, l_shipdate date, l_commitdate date, l_receiptdate date,"
        " l_shipinstruct string, l_shipmode string, l_comment string"
    ),
    "orders": (
        "o_orderkey long, o_custkey long, o_orderstatus string, o_totalprice double, o_orderdate"
        " date, o_orderpriority string, o_clerk string, o_shippriority int, o_comment string"
    ),
}
MONEY = ("l_quantity", "l_extendedprice", "l_discount")


def pandas_answer(work: Work, files: Files) -> Answer:
    """Do the work in pandas."""
    import pandas as pd

    def lines(*columns: str) -> pd.DataFrame:
        dates = [name for name in columns if name.endswith("date")]
        types = {name: "float64" for name in columns if name in MONEY}
        return pd.read_csv(files.lineitem, usecols=list(columns), dtype=types, parse_dates=dates)

    if work == "filter":
        frame = lines("l_shipdate", "l_discount", "l_quantity", "l_extendedprice")
        day, discount = frame["l_shipdate"], frame["l_discount"]
        kept = frame[
            (day >= "1994-01-01")
            & (day < "1995-01-01")
            & (discount > 0.045)
            & (discount < 0.075)
            & (frame["l_quantity"] < 24)
        ]
        return [[len(kept), (kept["l_extendedprice"] * kept["l_discount"]).sum()]]
    if work == "group-by":
        sold = (
            lines("l_partkey", "l_quantity")
            .groupby("l_partkey", as_index=False)["l_quantity"]
            .sum()
        )
        top = sold.sort_values(["l_quantity", "l_partkey"], ascending=[False, True]).head(10)
        return [list(row) for row in top.itertuples(index=False)]
    if work == "join":
        frame = lines("l_orderkey", "l_commitdate", "l_receiptdate", "l_extendedprice")
        late = frame[frame["l_receiptdate"] > frame["l_commitdate"]]
        orders = pd.read_csv(files.orders, usecols=["o_orderkey", "o_orderpriority"])
        joined = late.merge(orders, left_on="l_orderkey", right_on="o_orderkey").groupby(
            "o_orderpriority"
        )["l_extendedprice"]
        return [[name, len(prices), prices.sum()] for name, prices in joined]
    frame = lines("l_orderkey", "l_linenumber", "l_extendedprice")
    ranked = frame.sort_values(
        ["l_orderkey", "l_extendedprice", "l_linenumber"], ascending=[True, False, True]
    )
    first = ranked[ranked.groupby("l_orderkey").cumcount() == 0]
    return [[len(first), first["l_extendedprice"].sum()]]


def polars_answer(work: Work, files: Files) -> Answer:
    """Do the work in Polars, lazily from the scan on, with its default engine."""
    import polars as pl

    def lines() -> pl.LazyFrame:
        return pl.scan_csv(
            files.lineitem, try_parse_dates=True, schema_overrides=dict.fromkeys(MONEY, pl.Float64)
        )

    def count_and_sum(name: str) -> list[pl.Expr]:
        return [pl.len().alias("n"), pl.col(name).sum().alias("total")]

    c = pl.col
    if work == "filter":
        day = c("l_shipdate")
        frame = lines().filter(
            day >= pl.date(1994, 1, 1),
            day < pl.date(1995, 1, 1),
            c("l_discount") > 0.045,
            c("l_discount") < 0.075,
            c("l_quantity") < 24,
        )
        frame = frame.select((c("l_extendedprice") * c("l_discount")).alias("revenue")).select(
            count_and_sum("revenue")
        )
    elif work == "group-by":
        frame = lines().group_by("l_partkey").agg(c("l_quantity").sum())
        frame = frame.sort("l_quantity", "l_partkey", descending=[True, False]).head(10)
    elif work == "join":
        late = lines().filter(c("l_receiptdate") > c("l_commitdate"))
        frame = late.join(pl.scan_csv(files.orders), left_on="l_orderkey", right_on="o_orderkey")
        frame = (
            frame.group_by("o_orderpriority")
            .agg(count_and_sum("l_extendedprice"))
            .sort("o_orderpriority")
        )
    else:
        ordered = lines().sort(
            "l_orderkey", "l_extendedprice", "l_linenumber", descending=[False, True, False]
        )
        first = ordered.filter(pl.int_range(pl.len()).over("l_orderkey") == 0)
        frame = first.select(count_and_sum("l_extendedprice"))
    return [list(row) for row in frame.collect().rows()]


def duckdb_answer(work: Work, files: Files, memory_bytes: int = 0) -> Answer:
    """Do the work in an in-memory DuckDB, which writes to disk what ``memory_bytes`` (0: most of
    the machine's) cannot hold.
    """
    import duckdb

    spill = {"temp_directory": str(files.lineitem.parent / "duckdb")}
    with duckdb.connect(
        config={**spill, **({"memory_limit": f"{memory_bytes}B"} if memory_bytes else {})}
    ) as live:
        for name, schema in SPARK_SCHEMA.items():
            pairs = [
                column.split()
                for column in (
                    schema.replace("long", "BIGINT").replace("string", "VARCHAR").split(", ")
                )
            ]
            columns = ", ".join(f"'{column}': '{kind}'" for column, kind in pairs)
            path = str(files.lineitem if name == "lineitem" else files.orders).replace("'", "''")
            live.execute(
                f"CREATE VIEW {name} AS FROM read_csv('{path}', header = true, columns ="
                f" {{{columns}}})"
            )
        return [list(row) for row in live.execute(SQL[work]).fetchall()]


def spark_answer(live: SparkSession, work: Work, files: Files) -> Answer:
    """Do the work in Spark, with the columns' types given: guessed, they would cost a second pass
    over the file.
    """
    for name, schema in SPARK_SCHEMA.items():
        path = (files.lineitem if name == "lineitem" else files.orders).as_uri()
        live.read.csv(path, schema=schema, header=True).createOrReplaceTempView(name)
    return [list(row) for row in live.sql(SQL[work]).collect()]


def answer(contestant: Contestant, work: Work, files: Files, memory_bytes: int = 0) -> Answer:
    """Do the work in this process: pandas, DuckDB or Polars."""
    if contestant == "DuckDB":
        return duckdb_answer(work, files, memory_bytes)
    return pandas_answer(work, files) if contestant == "pandas" else polars_answer(work, files)


def to_python(found: Answer) -> Answer:
    """Return an answer of plain Python values: whole numbers, doubles and text."""
    return [[value if isinstance(value, str) else _number(value) for value in row] for row in found]


def _number(value: Any) -> int | float:
    number = float(value)
    return int(number) if number.is_integer() else number


def same(found: Answer, other: Answer) -> bool:
    """Whether two answers agree: the same rows in order, texts equal, numbers to a relative
    ``TOLERANCE``.
    """
    if [len(row) for row in found] != [len(row) for row in other]:
        return False
    pairs = [
        pair
        for left, right in zip(found, other, strict=True)
        for pair in zip(left, right, strict=True)
    ]
    return all(
        (
            left == right
            if isinstance(left, str) or isinstance(right, str)
            else math.isclose(left, right, rel_tol=TOLERANCE, abs_tol=1e-9)
        )
        for left, right in pairs
    )


def describe(found: Answer) -> str:
    """Return an answer as one line of text: at most its first two rows, numbers to six digits, the
    same for every engine.
    """
    rows = [
        " ".join(value if isinstance(value, str) else f"{value:.6g}" for value in row)
        for row in found[:2]
    ]
    return "; ".join(rows) + (f"; … {len(found)} rows" if len(found) > 2 else "")
