"""The same files loaded in five ways, twice: DuckDB, but for the files that arrive."""

import json

import duckdb

from engine.etl import flight_days
from engine.etl.loads import LoadsParams

PARAMS = LoadsParams()
source = flight_days.truth(PARAMS.first_day, PARAMS.n_days)
files = [batch.rows for batch in PARAMS.batches()]
columns = ", ".join(source.column_names)
key = " AND ".join(f"t.{name} = s.{name}" for name in flight_days.KEYS)
update = ", ".join(f"{name} = s.{name}" for name in source.column_names if f"t.{name} =" not in key)
newer = "AND s.updated_at >= t.updated_at" if PARAMS.keep_newer else ""
# Kept, deleted rows stay, unseen, so that no older version brings them back.
kept = PARAMS.deletes == "tombstones kept"
insert = "INSERT INTO flights FROM stage" + ("" if kept else " WHERE NOT deleted")
upsert = f"""MERGE INTO flights t USING stage s ON {key}
    WHEN MATCHED AND s.deleted AND {not kept} {newer} THEN DELETE
    WHEN MATCHED {newer} THEN UPDATE SET {update}, deleted = s.deleted
    WHEN NOT MATCHED AND (NOT s.deleted OR {kept}) THEN INSERT"""
days = "SELECT flight_date FROM stage"
strategies = {
    "append": [insert],
    "upsert": [upsert],
    "overwrite": ["DELETE FROM flights", insert],
    "overwrite_partition": [f"DELETE FROM flights WHERE flight_date IN ({days})", insert],
    "delete_insert": [f"DELETE FROM flights t USING stage s WHERE {key}", insert],
}
visible = f"SELECT {columns} FROM flights WHERE NOT deleted"
numbers = {"n_source": source.num_rows, "n_delivered": sum(stage.num_rows for stage in files)}
for name, statements in strategies.items():
    db = duckdb.connect()
    db.execute("CREATE TABLE flights AS SELECT *, false AS deleted FROM source LIMIT 0").fetchall()
    states = []
    for _ in range(2):
        for stage in files:
            db.register("stage", stage)
            db.begin()
            for statement in statements:
                db.execute(statement).fetchall()
            db.commit()
        states.append(sorted(map(str, db.execute(visible).fetchall())))
        if len(states) == 1:
            same = db.execute(f"SELECT count(*) FROM (FROM source INTERSECT {visible})").fetchall()
            numbers[f"{name}_correct"] = same[0][0]
            numbers[f"{name}_rows"] = len(states[0])
    numbers[f"{name}_idempotent"] = states[0] == states[1]
print(json.dumps(numbers))
