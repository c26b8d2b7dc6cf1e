"""The one definition of the model's inputs: the very function that Feast runs as an on-demand view,
offline and online.

Feast keeps a function's source in its registry and runs it from there, so it must stand on its own:
its imports are inside.
"""

from __future__ import annotations

import pandas as pd

INPUTS = (
    "temp_c",
    "wind_kmh",
    "precip_mm",
    "visib_km",
    "pressure_hpa",
    "hour_local",
    "distance_km",
    "recent_delay",
)
STANDARD_HPA = 1013.0  # what a missing pressure counts as
WINDOW = 5  # landings in a plane's mean delay
REQUEST = ("scheduled_at", "distance")  # seconds since 1970 (UTC), miles: the caller knows them
WEATHER = ("temp", "wind_speed", "precip", "visib", "pressure")  # °F, mph, inches, miles, hPa
PLANE = ("mean_delay",)  # minutes


def model_inputs(inputs: pd.DataFrame) -> pd.DataFrame:
    """Turn raw values into what the model takes: SI units, New York's hour, a default for what is
    missing.
    """
    import pandas as pd

    out = pd.DataFrame(index=inputs.index)
    out["temp_c"] = (inputs["temp"] - 32.0) / 1.8
    out["wind_kmh"] = inputs["wind_speed"] * 1.609344
    out["precip_mm"] = inputs["precip"] * 25.4
    out["visib_km"] = inputs["visib"] * 1.609344
    out["pressure_hpa"] = inputs["pressure"].fillna(1013.0)
    scheduled = pd.to_datetime(inputs["scheduled_at"], unit="s", utc=True)
    out["hour_local"] = scheduled.dt.tz_convert("America/New_York").dt.hour.astype("float64")
    out["distance_km"] = inputs["distance"] * 1.609344
    out["recent_delay"] = inputs["mean_delay"].fillna(0.0)
    return out
