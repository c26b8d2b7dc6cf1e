"""One engine of *Spark or pandas* in a process of its own: ``python -m engine.spark.contest.child
SETTINGS``.

Each size is run ``repeats`` times (fewer once ``budget_seconds`` are used up, at least once) and
reported by itself; one run of the smallest size comes first and is not counted, for it loads what
the library loads late.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from typing import Any

import psutil

from engine.jobs import timed
from engine.processes import report
from engine.spark.contest import data, engines
from engine.spark.contest import memory as crossover_memory


def runs(call: Any, repeats: int, budget_seconds: float) -> tuple[list[float], Any]:
    """Return the seconds of up to ``repeats`` calls, and the last answer."""
    seconds: list[float] = []
    answer = None
    began = time.perf_counter()
    while len(seconds) < repeats and (not seconds or time.perf_counter() - began < budget_seconds):
        took, answer = timed(call)
        seconds.append(took)
    return seconds, answer


def main(settings: dict[str, Any]) -> None:
    """Report each size of ``settings["sizes"]`` for one contestant."""
    contestant, work, memory = settings["contestant"], settings["work"], settings["memory_bytes"]
    import_module(contestant.lower())
    start_seconds = time.time() - psutil.Process().create_time()  # interpreter and imports
    sizes = settings["sizes"]
    for turn, asked in enumerate(sizes):
        files = data.find(asked)
        assert files is not None, "the parent makes the files before it starts the child"
        if turn == 0 and asked <= data.CUT_ROWS:
            engines.answer(contestant, work, files, memory)
        crossover_memory.forget_peak(os.getpid())
        seconds, answer = runs(
            lambda files=files: engines.answer(contestant, work, files, memory),
            settings["repeats"],
            settings["budget_seconds"],
        )
        cell = {
            "seconds": seconds,
            "peak_bytes": crossover_memory.peak_bytes(os.getpid()),
            "answer": engines.to_python(answer),
            "start_seconds": start_seconds,
            "asked": asked,
        }
        report(
            share=(turn + 1) / len(sizes),
            message=f"{contestant}, {files.n_rows:,} rows",
            partial=cell,
        )
    report(result=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
