"""The script that reproduces *late*: the daily run and the cursor in DuckDB, row by row, for real."""

from __future__ import annotations

from typing import Any

from engine.source_code import fill

SCRIPT = '''"""A daily run with a watermark and a look-back, and a cursor on updated-at, in DuckDB."""
import json

import duckdb
import numpy as np
import pyarrow as pa

from engine.etl import late
from engine.etl.late import cursor as late_cursor

PARAMS = late.@params
rows = late.stream(PARAMS)  # real flights, simulated arrival
con = duckdb.connect()
landed = pa.table({"id": np.arange(len(rows.day)), "day": rows.day, "arrival": rows.arrival_hour})
con.execute("CREATE TABLE landed AS SELECT * FROM landed")
con.execute("CREATE TABLE daily (id BIGINT, day BIGINT, written_by BIGINT)")
n_rewritten, n_first = 0, 0
for today in range(PARAMS.n_days + PARAMS.lookback_days):  # the runs go on until the last day's look-back is over
    now = (today + 1) * 24 + PARAMS.watermark_hours
    window = [max(0, today - PARAMS.lookback_days), min(today, PARAMS.n_days - 1)]
    con.execute("BEGIN")
    con.execute("DELETE FROM daily WHERE day BETWEEN ? AND ?", window)
    rebuilt = "SELECT id, day, ? FROM landed WHERE day BETWEEN ? AND ? AND arrival <= ?"
    con.execute(f"INSERT INTO daily {rebuilt}", [today, *window, now])
    con.execute("COMMIT")
    n_rewritten += con.execute("SELECT count(*) FROM daily WHERE written_by = ?", [today]).fetchone()[0]
    n_first += con.execute("SELECT count(*) FROM daily WHERE day = ?", [today]).fetchone()[0]
n_counted = con.execute("SELECT count(*) FROM daily").fetchone()[0]

# A cursor on updated-at, while slow transactions are open on connections of their own.
commits = late_cursor.commits(PARAMS.first_day, PARAMS.poll_minutes, PARAMS.slow_share, PARAMS.slow_minutes, PARAMS.seed)
con.execute("CREATE TABLE changes (id INTEGER, updated_at DOUBLE)")
con.execute("CREATE TABLE taken (id INTEGER)")
begins = [(at, 0, i) for i, at in enumerate(commits.updated_at)]
ends = [(at, 1, i) for i, at in enumerate(commits.committed_at)]
polls = [(at, 2, i) for i, at in enumerate(commits.polls)]
open_transactions, cursor = {}, -1e9
for at, kind, i in sorted(begins + ends + polls):
    if kind == 0:
        open_transactions[i] = con.cursor()
        open_transactions[i].execute("BEGIN")
        open_transactions[i].execute("INSERT INTO changes VALUES (?, ?)", [i, float(at)])
    elif kind == 1:
        open_transactions.pop(i).execute("COMMIT")
    else:
        con.execute("INSERT INTO taken SELECT id FROM changes WHERE updated_at > ?", [cursor - PARAMS.lag_minutes])
        newest = con.execute("SELECT max(updated_at) FROM changes WHERE updated_at > ?", [cursor]).fetchone()[0]
        cursor = cursor if newest is None else newest
n_taken, n_distinct = con.execute("SELECT count(*), count(DISTINCT id) FROM taken").fetchone()
print(json.dumps({
    "n_rows": len(rows.day),
    "n_first": n_first,
    "n_mended": n_counted - n_first,
    "n_missed": len(rows.day) - n_counted,
    "n_rewritten": n_rewritten,
    "n_cursor_missed": len(commits.updated_at) - n_distinct,
    "n_cursor_reread": n_taken - n_distinct,
}))
'''


def script(params: Any) -> str:
    """Return the script."""
    return fill(SCRIPT, params=params)
