"""The script of *alerts*: what the code panel shows."""

from __future__ import annotations

from engine.orchestration.alerts import LEAST_SHARE, TO_SIGMA, AlertsParams
from engine.source_code import fill

SCRIPT = '''"""Which kept runs failed, started late, or were too slow against their own history: median and MAD."""
import json
from collections import defaultdict
from dataclasses import replace
from statistics import median

from engine.orchestration import alerts

runs = [one.run for one in alerts.run(alerts.@params).watched]
rules = @rules
before = defaultdict(list)
found = {"runs": len(runs), "runs with a history": 0, "failed": 0, "late": 0, "too slow": 0}
for run in reversed(runs):  # the oldest first: a run is judged by those before it
    past = before[replace(run.params, seed=0)]
    if run.state in ("failed", "crashed"):
        found["failed"] += "failed" in rules
    if run.started_at is not None and run.started_at - run.submitted_at > @late_seconds:
        found["late"] += "late" in rules
    if len(past) >= @min_runs:
        found["runs with a history"] += 1
        middle = median(past)
        sigma = max(@to_sigma * median(abs(s - middle) for s in past), @least_share * middle, 1e-9)
        if run.state == "completed" and (run.seconds - middle) / sigma > @k:
            found["too slow"] += "too slow" in rules
    if run.state == "completed":
        past.append(run.seconds)
print(json.dumps(found))
'''


def script(params: AlertsParams) -> str:
    """Return a script that reproduces the headline from the kept runs."""
    return fill(
        SCRIPT,
        params=params,
        rules=params.rules,
        late_seconds=params.late_seconds,
        min_runs=params.min_runs,
        to_sigma=TO_SIGMA,
        least_share=LEAST_SHARE,
        k=params.k,
    )
