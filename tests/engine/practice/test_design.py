"""The canvas: each rule against a case worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine.errors import InputError
from engine.practice import design
from engine.practice.design import Consequence, DesignParams
from engine.practice.measures import EngineFigures, FormatFigures, Measures

HOUR = 3_600.0
# 1 TB a day: an engine of 50 MB/s takes 20,000 s, one of 10 MB/s 100,000 s, more than a day
M = Measures(
    cores=4,
    formats={
        "CSV": FormatFigures("CSV", 1.0, 1e-8, 1e-9, 0.25),
        "Parquet zstd": FormatFigures("Parquet", 0.2, 2e-9, 1e-10, 0.25),
    },
    engines={
        "pandas": EngineFigures(0.0, 1e-7, 5.0),
        "DuckDB": EngineFigures(1.0, 2e-8, 3.0),
        "Spark": EngineFigures(10.0, 1.6e-7, None),
    },
    late=(0.04, 0.01, 0.0, *[0.0] * 12),
    repeated={"append": 2.0, "upsert": 1.0, "overwrite partition": 1.0},
    partial_lost=0.6,
    undeleted=1.0,
    silent={"CSV": (1, 9), "Parquet": (0, 9)},
    wrong_open=29.0,
    wrong_gate=0.1,
)
GOOD = DesignParams(
    source="change log (CDC)",
    load="upsert",
    format="Parquet zstd",
    partitioning="by event day",
    engine="DuckDB",
    checks=design.CHECKS,
)


def of(params: DesignParams, rule: str, measures: Measures = M) -> Consequence | None:
    found = [one for one in design.consequences(params, measures) if one.rule == rule]
    assert len(found) <= 1
    return found[0] if found else None


def test_money_size_and_age() -> None:
    sums = design.totals(GOOD, M)
    assert sums.stored_bytes == pytest.approx(2e11)  # a fifth of 1 TB
    assert sums.storage_usd == pytest.approx(0.2 * 365 * 23)
    assert sums.busy_seconds == pytest.approx(1 + 20_000)
    assert sums.core_hours == pytest.approx(20_001 / HOUR * 4)
    assert sums.compute_usd == pytest.approx(20_001 / HOUR * 4 * 0.05 * 30)
    assert sums.age_seconds == pytest.approx(24 * HOUR + 20_001)


def test_spark_divides_the_cost_of_a_byte_by_the_cores_and_pays_its_start_in_each_run() -> None:
    sums = design.totals(replace(GOOD, engine="Spark", schedule="every hour", spark_cores=64), M)
    assert sums.busy_seconds == pytest.approx(24 * 10 + 1e12 * 1.6e-7 * 4 / 64)
    assert sums.core_hours == pytest.approx(sums.busy_seconds / HOUR * 64)  # type: ignore[operator]
    assert sums.age_seconds == pytest.approx(HOUR + sums.busy_seconds / 24)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("load", "partitioning", "schedule", "lookback", "days"),
    [
        ("append", "none", "every hour", 3, 1.0),
        ("upsert", "by event day", "every hour", 3, 1.0),
        ("overwrite partition", "by event day", "once a day", 0, 1.0),
        ("overwrite partition", "by event day", "once a day", 3, 4.0),
        ("overwrite partition", "by event day", "every hour", 1, 12.5 + 24),
        ("overwrite partition", "none", "once a day", 0, 365.0),
        ("overwrite", "by event day", "once a day", 0, 365.0),
    ],
)
def test_bytes_that_are_processed(
    load: str, partitioning: str, schedule: str, lookback: int, days: float
) -> None:
    params = DesignParams(
        load=load,  # type: ignore[arg-type]
        partitioning=partitioning,  # type: ignore[arg-type]
        schedule=schedule,  # type: ignore[arg-type]
        lookback_days=lookback,
    )
    assert design.processed_bytes(params) == pytest.approx(days * 1e12)
    assert (of(params, "rewrite") is not None) == (days > 3)


def test_an_engine_that_needs_more_than_a_day_never_catches_up() -> None:
    slow = of(replace(GOOD, engine="pandas"), "engine_slow")
    assert slow is not None and slow.severity == 3
    assert "136 GB per day" in slow.text  # 1 TB × (1 − 86,400 / 100,000)
    assert of(GOOD, "engine_slow") is None
    half = Measures(cores=4, engines={"DuckDB": EngineFigures(0, 5e-8, None)})
    busy = of(GOOD, "engine_busy", half)
    assert busy is not None and busy.severity == 1  # 50,000 of 86,400 s


def test_a_run_that_does_not_fit_in_memory_is_killed() -> None:
    params = replace(GOOD, engine="pandas", schedule="every hour", memory_gb=256)
    assert of(params, "memory") is None  # 1 TB / 24 × 5 = 208 GB
    killed = of(replace(params, schedule="once a day"), "memory")
    assert killed is not None and killed.severity == 3 and "5.00 TB" in killed.text
    assert of(replace(GOOD, engine="DuckDB", memory_gb=1), "memory") is None  # it spills to disk


def test_late_rows() -> None:
    rebuilt = replace(GOOD, load="overwrite partition", source="file per day")
    missed = of(rebuilt, "late")
    assert missed is not None and "4%" in missed.text and "40.0 GB" in missed.text
    fewer = of(replace(rebuilt, lookback_days=1), "late")
    assert fewer is not None and "10.0 GB" in fewer.text
    assert of(replace(rebuilt, lookback_days=2), "late") is None
    assert of(GOOD, "late") is None  # an upsert takes them whenever they come
    other_day = of(replace(GOOD, partitioning="by arrival day"), "arrival_day")
    assert other_day is not None and other_day.severity == 2


def test_a_part_of_a_day_replaces_it_unless_days_are_built_again() -> None:
    partial = of(replace(GOOD, load="overwrite partition"), "partial")
    assert partial is not None and partial.severity == 3 and "60%" in partial.text
    assert of(replace(GOOD, load="overwrite partition", lookback_days=1), "partial") is None


def test_a_repeated_run() -> None:
    twice = of(replace(GOOD, load="append", checks=()), "twice")
    assert twice is not None and twice.severity == 3 and "2.0×" in twice.text
    stopped = of(replace(GOOD, load="append"), "twice")
    assert stopped is not None and stopped.severity == 2
    assert of(GOOD, "repeatable") is not None and of(GOOD, "twice") is None


def test_deletes_schema_and_checks() -> None:
    cursor = of(replace(GOOD, source="query with a cursor"), "deletes")
    assert cursor is not None and cursor.severity == 2
    assert of(GOOD, "deletes") is None
    for checks, severity in (((), 2), (("schema contract",), 1)):
        schema = of(replace(GOOD, format="CSV", checks=checks), "schema")
        assert schema is not None and schema.severity == severity
    assert of(GOOD, "schema") is None and of(GOOD, "contract") is None
    bare = replace(GOOD, checks=())
    rules = {"no_rules": 2, "no_counts": 1, "no_freshness": 1, "contract": 1}
    for rule, severity in rules.items():
        found = of(bare, rule)
        assert found is not None and found.severity == severity
        assert of(GOOD, rule) is None
    gate = of(GOOD, "rules")
    assert gate is not None and gate.severity == 0 and "10%" in gate.text
    passed = of(GOOD, "rules", replace(M, wrong_gate=2.3))
    assert passed is not None and passed.severity == 1 and "2.3× its value" in passed.text


def test_files_and_partitions() -> None:
    assert design.files_of_day(GOOD, 2e11) == (pytest.approx(390.625), pytest.approx(512e6))
    often = replace(
        GOOD, schedule="every 5 minutes", partitioning="by event day and customer", customers=1_000
    )
    n, size = design.files_of_day(often, 2e11)
    assert (n, round(size)) == (288_000, 694_444)
    small = of(often, "small_files")
    assert small is not None and small.severity == 2 and small.choice == "partitioning"
    assert of(GOOD, "small_files") is None
    whole = of(replace(GOOD, partitioning="none"), "no_partitions")
    assert whole is not None and "73.0 TB" in whole.text  # 365 × 200 GB
    scan = of(GOOD, "scan")
    assert scan is not None and "1.7 min" in scan.text  # 1e12 bytes × 1e-10 s


def test_age_against_what_readers_accept() -> None:
    fresh, late = (of(replace(GOOD, wanted_hours=hours), "freshness") for hours in (36, 12))
    assert fresh is not None and fresh.severity == 0
    assert late is not None and late.severity == 2
    idle = of(replace(GOOD, source="file per day", schedule="every hour"), "idle_runs")
    assert idle is not None and "23 of 24" in idle.text


def test_the_weakest_choice_comes_first_and_is_asked_about() -> None:
    worst = design.weakest(design.consequences(DesignParams(), M))
    assert worst is not None and worst.severity == 3 and worst.rule in design.followups()
    assert design.weakest(design.consequences(GOOD, M)) is None


def test_what_has_not_run_gives_no_figure_and_no_sentence() -> None:
    nothing = Measures(cores=4)
    sums = design.totals(GOOD, nothing)
    assert sums.storage_usd is None and sums.compute_usd is None and sums.age_seconds is None
    assert [one for one in design.consequences(DesignParams(), nothing) if one.sources] == []


def test_a_choice_that_there_is_not_is_refused() -> None:
    with pytest.raises(InputError, match="engine must be one of"):
        DesignParams(engine="Excel")  # type: ignore[arg-type]
