"""One served flight: its line in the raw file, its prediction, the features that differ."""

import json

import duckdb
import numpy as np

from engine.pipeline import choice, store
from engine.pipeline.stages.training_set import NAMES
from engine.pipeline.tracer import TracerParams

PARAMS = TracerParams()
run = choice.find(PARAMS.run)
folder = {record.stage: store.place(record.stage, record.key) for record in run.stages}
query = f"""SELECT s.*, {", ".join(f"t.{name}" for name in NAMES)}
    FROM '{folder["serve"]}/predictions.parquet' s
    JOIN '{folder["training_set"]}/rows.parquet' t USING (file, line)
    ORDER BY p_late DESC, line"""
flight = duckdb.connect().execute(query).df().iloc[PARAMS.flight - 1]
lines = (folder["ingest"] / "raw" / "flights" / flight["file"]).read_bytes().splitlines(True)
differ = [
    not np.isclose(flight[f"served_{name}"], flight[name], rtol=0, atol=1e-9, equal_nan=True)
    for name in NAMES
]
numbers = {
    "flight": f"{flight['carrier']} {flight['flight']} {flight['origin']} → {flight['dest']}",
    "byte": sum(map(len, lines[: flight["line"] - 1])),
    "p_late": round(float(flight["p_late"]), 6),
    "differ": sum(differ),
}
print(json.dumps(numbers))
