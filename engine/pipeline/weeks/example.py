"""Drift of a week against the learned days by KS, and how often chance alone exceeds the limit."""

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp

LIMIT, WEEK = 0.1, 200  # distance, rows
flights = pd.read_parquet("datasets/flights.parquet", columns=["month", "dep_delay"]).dropna()
learned = flights.query("month <= 3")["dep_delay"].to_numpy()
week = flights.query("month == 7")["dep_delay"].sample(WEEK, random_state=0)
rng = np.random.default_rng(0)
chance = [ks_2samp(rng.choice(learned, WEEK), learned).statistic > LIMIT for _ in range(200)]
distance = ks_2samp(week, learned).statistic
print(f"{distance:.2f}, {np.mean(chance):.0%} by chance")  # 0.11, 2% by chance
