"""Backpressure against oracles: Lindley's recursion, Little's law, Erlang C, M/M/1/K, another
algorithm, Prefect's server.
"""

from __future__ import annotations

import heapq
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import scripts
from engine.errors import InputError
from engine.orchestration import backpressure
from engine.orchestration.backpressure import POLICIES, BackpressureParams, model, real
from engine.orchestration.backpressure import figure as figures
from engine.orchestration.server import SERVER
from tests.engine.printed import run_script


def test_one_worker_waits_as_lindley_says() -> None:
    load = model.load(1.1, 1.0, True, 0.0, 300, 5)
    stream = model.simulate(load, 1, "let it grow", 1, 0.0, 300)
    waits = [0.0]  # Lindley, 1952: W(n+1) = max(0, W(n) + S(n) − A(n+1))
    for k in range(len(stream.arrival) - 1):
        waits.append(max(0.0, waits[-1] + load.services[k] - load.gaps[k + 1]))
    n = int(stream.started.sum())
    assert n > 100 and stream.started[:n].all()
    assert stream.wait == pytest.approx(np.array(waits)[:n], abs=1e-9)


@pytest.mark.parametrize("workers", [2, 3, 5])
def test_many_workers_start_as_kiefer_and_wolfowitz_say(workers: int) -> None:
    load = model.load(0.9 * workers, 1.0, True, 0.0, 100, 1)
    stream = model.simulate(load, workers, "let it grow", 1, 0.0, 100)
    free = [0.0] * workers
    for k, at in enumerate(np.cumsum(load.gaps)[: int(stream.started.sum())]):
        start = max(at, free[0])
        heapq.heapreplace(free, start + load.services[k])
        assert stream.start[k] == pytest.approx(start)


def test_means_are_those_of_erlang_little_and_mm1k() -> None:
    load = model.load(0.8, 1.0, True, 0.0, 40_000, 3)
    grown = model.simulate(load, 1, "let it grow", 1, 0.0, 40_000)
    assert model.erlang_wait(0.8, 1.0, 1) == pytest.approx(0.8 / 0.2)  # M/M/1: ρ / (μ − λ)
    assert grown.wait.mean() == pytest.approx(4.0, rel=0.12)
    assert grown.mean_depth == pytest.approx(0.8 * grown.wait.mean(), rel=0.03)  # Little: L = λ W
    cut = model.simulate(load, 1, "drop what is new", 3, 0.0, 40_000)
    assert model.lost_share(0.8, 1.0, 1, 3) == pytest.approx(0.8**4 * 0.2 / (1 - 0.8**5))
    n = len(cut.arrival)
    assert abs(cut.dropped_share - model.lost_share(0.8, 1.0, 1, 3)) < 8 * np.sqrt(
        0.12 * 0.88 / n
    )  # losses come in runs
    assert model.erlang_wait(2.4, 1.0, 3) == pytest.approx(
        1.0787, abs=1e-4
    )  # textbook: P(wait) = 0.6472
    assert model.erlang_wait(2.0, 1.0, 2) == float("inf")


def test_a_queue_worked_by_hand() -> None:
    load = model.Load(
        np.array([1.0, 1, 1, 1, 1]),
        np.array([3.0, 3, 3, 3, 3]),
        np.array([False, False, True, False, False]),
    )
    grown = model.simulate(load, 1, "let it grow", 1, 0.0, 12.0)
    assert grown.start.tolist()[:4] == [1.0, 7.0, 4.0, 10.0] and np.isnan(
        grown.start[4]
    )  # the urgent one passes
    assert grown.depth_after.tolist() == [0, 1, 2, 2, 3] and grown.last_depth == 1
    cut = model.simulate(load, 1, "drop what is new", 1, 0.0, 12.0)
    assert cut.dropped.tolist() == [False, False, True, False, True]
    held = model.simulate(load, 1, "block the source", 1, 0.0, 12.0)
    assert held.arrival.tolist() == [1.0, 2.0, 4.0, 7.0, 10.0] and not held.dropped.any()
    assert (held.n_planned, held.held_back_share) == (5, 0.0)
    limited = model.simulate(load, 5, "let it grow", 1, 0.5, 12.0)
    assert limited.start.tolist() == [1.0, 3.0, 5.0, 7.0, 9.0]  # two seconds between starts


