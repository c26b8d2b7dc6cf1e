"""The script that reproduces *backfill*: DuckDB alone, one partition after another, but for the
rows of each day.
"""

from __future__ import annotations

from typing import Any

from engine.source_code import Code, constructor, fill, literal

SCRIPT = '''"""Plan a backfill, rebuild the partitions, let today's daily run come in between: DuckDB, but for the rows."""
import datetime
import json

import duckdb

from engine.etl import flight_days
from engine.etl.backfill import BackfillParams, partitions
from engine.etl.backfill.partitions import FIRST_DAY, TODAY

PARAMS = @params
db = duckdb.connect()
held, codes = partitions.initial_rows(PARAMS.seed), partitions.initial_codes(PARAMS.seed)
db.execute("CREATE TABLE arrivals AS FROM held")
truth = {day: flight_days.truth(day) for day in PARAMS.days}
key = "flight_date, carrier, flight, origin"
rebuild = f"SELECT {key}, arr_delay, arr_delay >= 15 AS late FROM "


def wrong():
    """Rows of the range that are missing or changed, and rows that should not be there."""
    total = 0
    for day, rows in truth.items():
        date = flight_days.date_of(day)
        same = f"(SELECT * FROM arrivals WHERE flight_date = '{date}')"
        lost = db.execute(f"SELECT count(*) FROM ({rebuild} rows EXCEPT FROM {same})").fetchall()[0][0]
        ghosts = db.execute(f"SELECT count(*) FROM (SELECT {key} FROM {same} EXCEPT SELECT {key} FROM rows)").fetchall()[0][0]
        total += lost + ghosts
    return total


def write(day, rows):
    db.execute("DELETE FROM arrivals WHERE flight_date = ?", [flight_days.date_of(day)])
    db.execute(f"INSERT INTO arrivals {rebuild} rows")
    codes[day - FIRST_DAY] = "v2"


old = {"missing": [""], "missing or old code": ["", "v1"], "all": ["", "v1", "v2"]}[PARAMS.mode]
todo = [day for day in PARAMS.days if codes[day - FIRST_DAY] in old]
counts = {day: flight_days.truth(day).num_rows for day in todo}
before, winner = wrong(), "nobody"
if not PARAMS.dry_run:
    for day in todo:
        if day != TODAY:
            write(day, flight_days.truth(day))
    if PARAMS.daily_run:
        write(TODAY, flight_days.truth(TODAY))
        winner = "daily run"
    if TODAY in todo and (PARAMS.guard == "last writer wins" or not PARAMS.daily_run):
        write(TODAY, flight_days.rows_at(flight_days.midnight(TODAY + 1), TODAY))  # read before, written last
        winner = "backfill"
numbers = {"n_will_run": len(todo), "n_skipped": len(PARAMS.days) - len(todo), "rows_to_move": sum(counts.values())}
numbers |= {"n_wrong_before": before, "n_wrong_after": wrong()}
numbers |= {"n_on_v2": sum(codes[day - FIRST_DAY] == "v2" for day in PARAMS.days), "winner": winner}
print(json.dumps(numbers))
'''


def script(params: Any) -> str:
    """Return the script: DuckDB alone, but for the rows of each day."""
    dates = ", ".join(
        f"datetime.date.fromisoformat({literal(day.isoformat())})" for day in params.dates
    )
    return fill(SCRIPT, params=constructor(params, dates=Code(f"({dates})")))
