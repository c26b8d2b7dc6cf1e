"""Drift of one week against a reference: PSI and KS, each beside what chance alone gives."""

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp


def psi(reference, batch):
    edges = np.quantile(reference, np.linspace(0.1, 0.9, 9))
    shares = [
        np.bincount(np.searchsorted(edges, x), minlength=10) + 0.5 for x in (reference, batch)
    ]
    p, q = (counts / counts.sum() for counts in shares)
    return float(((p - q) * np.log(p / q)).sum())


weather = pd.read_parquet("datasets/weather.parquet", columns=["month", "day", "temp"]).dropna()
reference = weather.loc[weather["month"] == 3, "temp"].to_numpy()
batch = weather.query("month == 4 and day <= 7")["temp"].to_numpy()
rng = np.random.default_rng(0)
chance = [psi(reference, rng.choice(reference, len(batch))) for _ in range(500)]
print(f"{psi(reference, batch):.2f} {np.quantile(chance, 0.95):.2f}")  # 0.45 0.03
print(f"{ks_2samp(reference, batch).statistic:.2f}")  # 0.26
