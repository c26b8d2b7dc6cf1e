"""One definition of the features for training and serving, and a check of what was served."""

import numpy as np
import pandas as pd


def features(raw):  # imported by the training job and by the server
    return pd.DataFrame({"temp_c": (raw["temp"] - 32) / 1.8, "windy": raw["wind_speed"] > 20})


weather = pd.read_parquet("datasets/weather.parquet").query("origin == 'JFK' and month == 1")
served = features(weather)
served["temp_c"] = weather["temp"]  # a second implementation: it forgot the unit
offline = features(weather)  # the same keys and times, recomputed
differs = ~np.isclose(offline.astype(float), served.astype(float), equal_nan=True)
share = dict(zip(offline.columns, differs.mean(axis=0).round(2).tolist(), strict=True))
print(share)  # {'temp_c': 1.0, 'windy': 0.0}
print([name for name, value in share.items() if value > 0.01])  # ['temp_c']
