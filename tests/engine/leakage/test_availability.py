"""Known when? The joins and windows against brute force, the models against what the trial
on these data measured.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from engine import data, scripts
from engine.jobs import run_to_end
from engine.leakage import availability, flights
from engine.leakage.availability import AvailabilityParams, cases, figure, ways
from engine.leakage.availability.cases import CaseParams, CaseResult
from engine.leakage.availability.ways import CASES
from engine.leakage.flights import GROUPS, MOMENTS
from tests.engine.printed import run_script

SMALL = AvailabilityParams(n_rows=2_000, n_seeds=2)


# ---- the flights


def test_the_table_holds_every_flight_that_arrived_in_time_order() -> None:
    table = flights.table()
    raw = data.load("flights").to_pandas()
    arrived = raw[raw["arr_delay"].notna()]
    assert len(table.y) == len(arrived) == 327_346
    assert table.y.sum() == (arrived["arr_delay"] > 15).sum() and (np.diff(table.hour) >= -1).all()
    for group, values in table.groups.items():
        assert values.shape == (len(table.y), len(table.names[group]))
    assert sorted(table.groups["air time"][:, 0]) == pytest.approx(sorted(arrived["air_time"]))


def test_weather_of_a_flight_by_brute_force() -> None:
    raw = flights.frame()
    some = raw.iloc[[0, 5_000, 100_000, 200_000, 336_000]]
    reports = data.load("weather").to_pandas()
    for hours in (0, 2, -4):
        joined = flights.weather_at(some, hours)
        for got, (_, flight) in zip(joined, some.iterrows(), strict=True):
            ours = reports[reports["origin"] == flight["origin"]]
            seconds = (flight["time_hour"] - ours["time_hour"]).dt.total_seconds()
            match = ours[seconds == hours * 3600]
            assert (np.isnan(got).all() and match.empty) or got[0] == match["temp"].iloc[0]


def test_splits_draw_from_where_they_say() -> None:
    train, test = flights.split(1_000, "in time order", 200, 0)
    assert (
        train.max() < 750 <= test.min()
        and len(set(train.tolist())) == len(set(test.tolist())) == 200
    )
    train, test = flights.split(1_000, "random", 200, 0)
    assert not set(train.tolist()) & set(test.tolist()) and train.max() > 900


def test_each_group_has_its_moment() -> None:
    params = AvailabilityParams(columns=GROUPS)
    assert (
        params.known("booking") == ("schedule", "date")
        and params.known("24 h before")[-1] == "plane"
    )
    assert params.known("push-back") == params.known("take-off"), (
        "the table records nothing at take-off"
    )
    assert (
        "arrival time" not in params.known("landing")
        and flights.moment_of("arrival time") == "at the gate"
    )
    assert replace(params, moment="landing").later == ("arrival time",)
    assert AvailabilityParams(columns=("air time", "schedule")).chosen == ("schedule", "air time")


# ---- scores by moment


def test_what_is_reported_served_and_leak_free() -> None:
    result = availability.run(AvailabilityParams())
    assert result.complete and list(result.by_moment) == list(MOMENTS)
    assert result.reported_auc > 0.92, "columns of the future"
    assert result.served_auc < result.leak_free_auc < 0.65, (
        "the leaky model is worse than one that never saw them"
    )
    random, ordered = result.leak_free("random"), result.leak_free("in time order")
    assert random - ordered > 0.1, "the date alone inflates a random split"
    assert "Worse than without" in result.why[1] and "With the date" in result.why[2]
    push_back = availability.run(AvailabilityParams(moment="push-back"))
    assert 0.85 < push_back.leak_free_auc < 0.92 and len(push_back.params.later) == 1
    landing = availability.run(AvailabilityParams(moment="landing"))
    assert (
        landing.params.later == ()
        and landing.served_auc == landing.leak_free_auc == pytest.approx(0.915, abs=0.02)
    )
    assert (
        "the split leaks" in landing.verdict and f"{landing.leak_free_auc:.3f}" in landing.verdict
    )


def test_arrival_time_is_the_answer_and_nothing_known_is_a_coin_flip() -> None:
    params = replace(SMALL, columns=("departure delay", "arrival time"))
    result = availability.run(params)
    assert result.leak_free_auc == 0.5 and result.by_moment["booking"].leak_free == {
        "random": None,
        "in time order": None,
    }
    assert result.served_auc == 0.5, "all columns empty: every flight gets the same chance"
    assert (
        result.headline()["leak-free AUC"] == 0.5
        and result.table()["leak_free_random_auc"].null_count == 6
    )


def test_steps_yield_what_there_is_and_share_their_fits() -> None:
    seen = list(availability.steps(SMALL))
    shares = [progress.share for progress in seen]
    assert shares == sorted(shares) and len(set(shares)) == 17, (
        "one a fit, whatever signs of life came between"
    )
    empty = seen[0].partial
    assert (
        "not measured yet" in empty.verdict
        and "**Not known at booking:**" in empty.why[0]
        and empty.table().num_rows == 0
    )


@pytest.mark.parametrize("moment", ["booking", "push-back"])
def test_the_script_gives_the_headline(moment: Any) -> None:
    params = replace(SMALL, moment=moment)
    assert run_script(scripts.render(params)) == availability.run(params).headline()


# ---- the cases


def case(name: Any) -> CaseResult:
    return cases.run(CaseParams(case=name, n_rows=3_000, n_seeds=3))


def test_a_missing_tail_number_gives_cancellation_away() -> None:
    result = case("Missing tail number")
    mean, half = result.gain
    assert mean > 0.03 and half < 0.2
    raw = data.load("flights").to_pandas()
    cancelled, missing = raw["dep_time"].isna(), raw["tailnum"].isna()
    assert f"{(missing & cancelled).sum():,} of {cancelled.sum():,}" in result.facts[0]
    assert f"0 of {(~cancelled).sum():,}" in result.facts[0] and not (missing & ~cancelled).any()


def test_the_wrong_time_zone_matches_more_and_is_never_right() -> None:
    result = case("Time zone")
    assert (
        "99.5% (325,819 of 327,346" in result.facts[0]
        and "99.6% (326,096 of 327,346" in result.facts[0]
    )
    assert "0% (0 of 325,328" in result.facts[1]
    assert abs(result.gain[0]) < 0.04


def test_the_nearest_report_is_of_the_future_for_37_percent() -> None:
    result = case("Nearest weather")
    raw = flights.frame()
    raw = raw[raw["arr_delay"].notna()]
    by_hand = {}
    for origin, some in raw.groupby("origin"):
        reports = np.sort(
            flights.weather().query("origin == @origin")["time_hour"].astype("int64").to_numpy()
        )
        asked = some["departs"].astype("int64").to_numpy()
        after = np.searchsorted(reports, asked, side="right")
        before, later = (
            reports[np.maximum(after - 1, 0)],
            reports[np.minimum(after, len(reports) - 1)],
        )
        by_hand[origin] = int(((later > asked) & (later - asked < asked - before)).sum())
    assert f"{sum(by_hand.values()):,} of 327,346" in result.facts[1] and "37%" in result.facts[1]
    assert result.facts[0].startswith("Last report before departure: 0% (0 of")
    assert abs(result.gain[0]) < 0.02, "no measurable effect"


def test_encoding_over_all_rows_inflates_and_over_training_rows_hurts() -> None:
    result = case("Target encoding")
    aucs = {name: values.mean() for name, (_, values) in result.aucs.items()}
    assert result.gain[0] > 0.05
    assert aucs["encoded over the training rows"] < aucs["no tail number"] - 0.02
    level, y = np.array([0, 0, 1, 1, 2]), np.array([1, 0, 1, 1, 0])
    assert ways.encoded(level, y, np.array([0, 1, 2]), np.arange(5)).tolist() == [
        0.5,
        0.5,
        1,
        1,
        pytest.approx(2 / 3),
    ]
    folds = ways.encoded_out_of_fold(np.zeros(10, int), np.arange(10) % 2, np.arange(10))
    by_hand = [np.mean([j % 2 for j in range(10) if j % 5 != i % 5]) for i in range(10)]
    assert folds == pytest.approx(by_hand)


def test_rolling_means_by_brute_force_and_what_they_are_worth() -> None:
    rng = np.random.default_rng(0)
    value, moment = rng.normal(size=40), rng.uniform(0, 20, 40)
    asked = rng.uniform(0, 20, 15)
    got = ways.rolling(value, moment, asked - 3, asked)
    for mean, at in zip(got, asked, strict=True):
        inside = value[(moment >= at - 3) & (moment < at)]
        assert (np.isnan(mean) and not len(inside)) or mean == pytest.approx(inside.mean())
    result = case("Rolling delay")
    assert result.gain[0] > 0.02 and "9,597 of 327,346" in result.facts[1]


def test_a_share_has_wilsons_interval() -> None:
    assert (
        ways.count_share(np.arange(100) < 10) == "10% (10 of 100; 95% CI 5.5% to 17%)"
    )  # Wilson 1927, as R's binom.confint gives it
    assert ways.count_share(np.zeros(50, bool)).startswith("0% (0 of 50; 95% CI 0% to 7.1%)")


def test_a_case_fills_in() -> None:
    seen = list(cases.steps(CaseParams(case="Rolling delay", n_rows=2_000, n_seeds=2)))
    assert "being fitted" in seen[0].partial.verdict
    assert run_to_end(
        cases.steps(CaseParams(case="Rolling delay", n_rows=2_000, n_seeds=2))
    ).complete
    assert set(ways.SETTINGS) == set(CASES)


# ---- figures


def test_figures_show_the_results_numbers() -> None:
    params = AvailabilityParams(moment="2 h before")
    timeline = figure.timeline(params)
    later = next(trace for trace in timeline.data if trace.name == "not known yet")
    assert set(later.y) == set(params.later) and later.line.color == "#D95F30"
    result = availability.run(SMALL)
    chart = figure.moments(result, result)
    lines = {trace.name: trace for trace in chart.data}
    assert lines["leak-free, last quarter"].y[0] == pytest.approx(result.leak_free_auc)
    assert lines["reported"].y[0] == result.reported_auc
    assert lines["reported model, served"].y[0] == pytest.approx(result.served_auc)
    assert len(chart.to_json()) < 30_000
    by_hand = CaseResult(
        CaseParams(),
        (),
        {"leak-free": (False, np.array([0.6, 0.7])), "leak": (True, np.array([0.8, 0.9]))},
    )
    lanes = figure.case(by_hand)
    assert "+0.200 ± 0.000 AUC (0.650 → 0.850)" in lanes.layout.title.text and list(
        lanes.data[1].x
    ) == pytest.approx([0.65, 0.85])
    assert list(lanes.data[1].marker.line.color) == ["#149E77", "#D95F30"]
    worse = replace(
        by_hand, aucs=dict(zip(by_hand.aucs, [*by_hand.aucs.values()][::-1], strict=True))
    )
    assert "lowers AUC by **0.200**" in worse.verdict
    luck = CaseResult(
        CaseParams(), (), {"a": (False, np.array([0.6, 0.7])), "b": (True, np.array([0.7, 0.6]))}
    )
    assert luck.verdict.startswith("Not significant")
