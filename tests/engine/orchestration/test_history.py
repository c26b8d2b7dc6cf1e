"""History against oracles: longest paths by brute force, a clock that ticks, scipy's intervals,
records that were kept.
"""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from scipy import stats as scipy_stats

from engine import scripts
from engine.errors import InputError
from engine.orchestration import history, predict, records
from engine.orchestration.flows import FLOWS, RunParams
from engine.orchestration.history import HistoryParams, critical_path, replay_figure, stats
from engine.orchestration.history import figure as figures
from engine.orchestration.history.critical_path import Span
from engine.orchestration.records import Attempt, Interval, Run, Task
from tests.engine.printed import run_script


def made(n: int, n_tasks: int, seed: int = 0) -> list[Run]:
    """Runs with as many tasks as asked for, predicted and given ids: what Prefect would have
    recorded.
    """
    params = RunParams(flow="fan-out", tasks=max(n_tasks - 4, 1), width=12, retries=1, seed=seed)
    return [
        replace(
            predict.run(replace(params, seed=seed + k)),
            id=f"made-{seed}-{k}",
            predicted=False,
            submitted_at=1e9 + 60 * k,
        )
        for k in range(n)
    ]


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    return tmp_path


def graphs() -> some.SearchStrategy[dict[str, Span]]:
    """Small graphs whose tasks start any time after their upstream has ended."""

    @some.composite
    def draw(pull: some.DrawFn) -> dict[str, Span]:
        found: dict[str, Span] = {}
        for k in range(pull(some.integers(1, 7))):
            upstream = (
                tuple(sorted(pull(some.sets(some.sampled_from(sorted(found)), max_size=3))))
                if found
                else ()
            )
            start = max((found[u].end for u in upstream), default=0) + pull(some.integers(0, 3))
            found[f"t{k}"] = Span(
                f"t{k}", upstream, float(start), float(start + pull(some.integers(0, 9)))
            )
        return found

    return draw()


def every_path(found: dict[str, Span]) -> list[list[str]]:
    """Every chain of the graph from a task without upstream, by brute force over all orders of
    tasks.
    """
    return [
        list(order)
        for n in range(1, len(found) + 1)
        for order in itertools.permutations(found, n)
        if not found[order[0]].upstream
        and all(a in found[b].upstream for a, b in itertools.pairwise(order))
    ]


def by_brute_force(found: dict[str, Span], faster: str, factor: float) -> float:
    """The end of the run: the longest of all chains, where a link counts its lag behind its *last*
    upstream and its length.
    """
    ends = {task: span.end for task, span in found.items()}
    lag = {t: s.start - max((ends[u] for u in s.upstream), default=0.0) for t, s in found.items()}
    length = {t: s.seconds / (factor if t == faster else 1) for t, s in found.items()}
    return max(sum(lag[t] + length[t] for t in chain) for chain in every_path(found))


@settings(max_examples=60, deadline=None)
@given(graphs(), some.sampled_from([1.0, 2.0, 5.0]), some.randoms(use_true_random=False))
def test_what_if_is_the_longest_path_by_brute_force(
    found: dict[str, Span], factor: float, chance: random.Random
) -> None:
    faster = chance.choice(sorted(found))
    assert critical_path.finish(found, faster, factor) == pytest.approx(
        by_brute_force(found, faster, factor)
    )
    assert critical_path.finish(found) == max(span.end for span in found.values()), (
        "nothing faster: as it was"
    )


@settings(max_examples=60, deadline=None)
@given(graphs())
def test_the_critical_path_is_a_chain_that_accounts_for_every_second(
    found: dict[str, Span],
) -> None:
    chain = critical_path.critical_path(found)
    names = [link.task for link in chain]
    assert names in every_path(found)
    assert sum(link.lag_seconds + link.seconds for link in chain) == pytest.approx(
        max(s.end for s in found.values())
    )
    for task in set(found) - set(names):  # what is off the path never delays by getting faster
        assert critical_path.finish(found, task, 4.0) <= critical_path.finish(found) + 1e-9


def test_a_task_off_the_critical_path_buys_nothing() -> None:
    found = {"a": Span("a", (), 0, 4), "b": Span("b", (), 0, 1), "c": Span("c", ("a", "b"), 5, 7)}
    assert [link.task for link in critical_path.critical_path(found)] == ["a", "c"]
    assert critical_path.critical_path(found)[1].lag_seconds == 1
    assert critical_path.finish(found, "b", 10) == 7 and critical_path.finish(found, "a", 2) == 5
    assert critical_path.finish(found, "a", 10) == pytest.approx(1 + 1 + 2), "now b decides"
    with pytest.raises(InputError, match="factor must be more than 0"):
        critical_path.replay(found, "a", 0)


@pytest.mark.parametrize(("hits", "n"), [(0, 1), (1, 1), (3, 10), (50, 50), (0, 0)])
def test_shares_have_wilsons_interval(hits: int, n: int) -> None:
    found = stats.share(hits, n)
    if n == 0:
        assert (found.low, found.high) == (0, 1)
        return
    # its definition: the shares from which the one seen lies 1.96 standard errors away
    z2 = 1.959963984540054**2
    roots = np.roots([1 + z2 / n, -2 * found.value - z2 / n, found.value**2])
    assert (found.low, found.high) == pytest.approx(sorted(roots.real), abs=1e-9)


