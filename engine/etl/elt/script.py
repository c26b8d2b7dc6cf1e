"""One job before loading (pandas) and after (SQL in DuckDB); then the rule changes."""

import json

import duckdb
import pandas as pd

from engine.etl.elt import EltParams, rule_sql

PARAMS = EltParams()
flights = pd.read_parquet("datasets/flights.parquet")
flights["day_of_year"] = pd.to_datetime(flights[["year", "month", "day"]]).dt.dayofyear
raw = flights[flights["day_of_year"] <= PARAMS.n_days]
airlines = pd.read_parquet("datasets/airlines.parquet")
planes = pd.read_parquet("datasets/planes.parquet")


def rounded(rows):
    return sorted((*map(str, row[:-1]), round(float(row[-1]), 6)) for row in rows)


def texts(table):
    return table.astype(str).replace(r"[.]0$", "", regex=True)


# ETL: transformed before it is loaded
columns = ["day_of_year", "carrier", "dest", "dep_delay", "arr_delay"]
cleaned = raw.loc[raw["arr_delay"].notna(), columns]
marked = cleaned.assign(late=cleaned["arr_delay"] > PARAMS.late_minutes)
groups = marked.merge(airlines, on="carrier").groupby(
    ["day_of_year", "carrier", "name"], as_index=False
)
summary = groups.agg(flights=("late", "size"), late=("late", "sum"), delay=("arr_delay", "sum"))

# ELT: loaded as it is, transformed in the warehouse
by_sql = duckdb.execute(f"""
    SELECT day_of_year, carrier, name, count(*) AS flights,
        sum((arr_delay > {PARAMS.late_minutes})::INT) AS late, sum(arr_delay) AS delay
    FROM raw JOIN airlines USING (carrier) WHERE arr_delay IS NOT NULL
    GROUP BY ALL ORDER BY day_of_year, carrier""").df()

# The rule changes: the new question, asked of all rows, and of what ETL has in its warehouse.
limits = {"late": PARAMS.late_minutes, "new": PARAMS.new_minutes}
loaded = {"summary": summary, "cleaned rows": cleaned}[PARAMS.loads]
truth = duckdb.execute(rule_sql(PARAMS.rule, "raw", **limits)).fetchall()
try:
    answer = duckdb.execute(rule_sql(PARAMS.rule, PARAMS.loads.split()[0], **limits)).fetchall()
    outcome = "rebuilds" if rounded(answer) == rounded(truth) else "silently wrong"
except duckdb.Error:
    outcome = "cannot"
left = min(PARAMS.retention_days, PARAMS.n_days)
numbers = {
    "n_summary_rows": len(summary),
    "n_late": int(summary["late"].sum()),
    "equal": texts(summary).equals(texts(by_sql)),
    "etl_rows_moved": len(loaded),
    "elt_rows_moved": len(raw),
    "outcome": outcome,
    "rebuilt_days": PARAMS.n_days if outcome == "rebuilds" else left,
}
print(json.dumps(numbers))
