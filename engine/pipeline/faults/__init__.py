"""Break it: each fault is executed on the daily run; which gate catches it, where and when, and
what it does to the predictions.

Real: the pipeline's own stages on real rows, SIGKILL, HTTP 503, the kernel's refusal to write;
``kinds`` says each. Simplified: the day is replayed after its file came, waits are added to the
clock and not slept, and one fault happens at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor, wait
from functools import partial
from typing import Any, TypeVar

from engine import kept
from engine.jobs import SIGN_OF_LIFE_SECONDS, Progress, Steps, timed, to_end
from engine.pipeline import choice, flow
from engine.pipeline.faults.executed import Executed as Executed
from engine.pipeline.faults.executed import perform
from engine.pipeline.faults.incident import DAILY
from engine.pipeline.faults.kinds import FAULTS, KINDS, NONE
from engine.pipeline.faults.params import FaultsParams as FaultsParams
from engine.pipeline.faults.params import OneParams as OneParams
from engine.pipeline.faults.result import FaultsResult as FaultsResult
from engine.pipeline.records import Run

S = TypeVar("S")


def title_of(fault: str) -> str:
    """Return the fault's name on a page."""
    return "no fault" if fault == NONE else KINDS[fault].title


def base_run() -> Generator[Progress, None, Run]:
    """Return the run whose model serves the day: the first run of the page, made where missing."""
    found = choice.latest()
    if found is not None:
        return found
    result = yield from flow.steps(flow.FlowParams())
    run: Run = result.run
    return run


def perform_in_thread(fault: str, base: Run) -> Generator[float, None, Executed]:
    """Execute a fault in a thread: yield the share done twice a second; closing it stops the run
    at the next sign of life of its stage.
    """
    stop, seen = threading.Event(), [0.0]

    def report(run: Run, stage: str, share: float) -> None:
        if stop.is_set():
            raise flow.Stopped
        seen[0] = min((len(run.stages) + share) / len(DAILY), 1.0)

    with ThreadPoolExecutor(1) as caller:
        future = caller.submit(timed, partial(perform, fault, base, report))
        try:
            while not wait([future], SIGN_OF_LIFE_SECONDS).done:
                yield seen[0]
        finally:
            stop.set()
        seconds, executed = future.result()
    kept.save((one, OneParams(fault=fault)), executed, seconds)
    found: Executed = executed
    return found


def relabel(work: Generator[S, None, Any], label: Callable[[S], Progress]) -> Steps:
    """Run ``work`` to its end, yield ``label`` of what it yields and return what it returns."""
    try:
        while True:
            yield label(next(work))
    except StopIteration as end:
        return end.value
    finally:
        work.close()


def load_kept(fault: str) -> Executed | None:
    """Return what an earlier execution by this code did, ``None`` without one."""
    found = kept.load((one, OneParams(fault=fault)))
    return None if found is None else found.result


def one(params: OneParams) -> Steps:
    """Execute one daily run, or find what it did before.

    Returns
    -------
    Executed
    """
    found = load_kept(params.fault)
    if found is not None:
        return found
    base = yield from base_run()
    work = perform_in_thread(params.fault, base)
    executed = yield from relabel(work, lambda share: Progress(share, "the day is run"))
    return executed


def expected(params: FaultsParams) -> FaultsResult:
    """Return what is kept of earlier executions; of the others, what each gate is made for."""
    found = {fault: load_kept(fault) for fault in (NONE, *FAULTS)}
    return FaultsResult(params, {name: done for name, done in found.items() if done is not None})


def updated(result: FaultsResult) -> FaultsResult:
    """Return the result with what has been executed since it was made."""
    return FaultsResult(result.params, expected(result.params).executed | result.executed)


def steps(params: FaultsParams) -> Steps:
    """Execute the day without a fault and with the chosen one (``every``: with each): a
    ``Progress`` twice a second with the result so far.

    Returns
    -------
    FaultsResult
    """
    result = expected(params)
    order = dict.fromkeys([NONE, params.fault, *(FAULTS if params.every else ())])
    left = [fault for fault in order if fault not in result.executed]
    for number, fault in enumerate(left):
        label = partial(_label, number, len(left), fault, result)
        result = result.with_one((yield from relabel(one(OneParams(fault=fault)), label)))
    return result


def _label(number: int, n: int, fault: str, result: FaultsResult, inner: Progress) -> Progress:
    message = f"{title_of(fault)}: {inner.message}"
    return Progress((number + inner.share) / n, message, result)


run = to_end(steps)
