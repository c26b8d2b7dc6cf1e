"""The six flows as Prefect code. Imported by worker processes only: importing Prefect takes
seconds.

Real: tasks, retries, timeouts, caching, mapping, subflows and states are Prefect's. A task does its
work (flights are read and checked, models trained) and is stretched to the duration asked for; its
attempts fail as the seed has it.
"""

from __future__ import annotations

import time
from typing import Any

from prefect import flow, get_run_logger, task
from prefect.context import TaskRunContext
from prefect.futures import wait
from prefect.tasks import exponential_backoff

from engine.orchestration import work
from engine.orchestration.flows import BROKEN, Fate, Flow, RunParams, fate, stages

# a thread can be interrupted by its timeout only between two bytecodes: so it sleeps in slices
SLICE_SECONDS = 0.05
OVERDUE_SECONDS = 30.0

Settings = dict[str, Any]


class SourceUnavailableError(RuntimeError):
    """The error of an attempt that the seed lets fail: a temporary one, so a retry can help."""


def cache_key(_: Any, parameters: dict[str, Any]) -> str:
    """One result for each piece of work in a run: asked for again, it is taken from the cache."""
    return f"{parameters['settings']['root']}/{parameters['what']}"


def sleep(seconds: float) -> None:
    """Wait, and let a timeout through."""
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, SLICE_SECONDS))


def parameters_of(settings: Settings) -> RunParams:
    """Return the settings of a run as they were validated."""
    return RunParams(**{key: value for key, value in settings.items() if key != "root"})


@task
def step(key: str, what: str, settings: Settings, after: list[Any]) -> Any:
    """Do one step: fail or be late if the seed has it so, else work and return what the next step
    needs.
    """
    context = TaskRunContext.get()
    assert context is not None
    params, attempt, logger = parameters_of(settings), context.task_run.run_count, get_run_logger()
    fortune: Fate = fate(params, key, attempt)
    logger.info(
        "Attempt %d of %d · inputs: %s",
        attempt,
        params.retries + 1,
        work.described(after) or "none",
    )
    began = time.monotonic()
    if fortune.outcome == "failed":
        sleep(fortune.seconds)
        if key == BROKEN:
            raise TypeError("unsupported operand type(s) for +: 'int' and 'NoneType'")
        raise SourceUnavailableError(f"{key}: the source closed the connection (attempt {attempt})")
    if fortune.outcome == "timed out":
        logger.warning("The source is slow")
        sleep(params.timeout_seconds + OVERDUE_SECONDS)
    result = work.do(what, after, params)
    sleep(fortune.seconds - (time.monotonic() - began))
    logger.info("Done in %.2f s: %s", time.monotonic() - began, result)
    return result


