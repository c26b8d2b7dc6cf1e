"""The weeks of a run's monitor: alerts, and the drift of a feature."""

import json

from engine.pipeline import choice, store
from engine.pipeline.stages.monitor import LIMITS
from engine.pipeline.weeks import WeeksParams

PARAMS = WeeksParams()
record = choice.find(PARAMS.run).stages[-1]
made = json.loads((store.place(record.stage, record.key) / "monitor.json").read_text("utf-8"))
last = {name: found[PARAMS.distance] for name, found in made["weeks"][-1]["drift"].items()}
numbers = {
    "weeks": len(made["weeks"]),
    "alerts": sum(len(week["alerts"]) for week in made["weeks"]),
    "drifted": sum(value > LIMITS[PARAMS.distance] for value in last.values()),
    "value": round(last[PARAMS.feature], 4),
}
print(json.dumps(numbers))
