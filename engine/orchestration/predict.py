"""What a run will do, before it runs: the attempts that the seed decides, on the slots of the task
runner.

Simulated: the order is Prefect's (a task starts when its upstream is done and a slot is free; a
task that waits for its retry keeps its slot; a failed task's downstream never runs), the seconds
are those asked for, without the overhead of a real run and without jitter. States and numbers of
attempts are exact, which the tests show on real runs; times are not.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from functools import lru_cache

from engine.orchestration.flows import RunParams, Step, fate, plan
from engine.orchestration.records import Attempt, Interval, Outcome, Run, Task


@dataclass(slots=True)
class _World:
    """The state of the simulated task runner."""

    params: RunParams
    free: int
    waiting: list[tuple[float, int]] = field(
        default_factory=list
    )  # (ready since, place in the plan)
    busy: list[tuple[float, int, bool]] = field(default_factory=list)  # (until, place, succeeded)
    known: set[str] = field(default_factory=set)  # work whose result is cached
    attempts: list[Attempt] = field(default_factory=list)


def attempts_of(
    params: RunParams, step: Step, ready: float, start: float
) -> tuple[list[Attempt], float]:
    """Return the attempts of a task that gets its slot at ``start``, and when it gives it back."""
    delays = params.delays()
    made: list[Attempt] = []
    now = start
    intervals = [Interval("pending", ready, start)] if start > ready else []
    for attempt in range(1, params.retries + 2):
        what = fate(params, step.key, attempt)
        intervals.append(Interval("running", now, now + what.seconds))
        now += what.seconds
        again = what.outcome != "completed" and attempt <= params.retries
        if again and delays[attempt - 1]:
            intervals.append(Interval("awaiting retry", now, now + delays[attempt - 1]))
            now += delays[attempt - 1]
        made.append(Attempt(step.key, attempt, tuple(intervals), what.outcome))
        intervals = []
        if not again:
            break
    return made, now


def _start(world: _World, steps: tuple[Step, ...], now: float) -> None:
    """Give the free slots to those that wait longest."""
    while world.free and world.waiting:
        ready, place = heapq.heappop(world.waiting)
        step = steps[place]
        if world.params.cache and step.work in world.known:
            world.attempts.append(Attempt(step.key, 1, (Interval("cached", now, now),), "cached"))
            end, good = now, True
        else:
            made, end = attempts_of(world.params, step, ready, now)
            world.attempts += made
            good = made[-1].outcome == "completed"
        world.free -= 1
        heapq.heappush(world.busy, (end, place, good))


def _number(step: Step) -> int:
    return int(step.subflow.split()[1]) if step.subflow else 0


def _order(steps: tuple[Step, ...]) -> list[set[str]]:
    """Return for each step what must be over before it may start, whatever its outcome: subflows
    run one after another.
    """
    numbers = [_number(step) for step in steps]
    over = {
        number: {step.key for step, n in zip(steps, numbers, strict=True) if 0 < n < number}
        for number in set(numbers)
    }
    return [over[number] for number in numbers]


def simulate(params: RunParams) -> tuple[list[Attempt], float]:
    """Return every attempt of a run and the seconds that it takes."""
    steps = plan(params)
    before = _order(steps)
    world = _World(params, params.concurrency)
    good: set[str] = set()
    over: set[str] = set()
    todo = set(range(len(steps)))
    now = 0.0
    while True:
        for place in sorted(todo):
            step = steps[place]
            needs = set(step.upstream)
            if not (needs | before[place]) <= over:
                continue
            todo.discard(place)
            if needs <= good:
                heapq.heappush(world.waiting, (now, place))
            else:  # upstream did not complete: Prefect leaves it "NotReady" for ever
                over.add(step.key)
                world.attempts.append(Attempt(step.key, 0, (), "not run"))
        _start(world, steps, now)
        if not world.busy:
            if not any((set(steps[p].upstream) | before[p]) <= over for p in todo):
                break
            continue
        now, place, fine = heapq.heappop(world.busy)
        world.free += 1
        over.add(steps[place].key)
        if fine:
            good.add(steps[place].key)
            world.known.add(steps[place].work)
    return world.attempts, now


@lru_cache(maxsize=64)
def run(params: RunParams) -> Run:
    """Return the run that these settings will have."""
    attempts, seconds = simulate(params)
    fine: set[Outcome] = {"completed", "cached"}
    last = {attempt.task: attempt.outcome for attempt in attempts}
    return Run(
        id="",
        name="predicted",
        params=params,
        state="completed" if set(last.values()) <= fine else "failed",
        submitted_at=0.0,
        started_at=0.0,
        ended_at=seconds,
        tasks=tasks(params),
        attempts=tuple(attempts),
        predicted=True,
    )


@lru_cache(maxsize=256)
def tasks(params: RunParams) -> tuple[Task, ...]:
    """Return the nodes of a run's graph."""
    return tuple(Task(step.key, step.upstream, step.subflow) for step in plan(params))
