"""The as-of join of labels and features, in pandas and in DuckDB: both sort and read once."""

import duckdb
import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
n, start = 20_000, pd.Timestamp("2013-01-01")
moments = start + pd.to_timedelta(np.sort(rng.integers(0, 30 * 86_400, 2 * n)), unit="s")
labels = pd.DataFrame({"plane": rng.integers(0, 50, n), "at": moments[::2]})
features = pd.DataFrame(
    {"plane": rng.integers(0, 50, n), "at": moments[1::2], "delay": rng.random(n)}
)
in_pandas = pd.merge_asof(labels, features, on="at", by="plane")
in_duckdb = duckdb.sql("""
    SELECT f.delay FROM labels AS l ASOF LEFT JOIN features AS f
    ON l.plane = f.plane AND l.at >= f.at ORDER BY l.at, l.plane""").df()
expected = in_pandas.sort_values(["at", "plane"])["delay"]
print(np.isclose(in_duckdb["delay"].sum(), expected.sum()))  # True
