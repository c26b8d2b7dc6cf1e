"""Lazy ledger: nothing runs before the action; stages, plan and jobs as the real Spark has them;
words and errors.
"""

from __future__ import annotations

from typing import Any

import pytest

from engine import data, scripts
from engine.errors import InputError
from engine.spark import lazy
from engine.spark.lazy import LazyParams, chain, figure
from engine.spark.lazy.chain import ACTIONS, OPERATIONS, STEPS
from tests.engine.printed import run_script


@pytest.mark.parametrize(
    ("params", "n_rows", "n_stages"),
    [
        (LazyParams(), 16, 5),
        (LazyParams(chain=("filter late", "add gain"), action="count", adaptive=False), 70_774, 2),
        (LazyParams(chain=("filter late", "limit 1,000"), action="first 20"), 20, 2),
        (LazyParams(chain=("distinct routes",), adaptive=False), 314, 2),
    ],
)
def test_nothing_runs_before_the_action(params: LazyParams, n_rows: int, n_stages: int) -> None:
    result = lazy.run(params)
    assert [line.n_jobs for line in result.lines[:-1]] == [0] * (len(params.chain) + 1)
    assert result.lines[-1].n_jobs >= 1 and result.jobs_before_action == 0
    assert (result.n_rows, result.n_stages) == (n_rows, n_stages)
    assert run_script(scripts.render(params)) == result.headline()
    assert len(result.rows()) == result.table().num_rows == len(params.chain) + 2
    predicted = lazy.Predicted(params)
    assert predicted.lines == [(line.code, line.kind) for line in result.lines], (
        "known before Spark starts"
    )
    assert [row["jobs so far"] for row in predicted.rows()][:-1] == [
        str(line.n_jobs) for line in result.lines[:-1]
    ]
    drawn = figure.predicted(predicted)
    assert len(drawn.data[2].x) == predicted.n_wide and len(drawn.data[1].x) + len(
        drawn.data[2].x
    ) == len(result.lines)


def test_the_count_is_that_of_the_table() -> None:
    late = sum(
        1
        for delay in data.load("flights")["dep_delay"].to_pylist()
        if delay is not None and delay > 15
    )
    assert lazy.run(LazyParams(chain=("filter late",), action="count")).n_rows == late


def test_the_plan_is_read_after_aqe_has_changed_it() -> None:
    adaptive = lazy.run(LazyParams())
    assert adaptive.initial_plan != adaptive.final_plan and "AQEShuffleRead" in adaptive.final_plan
    assert "AQEShuffleRead" not in adaptive.initial_plan
    scan = next(
        node
        for node in adaptive.nodes
        if node.name.startswith("Scan parquet") and node.n_rows == 336_776
    )
    assert not scan.wide and adaptive.nodes[0].parent == -1
    crossing = [node for node in adaptive.nodes if node.wide]
    assert len(crossing) == adaptive.n_shuffles >= 3 and all(
        node.shuffle_bytes for node in crossing
    )
    assert sum(node.shuffle_bytes or 0 for node in crossing) == pytest.approx(
        adaptive.trace.shuffle_bytes, rel=0.02
    )
    fixed = lazy.run(LazyParams(adaptive=False))
    assert fixed.initial_plan == fixed.final_plan and fixed.n_rows == adaptive.n_rows
    small = lazy.run(LazyParams(broadcast=True))
    assert (
        "BroadcastHashJoin" in small.final_plan
        and small.trace.shuffle_bytes < adaptive.trace.shuffle_bytes / 10
    )


def test_each_operation_alone_is_code_that_runs() -> None:
    for operation in OPERATIONS:
        result = lazy.run(LazyParams(chain=(operation,), action="first 20"))
        assert result.lines[1].code == STEPS[operation].code
        assert result.lines[1].kind == ("wide" if STEPS[operation].wide else "narrow")


def test_words_and_figures() -> None:
    result = lazy.run(LazyParams(chain=("filter late", "group by carrier")))
    assert result.verdict.startswith("2 transformations ran **0 jobs**. The action ran ")
    assert (
        result.why[0].startswith("**1 of 2 steps are wide** (group by carrier)")
        and "16 rows came back" in result.why[3]
    )
    plan = figure.plan(result)
    assert (
        len(plan.data[2].x) + len(plan.data[3].x) == len(result.nodes) and len(plan.data[3].x) == 1
    )
    jobs = figure.jobs(result)
    assert list(jobs.data[0].x) == [0, 0, 0] and list(jobs.data[1].x) == [result.lines[-1].n_jobs]
    predicted = lazy.Predicted(result.params)
    assert predicted.n_wide == 1 and predicted.table().num_rows == len(result.lines)
    assert [kind for _, kind in predicted.lines] == [line.kind for line in result.lines]
    assert list(figure.predicted(predicted).data[2].x) == [2], "the group-by moves rows"
    cores = figure.cores(result, result)
    assert len(cores.data[0].y) + len(cores.data[1].y) == len(result.trace.tasks)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"chain": ("filter late",) * 9}, "chain must have at most 8 steps. Got 9."),
        ({"chain": ("explode",)}, "chain must be made of filter late, "),
        (
            {"chain": ("group by carrier", "add gain")},
            (
                "“add gain” needs arr_delay, which “group by carrier” has dropped. Choose “add"
                " gain” before it, or"
            ),
        ),
    ],
)
def test_each_setting_says_its_rule(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        LazyParams(**setting)
    assert str(caught.value).startswith(message)


def test_what_a_step_takes_away_is_gone_in_spark_too() -> None:
    """The columns that the menu believes in are those that Spark has."""
    from engine.spark import session

    live = session.session().newSession()
    lazy.configure(live, LazyParams())
    flights = live.read.parquet(str(data.path_of("flights"))).select(*sorted(chain.COLUMNS))
    for operation in OPERATIONS:
        step = STEPS[operation]
        kept = chain.COLUMNS if step.keeps is None else step.keeps
        assert set(chain.apply(live, flights, operation).columns) == kept | step.adds, operation
    assert set(ACTIONS) == {"count", "collect", "first 20"}
