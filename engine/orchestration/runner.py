"""A task runner that shows what waits: a task is Pending on the server once submitted, and holds no
thread until it can run.

Prefect's ``ThreadPoolTaskRunner`` tells the server of a task only once a thread takes it, and that
thread then waits for the task's upstream. Here a task is announced when it is submitted, and queued
for a thread when its upstream is done. ``GATE`` is closed while the run is paused: what runs goes
on to its end, nothing new starts. Imported by worker processes only.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from contextvars import copy_context
from functools import partial
from typing import Any

from prefect.futures import PrefectConcurrentFuture
from prefect.task_runners import ThreadPoolTaskRunner

from engine.orchestration import prefect_internals

GATE = threading.Event()
GATE.set()


class ReadyTaskRunner(ThreadPoolTaskRunner):  # type: ignore[type-arg]
    """``max_workers`` threads; the tasks that are ready share them in the order in which they
    became so.
    """

    def submit(
        self, task: Any, parameters: dict[str, Any], wait_for: Any = None, dependencies: Any = None
    ) -> Any:
        """Announce the task to the server and run it as soon as its upstream is done and a thread
        is free.
        """
        task_run = prefect_internals.announce_task_run(task, parameters, wait_for, dependencies)
        outcome: Future[Any] = Future()
        arguments = {
            "task": task,
            "task_run": task_run,
            "parameters": parameters,
            "wait_for": wait_for,
            "dependencies": dependencies,
        }
        begin = partial(self._begin, outcome, copy_context(), arguments)
        upstream = [future.wrapped_future for future in _futures([*parameters.values(), wait_for])]
        left = _Countdown(len(upstream), begin)
        for future in upstream:
            future.add_done_callback(left)
        return prefect_internals.future_of(task_run.id, outcome)

    def _begin(self, outcome: Future[Any], context: Any, arguments: dict[str, Any]) -> None:
        def work() -> None:
            GATE.wait()
            try:
                outcome.set_result(
                    context.run(prefect_internals.run_existing_task_run, **arguments)
                )
            except BaseException as error:
                outcome.set_exception(error)

        executor = prefect_internals.executor_of(self)
        if executor is not None:
            executor.submit(work)


class _Countdown:
    """Calls ``then`` once it has itself been called ``n`` times (at once for none)."""

    def __init__(self, n: int, then: Any) -> None:
        self._left, self._then, self._lock = n, then, threading.Lock()
        if n == 0:
            then()

    def __call__(self, _: Any) -> None:
        with self._lock:
            self._left -= 1
            last = self._left == 0
        if last:
            self._then()


def _futures(values: Any) -> list[PrefectConcurrentFuture[Any]]:
    """Return the futures in ``values`` and in the lists among them."""
    if isinstance(values, PrefectConcurrentFuture):
        return [values]
    return (
        [found for value in values for found in _futures(value)]
        if isinstance(values, list | tuple | set)
        else []
    )
