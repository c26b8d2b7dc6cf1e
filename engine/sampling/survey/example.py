"""A stratified sample in proportion: the same size, a smaller error than a simple random one."""

import pandas as pd

flights = pd.read_parquet("datasets/flights.parquet", columns=["carrier", "distance"])
simple = [flights.sample(400, random_state=seed)["distance"].mean() for seed in range(50)]
by_carrier = flights.groupby("carrier")
stratified = [
    by_carrier.sample(frac=400 / len(flights), random_state=seed)["distance"].mean()
    for seed in range(50)
]
truth = flights["distance"].mean()
error = {
    name: ((pd.Series(means) - truth) ** 2).mean() ** 0.5
    for name, means in {"simple": simple, "stratified": stratified}.items()
}
print(error["stratified"] < error["simple"])  # True
