"""An upsert that is safe to run again: one MERGE, by key, and the newer row wins."""

import duckdb

db = duckdb.connect()
db.execute("CREATE TABLE flights (flight INTEGER, delay INTEGER, updated_at TIMESTAMP)")
db.execute("INSERT INTO flights VALUES (1, 5, '2013-06-01 08:00'), (2, 0, '2013-06-01 09:00')")
upsert = """
    MERGE INTO flights AS t USING (VALUES
        (2, 40, TIMESTAMP '2013-06-01 10:00'), (3, 7, TIMESTAMP '2013-06-01 10:00')
    ) AS s (flight, delay, updated_at) ON t.flight = s.flight
    WHEN MATCHED AND s.updated_at >= t.updated_at THEN UPDATE
    WHEN NOT MATCHED THEN INSERT"""
for _ in range(2):  # delivered twice: the same table
    db.execute(upsert)
rows = db.execute("SELECT flight, delay FROM flights ORDER BY flight").fetchall()
print(rows)  # [(1, 5), (2, 40), (3, 7)]
