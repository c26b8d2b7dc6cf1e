"""Count the pairs that each join looks at, and join once with DuckDB."""

import json

import duckdb

from engine.feature_store.growth import GrowthParams

PARAMS = GrowthParams()
rows, seconds = PARAMS.rows(1.0), round(PARAMS.time_to_live.total_seconds())
labels, features = rows.labels, rows.features
same = "l.plane_group = f.plane_group"
past = "f.event_timestamp <= l.event_timestamp"
window = (
    f"f.event_timestamp >= l.event_timestamp - INTERVAL {seconds} SECOND" if seconds else "true"
)
counts = """
    SELECT sum(l.n * f.n)::BIGINT FROM (SELECT plane_group, count(*) n FROM labels GROUP BY 1) l
    JOIN (SELECT plane_group, count(*) n FROM features GROUP BY 1) f USING (plane_group)
"""
inside = f"SELECT count(*) FROM labels l JOIN features f ON {same} AND {past} AND {window}"
joined = f"""
    SELECT count(value), round(sum(value), 2) FROM (
        SELECT CASE WHEN {window} THEN f.mean_delay END AS value
        FROM labels l ASOF LEFT JOIN features f ON {same} AND l.event_timestamp >= f.event_timestamp
    )
"""
n_with_value, value_sum = duckdb.execute(joined).fetchall()[0]
numbers = {
    "n_labels": labels.num_rows,
    "n_rows": features.num_rows,
    "n_pairs": duckdb.execute(counts).fetchall()[0][0] or 0,
    "n_window_pairs": duckdb.execute(inside).fetchall()[0][0],
    "n_with_value": n_with_value,
    "value_sum": value_sum or 0.0,
}
print(json.dumps(numbers))
