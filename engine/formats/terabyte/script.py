"""The files of a race, written once, and what they become at full size."""

import json
import tempfile
from pathlib import Path

from engine.formats.race import FORMATS, contestants, fidelity
from engine.formats.race.params import range_of, rows_of
from engine.formats.terabyte import TerabyteParams

PARAMS = TerabyteParams()
RACE = PARAMS.race
table, _ = rows_of(RACE)
numbers = {"n_rows": table.num_rows, "n_matching": range_of(RACE, table).rows(table).num_rows}
sizes = {}
with tempfile.TemporaryDirectory() as folder:
    for name in RACE.formats:
        path = Path(folder) / f"{name}{FORMATS[name].suffix}"
        contestants.write(table, FORMATS[name], path, RACE.zstd_level)
        sizes[name] = numbers[f"{name} bytes"] = path.stat().st_size
        changes = fidelity.compare(table, contestants.read(FORMATS[name], path))
        numbers[f"{name} columns changed"] = len({change.column for change in changes})
factor = PARAMS.raw_tb * 1e12 / sizes["CSV"]  # the full size is given as CSV
for name, size in sizes.items():
    numbers[f"{name} stored GB"] = round(size * factor / 1e9, 3)
    numbers[f"{name} USD a month"] = round(size * factor / 1e12 * PARAMS.price, 2)
print(json.dumps(numbers))
