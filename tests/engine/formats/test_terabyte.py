"""One terabyte: every projected number by hand from two lanes, the score by its definition, the
script run.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import scripts
from engine.errors import InputError
from engine.formats import race, terabyte
from engine.formats.race import Lane, RaceParams, RaceResult
from engine.formats.terabyte import CRITERIA, TerabyteParams, TerabyteResult
from engine.formats.terabyte import figure as terabyte_figures
from tests.engine.printed import run_script

CSV = Lane(
    "CSV",
    1_000_000,
    {"write": (0.2,), "read all": (0.1,), "read columns": (0.1, 0.06, 0.08)},
    (),
    1,
)
PARQUET = Lane(
    "Parquet zstd", 250_000, {"write": (0.4,), "read all": (0.05,), "read columns": (0.01,)}, (), 1
)


def measured(*lanes: Lane, complete: bool = True) -> RaceResult:
    params = RaceParams(formats=tuple(lane.name for lane in lanes), columns=("origin", "dest"))
    when = datetime(2026, 1, 1, tzinfo=UTC)
    return RaceResult(params, lanes, 1_000, 20, 2_000_000, 1, (), when, complete=complete)


def projected(**settings: Any) -> TerabyteResult:
    result = terabyte.project(TerabyteParams(**settings), measured(CSV, PARQUET))
    assert result is not None
    return result


def test_sizes_costs_and_times_by_hand() -> None:
    """1 TB is a million of the CSV file; at 8 Gbit/s the link moves 1 GB a second; 10 % of the
    columns were measured.
    """
    result = projected(link_gbit=8.0, price=20.0)
    csv, parquet = result.named("CSV"), result.named("Parquet zstd")
    assert (csv.stored_bytes, parquet.stored_bytes) == (1e12, 0.25e12)
    assert (csv.usd_a_month, parquet.usd_a_month) == (20.0, 5.0)
    assert (csv.scan.low, csv.scan.middle, csv.scan.high) == pytest.approx(
        (60_000, 80_000, 100_000)
    )
    assert parquet.scan.middle == pytest.approx(10_000) and parquet.bottleneck == "reader"
    assert (csv.moved_bytes, parquet.moved_bytes) == pytest.approx((1e12, 0.025e12))
    assert parquet.load.middle == pytest.approx(400_000)
    assert result.parquet_gb == 250 and result.saved_usd_a_month == 15


def test_a_thin_link_is_what_a_scan_waits_for() -> None:
    result = projected(link_gbit=0.01)
    assert (
        result.named("CSV").scan.middle == pytest.approx(8e12 / 1e7)
        and result.named("CSV").bottleneck == "link"
    )
    assert result.named("CSV").load.middle == pytest.approx(8e12 / 1e7)
    assert result.named("Parquet zstd").load.middle == pytest.approx(400_000), (
        "writing is slower than even this link"
    )


@pytest.mark.parametrize(
    ("share", "seconds"), [(0.05, 0.01), (0.1, 0.01), (0.55, 0.03), (1.0, 0.05)]
)
def test_reading_more_columns_lies_on_the_line_between_two_measurements(
    share: float, seconds: float
) -> None:
    assert terabyte.read_seconds(PARQUET, 0.1, share).middle == pytest.approx(seconds)


def test_all_columns_chosen_means_the_time_of_all() -> None:
    assert terabyte.read_seconds(PARQUET, 1.0, 1.0).middle == 0.05


def test_the_score_is_the_weighted_product_of_factors() -> None:
    result = projected(
        link_gbit=100.0, storage_weight=2, scan_weight=1, load_weight=1, fidelity_weight=0
    )
    csv, parquet = result.named("CSV"), result.named("Parquet zstd")
    assert csv.score == pytest.approx(4 ** (2 / 4) * 8 ** (1 / 4))
    assert parquet.score == pytest.approx(2 ** (1 / 4)) and result.best is parquet
    assert csv.score_low == pytest.approx(4 ** (2 / 4) * 6 ** (1 / 4)) and result.rivals == ()


def test_one_weight_alone_chooses_by_that_criterion() -> None:
    alone = {f"{name}_weight": 0 for name in CRITERIA}
    assert projected(**alone | {"load_weight": 5}).best.name == "CSV"
    assert projected(**alone | {"storage_weight": 5}).best.name == "Parquet zstd"
    changed = replace(CSV, changes=(race.fidelity.Change("a", "values", "1 values differ"),))
    result = terabyte.project(
        TerabyteParams(**alone | {"fidelity_weight": 1}), measured(changed, PARQUET)
    )
    assert result is not None and result.named("CSV").score == pytest.approx(1.05)


def test_overlapping_runs_are_called_rivals() -> None:
    shaky = replace(PARQUET, seconds={**PARQUET.seconds, "read columns": (0.01, 0.02, 0.09)})
    params = TerabyteParams(storage_weight=0, load_weight=0, fidelity_weight=0, link_gbit=100.0)
    result = terabyte.project(params, measured(CSV, shaky))
    assert result is not None and result.rivals == ("CSV",)
    assert "**Parquet zstd** is best (tied with CSV)" in result.verdict
    assert result.why[1].startswith("**Tie**") and "Parquet zstd from CSV" in result.why[1]
    assert "tied" not in projected().verdict


@settings(max_examples=50, deadline=None)
@given(
    st.floats(0.01, 10_000),
    st.floats(0.01, 1_000),
    st.floats(0.05, 1.0),
    st.lists(st.integers(1, 10), min_size=4, max_size=4),
)
def test_no_score_is_below_one_and_size_changes_no_verdict(
    tb: float, link: float, share: float, weights: list[int]
) -> None:
    weighed = {f"{name}_weight": weight for name, weight in zip(CRITERIA, weights, strict=True)}
    here, there = (
        projected(raw_tb=size, link_gbit=link, columns_share=share, **weighed) for size in (tb, 1.0)
    )
    assert all(entry.score >= 1 - 1e-9 for entry in here.formats)
    assert all(
        entry.score_low <= entry.score + 1e-9 <= entry.score_high + 2e-9 for entry in here.formats
    )
    assert [e.score for e in here.formats] == pytest.approx([e.score for e in there.formats])


def test_nothing_is_projected_before_csv_has_run_and_refused_formats_stay_out() -> None:
    params = TerabyteParams()
    assert terabyte.project(params, measured(Lane("CSV"), PARQUET, complete=False)) is None
    assert terabyte.project(params, measured(Lane("CSV", refused="no"), PARQUET)) is None
    refused = Lane("Avro deflate", refused="refuses to write: ValueError: no")
    result = terabyte.project(params, measured(CSV, PARQUET, refused))
    assert result is not None and [e.name for e in result.formats] == ["Parquet zstd", "CSV"]


def test_words_follow_the_numbers() -> None:
    result = projected(scans_a_day=10, link_gbit=8.0)
    assert "**Parquet zstd** is best: **5.75 USD** per month" in result.verdict
    assert "storage 38%, scan 38%, load 12%, fidelity 12%." in result.why[0]
    assert "busy for 27.8 h: more than a day" in result.why[2]
    assert "multiplied by 1,000,000×" in result.why[3]


def test_something_must_count() -> None:
    with pytest.raises(InputError, match=r"^The weights must not all be 0\."):
        TerabyteParams(**{f"{name}_weight": 0 for name in CRITERIA})


def test_the_real_race_is_carried_over_and_the_script_prints_the_headline() -> None:
    params = TerabyteParams(n_rows=1_000, raw_tb=5.0, price=7.0, table="weather")
    result = terabyte.run(params)
    assert result.complete and {e.name for e in result.formats} == set(params.race.formats)
    assert result.table().num_rows == len(params.race.formats)
    assert run_script(scripts.render(params)) == result.headline()
    assert (
        result.headline()["CSV stored GB"] == 5_000 and result.headline()["CSV USD a month"] == 35
    )


def test_the_default_measurement_shares_the_question_of_the_race() -> None:
    assert TerabyteParams().race == RaceParams(n_rows=50_000)


def test_the_figure_has_a_lane_for_each_format_best_on_top() -> None:
    result = projected()
    figure = terabyte_figures.chart(result, projected(link_gbit=0.1))
    assert list(figure.layout.yaxis.categoryarray) == ["CSV", "Parquet zstd"]
    assert list(figure.data[0].x) == [entry.usd_a_month for entry in result.formats]
    scans = [trace for trace in figure.data if trace.hovertext and "one scan" in trace.hovertext[0]]
    assert len(scans) == 2 and list(scans[0].x) == [entry.scan.middle for entry in result.formats]
    csv = [entry.name for entry in result.formats].index("CSV")
    assert scans[0].error_x.array[csv] == pytest.approx(
        result.named("CSV").scan.high - result.named("CSV").scan.middle
    )
    assert len(figure.to_json()) < 300_000
