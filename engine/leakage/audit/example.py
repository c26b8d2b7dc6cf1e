"""Two checks of a table for leaks: a column that is too good alone, and copies across the split."""

import pandas as pd
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

columns = ["dep_delay", "distance", "hour", "air_time", "arr_delay"]
flights = pd.read_parquet("datasets/flights.parquet", columns=columns).dropna()
X, late = flights.drop(columns="arr_delay"), flights["arr_delay"] > 30
auc = {name: roc_auc_score(late, X[name]) for name in X}
alone = {name: max(score, 1 - score) for name, score in auc.items()}
suspicious = [name for name, score in alone.items() if score > 0.85]
print(suspicious)  # ['dep_delay']
train, test = train_test_split(X, random_state=0)
copies = test.merge(train.drop_duplicates(), how="inner")
print(
    f"{len(copies) / len(test):.0%} of the test rows are also in training"
)  # 26% of the test rows are also in training
