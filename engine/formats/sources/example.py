"""A stream has the deletes; the table that it describes has them no more."""

import pandas as pd

events = pd.DataFrame(
    [
        {"id": "UA 1", "op": "insert", "delay": None},
        {"id": "UA 2", "op": "insert", "delay": None},
        {"id": "UA 1", "op": "update", "delay": 12.0},
        {"id": "UA 2", "op": "delete", "delay": None},
    ]
)
last = events.drop_duplicates("id", keep="last")
table = last[last["op"] != "delete"]
print(len(events), len(table))  # 4 1
print((events["op"] == "delete").sum(), "delete" in set(table["op"]))  # 1 False
