"""Simple random samples of the flights of 2013, with pandas and NumPy: which intervals hold?"""

import json

import numpy as np
import pandas as pd

from engine.sampling.survey import SurveyParams

PARAMS = SurveyParams()
measure, n = PARAMS.measure, PARAMS.n
flights = pd.read_parquet("datasets/flights.parquet", columns=["time_hour", measure]).dropna()
values = flights.sort_values("time_hour", kind="stable")[measure].to_numpy().astype(float)
rng = np.random.default_rng([PARAMS.seed, 1])
drawn = np.stack(
    [
        values[rng.choice(len(values), n, replace=False, shuffle=False)]
        for _ in range(PARAMS.n_samples)
    ]
)
mean, error = drawn.mean(axis=1), drawn.std(axis=1, ddof=1) * np.sqrt((1 - n / len(values)) / n)
held = np.abs(mean - values.mean()) <= 1.959964 * error
numbers = {
    "truth": values.mean(),
    "simple random: mean": mean.mean(),
    "simple random: coverage": held.mean(),
}
print(json.dumps({name: round(float(number), 6) for name, number in numbers.items()}))
