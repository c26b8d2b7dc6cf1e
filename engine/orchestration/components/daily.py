"""The flow that is followed: read, train two models side by side, report. A worker's child process
loads it from this file, which imports nothing of this project.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Any

from prefect import flow, task
from prefect.context import TaskRunContext

SECONDS = 0.5  # of each task


@task
def extract() -> int:
    """Return the number of rows read."""
    time.sleep(SECONDS)
    return 1_000


@task(retries=1, retry_delay_seconds=1)
def train_a(rows: int, fault: str) -> int:
    """Train the first model, or meet the fault."""
    context = TaskRunContext.get()
    attempt = context.task_run.run_count if context else 1
    time.sleep(2 * SECONDS)
    if fault == "the process is killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if fault == "a task always fails" or (fault == "a task fails once" and attempt == 1):
        raise ConnectionError(f"the source closed the connection (attempt {attempt})")
    return rows


@task
def train_b(rows: int) -> int:
    """Train the second model."""
    time.sleep(SECONDS)
    return rows


@task
def report(a: int, b: int) -> int:
    """Compare the two."""
    return a - b


@flow
def daily(fault: str = "none") -> list[object]:
    """Run the four tasks; the flow's state follows from theirs."""
    rows: Any = extract.submit()  # a task takes the future of its argument
    a: Any = train_a.submit(rows, fault)
    b: Any = train_b.submit(rows)
    futures = [rows, a, b, report.submit(a, b)]
    for future in futures:
        future.wait()
    return [future.state for future in futures]
