"""Count the rows at every hop: in, out, dropped and why; what is not explained is an error."""

import pandas as pd

flights = pd.read_parquet("datasets/flights.parquet")
dropped = {}


def keep(rows, condition, reason):
    dropped[reason] = int((~condition).sum())
    return rows[condition]


rows = keep(flights, flights["dep_time"].notna(), "cancelled")
rows = keep(rows, rows["arr_delay"].notna(), "no arrival delay")
rows = keep(
    rows,
    rows["tailnum"].isin(pd.read_parquet("datasets/planes.parquet")["tailnum"]),
    "plane unknown",
)
print(dropped)  # {'cancelled': 8255, 'no arrival delay': 1175, 'plane unknown': 48329}
print(len(flights) - len(rows) - sum(dropped.values()))  # 0
