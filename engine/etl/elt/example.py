"""ELT: load the raw rows once, transform in SQL; a new rule is a new view over the same rows."""

import duckdb

db = duckdb.connect()
db.execute("CREATE TABLE raw AS FROM 'datasets/flights.parquet' WHERE month = 1")


def worst(late_minutes):  # the rule changes; the raw rows are still there
    db.execute(f"""
        CREATE OR REPLACE VIEW summary AS
        SELECT carrier, count(*) AS flights, avg((arr_delay > {int(late_minutes)})::INTEGER) AS late
        FROM raw WHERE arr_delay IS NOT NULL GROUP BY carrier""")
    query = "SELECT carrier, round(late, 2) FROM summary WHERE flights > 1000 ORDER BY late DESC"
    return db.execute(query).fetchone()


print(worst(15), worst(30))  # ('EV', 0.4) ('EV', 0.3)
