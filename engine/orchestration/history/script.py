"""Recorded runs, how many completed, and a what-if on one of them, replayed task by task."""

import json
from statistics import median

from engine.orchestration import history
from engine.orchestration.history import HistoryParams, critical_path

PARAMS = HistoryParams()
result = history.run(PARAMS)
done = [run.seconds for run in result.runs if run.state == "completed"]
spans = critical_path.spans(result.runs[min(PARAMS.run, len(result.runs)) - 1])
ends = {task: span.end for task, span in spans.items()}
times: dict[str, float] = {}
for task, span in spans.items():  # in the order in which they started
    before = max((ends[name] for name in span.upstream), default=0.0)
    moved = max((times[name] for name in span.upstream), default=0.0)
    length = span.seconds / (PARAMS.factor if task == result.faster else 1)
    times[task] = moved + (span.start - before) + length
print(
    json.dumps(
        {
            "runs": len(result.runs),
            "completed": len(done),
            "median, s": round(median(done), 6) if done else 0.0,
            "task made faster": result.faster,
            "run A, s": round(max(ends.values(), default=0.0), 6),
            "run A with it, s": round(max(times.values(), default=0.0), 6),
        }
    )
)
