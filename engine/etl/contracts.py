"""The built-in contracts: what a batch of each table has to keep, in TOML for ``rules``."""

from __future__ import annotations

from typing import Literal, get_args

TableName = Literal["weather", "flights", "planes"]
TABLES: tuple[TableName, ...] = get_args(TableName)
CONTRACTS: dict[str, str] = {
    "weather": (
        """[columns]
origin = { type = "text", in = ["EWR", "JFK", "LGA"] }
time_hour = { type = "time" }
temp = { type = "float", nullable = true, min = -30, max = 115 }
humid = { type = "float", nullable = true, min = 0, max = 100 }
wind_speed = { type = "float", nullable = true, min = 0, max = 120 }
pressure = { type = "float", nullable = true, min = 940, max = 1060 }
visib = { type = "float", min = 0, max = 10 }

[table]
unique = ["origin", "time_hour"]
rows_a_day = [68, 72]
every_hour_of = "origin"
drift = "wind_speed"
max_ks = 0.25
"""
    ),
    "flights": (
        """[columns]
time_hour = { type = "time" }
carrier = { type = "text", references = "airlines.carrier" }
flight = { type = "int", min = 1, max = 9999 }
origin = { type = "text", in = ["EWR", "JFK", "LGA"] }
dest = { type = "text", references = "airports.faa", except = ["SJU", "BQN", "STT", "PSE"] }
tailnum = { type = "text", nullable = true, references = "planes.tailnum", on_fail = "warn" }
dep_delay = { type = "int", nullable = true, min = -60, max = 1440 }
distance = { type = "int", min = 10, max = 5100 }

[table]
unique = ["carrier", "flight", "time_hour"]
rows_a_day = [600, 1100]
drift = "distance"
max_ks = 0.1
"""
    ),
    "planes": (
        """[columns]
tailnum = { type = "text", references = "flights.tailnum" }
year = { type = "int", nullable = true, min = 1950, max = 2013 }
manufacturer = { type = "text" }
engines = { type = "int", min = 1, max = 4 }
seats = { type = "int", min = 2, max = 500 }

[table]
unique = ["tailnum"]
rows = [3200, 3500]
drift = "seats"
max_ks = 0.1
"""
    ),
}
