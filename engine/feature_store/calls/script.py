"""The eight calls on a fresh repository; which components they pass, by Python's profile events."""

import contextlib
import io
import json
import tempfile
from pathlib import Path

from engine.feature_store.calls import CallsParams, Life
from engine.feature_store.calls.trace import watching

PARAMS = CallsParams()
touched, rows, answers = {}, {}, {}
with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
    life = Life(Path(folder), PARAMS)
    for name, call in life.calls().items():
        with contextlib.redirect_stdout(io.StringIO()), watching() as trace:
            answers[name] = call()
        touched[f"{name} touched"] = len(trace.entries)
        rows[name] = life.n_rows()
    now = life.end.timestamp()
ages = {
    name: round((now - answers[name]["mean_delay__ts"][0]) / 3600, 3)
    for name in ("serve", "serve again")
}
same = float(answers["train again"]["mean_delay"][0]) == answers["serve again"]["mean_delay"][0]
numbers = {
    "rows_after_materialize": rows["materialize"],
    "rows_after_push": rows["push"],
    "age_before_hours": ages["serve"],
    "age_after_hours": ages["serve again"],
    "training_sees_push": "yes" if same else "no",
}
print(json.dumps(numbers | touched))
