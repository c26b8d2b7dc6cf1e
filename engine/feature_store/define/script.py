"""The definition on a fresh Feast repository: registered, joined to labels, materialized."""

import contextlib
import io
import json
import tempfile
from pathlib import Path

from engine.feature_store import define, feast_repo, serving
from engine.feature_store.calls import NOW, SINCE
from engine.feature_store.define import DefineParams, labels, made, source

PARAMS = DefineParams()
quiet, refused, served = io.StringIO(), "nowhere", "refused"
n_values, n_asked, n_online = 0, 0, 0
with (
    tempfile.TemporaryDirectory() as name,
    contextlib.redirect_stdout(quiet),
    contextlib.redirect_stderr(quiet),
):
    folder, stage = Path(name), "define"
    path = feast_repo.write(source(PARAMS.entity), folder / "rows.parquet")
    store = feast_repo.open_repo(folder, project="mine")
    try:
        objects = made(PARAMS, path)
        stage = "apply"
        store.apply(objects)
        stage = "train"
        features = [f"{PARAMS.name}:{field}" for field, _ in PARAMS.schema]
        answer = store.get_historical_features(labels(PARAMS), features).to_df()
        n_asked, n_values = len(answer), int(answer[PARAMS.first].notna().sum())
        stage = "materialize"
        store.materialize(SINCE, NOW, feature_views=[PARAMS.name])
        n_online = serving.n_rows(folder / "online.db")
        stage = "serve"
        keys = labels(PARAMS).iloc[-1:, :1].to_dict("records")
        value = store.get_online_features(features, keys).to_dict()[PARAMS.first][0]
        served = define.as_text(value) or "null"
    except Exception:
        refused = stage
numbers = {"refused": refused, "n_values": n_values, "n_null": n_asked - n_values}
print(json.dumps(numbers | {"served_value": served, "n_online": n_online}))
