"""ETL or ELT: both summaries by a loop over rows, every rule by pandas, the race's bookkeeping by
hand.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine import data, scripts
from engine.etl import elt
from engine.etl.elt import RULES, WAYS, EltParams, Race, figure, job, timing
from tests.engine.printed import run_script

WEEK: dict[str, Any] = {"n_days": 7}
LEFT = {  # what each warehouse can do with each rule
    "mean delay": ("rebuilds", "rebuilds", "rebuilds"),
    "another limit": ("cannot", "rebuilds", "rebuilds"),
    "by destination": ("cannot", "rebuilds", "rebuilds"),
    "diverted are late": ("cannot", "silently wrong", "rebuilds"),
    "by maker of the plane": ("cannot", "cannot", "rebuilds"),
}


def test_both_ways_give_what_a_loop_over_rows_gives() -> None:
    result = elt.run(EltParams(**WEEK, late_minutes=20))
    sums: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
    for row in job.raw_rows(7).to_pylist():
        if row["arr_delay"] is not None:
            found = sums[row["day_of_year"], row["carrier"]]
            found[0] += 1
            found[1] += row["arr_delay"] > 20
            found[2] += row["arr_delay"]
    names = dict(
        zip(*(data.load("airlines")[name].to_pylist() for name in ("carrier", "name")), strict=True)
    )
    expected = [
        [day, carrier, names[carrier], *sums[day, carrier]] for day, carrier in sorted(sums)
    ]
    for table in (result.etl, result.elt):
        assert [list(row.values()) for row in table.to_pylist()] == expected
    assert result.equal and result.moved_rows["ELT, raw rows"] == len(job.raw_rows(7)) == 6_099


def test_what_each_warehouse_can_answer() -> None:
    result = elt.run(EltParams(**WEEK))
    assert {
        rule: tuple(result.rebuild(rule, way).outcome for way in WAYS) for rule in RULES
    } == LEFT
    assert "tailnum" in result.rebuild("by maker of the plane", "ETL, cleaned rows").detail
    assert "arr_delay" in result.rebuild("another limit", "ETL, summary").detail


def test_the_silently_wrong_answer_is_wrong_by_the_diverted_flights() -> None:
    flights = job.raw_rows(7).to_pandas()
    left = flights[flights["dep_delay"].notna()]
    right = (
        left.assign(late=(left["arr_delay"] > 15) | left["arr_delay"].isna())
        .groupby("carrier")["late"]
        .sum()
    )
    without = left.assign(late=left["arr_delay"] > 15).groupby("carrier")["late"].sum()
    detail = elt.run(EltParams(**WEEK)).rebuild("diverted are late", "ETL, cleaned rows").detail
    assert detail.startswith(f"{int((right != without).sum())} of {len(right)} numbers are wrong")
    name = detail.split(": ")[1].split(" has")[0]
    assert f"{name} has {without[name]:g}, correct: {right[name]:g}" in detail


def test_retention_decides_what_can_be_fetched_again() -> None:
    assert elt.run(EltParams(retention_days=0)).rebuilt_days == 0
    assert elt.run(EltParams(retention_days=7)).rebuilt_share == 0.25
    assert elt.run(EltParams(retention_days=365)).rebuilt_share == 1
    cleaned = elt.run(EltParams(loads="cleaned rows", retention_days=0))
    assert cleaned.rebuilt_days == 28 and cleaned.n_rules_rebuilt == 3


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("loads", elt.LOADS)
def test_the_script_does_it_in_pandas(loads: Any, rule: Any) -> None:
    params = EltParams(**WEEK, loads=loads, rule=rule, late_minutes=25, new_minutes=60)
    assert run_script(scripts.render(params)) == elt.run(params).headline()


def test_the_race_measures_every_step_of_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timing, "REPEATS", 2)
    seen = list(elt.race_steps(7))
    assert len(seen) == 3 * 3 and not seen[-1].partial.complete
    race = elt.race(7)
    assert race.complete and race.measured and set(race.file_bytes) == set(WAYS)
    assert {way: list(steps) for way, steps in race.seconds.items()} == {
        "ETL, summary": ["transform", "load"],
        "ETL, cleaned rows": ["transform", "load", "transform in SQL"],
        "ELT, raw rows": ["load", "transform in SQL"],
    }
    assert all(len(values) == 2 for steps in race.seconds.values() for values in steps.values())
    assert race.file_bytes["ELT, raw rows"] > race.file_bytes["ETL, summary"]


def test_every_way_leaves_the_same_summary_in_its_warehouse() -> None:
    import duckdb

    made = {}
    for way, steps in timing._ways(job.raw_rows(7), 15).items():
        with duckdb.connect() as connection:
            job.register(connection)
            tables: dict[str, Any] = {"raw": job.raw_rows(7)}
            for _, step in steps:
                step(connection, tables)
            made[way] = connection.execute(
                "SELECT * FROM summary ORDER BY day_of_year, carrier"
            ).fetchall()
    assert (
        made["ETL, summary"] == made["ETL, cleaned rows"] == made["ELT, raw rows"]
        and len(made["ELT, raw rows"]) == 102
    )


def test_the_race_in_words_by_hand() -> None:
    seconds: Any = {
        "ETL, summary": {"transform": [0.1, 0.3], "load": [0.1, 0.1]},
        "ETL, cleaned rows": {
            "transform": [0.2, 0.2],
            "load": [0.1, 0.1],
            "transform in SQL": [0.1, 0.1],
        },
        "ELT, raw rows": {"load": [0.5, 0.7], "transform in SQL": [0.1, 0.1]},
    }
    race = Race(7, seconds, dict.fromkeys(WAYS, 1_000_000))  # type: ignore[arg-type]
    assert race.median("ETL, summary") == pytest.approx(0.3) and race.median(
        "ELT, raw rows"
    ) == pytest.approx(0.7)
    assert race.verdict("ETL, summary") == "**ETL, summary** is **2.3×** faster than ELT, raw rows."
    assert (
        race.rows()[0]["range"] == "200 ms–400 ms" and race.rows()[2]["warehouse file"] == "1.00 MB"
    )
    moved: Any = dict(zip(WAYS, (24_000, 700_000, 2_400_000), strict=True))
    chart = figure.race(race, moved)
    assert list(chart.data[1].x) == pytest.approx([100, 100, 600])
    empty = Race(7, {}, {}, False)
    assert not empty.measured and list(figure.race(empty, moved).data[0].x) == pytest.approx(
        [0.024, 0.7, 2.4]
    )


def test_words_and_figures_follow_the_numbers() -> None:
    result = elt.run(EltParams())
    impossible = [found for found in result.rebuilds if found.outcome == "cannot"]
    assert impossible and all(found.detail.startswith("the column `") for found in impossible)
    assert result.equal and "**7 of 28 days**" in result.verdict
    assert f"ELT moves {result.bytes_factor:,.0f}× the bytes" in result.verdict
    wrong = elt.run(EltParams(loads="cleaned rows", rule="diverted are late"))
    assert wrong.outcome == "silently wrong" and wrong.verdict != result.verdict
    chart = figure.matrix(result)
    assert sum(len(trace.x) for trace in chart.data) == 15
    days = figure.days(result, wrong)
    assert len(days.data[0].x) == 7 and len(days.data[1].x) == 21
    assert sum(days.data[0].y) + sum(days.data[1].y) == sum(result.etl["flights"].to_pylist())
    assert result.table().num_rows == 15


def test_the_day_of_the_year_is_the_local_one() -> None:
    flights = job.raw_rows(28).select(["year", "month", "day", "day_of_year"]).to_pandas()
    assert np.array_equal(
        pd.to_datetime(flights[["year", "month", "day"]]).dt.dayofyear, flights["day_of_year"]
    )
