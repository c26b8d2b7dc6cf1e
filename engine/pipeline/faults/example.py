"""Three gates of a load: the same batch twice, a unit that changed, a file that is missing."""

import pandas as pd

flights = pd.read_parquet("datasets/flights.parquet").query("month == 3")
key = ["time_hour", "carrier", "flight", "origin"]
by_day = dict(list(flights.groupby("day")))
reference = flights["distance"].median()


def gate(batch, day):
    if batch.duplicated(key).any():
        return "unique"
    if not 0.8 < batch["distance"].median() / reference < 1.25:
        return "unit"
    return "fresh" if batch["day"].max() < day else "passed"


twice = pd.concat([by_day[8], by_day[8]])
kilometers = by_day[8].assign(distance=by_day[8]["distance"] * 1.609)
print(gate(by_day[8], 8), gate(twice, 8))  # passed unique
print(gate(kilometers, 8), gate(by_day[7], 8))  # unit fresh
