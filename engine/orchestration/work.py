"""What the steps of the flows do: real flights are read, checked and learnt from; the rest count
what they are given.

Each piece of work returns a small dictionary, which is the input of the next step and is in the
log.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from engine import data
from engine.orchestration.flows import RunParams, chosen, draw

Value = dict[str, Any] | int
LATE_MINUTES = 15
N_TRAINING_ROWS = 6_000
COLUMNS = ("month", "day", "hour", "distance", "dep_delay", "arr_delay")
CANDIDATES = (0.02, 0.05, 0.1, 0.2, 0.4)  # learning rates


def described(inputs: list[Any]) -> str:
    """Return the inputs of a step as a line of its log; long lists are cut."""
    texts = [str(value) for value in inputs[:4]]
    return " · ".join(texts) + (f" · and {len(inputs) - 4} more" if len(inputs) > 4 else "")


def do(what: str, inputs: list[Any], params: RunParams) -> Value:
    """Do the work named ``what`` (as "extract 3") on what its upstream returned."""
    kind, _, number = what.partition(" ")
    if params.flow == "model retraining":
        return _retraining(kind, int(number or 0), inputs, params)
    if kind == "check":
        return chosen(params, what)
    if kind == "extract":
        month = 1 + (int(number) - 1) % 12
        return {"month": month, "rows": int(np.count_nonzero(_column("month") == month))}
    rows = sum(value.get("rows", 1) if isinstance(value, dict) else 1 for value in inputs)
    return {"rows": rows}


@lru_cache(maxsize=1)
def _flights() -> pa.Table:
    return pq.read_table(data.path_of("flights"), columns=list(COLUMNS))


def _column(name: str) -> np.ndarray[Any, Any]:
    column: np.ndarray[Any, Any] = _flights()[name].to_numpy()
    return column


def _retraining(kind: str, number: int, inputs: list[Any], params: RunParams) -> Value:
    if kind == "extract":
        rows = _month(number)
        return {"month": number, "rows": rows.num_rows}
    if kind == "validate":
        rows = _month(inputs[0]["month"])
        unknown = rows["arr_delay"].null_count
        return {
            "month": inputs[0]["month"],
            "rows": rows.num_rows - unknown,
            "arrival unknown": unknown,
        }
    if kind == "features":
        return {"months": len(inputs), "rows": sum(value["rows"] for value in inputs)}
    if kind == "train":
        return _train(number, inputs[0]["months"], params)
    if kind == "evaluate":
        best = max(inputs, key=lambda value: value["auc"])
        return {"candidates": len(inputs), "best rate": best["rate"], "auc": best["auc"]}
    if kind == "promote":
        return {"promoted": inputs[0]["auc"] > 0.5, "auc": inputs[0]["auc"]}
    return inputs[0] if inputs else 0


def _month(month: int) -> pa.Table:
    """Read one month from the file, as a daily job would."""
    table = pq.read_table(data.path_of("flights"), columns=list(COLUMNS))
    return table.filter(pc.equal(table["month"], month))


def _train(candidate: int, n_months: int, params: RunParams) -> Value:
    """Train on the months asked for and score the next one (of a whole year, the last week): late
    by 15 minutes?
    """
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score

    known = {name: _column(name).astype(float) for name in COLUMNS}
    arrived = ~np.isnan(known["arr_delay"])
    train = arrived & (known["month"] <= n_months)
    test = arrived & (known["month"] == n_months + 1)
    if n_months >= 12:
        test = train & (known["month"] == 12) & (known["day"] > 24)
        train &= ~test
    table = np.column_stack([known[name] for name in ("day", "hour", "distance")])
    late = known["arr_delay"] > LATE_MINUTES
    rows = np.random.default_rng(params.seed).choice(
        np.flatnonzero(train), N_TRAINING_ROWS, replace=False
    )
    rate = CANDIDATES[candidate % len(CANDIDATES)] * (
        0.8 + 0.4 * draw(params.seed, "rate", candidate)
    )
    model = HistGradientBoostingClassifier(
        learning_rate=rate, max_iter=15, max_leaf_nodes=15, random_state=params.seed
    )
    model.fit(table[rows], late[rows])
    auc = roc_auc_score(late[test], model.predict_proba(table[test])[:, 1])
    return {"candidate": candidate, "rate": round(rate, 3), "auc": round(float(auc), 4)}
