"""A run that crashes and is run again, in five ways with two safeguards, in DuckDB.

A crash is a return: what was not committed by then is undone.
"""

import json

import duckdb

from engine.etl import flight_days, warehouse
from engine.etl.crash import CELLS, CrashParams, api

PARAMS = CrashParams()
source, rows = flight_days.truth(PARAMS.day), api.day_rows(PARAMS.day)
before = PARAMS.rows_before()
key = ", ".join(flight_days.KEYS)
db = duckdb.connect()
staged = db.sql(f"SELECT *, ntile(4) OVER (ORDER BY {key}) AS part FROM rows").to_arrow_table()
quarters = [f"SELECT * EXCLUDE (part) FROM staged WHERE part = {i}" for i in (1, 2, 3, 4)]
parts = {  # what is loaded at a time: quarters of the stage, or pages as they come
    True: [db.sql(quarter).to_arrow_table() for quarter in quarters],
    False: [rows.slice(start, api.PAGE_ROWS) for start in range(0, rows.num_rows, api.PAGE_ROWS)],
}
early = ("extract", "stage", "validate", "transform")


def attempt(cell, crash_at, done):
    """Load the day unless it is noted as done; a crash undoes an open transaction alone."""
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
                # the delete of an overwrite comes once, before the first part
                once = turn == 0 and cell.strategy.startswith("overwrite")
                if once and number > 0:
                    continue
                db.register("stage", whole if once else page)
                db.execute(statement).fetchall()
        if crashed or (crash_at == "in load" and number == last):
            break
    else:
        if crash_at != "load":
            done.add(cell.table)
            if cell.transaction:
                db.commit()
            return
    if cell.transaction:
        db.rollback()


def state(table):
    visible = f"SELECT {', '.join(source.column_names)} FROM {table} WHERE NOT deleted"
    correct = db.execute(f"SELECT count(*) FROM (FROM source INTERSECT {visible})").fetchall()
    n_rows = db.execute(f"SELECT count(*) FROM ({visible})").fetchall()
    return f"{correct[0][0]} of {n_rows[0][0]}"


numbers = {"n_source": source.num_rows}
done: set[str] = set()
for cell in CELLS:
    db.execute(f"CREATE TABLE {cell.table} AS SELECT *, false AS deleted FROM before").fetchall()
    for _ in range(PARAMS.n_crashes):
        attempt(cell, PARAMS.crash_at, done)
    seen = state(cell.table)
    attempt(cell, None, done)
    numbers[f"{cell.strategy}, {cell.safeguard}"] = f"{seen}, {state(cell.table)}"
print(json.dumps(numbers))
