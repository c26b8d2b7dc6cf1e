"""Follow one scheduled run: booked by the scheduler, started by a worker, read from the API."""

import json

from engine.orchestration import components
from engine.orchestration.components import ComponentsParams
from engine.orchestration.server import SERVER

PARAMS = ComponentsParams()
SERVER.ready()
result = components.run(PARAMS)
ends = {f"{name} ends": state for name, (state, _) in result.tasks.items()}
numbers = {"state": result.state, "attempts": result.tasks["train_a"][1]} | ends
print(json.dumps(numbers))
