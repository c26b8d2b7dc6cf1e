"""Cache and memory: what Storage holds, eviction for real, the memory model against the live
executor, words and errors.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from engine import scripts
from engine.errors import InputError
from engine.spark import cache, session
from engine.spark.cache import LEVELS, N_PARTITIONS, CacheParams, CacheResult, Held, Moment, model
from engine.spark.cache import figure as figures
from tests.engine.printed import run_script

SMALL = CacheParams(n_tables=2, n_rows=20_000)


@pytest.mark.parametrize("level", LEVELS)
def test_storage_holds_what_the_level_says(level: Any) -> None:
    params = replace(SMALL, level=level)
    result = cache.run(params)
    held = result.moments[1].held
    assert len(held) == (0 if level == "none" else 2)
    assert all(h.n_cached == N_PARTITIONS for h in held) and result.evicted == 0
    assert (result.memory_bytes > 0) == level.startswith("MEMORY")
    assert (sum(h.disk_bytes for h in held) > 0) == (level == "DISK_ONLY")
    assert result.moments[0].total == result.moments[2].total, "a table from the cache is the table"
    assert result.complete and len(result.rows()) == 3
    if level != "none":
        raw = 20_000 * cache.N_COLUMNS * 8
        assert all(raw <= h.memory_bytes + h.disk_bytes < 1.1 * raw for h in held), (
            "random doubles do not compress"
        )
    assert run_script(scripts.render(params)) == result.headline()


def test_nothing_is_left_behind() -> None:
    cache.run(SMALL)
    left = session.session().sparkContext._jsc.getPersistentRDDs()
    assert left.size() == 0


def test_tables_that_do_not_fit_evict_the_oldest() -> None:
    result = cache.run(CacheParams(n_tables=5, n_rows=2_000_000))
    assert result.evicted > 0 and result.memory_bytes <= result.storage_limit_bytes
    assert f"**{result.evicted} of 8 partitions of table 1 are evicted**" in result.verdict
    assert any("computed again" in reason for reason in result.why)
    figure = figures.storage(result, result)
    assert "limit of the executor" in figure.layout.annotations[0].text


def test_the_memory_model_gives_what_the_executor_says() -> None:
    heap, limit, n_executors = cache._executors(session.session())
    assert n_executors == 1
    assert model.regions(heap, session.MEMORY_FRACTION).unified == limit
    predicted = cache.preview(SMALL)
    assert (predicted.heap_bytes, predicted.executor_limit_bytes) == (
        heap,
        limit,
    ), "known before Spark starts"


def test_the_memory_model_by_hand() -> None:
    regions = model.regions(1_300 * 1024**2, 0.6, 0.5)
    mega = 1024**2
    assert (regions.reserved, regions.user) == (300 * mega, 400 * mega)
    assert (regions.execution, regions.storage, regions.unified) == (
        300 * mega,
        300 * mega,
        600 * mega,
    )
    figure = figures.memory(regions, regions, regions.unified)
    assert [sum(trace.x[i] for trace in figure.data) for i in (0, 1)] == pytest.approx(
        [1_300 * mega / 2**30] * 2
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            (100, 0.6, 0.5),
            "The heap must be at least 471,859,200 bytes: Spark refuses less. Got 100.",
        ),
        ((10**9, 0.0, 0.5), "fraction must be above 0, at most 1. Got 0.0."),
        ((10**9, 0.6, 1.5), "storage_fraction must be 0–1. Got 1.5."),
    ],
)
def test_what_spark_refuses_the_model_refuses(
    values: tuple[int, float, float], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        model.regions(*values)
    assert str(caught.value) == message


def test_words_by_hand() -> None:
    empty = CacheResult(CacheParams(), (), 10**9, 4 * 10**8, 1)
    assert (
        empty.verdict
        == "Not measured yet. Expected: 3 tables are **38.4 MB**; 400 MB fit in memory, so all"
        " stay."
    )
    full = replace(empty, params=CacheParams(n_tables=5, n_rows=2_000_000))
    assert full.verdict.endswith("**640 MB**; 400 MB fit in memory, the rest is evicted.")
    assert len(figures.storage(full).layout.shapes) == 1, "the limit"
    assert len(empty.why) == 2 and empty.table().num_rows == 0 and empty.headline() == {}
    one = replace(
        empty,
        moments=(Moment(1, 2.0, 0.5, 1.0, (Held(10, 0, 8),)),),
        params=CacheParams(n_tables=1),
    )
    assert (
        one.verdict
        == "Table 1 takes 2.00 s to compute and cache, **500 ms** from the cache. After 1"
        " table, table 1 is still cached."
    )
    assert one.speed_up == 4.0 and one.headline() == {
        "cached partitions of table 1": 8,
        "sum of table 1": 1.0,
    }
    plain = replace(
        one, params=CacheParams(level="none", n_tables=1), moments=(Moment(1, 2.0, 1.9, 1.0, ()),)
    )
    assert (
        plain.verdict == "Nothing is cached: table 1 takes 2.00 s, and the second time **1.90 s**."
        and plain.evicted == 0
    )
