"""Plan a backfill, rebuild the partitions, let today's daily run come in between, in DuckDB."""

import json
from datetime import date

import duckdb

from engine.etl import flight_days
from engine.etl.backfill import BackfillParams, partitions
from engine.etl.backfill.partitions import FIRST_DAY, TODAY

PARAMS = BackfillParams(dates=(date(2013, 6, 3), date(2013, 6, 30)))
db = duckdb.connect()
held, codes = partitions.initial_rows(PARAMS.seed), partitions.initial_codes(PARAMS.seed)
db.execute("CREATE TABLE arrivals AS FROM held")
truth = {day: flight_days.truth(day) for day in PARAMS.days}
key = "flight_date, carrier, flight, origin"
rebuild = f"SELECT {key}, arr_delay, arr_delay >= 15 AS late FROM "


def count(query):
    return db.execute(f"SELECT count(*) FROM ({query})").fetchall()[0][0]


def wrong():
    """Rows of the range that are missing or changed, and rows that should not be there."""
    total = 0
    for day, rows in truth.items():
        db.register("rows", rows)
        same = f"(SELECT * FROM arrivals WHERE flight_date = '{flight_days.date_of(day)}')"
        total += count(f"{rebuild} rows EXCEPT FROM {same}")
        total += count(f"SELECT {key} FROM {same} EXCEPT SELECT {key} FROM rows")
    return total


def write(day, rows):
    db.register("rows", rows)
    db.execute("DELETE FROM arrivals WHERE flight_date = ?", [flight_days.date_of(day)]).fetchall()
    db.execute(f"INSERT INTO arrivals {rebuild} rows").fetchall()
    codes[day - FIRST_DAY] = "v2"


old = {"missing": [""], "missing or old code": ["", "v1"], "all": ["", "v1", "v2"]}[PARAMS.mode]
todo = [day for day in PARAMS.days if codes[day - FIRST_DAY] in old]
before, winner = wrong(), "nobody"
if not PARAMS.dry_run:
    for day in todo:
        if day != TODAY:
            write(day, truth[day])
    if PARAMS.daily_run:
        write(TODAY, flight_days.truth(TODAY))
        winner = "daily run"
    if TODAY in todo and (PARAMS.guard == "last writer wins" or not PARAMS.daily_run):
        # read before the daily run, written after it
        write(TODAY, flight_days.rows_at(flight_days.midnight(TODAY + 1), TODAY))
        winner = "backfill"
numbers = {
    "n_will_run": len(todo),
    "n_skipped": len(PARAMS.days) - len(todo),
    "rows_to_move": sum(truth[day].num_rows for day in todo),
    "n_wrong_before": before,
    "n_wrong_after": wrong(),
    "n_on_v2": sum(codes[day - FIRST_DAY] == "v2" for day in PARAMS.days),
    "winner": winner,
}
print(json.dumps(numbers))