@settings(max_examples=40, deadline=None)
@given(
    rate=st.floats(0.2, 10),
    service=st.floats(0.1, 5),
    workers=st.integers(1, 10),
    policy=st.sampled_from(POLICIES),
    buffer=st.integers(1, 100),
    limit=st.sampled_from([0.0, 0.5, 3.0]),
    urgent=st.sampled_from([0.0, 0.4]),
    seed=st.integers(0, 50),
)
def test_nothing_is_lost_or_made_up(
    rate: float,
    service: float,
    workers: int,
    policy: model.Policy,
    buffer: int,
    limit: float,
    urgent: float,
    seed: int,
) -> None:
    params = BackpressureParams(
        arrival_rate=rate,
        service_seconds=service,
        workers=workers,
        policy=policy,
        buffer=buffer,
        rate_limit=limit,
        urgent_share=urgent,
        seconds=20,
        seed=seed,
    )
    s = backpressure.run(params).stream
    assert len(s.arrival) == s.dropped.sum() + s.started.sum() + s.last_depth
    assert (s.wait >= 0).all() and not (s.started & s.dropped).any()
    depth = s.steps()[1]
    assert depth.min() >= 0 and (policy == "let it grow" or depth.max() <= buffer)
    starts = np.sort(s.start[s.started])
    assert all((starts <= t).sum() - (s.end[s.started] <= t).sum() <= workers for t in starts)
    assert not limit or (np.diff(starts) >= 1 / limit - 1e-9).all()


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"urgent_share": 0.3, "workers": 2, "arrival_rate": 3.0},
        {"rate_limit": 1.5, "workers": 4},
        {"random": False},
    ],
)
def test_the_script_another_algorithm_prints_the_headline(
    policy: model.Policy, changed: dict[str, float], tmp_path: Path
) -> None:
    params = replace(BackpressureParams(policy=policy), **changed)  # type: ignore[arg-type]
    assert run_script(scripts.render(params)) == backpressure.run(params).headline()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({}, "54 items are queued after 60 s"),
        ({"policy": "drop what is new"}, "are dropped"),
        ({"policy": "block the source"}, "the source produces"),
        ({"workers": 3}, "the queue is stable"),
        ({"workers": 2}, "at 100% load"),
    ],
)
def test_the_verdict_follows_the_run(changed: dict[str, object], said: str) -> None:
    assert said in backpressure.run(replace(BackpressureParams(), **changed)).verdict  # type: ignore[arg-type]


def test_why_names_littles_law_and_the_closed_forms_where_they_hold() -> None:
    texts = {
        policy: " ".join(
            backpressure.run(BackpressureParams(arrival_rate=0.8, seconds=200, policy=policy)).why
        )
        for policy in POLICIES
    }
    assert all("Little's law" in text for text in texts.values())
    assert "4.00 s (Erlang C)" in texts["let it grow"] and "(M/M/1/6)" in texts["drop what is new"]
    assert "No steady state" not in texts["let it grow"]
    urgent = backpressure.run(BackpressureParams(urgent_share=0.3))
    assert "**No steady state**" in " ".join(urgent.why)
    assert "**Priority**" in " ".join(urgent.why)


def test_a_source_too_fast_for_a_real_run_is_refused() -> None:
    with pytest.raises(InputError, match="arrival_rate must be 4 at most for a real run. Got 6."):
        next(backpressure.steps(BackpressureParams(arrival_rate=6.0)))


def test_figures_stay_small() -> None:
    busy = backpressure.run(
        BackpressureParams(
            arrival_rate=10.0, service_seconds=0.3, workers=3, seconds=200, urgent_share=0.3
        )
    )
    for figure in (figures.depth(busy, busy), figures.waits(busy), figures.knee(busy, busy)):
        assert len(figure.to_json()) < 300_000 and figure.layout.title.text


def test_prefects_own_limits_hold_and_a_full_buffer_drops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two items a second against two workers of five seconds and a rate limit, two may wait: on the
    real server.
    """
    SERVER.ready()
    # it ends when all has been seen; a busy machine's server has taken 38 s for one answer
    monkeypatch.setattr(backpressure, "REAL_SECONDS", 200.0)
    params = BackpressureParams(
        seconds=200,
        policy="drop what is new",
        buffer=2,
        service_seconds=5.0,
        workers=2,
        rate_limit=2.0,
        random=False,
    )
    steps = backpressure.steps(params)
    for sign in steps:
        result = sign.partial
        m = result.measured
        if m is not None and m.n_dropped and m.depth[-1] == m.most_parallel == 2:
            break
    steps.close()  # as a cancelled job does
    assert m.n_dropped >= 1 and m.depth.max() == 2 and not result.complete
    assert m.most_parallel == 2 and m.n_created >= 4  # the pool's limit, though more waited
    assert (
        "at most 2 in parallel (limit 2)" in result.measured_text()
        and result.measured_text() in result.why
    )
    assert len(figures.depth(result).data) == 4
    names = [pool["name"] for pool in SERVER.call("work_pools/filter", {})]
    limits = [limit["name"] for limit in SERVER.call("v2/concurrency_limits/filter", {})]
    assert not any(
        name.startswith("backpressure-") for name in names + limits
    )  # nothing stays behind


def test_the_server_takes_the_urgent_first() -> None:
    SERVER.ready()
    load = model.Load(
        np.array([0.1, 0.1, 0.1, 0.1, 9.0]),
        np.full(5, 3.0),
        np.array([False, False, False, True, False]),
    )
    trial = real.Trial(SERVER, load, 1, "let it grow", 9, 0.0, 30.0)
    for _ in real.watch(trial):
        if len(trial.started) > 1:
            break
    order = [
        trial.created[run_id][1]
        for run_id in sorted(trial.started, key=lambda run_id: trial.started[run_id])
    ]
    assert order[:2] == [0, 3]  # the last of four to come passed two that waited


def test_the_rate_limit_is_the_servers() -> None:
    SERVER.ready()
    load = model.load(1.0, 1.0, False, 0.0, 20, 0)
    trial = real.Trial(SERVER, load, 1, "let it grow", 9, 0.1, 1.0)
    with real.prepared(trial):
        trial._create(0)
        trial._create(0)  # as when the first answer is lost
        assert len(trial.created) == 1 and trial.waiting() == 1
        assert trial._slot() and trial.slot_at > trial.now + 9
        # not waiting ourselves: the server refuses, for the slot decays in ten seconds
        trial.slot_at = 0.0
        assert not trial._slot()
        with pytest.raises(InputError, match="refuses v2/concurrency_limits/"):
            SERVER.call("v2/concurrency_limits/", {"name": trial.name, "limit": 1})  # it exists
