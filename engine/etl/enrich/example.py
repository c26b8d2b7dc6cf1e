"""A left join with its unmatched keys counted: does each row have a partner?"""

import pandas as pd

flights = pd.read_parquet("datasets/flights.parquet", columns=["flight", "tailnum"])
planes = pd.read_parquet("datasets/planes.parquet", columns=["tailnum", "seats"])
joined = flights.merge(planes, on="tailnum", how="left", validate="m:1", indicator=True)
print(len(joined) == len(flights))  # True
print((joined["_merge"] == "left_only").sum())  # 52606
print(flights["tailnum"].isna().sum())  # 2512