class Submit:
    """Submits steps with the retries, the timeout and the cache of a run, and remembers their
    futures.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings, self.params = settings, parameters_of(settings)
        self.futures: list[Any] = []

    def task(self, key: str) -> Any:
        """Return the task as this run wants it."""
        params = self.params
        delay: Any = {
            "fixed": params.delay_seconds,
            "linear": params.delays(),
            "exponential": exponential_backoff(params.delay_seconds),
        }[params.backoff]
        jitter: Any = params.jitter or None
        return step.with_options(
            task_run_name=key,
            retries=params.retries,
            retry_delay_seconds=delay,
            retry_jitter_factor=jitter,
            timeout_seconds=params.timeout_seconds or None,
            persist_result=params.cache,
            cache_key_fn=cache_key if params.cache else None,
        )

    def __call__(self, key: str, *after: Any, what: str = "") -> Any:
        """Submit one step after ``after``; ``what`` names its work when that is another
        step's too.
        """
        future = self.task(key).submit(key, what or key, self.settings, list(after))
        self.futures.append(future)
        return future

    def map(self, keys: list[str], *after: Any) -> list[Any]:
        """Submit one step for each key, all after ``after``: a fan-out."""
        return [self(key, *after) for key in keys]

    def states(self) -> list[Any]:
        """Wait for every step and return their states: a flow fails unless all of them
        completed.
        """
        wait(self.futures)
        return [future.state for future in self.futures]


def _lanes(submit: Submit) -> list[Any]:
    ends = []
    for lane in range(1, submit.params.width + 1):
        before: list[Any] = []
        for stage in stages(submit.params):
            before = [submit(f"{stage} {lane}", *before)]
        ends += before
    return ends


@flow(name="daily ETL")
def daily_etl(settings: Settings) -> Any:
    """Load every source side by side, verify each, publish when all are in."""
    submit = Submit(settings)
    ends = _lanes(submit)
    verified = [submit(f"verify {k}", end, what=f"extract {k}") for k, end in enumerate(ends, 1)]
    submit("publish", *verified)
    return submit.states()


@flow(name="meant to fail")
def failing(settings: Settings) -> Any:
    """Export, with a bug in the upload that no retry fixes."""
    submit = Submit(settings)
    submit("notify", submit(BROKEN, *_lanes(submit)))
    return submit.states()


@flow(name="model retraining")
def retraining(settings: Settings) -> Any:
    """Load the months, check them, train the candidates, promote the best."""
    submit = Submit(settings)
    months = [submit(f"extract {m}") for m in range(1, submit.params.width + 1)]
    checked = [submit(f"validate {m}", month) for m, month in enumerate(months, 1)]
    features = submit("features", *checked)
    trained = submit.map([f"train {k}" for k in range(1, submit.params.tasks + 1)], features)
    promoted = submit("promote", submit("evaluate", *trained))
    submit("baseline", promoted, what=f"extract {submit.params.width}")
    return submit.states()


@flow(name="fan-out")
def fan_out(settings: Settings) -> Any:
    """List, map, reduce by batch, total."""
    submit, width = Submit(settings), parameters_of(settings).width
    mapped = submit.map([f"map {k}" for k in range(1, submit.params.tasks + 1)], submit("list"))
    batches = [mapped[k : k + width] for k in range(0, len(mapped), width)]
    total = submit("total", *(submit(f"reduce {k}", *batch) for k, batch in enumerate(batches, 1)))
    submit("relist", total, what="list")
    return submit.states()


@flow(name="branching")
def branching(settings: Settings) -> Any:
    """Ask a check, and only then create the branch that it decides for: the graph is not known
    before it runs.
    """
    submit = Submit(settings)
    before: list[Any] = []
    for k in range(1, submit.params.tasks + 1):
        check = submit(f"check {k}", *before)
        branch = check.result()  # raises, and so ends the flow, when the check failed
        before = [submit(f"branch {k}{'abcdefghijkl'[branch - 1]}", check)]
    submit("recheck", *before, what="check 1")
    return submit.states()


@flow(name="subflow")
def child(settings: Settings, number: int, length: int) -> Any:
    """Look something up, then take ``length`` steps one after another."""
    submit = Submit(settings)
    before = submit(f"lookup {number}", what="lookup")
    for k in range(1, length + 1):
        before = submit(f"step {number}.{k}", before)
    return submit.states()


@flow(name="subflows")
def subflows(settings: Settings) -> Any:
    """Call one flow for each part, then report on all of them."""
    submit, params = Submit(settings), parameters_of(settings)
    states = []
    for number in range(1, params.width + 1):
        named = child.with_options(flow_run_name=f"subflow {number}", task_runner=runner_of(params))
        states.append(named(settings, number, -(-params.tasks // params.width), return_state=True))
    submit("report", *states)
    return [*states, *submit.states()]


def runner_of(params: RunParams) -> Any:
    """Return the task runner of a run: so many tasks at once."""
    from engine.orchestration.runner import ReadyTaskRunner

    return ReadyTaskRunner(max_workers=params.concurrency)


FLOW_FUNCTIONS: dict[Flow, Any] = {
    "model retraining": retraining,
    "daily ETL": daily_etl,
    "fan-out": fan_out,
    "branching": branching,
    "subflows": subflows,
    "meant to fail": failing,
}
