"""The script that reproduces *crash*: DuckDB in this process; a crash is a return, and what was not
committed is undone.
"""

from __future__ import annotations

from typing import Any

from engine.source_code import fill

SCRIPT = '''"""A run that crashes and is run again, in five ways with two safeguards: DuckDB, but for the rows and the SQL."""
import json

import duckdb

from engine.etl.crash import api
from engine.etl import flight_days, warehouse
from engine.etl.crash import CELLS, CrashParams

PARAMS = @params
source, rows, before = flight_days.truth(PARAMS.day), api.day_rows(PARAMS.day), PARAMS.rows_before()
key = ", ".join(flight_days.KEYS)
db = duckdb.connect()
staged = db.sql(f"SELECT *, ntile(4) OVER (ORDER BY {key}) AS part FROM rows").to_arrow_table()
parts = {  # what is loaded at a time: quarters of the stage, or pages as they come
    True: [db.sql(f"SELECT * EXCLUDE (part) FROM staged WHERE part = {i}").to_arrow_table() for i in (1, 2, 3, 4)],
    False: [rows.slice(start, api.PAGE_ROWS) for start in range(0, rows.num_rows, api.PAGE_ROWS)],
}
early = ("extract", "stage", "validate", "transform")


def attempt(cell, crash_at, done):
    """Load the day unless it is noted as done; a crash undoes an open transaction and nothing else."""
    if cell.table in done or (cell.staging and crash_at in early):
        return
    pages = parts[cell.staging]
    last = len(pages) // 2 - 1 if cell.staging else (len(pages) - 1) // 2
    statements = warehouse.statements(cell.strategy, table=cell.table)
    if cell.transaction:
        db.begin()
    for number, page in enumerate(pages):
        crashed = number == last and crash_at in early
        if not crashed:
            whole = rows if cell.staging else page
            for turn, statement in enumerate(statements):
                once = turn == 0 and cell.strategy.startswith("overwrite")  # the delete, before the first part
                if once and number > 0:
                    continue
                db.register("stage", whole if once else page)
                db.execute(statement).fetchall()
        if crashed or (crash_at == "in load" and number == last):
            return db.rollback() if cell.transaction else None
    if crash_at == "load":
        return db.rollback() if cell.transaction else None
    done.add(cell.table)
    return db.commit() if cell.transaction else None


def state(table):
    visible = f"SELECT {', '.join(source.column_names)} FROM {table} WHERE NOT deleted"
    correct = db.execute(f"SELECT count(*) FROM (FROM source INTERSECT {visible})").fetchall()[0][0]
    return f"{correct} of {db.execute(f'SELECT count(*) FROM ({visible})').fetchall()[0][0]}"


numbers, done = {"n_source": source.num_rows}, set()
for cell in CELLS:
    db.execute(f"CREATE TABLE {cell.table} AS SELECT *, false AS deleted FROM before").fetchall()
    for _ in range(PARAMS.n_crashes):
        attempt(cell, PARAMS.crash_at, done)
    seen = state(cell.table)
    attempt(cell, None, done)
    numbers[f"{cell.strategy}, {cell.safeguard}"] = f"{seen}, {state(cell.table)}"
print(json.dumps(numbers))
'''


def script(params: Any) -> str:
    """Return the script: DuckDB alone, but for the rows and the statements of each strategy."""
    return fill(SCRIPT, params=params)
