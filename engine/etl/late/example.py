"""A daily run that rebuilds the last days whole, so that rows which arrive late are counted."""

import duckdb

LOOKBACK_DAYS = 2
db = duckdb.connect()
db.execute("CREATE TABLE landed (id INTEGER, happened DATE, arrived DATE)")
rows = [(1, "2013-06-01", "2013-06-01"), (2, "2013-06-01", "2013-06-03")]
rows += [(3, "2013-06-01", "2013-06-09")]  # later than the lookback: missed, left to a backfill
db.executemany("INSERT INTO landed VALUES (?, ?, ?)", rows)
db.execute("CREATE TABLE daily AS FROM landed LIMIT 0")
for today in ("2013-06-01", "2013-06-02", "2013-06-03", "2013-06-04"):
    window = f"happened BETWEEN DATE '{today}' - {LOOKBACK_DAYS} AND DATE '{today}'"
    db.begin()  # readers see the old days or the new ones, never half
    db.execute(f"DELETE FROM daily WHERE {window}")
    db.execute(f"INSERT INTO daily FROM landed WHERE {window} AND arrived <= '{today}'")
    db.commit()
print(db.execute("SELECT list(id ORDER BY id) FROM daily").fetchone()[0])  # [1, 2]
