"""The fixed queries: the server's own text, chosen by name, valid in Spark and in DuckDB.

Each is ordered down to the last column, so that rows can be compared one by one.
"""

from __future__ import annotations

MAX_ROWS = 1_000
ROWS = (10, 20, 100, MAX_ROWS)
QUERIES = {
    "Busiest routes": (
        "SELECT origin, dest, count(*) AS flights, round(avg(arr_delay), 1) AS arr_delay\nFROM"
        " flights\nGROUP BY origin, dest\nORDER BY flights DESC, origin, dest"
    ),
    "Join: delay by airline": (
        "SELECT name, count(*) AS flights, round(avg(dep_delay), 1) AS dep_delay\n"
        "FROM flights JOIN airlines USING (carrier)\nGROUP BY name\nORDER BY dep_delay DESC, name"
    ),
    "Window: worst hour of each airport": (
        "SELECT origin, hour, late\nFROM (SELECT *, rank() OVER (PARTITION BY origin "
        "ORDER BY late DESC) AS place\n      FROM (SELECT origin, hour, avg(dep_delay) AS late\n"
        "            FROM flights GROUP BY origin, hour))\nWHERE place = 1\nORDER BY origin, hour"
    ),
    "CTE: wind and delay": (
        "WITH windy AS (SELECT origin, time_hour FROM weather WHERE wind_speed BETWEEN 25 AND"
        " 100)\nSELECT origin, count(*) AS flights, round(avg(dep_delay), 1) AS dep_delay\nFROM"
        " flights JOIN windy USING (origin, time_hour)\nGROUP BY origin\nORDER BY origin"
    ),
}
NAMES = tuple(QUERIES)
# In the order in which they run; True: rows with equal keys must come together.
Clauses = tuple[tuple[str, bool], ...]
CLAUSES: dict[str, Clauses] = {
    "Busiest routes": (
        ("FROM flights", False),
        ("GROUP BY origin, dest", True),
        ("ORDER BY flights", True),
    ),
    "Join: delay by airline": (
        ("FROM flights", False),
        ("JOIN airlines", True),
        ("GROUP BY name", True),
        ("ORDER BY dep_delay", True),
    ),
    "Window: worst hour of each airport": (
        ("FROM flights", False),
        ("GROUP BY origin, hour", True),
        ("PARTITION BY origin", True),
        ("WHERE place = 1", False),
        ("ORDER BY origin", True),
    ),
    "CTE: wind and delay": (
        ("FROM flights", False),
        ("JOIN windy", True),
        ("GROUP BY origin", True),
        ("ORDER BY origin", True),
    ),
}
