"""A pipeline in miniature: ingest, validate, train in time order, register only if better."""

import duckdb
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

rows = duckdb.sql("SELECT * FROM 'datasets/flights.parquet' WHERE month = 3 ORDER BY time_hour")
valid = rows.filter("arr_delay IS NOT NULL AND dest IS NOT NULL").df()  # the rest: quarantine
train, test = valid[valid.day <= 23], valid[valid.day > 23]  # never at random: time goes on
late = "arr_delay"
rate = train.groupby("hour")[late].apply(lambda minutes: (minutes > 15).mean())
baseline = roc_auc_score(test[late] > 15, test["hour"].map(rate).fillna(rate.mean()))
known = ["hour", "distance", "flight"]  # two hours before departure
model = HistGradientBoostingClassifier(random_state=0).fit(train[known], train[late] > 15)
auc = roc_auc_score(test[late] > 15, model.predict_proba(test[known])[:, 1])
print(f"{baseline:.2f} {auc:.2f}")  # 0.61 0.66
print("register" if auc > baseline else "keep the old model")  # register
