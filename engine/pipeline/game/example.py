"""Where did the rows go? Count them at each hop, and look at the first hop with a gap."""

import duckdb

db = duckdb.connect()
db.execute("CREATE VIEW source AS FROM 'datasets/flights.parquet' WHERE month = 6 AND day = 1")
db.execute("CREATE VIEW loaded AS FROM source WHERE dep_time IS NOT NULL")
db.execute("""CREATE VIEW joined AS FROM loaded
    JOIN (SELECT tailnum, year AS built FROM 'datasets/planes.parquet') USING (tailnum)""")
hops = ["source", "loaded", "joined"]
counts = [db.execute(f"SELECT count(*) FROM {hop}").fetchone()[0] for hop in hops]
print(counts)  # [754, 753, 644]
lost = db.execute("SELECT tailnum FROM loaded EXCEPT SELECT tailnum FROM joined").fetchall()
print(len(lost))  # 83
