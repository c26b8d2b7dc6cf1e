"""A daily run with a watermark and a lookback, and a cursor on updated-at, in DuckDB."""

import json

import duckdb
import numpy as np
import pyarrow as pa

from engine.etl.late import LateParams, stream
from engine.etl.late import cursor as late_cursor

PARAMS = LateParams()
rows = stream(PARAMS)  # real flights, simulated arrival
con = duckdb.connect()
landed = pa.table({"id": np.arange(len(rows.day)), "day": rows.day, "arrival": rows.arrival_hour})


def ask(sql, values=()):
    return con.execute(sql, values).fetchall()[0]


con.execute("CREATE TABLE landed AS SELECT * FROM landed")
con.execute("CREATE TABLE daily (id BIGINT, day BIGINT, written_by BIGINT)")
rebuilt = "SELECT id, day, ? FROM landed WHERE day BETWEEN ? AND ? AND arrival <= ?"
n_rewritten, n_first = 0, 0
# The runs go on until the lookback of the last day is over.
for today in range(PARAMS.n_days + PARAMS.lookback_days):
    now = (today + 1) * 24 + PARAMS.watermark_hours
    window = [max(0, today - PARAMS.lookback_days), min(today, PARAMS.n_days - 1)]
    con.execute("BEGIN")
    con.execute("DELETE FROM daily WHERE day BETWEEN ? AND ?", window)
    con.execute(f"INSERT INTO daily {rebuilt}", [today, *window, now])
    con.execute("COMMIT")
    n_rewritten += ask("SELECT count(*) FROM daily WHERE written_by = ?", [today])[0]
    n_first += ask("SELECT count(*) FROM daily WHERE day = ?", [today])[0]
n_counted = ask("SELECT count(*) FROM daily")[0]

# A cursor on updated-at, while slow transactions are open on connections of their own.
transactions = PARAMS.slow_share, PARAMS.slow_minutes, PARAMS.seed
commits = late_cursor.commits(PARAMS.first_day, PARAMS.poll_minutes, *transactions)
con.execute("CREATE TABLE changes (id INTEGER, updated_at DOUBLE)")
con.execute("CREATE TABLE taken (id INTEGER)")
begins = [(at, 0, i) for i, at in enumerate(commits.updated_at)]
ends = [(at, 1, i) for i, at in enumerate(commits.committed_at)]
polls = [(at, 2, i) for i, at in enumerate(commits.polls)]
newer = "FROM changes WHERE updated_at > ?"
open_transactions, cursor = {}, -1e9
for at, kind, i in sorted(begins + ends + polls):
    if kind == 0:
        open_transactions[i] = con.cursor()
        open_transactions[i].execute("BEGIN")
        open_transactions[i].execute("INSERT INTO changes VALUES (?, ?)", [i, float(at)])
    elif kind == 1:
        open_transactions.pop(i).execute("COMMIT")
    else:
        con.execute(f"INSERT INTO taken SELECT id {newer}", [cursor - PARAMS.lag_minutes])
        newest = ask(f"SELECT max(updated_at) {newer}", [cursor])[0]
        cursor = cursor if newest is None else newest
n_taken, n_distinct = ask("SELECT count(*), count(DISTINCT id) FROM taken")
numbers = {
    "n_rows": len(rows.day),
    "n_first": n_first,
    "n_corrected": n_counted - n_first,
    "n_missed": len(rows.day) - n_counted,
    "n_rewritten": n_rewritten,
    "n_cursor_missed": len(commits.updated_at) - n_distinct,
    "n_cursor_reread": n_taken - n_distinct,
}
print(json.dumps(numbers))
