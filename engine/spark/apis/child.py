"""A child with a Spark of its own that loses a shuffle file between two actions: the map runs, and
counts, again.

``python -m engine.spark.apis.child ROWS TASKS``. Apart from the server's Spark, for in local mode
Spark takes the loss of a file for the loss of the whole executor, the cache included.
"""

from __future__ import annotations

import os
import sys

from engine import workspace
from engine.processes import report
from engine.spark import session, tasks


def count(n_rows: int, n_tasks: int) -> tuple[int, int, int]:
    """Return what the accumulator says after the second action, the task attempts that ran, and how
    many failed.
    """
    live = session.session()
    context = live.sparkContext
    counter = context.accumulator(0)

    def add(row: int) -> tuple[int, int]:
        counter.add(1)
        return row % 10, row

    grouped = context.parallelize(range(n_rows), n_tasks).map(add).groupByKey(2).mapValues(list)
    _, first = tasks.traced(live, grouped.collect)
    report(share=0.5, message="the first action has run; its shuffle file goes")
    for path in (workspace.temporary() / "spark").rglob("shuffle_*.data"):
        path.unlink()
    _, second = tasks.traced(live, grouped.collect)
    attempts = first.tasks + second.tasks
    return counter.value, len(attempts), sum(task.failed for task in attempts)


def main() -> None:
    """Count and report."""
    report(share=0.1, message="a second Spark starts")
    folder, own = workspace.root(), workspace.scratch("lost-shuffle")
    os.environ["PLAYGROUND_WORKSPACE"] = str(own)  # its shuffle files are apart from the server's
    try:
        found = count(int(sys.argv[1]), int(sys.argv[2]))
    finally:
        session.ENGINE.stop()
        os.environ["PLAYGROUND_WORKSPACE"] = str(folder)
        workspace.remove(own)
    report(result=found)


if __name__ == "__main__":
    main()
