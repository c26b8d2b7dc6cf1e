"""The same table read from an API in pages, from a stream and from a Parquet file."""

import json
import tempfile
from urllib.request import urlopen

import pandas as pd

from engine.formats.sources import day
from engine.formats.sources.params import SourcesParams
from engine.formats.sources.server import serve

PARAMS = SourcesParams()


def get(path):
    with urlopen(f"{address}/{path}") as answer:
        return answer.read().decode()


rows, minute, offset = [], 60 * PARAMS.at_hour, 0
with serve() as address:
    while True:
        page = json.loads(get(f"flights?minute={minute}&offset={offset}&limit={PARAMS.page_rows}"))
        rows += page
        if len(page) < PARAMS.page_rows:
            break
        minute, offset = minute + PARAMS.gap_minutes, offset + PARAMS.page_rows
    events = pd.DataFrame(map(json.loads, get(f"changes?minute={minute}").splitlines()))
last = events.drop_duplicates("id", keep="last").set_index("id")
now = last[last["op"] != "delete"][["dep_delay", "arr_delay"]]

exported = max(0, minute - 60 * PARAMS.age_hours)
with tempfile.TemporaryDirectory() as folder:
    path = f"{folder}/flights.parquet"
    pd.DataFrame(day.state(day.until(exported)).values()).to_parquet(path)
    file = pd.read_parquet(path).set_index("id")[["dep_delay", "arr_delay"]].astype(float)
both = file.join(now, rsuffix="_now", how="inner").fillna(-9_999.0)
right = (both["dep_delay"] == both["dep_delay_now"]) & (both["arr_delay"] == both["arr_delay_now"])
numbers = {
    "n_rows": len(now),
    "n_changes": len(events),
    "n_deletes": int((events["op"] == "delete").sum()),
    "api_missing": len(set(now.index) - {row["id"] for row in rows}),
    "stale_rows": len(file) - int(right.sum()),
}
print(json.dumps(numbers))
