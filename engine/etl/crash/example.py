"""Exactly once: the rows and the note that the day is done are committed together."""

import duckdb

db = duckdb.connect()
db.execute("CREATE TABLE flights (day DATE, flight INTEGER)")
db.execute("CREATE TABLE done (day DATE PRIMARY KEY)")


def load(day, flights, crash):
    if db.execute("FROM done WHERE day = ?", [day]).fetchone():
        return  # a rerun after the commit changes nothing
    db.begin()
    db.executemany("INSERT INTO flights VALUES (?, ?)", [(day, flight) for flight in flights])
    db.execute("INSERT INTO done VALUES (?)", [day])
    db.rollback() if crash else db.commit()  # rolled back, too, when the process ends here


for crash in (True, False, False):
    load("2013-06-01", [1545, 1714, 1141], crash)
print(db.execute("SELECT count(*) FROM flights").fetchone()[0])  # 3
