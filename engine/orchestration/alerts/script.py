"""Which recorded runs failed, started late, or were too slow by median and MAD."""

import json
from collections import defaultdict
from dataclasses import replace
from statistics import median

from engine.orchestration import alerts
from engine.orchestration.alerts import LEAST_SHARE, TO_SIGMA, AlertsParams

PARAMS = AlertsParams()
runs = [one.run for one in alerts.run(PARAMS).watched]
before: dict[object, list[float]] = defaultdict(list)
found = {"runs": len(runs), "runs with a history": 0, "failed": 0, "late": 0, "too slow": 0}
for run in reversed(runs):  # the oldest first: a run is judged by those before it
    past = before[replace(run.params, seed=0)]
    if run.state in ("failed", "crashed"):
        found["failed"] += "failed" in PARAMS.rules
    if run.started_at is not None and run.started_at - run.submitted_at > PARAMS.late_seconds:
        found["late"] += "late" in PARAMS.rules
    if len(past) >= PARAMS.min_runs:
        found["runs with a history"] += 1
        middle = median(past)
        sigma = max(TO_SIGMA * median(abs(s - middle) for s in past), LEAST_SHARE * middle, 1e-9)
        if run.state == "completed" and (run.seconds - middle) / sigma > PARAMS.k:
            found["too slow"] += "too slow" in PARAMS.rules
    if run.state == "completed":
        past.append(run.seconds)
print(json.dumps(found))
