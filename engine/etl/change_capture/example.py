"""Apply a change log by log position: late copies change nothing, deletes leave a tombstone."""

import sqlite3

log = [  # key, log position, delay, deleted: delivered twice and out of order
    *[("UA 1545", 1, 2, False), ("AA 1141", 4, None, True), ("AA 1141", 3, 33, False)],
    *[("UA 1545", 2, 11, False), ("UA 1545", 1, 2, False)],
]
upsert = """
    INSERT INTO flights VALUES (?, ?, ?, ?) ON CONFLICT (flight) DO UPDATE
    SET lsn = excluded.lsn, delay = excluded.delay, deleted = excluded.deleted
    WHERE excluded.lsn > flights.lsn"""
db = sqlite3.connect(":memory:")
db.execute("CREATE TABLE flights (flight PRIMARY KEY, lsn, delay, deleted)")
db.executemany(upsert, log)
alive = db.execute("SELECT flight, delay FROM flights WHERE NOT deleted")
print(alive.fetchall())  # [('UA 1545', 11)]
