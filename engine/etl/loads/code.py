"""The script that reproduces *loads*: DuckDB alone, but for the files that arrive."""

from __future__ import annotations

from typing import Any

from engine.source_code import fill

SCRIPT = '''"""The same files loaded in five ways, twice: DuckDB alone, but for the files that arrive and their source."""
import json

import duckdb

from engine.etl import flight_days
from engine.etl.loads import LoadsParams

PARAMS = @params
source = flight_days.truth(PARAMS.first_day, PARAMS.n_days)
files = [batch.rows for batch in PARAMS.batches()]
columns = ", ".join(source.column_names)
key = "t.flight_date = s.flight_date AND t.carrier = s.carrier AND t.flight = s.flight AND t.origin = s.origin"
update = ", ".join(f"{name} = s.{name}" for name in source.column_names if f"t.{name} =" not in key)
newer = "AND s.updated_at >= t.updated_at" if PARAMS.keep_newer else ""
kept = PARAMS.deletes == "tombstones kept"  # deleted rows stay, unseen, so that no older version brings them back
insert = "INSERT INTO flights FROM stage" + ("" if kept else " WHERE NOT deleted")
strategies = {
    "append": [insert],
    "upsert": [f"""MERGE INTO flights t USING stage s ON {key}
        WHEN MATCHED AND s.deleted AND {not kept} {newer} THEN DELETE
        WHEN MATCHED {newer} THEN UPDATE SET {update}, deleted = s.deleted
        WHEN NOT MATCHED AND (NOT s.deleted OR {kept}) THEN INSERT"""],
    "overwrite": ["DELETE FROM flights", insert],
    "overwrite_partition": ["DELETE FROM flights WHERE flight_date IN (SELECT flight_date FROM stage)", insert],
    "delete_insert": [f"DELETE FROM flights t USING stage s WHERE {key}", insert],
}
numbers = {"n_source": source.num_rows, "n_delivered": sum(stage.num_rows for stage in files)}
for name, statements in strategies.items():
    db = duckdb.connect()
    db.execute("CREATE TABLE flights AS SELECT *, false AS deleted FROM source LIMIT 0")
    states = []
    for _ in range(2):
        for stage in files:
            db.begin()
            for statement in statements:
                db.execute(statement)
            db.commit()
        visible = f"SELECT {columns} FROM flights WHERE NOT deleted"
        states.append(sorted(map(str, db.execute(visible).fetchall())))
        if len(states) == 1:
            db.execute(f"SELECT count(*) FROM (FROM source INTERSECT {visible})")
            numbers[f"{name}_correct"] = db.fetchone()[0]
            numbers[f"{name}_rows"] = len(states[0])
    numbers[f"{name}_idempotent"] = states[0] == states[1]
print(json.dumps(numbers))
'''


def script(params: Any) -> str:
    """Return the script: DuckDB alone, but for the files that arrive."""
    return fill(SCRIPT, params=params)