@pytest.mark.parametrize("n", [1, 5, 6, 9, 25, 200])
def test_medians_have_the_binomial_interval(n: int) -> None:
    found = stats.middle([float(k) for k in range(n)])
    assert found.value == median(range(n)) and found.n == n
    rank = int(found.low)
    outside = 2 * scipy_stats.binom.cdf(
        rank, n, 0.5
    )  # the median lies beyond the rank-th value on either side
    assert found.high == n - 1 - rank
    if n >= 6:
        assert outside <= 0.05 < 2 * scipy_stats.binom.cdf(rank + 1, n, 0.5)
    else:
        assert rank == 0


def test_flaky_and_slow_are_counted_by_hand() -> None:
    attempts = (
        Attempt("a", 1, (Interval("running", 0, 1), Interval("awaiting retry", 1, 3)), "failed"),
        Attempt("a", 2, (Interval("running", 3, 5),), "completed"),
        Attempt("b", 1, (Interval("cached", 5, 5),), "cached"),
    )
    run = Run(
        "x",
        "x",
        RunParams(),
        "completed",
        0,
        0,
        5,
        (Task("a"), Task("b", ("a",)), Task("c", ("b",))),
        attempts,
    )
    (only,) = stats.by_task((run, run))
    assert (
        only.task == "a"
        and only.seconds.value == 3
        and only.flaky.value == 1
        and only.flaky.n == 2
        and not only.n_failed_runs
    )
    assert history.fates_of(run) == {"a": "after retries", "b": "cached", "c": "not run"}
    assert critical_path.spans(run)["a"].seconds == 5, "waits for retries included"


def test_simulated_runs_are_shown_and_marked_until_enough_are_recorded(workspace: Path) -> None:
    runs = made(history.ENOUGH, 12)
    for n in range(history.ENOUGH + 1):
        for source, real in (
            ("auto", n == history.ENOUGH),
            ("recorded", n > 0),
            ("simulated", False),
        ):
            result = history.run(HistoryParams(flow="fan-out", source=source))  # type: ignore[arg-type]
            assert result.simulated != real, (n, source)
            assert len(result.runs) == (n if real else history.N_SIMULATED)
            assert ("simulated" in result.verdict) != real
            assert any(reason.startswith("**Simulated") for reason in result.why) != real
        for run in runs[n : n + 1]:
            records.save(run)


def test_recorded_runs_are_listed_the_latest_first(workspace: Path) -> None:
    for run in made(7, 12):
        records.save(run)
    recorded = HistoryParams(source="recorded", flow="fan-out")
    result = history.run(replace(recorded, last=5, run=1, other=3))
    assert not result.simulated and [run.id for run in result.runs] == [
        f"made-0-{k}" for k in (6, 5, 4, 3, 2)
    ]
    assert result.run.id == "made-0-6" and result.other.id == "made-0-4"
    assert history.run(replace(recorded, run=99)).run.id == "made-0-0", (
        "beyond the list: the oldest"
    )
    assert result.success.n == 5 and result.table().num_rows == 5
    spans = critical_path.spans(result.run), critical_path.spans(result.other)
    for row in result.compared:
        assert row["A"] == (spans[0][row["task"]].seconds if row["task"] in spans[0] else None)
        assert row["B"] == (spans[1][row["task"]].seconds if row["task"] in spans[1] else None)
    assert history.run(replace(recorded, flow="daily ETL")).simulated, "none of this flow"


@pytest.mark.parametrize("flow", FLOWS)
def test_every_figure_of_every_flow_draws(flow: history.Flow) -> None:
    result = history.run(HistoryParams(source="simulated", flow=flow))
    for draw in (
        figures.grid,
        figures.durations,
        figures.tasks,
        figures.compared,
        figures.path,
        replay_figure.replay,
    ):
        figure = draw(result)
        assert figure.layout.title.text and len(figure.to_json()) <= 300_000


def test_the_replay_ends_as_the_run_did() -> None:
    result = history.run(HistoryParams(source="simulated"))
    figure = replay_figure.replay(result)
    frames, (slider,) = figure.frames, figure.layout.sliders
    assert len(frames) == replay_figure.N_FRAMES + 1 == slider.active + 1
    assert [step.args[0][0] for step in slider.steps] == [frame.name for frame in frames]
    running = [
        sum(float(x) for bar in frame.data if bar.name == "running" for x in bar.x)
        for frame in frames
    ]
    assert running == sorted(running) and running[0] == 0
    assert running[-1] == pytest.approx(
        sum(a.seconds("running") for a in result.run.attempts), rel=1e-5
    )


def test_two_hundred_runs_of_fifty_tasks_stay_small(workspace: Path) -> None:
    runs = made(6, 50)
    many = tuple(replace(runs[k % 6], id=str(k)) for k in range(200))
    result = history.HistoryResult(HistoryParams(flow="fan-out", last=200), many, False)
    assert len(result.tasks) >= 50 and len(figures.grid(result).to_json()) <= 300_000


@pytest.mark.parametrize(
    "given_", [{}, {"faster": "features", "factor": 4.0}, {"flow": "meant to fail", "run": 3}]
)
def test_the_script_prints_the_headline(given_: dict[str, object], workspace: Path) -> None:
    params = HistoryParams(**given_)  # type: ignore[arg-type]
    assert run_script(scripts.render(params)) == history.run(params).headline()
