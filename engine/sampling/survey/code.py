"""The script of *survey*: what the code panel shows."""

from __future__ import annotations

from engine.sampling.survey import SurveyParams
from engine.source_code import fill

SCRIPT = '''"""Simple random samples of the flights of 2013, with pandas and NumPy alone: how often intervals hold the truth."""
import json

import numpy as np
import pandas as pd

flights = pd.read_parquet("datasets/flights.parquet", columns=["time_hour", @measure]).dropna()
values = flights.sort_values("time_hour", kind="stable")[@measure].to_numpy().astype(float)
rng = np.random.default_rng([@seed, 1])
rows = np.stack([rng.choice(len(values), @n, replace=False, shuffle=False) for _ in range(@samples)])
drawn = values[rows]
mean, error = drawn.mean(axis=1), drawn.std(axis=1, ddof=1) * np.sqrt((1 - @n / len(values)) / @n)
held = np.abs(mean - values.mean()) <= 1.959964 * error
numbers = {"truth": values.mean(), "simple random: mean": mean.mean(), "simple random: coverage": held.mean()}
print(json.dumps({name: round(float(number), 6) for name, number in numbers.items()}))
'''


def script(params: SurveyParams) -> str:
    """Return the script: pandas and NumPy alone."""
    return fill(
        SCRIPT, measure=params.measure, seed=params.seed, samples=params.n_samples, n=params.n
    )
