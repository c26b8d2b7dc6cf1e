"""``python -m engine.orchestration.components.worker POOL``: Prefect's own process worker, until
the parent is gone.
"""

from __future__ import annotations

import asyncio
import sys

from engine.processes import end_with_parent


def main() -> None:
    """Poll the work pool and start each run that is due in a process of its own."""
    end_with_parent()
    from prefect.workers.process import ProcessWorker

    asyncio.run(ProcessWorker(work_pool_name=sys.argv[1], name="followed").start())


if __name__ == "__main__":
    main()
