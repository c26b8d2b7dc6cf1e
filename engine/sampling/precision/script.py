"""The error of the mean after the first n rows of many random orders, with pandas and NumPy."""

import json

import numpy as np
import pandas as pd

from engine.sampling.precision import PrecisionParams

PARAMS = PrecisionParams()
columns = ["origin", "month", "hour", PARAMS.measure]
flights = pd.read_parquet("datasets/flights.parquet", columns=columns).dropna()
values = flights[PARAMS.measure].to_numpy().astype(float)
easy = ((flights["month"] == 1) & (flights["hour"] < 10) & (flights["origin"] == "JFK")).to_numpy()
rng = np.random.default_rng(PARAMS.seed)
squares = []
for _ in range(PARAMS.repeats):
    order = rng.permutation(values)
    rng.permutation(values[easy])  # the convenience sample of the page, for the same draws
    squares.append((order[: PARAMS.n_rows].mean() - values.mean()) ** 2)
numbers = {"truth": values.mean(), "error": np.sqrt(np.mean(squares))}
print(json.dumps({name: round(float(number), 6) for name, number in numbers.items()}))
