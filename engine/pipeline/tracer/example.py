"""From a prediction back to its bytes: every row keeps its file and line from the first read on."""

import tempfile
from pathlib import Path

import duckdb

folder = Path(tempfile.mkdtemp())
(folder / "06-01.csv").write_text("flight,delay\n1545,11\n1714,20\n")
(folder / "06-02.csv").write_text("flight,delay\n1141,33\n")
db = duckdb.connect()
rows = db.execute(
    """
    SELECT parse_filename(filename) AS file, 1 + row_number() OVER (PARTITION BY filename) AS line,
        flight, delay, delay / 60 AS p_late  -- in place of a model
    FROM read_csv($1, filename = true)""",
    [f"{folder}/*.csv"],
).fetchall()
file, line, flight, *_ = max(rows, key=lambda row: row[-1])
raw = (folder / file).read_text().splitlines()[line - 1]
print(file, line, raw)  # 06-02.csv 2 1141,33
