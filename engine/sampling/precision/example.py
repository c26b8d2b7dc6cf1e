"""Four times the rows halve the error of a mean: the standard error is S / √n."""

import pandas as pd

delay = pd.read_parquet("datasets/flights.parquet", columns=["dep_delay"])["dep_delay"].dropna()
truth = delay.mean()


def error(n: int) -> float:
    means = pd.Series([delay.sample(n, random_state=seed).mean() for seed in range(100)])
    return float(((means - truth) ** 2).mean() ** 0.5)


print(1.6 < error(500) / error(2_000) < 2.4)  # True
