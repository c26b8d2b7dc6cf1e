"""The script that reproduces *ETL or ELT*: pandas before loading, SQL after, and the new rule tried
on both.
"""

from __future__ import annotations

from typing import Any

from engine.source_code import fill, literal

SCRIPT = '''"""One job before loading (pandas) and after (SQL in DuckDB); then the rule changes."""
import json

import duckdb
import pandas as pd


def rounded(rows):
    return sorted((*map(str, row[:-1]), round(float(row[-1]), 6)) for row in rows)


LATE, NEW, N_DAYS, RETENTION, LOADS = @values
flights = pd.read_parquet("datasets/flights.parquet")
flights["day_of_year"] = pd.to_datetime(flights[["year", "month", "day"]]).dt.dayofyear
raw = flights[flights["day_of_year"] <= N_DAYS]
airlines, planes = pd.read_parquet("datasets/airlines.parquet"), pd.read_parquet("datasets/planes.parquet")

# ETL: transformed before it is loaded
cleaned = raw.loc[raw["arr_delay"].notna(), ["day_of_year", "carrier", "dest", "dep_delay", "arr_delay"]]
marked = cleaned.assign(late=cleaned["arr_delay"] > LATE).merge(airlines, on="carrier")
groups = marked.groupby(["day_of_year", "carrier", "name"], as_index=False)
summary = groups.agg(flights=("late", "size"), late=("late", "sum"), delay=("arr_delay", "sum"))

# ELT: loaded as it is, transformed in the warehouse
by_sql = duckdb.sql(f"""
    SELECT day_of_year, carrier, name, count(*) AS flights, sum((arr_delay > {LATE})::INT) AS late, sum(arr_delay) AS delay
    FROM raw JOIN airlines USING (carrier) WHERE arr_delay IS NOT NULL GROUP BY ALL ORDER BY day_of_year, carrier""").df()
equal = summary.astype(str).replace(r"[.]0$", "", regex=True).equals(by_sql.astype(str).replace(r"[.]0$", "", regex=True))

# the rule changes: the new question, asked of the rows of the source, and of what ETL has in its warehouse
truth = duckdb.sql(@truth_sql).fetchall()
try:
    answer = duckdb.sql(@rule_sql).fetchall()
    outcome = "rebuilds" if rounded(answer) == rounded(truth) else "silently wrong"
except duckdb.Error:
    outcome = "cannot"
loaded = {"summary": summary, "cleaned rows": cleaned}[LOADS]
print(json.dumps({
    "n_summary_rows": len(summary),
    "n_late": int(summary["late"].sum()),
    "equal": equal,
    "etl_rows_moved": len(loaded),
    "elt_rows_moved": len(raw),
    "outcome": outcome,
    "rebuilt_days": N_DAYS if outcome == "rebuilds" else min(RETENTION, N_DAYS),
}))
'''


def script(params: Any) -> str:
    """Return the script."""
    from engine.etl import elt

    limits = {"late": literal(params.late_minutes), "new": literal(params.new_minutes)}
    rows = "summary" if params.loads == "summary" else "cleaned"
    sql = elt.SUMMARY_RULE_SQL.get(params.rule) if rows == "summary" else None
    return fill(
        SCRIPT,
        values=(
            params.late_minutes,
            params.new_minutes,
            params.n_days,
            params.retention_days,
            params.loads,
        ),
        truth_sql=elt.RULE_SQL[params.rule].format(rows="raw", **limits),
        rule_sql=(sql or elt.RULE_SQL[params.rule]).format(rows=rows, **limits),
    )
