"""Clean a batch of flights and join planes and weather to it, with pandas; count what is left."""

import json

import pandas as pd

from engine.etl.enrich import sources
from engine.etl.enrich.params import EnrichParams

PARAMS = EnrichParams()
asked = sources.flights(PARAMS.first_day, PARAMS.n_days)
rows, _ = sources.with_faults(asked, PARAMS.fault_share, PARAMS.seed)
for key in ("carrier", "origin", "tailnum"):
    rows[key] = rows[key].str.strip().str.upper()
departs = pd.to_datetime(rows["departs"], format="mixed", dayfirst=True)
iso = rows["departs"].str.contains("-")
departs[iso] = pd.to_datetime(rows.loc[iso, "departs"], format="ISO8601")
zone = "America/New_York" if PARAMS.clock == "New York time" else "UTC"
nat = {"ambiguous": "NaT", "nonexistent": "NaT"}
hour = departs.dt.tz_localize(zone, **nat).dt.tz_convert("UTC").dt.floor("h")
right = departs.dt.tz_localize("America/New_York", **nat).dt.tz_convert("UTC").dt.floor("h")

inner = PARAMS.join == "inner"
airlines = set(pd.read_parquet("datasets/airlines.parquet")["carrier"])
kept = rows[rows["carrier"].isin(airlines)] if inner else rows
planes = set(pd.read_parquet("datasets/planes.parquet")["tailnum"])
known = kept["tailnum"] != ""
has_plane = kept["tailnum"].isin(planes)
kept_after = kept[has_plane] if inner else kept
weather = pd.read_parquet("datasets/weather.parquet")
hours = set(zip(weather["origin"], weather["time_hour"], strict=True))
meets = pd.Series(
    [key in hours for key in zip(kept_after["origin"], hour[kept_after.index], strict=True)],
    index=kept_after.index,
)
numbers = {
    "n_rows": len(rows),
    "n_out": int(meets.sum()) if inner else len(kept_after),
    "planes: null key": int((~known).sum()),
    "planes: unmatched": int((known & ~has_plane).sum()),
    "weather: wrong hour": int((meets & (hour != right)[kept_after.index]).sum()),
}
print(json.dumps(numbers))
