"""Retry lab against oracles: every outcome enumerated, Prefect's own delays and jitter, a herd one
request at a time.
"""

from __future__ import annotations

import heapq
import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import scripts
from engine.orchestration import flows, launch, retry
from engine.orchestration.records import Attempt, Interval, Run
from engine.orchestration.retry import RetryParams, model
from engine.orchestration.retry import figure as figures
from engine.orchestration.retry import herd as retry_herd
from engine.orchestration.retry import real as retry_real
from engine.orchestration.server import SERVER
from engine.statistics import share_interval
from tests.engine.printed import run_script


@pytest.mark.parametrize(
    ("probability", "retries"), [(0.3, 3), (0.5, 0), (0.9, 5), (0.0, 2), (1.0, 2)]
)
def test_closed_forms_equal_the_enumeration_of_every_outcome(
    probability: float, retries: int
) -> None:
    waits = model.delays("linear", 2.0, retries)
    share = np.zeros(retries + 2)
    attempts = waited = worked = 0.0
    for outcome in itertools.product(
        (True, False), repeat=retries + 1
    ):  # would try k fail, had it taken place?
        chance = float(np.prod([probability if failed else 1 - probability for failed in outcome]))
        n = outcome.index(False) + 1 if False in outcome else retries + 1
        share[n - 1 if False in outcome else retries + 1] += chance
        attempts += chance * n
        waited += chance * waits[: n - 1].sum()
        worked += chance * (0.5 * (n - 1) + (1.0 if False in outcome else 0.5))
    assert model.chances(probability, retries) == pytest.approx(share)
    assert model.mean_attempts(probability, retries) == pytest.approx(attempts)
    assert model.mean_wait(probability, waits, 0.0) == pytest.approx(waited)
    assert model.mean_work(probability, retries, 1.0) == pytest.approx(
        worked * np.mean(flows.FACTORS)
    )


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_simulated_shares_and_means_lie_where_the_closed_forms_say(seed: int) -> None:
    params = RetryParams(failure_probability=0.4, retries=3, jitter=0.6, seed=seed)
    result = retry.run(params)
    for place, chance in enumerate(result.chances):
        simulated = result.runs.lane(place, params.retries).mean()
        assert abs(simulated - chance) < 4.5 * np.sqrt(chance * (1 - chance) / 10_000)
    for values, mean in (
        (result.runs.wait_seconds, result.mean_wait_seconds),
        (result.runs.seconds, result.mean_seconds),
    ):
        assert abs(values.mean() - mean) < 4.5 * values.std() / 100
    share, n = result.flow_succeeds_share, len(result.flow_completed)
    assert abs(result.flow_completed.mean() - share) < 4.5 * np.sqrt(share * (1 - share) / n)


def test_a_flow_takes_the_sum_until_the_first_failure_or_the_longest_task() -> None:
    args = (0.5, np.array([1.0]), 0.0, 1.0, 4)
    good, in_sequence = model.flows(*args, True, 3)
    also_good, in_parallel = model.flows(*args, False, 3)
    runs = model.simulate(*args[:4], 3 + model.FLOW_SEED, model.N_FLOWS * 4)
    assert (good == also_good).all()
    for k in range(50):
        completed, seconds = runs.completed[4 * k : 4 * k + 4], runs.seconds[4 * k : 4 * k + 4]
        n = 4 if completed.all() else int(np.argmin(completed)) + 1
        assert good[k] == completed.all()
        assert (
            in_sequence[k] == pytest.approx(seconds[:n].sum()) and in_parallel[k] == seconds.max()
        )


@pytest.mark.parametrize("jitter", [0.1, 0.3, 1.0])
def test_jitter_is_distributed_as_prefects_own_function_draws_it(jitter: float) -> None:
    from prefect.utilities.math import clamped_poisson_interval, lower_clamp_multiple
    from scipy.stats import ks_2samp

    theirs = np.array([clamped_poisson_interval(10.0, jitter) for _ in range(4_000)]) / 10
    ours = model.jitter_multiples(np.random.default_rng(0), jitter, (4_000,))
    assert ks_2samp(theirs, ours).pvalue > 1e-4
    low, most = model.jitter_bounds(jitter)
    assert low == pytest.approx(lower_clamp_multiple(1 + jitter)) and most == 1 + jitter
    assert ours.min() >= low and ours.max() <= most
    assert abs(ours.mean() - model.jitter_mean(jitter)) < 4.5 * ours.std() / np.sqrt(4_000)


@pytest.mark.parametrize("retries", [0, 1, 4, 10])
def test_delays_are_prefects(retries: int) -> None:
    from prefect.tasks import exponential_backoff

    assert model.delays("exponential", 1.5, retries).tolist() == exponential_backoff(1.5)(retries)
    assert model.delays("fixed", 1.5, retries).tolist() == [1.5] * retries
    assert model.delays("linear", 1.5, retries).tolist() == [1.5 * k for k in range(1, retries + 1)]
    for backoff in flows.BACKOFFS:
        asked = flows.RunParams(retries=retries, backoff=backoff, delay_seconds=1.5)
        assert asked.delays() == model.delays(backoff, 1.5, retries).tolist()


