"""The order of the queue is fair to visitors: found by random arrivals and starts."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from engine.turns import Turns

VISITORS = "abcd"
EVENTS = st.lists(st.sampled_from([*VISITORS, "end"]), max_size=60)


@dataclass(eq=False)
class Asked:
    queued_at: float
    visitors: set[str]
    started: dict[str, int] = field(default_factory=dict)  # by others, while this one waits


def served(events: list[str]) -> list[Asked]:
    """Play arrivals of visitors and ends of the running job; return the jobs that were started."""
    turns, waiting, started = Turns(), [], []
    running: Asked | None = None
    for now, event in enumerate(events):
        if event == "end":
            running = None
        else:
            first = not any(event in job.visitors for job in waiting)
            job = Asked(float(now), {event})
            if running is not None and first:
                job.started = dict.fromkeys(running.visitors, 1)
            waiting.append(job)
        if running is None and waiting:
            order = turns.order(waiting)
            running = order[0]
            assert sorted(map(id, order)) == sorted(map(id, waiting))
            turns.take(running)
            waiting.remove(running)
            started.append(running)
            for job in waiting:
                for owner in running.visitors:
                    if owner in job.visitors:
                        job.started = {}  # the visitor was served: their wait begins again
                    job.started[owner] = job.started.get(owner, 0) + 1
    return started


@given(EVENTS)
def test_nobody_waits_for_two_jobs_of_another(events: list[str]) -> None:
    for job in served(events):
        others = {owner: n for owner, n in job.started.items() if owner not in job.visitors}
        assert all(n <= 1 for n in others.values()), others


@given(EVENTS)
def test_the_order_says_who_starts_when_nobody_else_comes(events: list[str]) -> None:
    turns = Turns()
    waiting = [Asked(float(now), {who}) for now, who in enumerate(events) if who != "end"]
    said, found = turns.order(waiting), []
    while waiting:
        following = turns.order(waiting)[0]
        turns.take(following)
        waiting.remove(following)
        found.append(following)
    assert said == found


def test_the_server_itself_comes_last_and_a_shared_job_goes_by_its_best_claim() -> None:
    turns = Turns()
    turns.take(Asked(0.0, {"a"}))
    servers, again, shared, fresh = (
        Asked(1.0, set()),
        Asked(2.0, {"a"}),
        Asked(3.0, {"a", "b"}),
        Asked(4.0, {"c"}),
    )
    assert turns.order([servers, again, shared, fresh]) == [shared, fresh, again, servers]
    turns.forget("a")
    assert turns.order([fresh, again]) == [again, fresh]
