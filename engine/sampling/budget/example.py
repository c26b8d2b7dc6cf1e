"""At most 20 alarms a day: the top of each day's ranking, or a fixed threshold?"""

import numpy as np
import pandas as pd

rng = np.random.default_rng(0)
rows = pd.DataFrame({"day": np.repeat(np.arange(100), 500), "score": rng.random(50_000)})
rows["score"] += np.repeat(rng.normal(0, 0.1, 100), 500)  # some days look worse than others
ranks = rows.groupby("day")["score"].rank(method="first", ascending=False)
top = rows[ranks <= 20]
print(top.groupby("day").size().max())  # 20
threshold = rows["score"].quantile(1 - 20 / 500)  # 20 a day on average
alarms = (rows["score"] > threshold).groupby(rows["day"]).sum()
print(round(alarms.mean()), (alarms > 20).sum() > 20)  # 20 True
