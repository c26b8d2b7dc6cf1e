"""Peak memory of each join, in a process of its own: ``python -m engine.feature_store.growth.child
PARAMS FOLDER``.

The peak is the resident memory sampled every 2 ms while the join runs, less what the process held
before; one run of a few rows has loaded the join's code by then.
"""

from __future__ import annotations

import gc
import json
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from engine.feature_store import feast_repo
from engine.feature_store.growth import MAX_PAIRS, GrowthParams, joins, pairs_of
from engine.processes import report

SAMPLE_SECONDS = 0.002


def peak_bytes(call: Callable[[], Any]) -> int:
    """Return by how many bytes the resident memory of this process rises at most while ``call``
    runs.
    """
    process = psutil.Process()
    gc.collect()
    before = process.memory_info().rss
    top, over = before, threading.Event()

    def watch() -> None:
        nonlocal top
        while not over.wait(SAMPLE_SECONDS):
            top = max(top, process.memory_info().rss)

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        call()
    finally:
        over.set()
        watcher.join()
    return int(max(top, process.memory_info().rss) - before)


def main(settings: dict[str, Any], folder: Path) -> None:
    """Print the peak of each contestant of these settings."""
    params = GrowthParams(**{**settings, "contestants": tuple(settings["contestants"])})
    few, full = joins.rows_of(20, 20, params.n_keys, params.time_to_live), params.rows(1.0)
    paths = [
        feast_repo.write(rows.features, folder / f"memory_{i}.parquet")
        for i, rows in enumerate((few, full))
    ]
    peaks = {}
    for number, name in enumerate(joins.CONTESTANTS):
        if name not in params.contestants or pairs_of(name, full) > MAX_PAIRS:
            continue
        report(share=number / len(joins.CONTESTANTS), message=f"peak memory of {name}")
        joins.prepare(name, few, paths[0], params.time_to_live)()
        peaks[name] = peak_bytes(joins.prepare(name, full, paths[1], params.time_to_live))
    report(result=peaks)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]), Path(sys.argv[2]))