@pytest.mark.parametrize(
    ("waits", "jitter", "clients", "capacity"),
    [
        ([1.0, 2.0, 4.0], 0.0, 200, 30),
        ([0.2] * 5, 0.5, 120, 20),
        ([1.0, 2.0, 4.0], 1.0, 300, 40),
        ([], 0.0, 50, 20),
        ([0.0] * 3, 0.0, 40, 10),
    ],
)
def test_the_herd_equals_an_event_loop_of_single_requests(
    waits: list[float], jitter: float, clients: int, capacity: int
) -> None:
    herd = retry_herd.stampede(clients, capacity, np.array(waits), jitter, 7)
    factors = model.jitter_multiples(np.random.default_rng([7, 2]), jitter, (clients, len(waits)))
    requests = [(0.0, client, 0) for client in range(clients)]
    asked: dict[int, int] = {}
    served: dict[int, int] = {}
    gave_up = 0
    while requests:
        at, client, k = heapq.heappop(requests)
        second = int(at)
        asked[second] = asked.get(second, 0) + 1
        if served.get(second, 0) < capacity:
            served[second] = served.get(second, 0) + 1
        elif k < len(waits):
            heapq.heappush(requests, (at + waits[k] * factors[client, k], client, k + 1))
        else:
            gave_up += 1
    assert dict(zip(herd.second.tolist(), herd.n_asked.tolist(), strict=True)) == asked
    assert {
        s: n for s, n in zip(herd.second.tolist(), herd.n_served.tolist(), strict=True) if n
    } == served
    assert herd.n_gave_up == gave_up and herd.n_served.sum() + gave_up == clients


@pytest.mark.parametrize(
    "params",
    [RetryParams(), RetryParams(jitter=0.5, backoff="linear", retries=5), RetryParams(retries=0)],
)
def test_the_script_prints_the_headline(params: RetryParams, tmp_path: Path) -> None:
    assert run_script(scripts.render(params)) == retry.run(params).headline()


def test_wilson_holds_what_it_should() -> None:
    low, high = share_interval(8, 100)
    assert (low, high) == pytest.approx(
        (0.0411, 0.1500), abs=1e-4
    )  # Newcombe, 1998, table I's formula by hand
    assert share_interval(0, 10)[0] == 0.0 and share_interval(10, 10)[1] == 1.0
    assert share_interval(0, 0) == (0.0, 1.0)


def test_a_dot_is_a_task_that_is_over() -> None:
    settings = retry_real.asked(RetryParams())
    attempts = (
        Attempt(
            "extract 1",
            1,
            (
                Interval("pending", 0, 1),
                Interval("running", 1, 2),
                Interval("awaiting retry", 2, 3),
            ),
            "failed",
        ),
        Attempt("extract 1", 2, (Interval("running", 3, 4.5),), "completed"),
        Attempt(
            "extract 2",
            1,
            (Interval("running", 1, 2), Interval("awaiting retry", 2, None)),
            "failed",
        ),
        Attempt("extract 3", 1, (Interval("running", 1, None),)),
        Attempt("verify 1", 1, (Interval("cached", 5, 5),), "cached"),
    )
    run = Run("a", "a", settings, "running", 0, 0, None, (), attempts)
    (dot,) = retry_real.dots([run])
    assert (dot.task, dot.attempts, dot.completed, dot.seconds) == ("extract 1", 2, True, 3.5)
    assert retry_real.summary([], RetryParams()) == ""


def test_real_runs_take_the_tries_that_were_predicted_and_fall_onto_the_distribution() -> None:
    params = RetryParams(
        failure_probability=0.5,
        retries=1,
        delay_seconds=0.5,
        duration_seconds=0.2,
        backoff="linear",
    )
    SERVER.ready()  # alone, this test is the first to need it
    ids = retry_real.start(params)
    assert len(ids) == retry_real.N_RUNS and {*ids} == {*retry_real.under_way(params)}
    for run_id in ids:
        launch.wait(run_id, 180)
    dots = retry_real.dots(retry_real.found(params))
    assert len(dots) == 24 and not retry_real.under_way(params)
    assert [dot.attempts for dot in dots] == [dot.predicted_attempts for dot in dots]
    assert {dot.completed for dot in dots} == {True, False} and all(
        dot.seconds > dot.predicted_seconds - 0.05 for dot in dots
    )
    assert "24 of 24 took as many attempts as predicted" in retry_real.summary(dots, params)
    assert retry_real.dots(retry_real.found(replace(params, retries=2))) == []
    figure = figures.outcomes(retry.run(params), dots)
    (real,) = [trace for trace in figure.data if (trace.name or "").startswith("real task runs")]
    assert len(real.x) == 24
    again = {run.params.seed for run in retry_real.found(params)}
    assert len(again) == 2 and retry_real.asked(params, 2).seed not in again


def test_figures_stay_small_and_say_what_they_show() -> None:
    result, pinned = (
        retry.run(RetryParams(retries=10, jitter=0.5)),
        retry.run(RetryParams(retries=2)),
    )
    drawn = [
        figures.outcomes(result, [], pinned),
        figures.flow(result, pinned),
        figures.waits(result),
        figures.herd(result, pinned),
    ]
    assert all(len(figure.to_json()) < 100_000 and figure.layout.title.text for figure in drawn)
    assert any("A, median" in (trace.name or "") for trace in drawn[0].data)
    assert SERVER.kind == "own"
