"""Four ways to follow a table, change by change, in SQLite."""

import json
import sqlite3
from typing import Any

from engine.etl.change_capture import ChangeCaptureParams
from engine.etl.change_capture import changes as change_stream

PARAMS = ChangeCaptureParams()
day = (PARAMS.day, PARAMS.n_flights, PARAMS.n_revisions, PARAMS.seed)
changes = change_stream.stream(*day).table.to_pylist()
log = change_stream.deliver(*day, PARAMS.reorder_minutes, PARAMS.duplicate_share).to_pylist()
db = sqlite3.connect(":memory:")
TABLES = ["source", "full reload", "cursor", "change log", "micro-batch"]
COLUMNS = "flight PRIMARY KEY, lsn, dep_delay, arr_delay, updated_at, deleted"
for name in TABLES:
    db.execute(f'CREATE TABLE "{name}" ({COLUMNS})')


def ask(sql, values=()):
    return db.execute(sql, values).fetchone()[0]


def upsert(table, change, guard=""):
    values = {**change, "deleted": change["op"] == "delete"}
    db.execute(
        f"""INSERT INTO "{table}"
        VALUES (:flight, :lsn, :dep_delay, :arr_delay, :changed_at, :deleted)
        ON CONFLICT (flight) DO UPDATE SET lsn = excluded.lsn, dep_delay = excluded.dep_delay,
        arr_delay = excluded.arr_delay, updated_at = excluded.updated_at,
        deleted = excluded.deleted {guard}""",
        values,
    )


def apply(table, change):  # one change of a log
    if PARAMS.apply == "by log position":
        upsert(table, change, f'WHERE excluded.lsn > "{table}".lsn')
    elif change["op"] == "delete":
        db.execute(f'DELETE FROM "{table}" WHERE flight = ?', [change["flight"]])
    else:
        upsert(table, change)


moved, now, cursor, waiting = dict.fromkeys(TABLES[1:], 0), 0, -1.0, list(changes)
while waiting:
    now += PARAMS.poll_minutes
    while waiting and waiting[0]["changed_at"] <= now:
        change = waiting.pop(0)
        if change["op"] == "delete":
            db.execute("DELETE FROM source WHERE flight = ?", [change["flight"]])
        else:
            upsert("source", change)
    db.execute('DELETE FROM "full reload"')
    moved["full reload"] += db.execute('INSERT INTO "full reload" SELECT * FROM source').rowcount
    newer = "INSERT OR REPLACE INTO cursor SELECT * FROM source WHERE updated_at > ?"
    moved["cursor"] += db.execute(newer, [cursor]).rowcount
    cursor = ask("SELECT max(coalesce(max(updated_at), ?), ?) FROM source", [cursor, cursor])

for change in log:
    apply("change log", change)
moved["change log"] = moved["micro-batch"] = len(log)
batches: dict[int, dict[str, Any]] = {}
for change in log:
    number = -(-change["arrived_at"] // PARAMS.batch_minutes)
    last = batches.setdefault(number, {})
    seen = last.get(change["flight"])
    if seen is None or PARAMS.apply == "as they arrive" or change["lsn"] > seen["lsn"]:
        last[change["flight"]] = change
for number in sorted(batches):
    for change in batches[number].values():
        apply("micro-batch", change)

numbers = {"n_changes": len(changes)}
for name in TABLES[1:]:
    alive = f'(SELECT * FROM "{name}" WHERE NOT deleted)'
    stale = f"SELECT count(*) FROM source s JOIN {alive} t USING (flight) WHERE s.lsn <> t.lsn"
    undeleted = f"SELECT count(*) FROM {alive} WHERE flight NOT IN (SELECT flight FROM source)"
    numbers[f"{name}: rows moved"] = moved[name]
    numbers[f"{name}: stale"] = ask(stale)
    numbers[f"{name}: not deleted"] = ask(undeleted)
print(json.dumps(numbers))
