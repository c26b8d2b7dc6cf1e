"""The process that loads the days and meets its end: ``python -m engine.pipeline.faults.child
<kill|disk> <task as JSON>``.

After half of the days it kills itself (``kill``), or has the kernel refuse it any file larger than
``MOST_BYTES`` (``disk``).
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from datetime import date
from functools import partial
from pathlib import Path

from engine.errors import explain
from engine.pipeline.faults.incident import IncidentParams
from engine.pipeline.runner import Task
from engine.pipeline.stages import load

MOST_BYTES = 4_096  # less than a day of the table
AFTER = 0.5  # share of the days


def meet(how: str, share: float) -> None:
    """Let the fault happen once it is time."""
    if share < AFTER:
        return
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, most))


def main() -> None:
    """Load; print what stops it as one JSON line."""
    how, given = sys.argv[1], json.loads(sys.argv[2])
    first, last = map(date.fromisoformat, given["params"].pop("days"))
    params = IncidentParams(days=(first, last), **given["params"])
    inputs = {name: Path(path) for name, path in given["inputs"].items()}
    try:
        load.work(Task(params, Path(given["folder"]), inputs, partial(meet, how)))
    except Exception as error:
        print(json.dumps({"error": explain(error)}))
        sys.exit(1)


if __name__ == "__main__":
    main()
