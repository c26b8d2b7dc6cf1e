"""Join the last weather report that was known at the moment of prediction, not the nearest."""

import pandas as pd

asked = pd.to_datetime(["2013-06-01 10:40", "2013-06-01 15:00"])  # moments of prediction
flights = pd.DataFrame({"origin": ["JFK", "JFK"], "asked": asked})
reported = pd.to_datetime(["2013-06-01 10:00", "2013-06-01 11:00", "2013-06-01 12:00"])
weather = pd.DataFrame({"origin": "JFK", "reported": reported, "visib": [10.0, 2.0, 1.0]})
known = pd.merge_asof(
    flights,
    weather,
    left_on="asked",
    right_on="reported",
    by="origin",
    direction="backward",  # "nearest" can take a later report: a leak
    tolerance=pd.Timedelta(hours=2),
)
print(known["visib"].tolist())  # [10.0, nan]
