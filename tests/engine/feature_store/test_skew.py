"""Skew: pandas' own as-of joins, scikit-learn's AUC, and Feast cell by cell as oracles of the
injector.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from engine import scripts, workspace
from engine.feature_store import flight_features, raw_values, skew
from engine.feature_store.model_inputs import INPUTS, model_inputs
from engine.feature_store.skew import FRESH, ONE_DEFINITION, SERVED, TRAINED, SkewParams, real
from engine.feature_store.skew import figure as figures
from tests.engine.printed import run_script

RIGHT = SkewParams(slip_hours=0)
EVERYTHING = SkewParams(
    stale_hours=24,
    window=2,
    missing_hpa=0,
    slip_hours=5,
    unit="temperature in °C",
    share=0.4,
    model="logistic",
    seed=1,
)


# ---- against pandas and scikit-learn


@pytest.mark.parametrize(
    "params", [SkewParams(), EVERYTHING, replace(RIGHT, unit="wind in m/s", stale_hours=3)]
)
def test_the_script_joins_and_scores_with_pandas_and_scikit_learn(params: SkewParams) -> None:
    assert run_script(scripts.render(params)) == skew.run(params).headline()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 4), st.integers(0, 2)), min_size=3, max_size=30
    ),
    st.integers(0, 9),
)
def test_auc_of_a_draw_is_scikit_learns_with_days_as_weights(
    rows: list[tuple[int, int, int]], seed: int
) -> None:
    rows = [
        *rows,
        (0, 1, 0),
        (1, 2, 0),
        (0, 3, 1),
        (1, 1, 1),
        (1, 0, 2),
        (0, 0, 2),
    ]  # both kinds on every day
    late, chances, day = (np.array(column) for column in zip(*rows, strict=True))
    drawn = np.vstack([np.ones(3), np.random.default_rng(seed).multinomial(3, [1 / 3] * 3, 4)])
    found = skew.drawn_auc(late, chances / 4, day, drawn)
    expected = [roc_auc_score(late, chances, sample_weight=weights[day]) for weights in drawn]
    assert found == pytest.approx(expected)


def test_scores_are_scikit_learns_and_intervals_hold_them() -> None:
    result = skew.run(SkewParams())
    _, served = raw_values.split(0)
    model = skew.train_model("boosting", 0)
    for name, inputs in ((TRAINED, result.offline), (SERVED, result.online)):
        score = result.score(name)
        assert score.auc == pytest.approx(
            roc_auc_score(served.late, model.predict_proba(inputs)[:, 1])
        )
        assert (
            score.interval[0] < score.auc < score.interval[1]
            and len(score.draws) == skew.N_BOOTSTRAP
        )
    low, high = result.lost_interval
    assert 0 < low < result.auc_lost < high


def test_the_feeds_are_the_labs_own_features() -> None:
    ours = raw_values.plane_feed()
    table = flight_features.feature_rows("planes")
    theirs = pd.DataFrame(
        {
            "mean": table["mean_delay"].to_numpy(),
            "key": table["tailnum"].to_numpy(zero_copy_only=False),
        }
    )
    assert len(ours.key) == len(theirs) and ours.names == tuple(sorted(theirs["key"].unique()))
    mean = pd.DataFrame({"key": np.array(ours.names)[ours.key], "mean": raw_values.mean_delay(5)})
    assert mean.groupby("key")["mean"].sum().to_numpy() == pytest.approx(
        theirs.groupby("key")["mean"].sum().to_numpy(), rel=1e-3
    )
    assert raw_values.mean_delay(1) == pytest.approx(ours.columns["arr_delay"])


def test_nothing_is_joined_from_the_future() -> None:
    _, served = raw_values.split(0)
    for feed, key in (
        (raw_values.weather_feed(), served.origin),
        (raw_values.plane_feed(), served.plane),
    ):
        place = feed.latest(key, served.asked)
        found = place >= 0
        assert found.mean() > 0.95 and (feed.second[place[found]] <= served.asked[found]).all()
        assert (feed.key[place[found]] == key[found]).all()
        after = np.minimum(place + 1, len(feed.key) - 1)
        newer = found & (after > place) & (feed.key[after] == key)
        assert (feed.second[after[newer]] > served.asked[newer]).all(), (
            "the next row of the key is in the future"
        )


# ---- by hand


def test_the_definition_by_hand() -> None:
    raw = pd.DataFrame(
        {
            "temp": [50.0, np.nan],
            "wind_speed": [10.0, 0.0],
            "precip": [1.0, 0.0],
            "visib": [10.0, 1.0],
            "pressure": [np.nan, 1000.0],
            "mean_delay": [np.nan, 7.0],
            "scheduled_at": [1_372_636_800, 1_356_998_400],  # midnight UTC: 1 July, 1 January 2013
            "distance": [100.0, 0.0],
        }
    )
    out = model_inputs(raw)
    assert tuple(out.columns) == INPUTS
    assert out.iloc[0].tolist() == pytest.approx(
        [10.0, 16.09344, 25.4, 16.09344, 1013.0, 20.0, 160.9344, 0.0]
    )
    assert out["hour_local"].tolist() == [20.0, 19.0], "summer time and winter time"
    assert np.isnan(out["temp_c"][1]) and out["recent_delay"][1] == 7.0


def test_each_mistake_touches_its_own_inputs() -> None:
    def touched(**mistake: Any) -> set[str]:
        differs = skew.run(replace(RIGHT, **mistake)).differs.any(axis=0)
        return {name for name, hit in zip(INPUTS, differs, strict=True) if hit}

    assert touched() == set()
    assert touched(slip_hours=1) == {"hour_local"} and touched(missing_hpa=0) == {"pressure_hpa"}
    assert touched(window=1) == {"recent_delay"} and touched(unit="distance in km") == {
        "distance_km"
    }
    assert touched(stale_hours=48) == {
        "temp_c",
        "wind_kmh",
        "precip_mm",
        "visib_km",
        "pressure_hpa",
        "recent_delay",
    }
    assert touched(share=0.0, slip_hours=4) == set()
    assert list(replace(EVERYTHING, share=1.0).mistakes) == [
        "stale",
        "transform",
        "default",
        "time zone",
        "unit",
    ]


def test_a_larger_share_adds_to_a_smaller_one() -> None:
    some, more = skew.draw_faulty(0.3, 1_000, 2), skew.draw_faulty(0.6, 1_000, 2)
    assert (more | ~some).all() and 250 < some.sum() < 350
    assert skew.run(replace(RIGHT, slip_hours=4, share=0.5)).differ_share == pytest.approx(
        0.0625, abs=0.005
    )


def test_the_last_run_by_hand() -> None:
    assert skew.last_run(np.array([7_199, 7_200, 90_000]), 2).tolist() == [0, 7_200, 86_400]
    assert skew.last_run(np.array([7_199]), 0).tolist() == [7_199]


def test_words_say_the_numbers() -> None:
    nothing = skew.run(RIGHT)
    assert f"same values as training: AUC **{nothing.auc_served:.3f}**" in nothing.verdict
    assert nothing.auc_lost == 0 and "No mistake is made." in nothing.why
    slip = skew.run(SkewParams())
    assert f"to **{slip.auc_served:.3f}**" in slip.verdict and "hour_local 100%" in " ".join(
        slip.why
    )
    assert slip.score(ONE_DEFINITION).auc == slip.score(FRESH).auc == slip.score(TRAINED).auc
    stale = skew.run(replace(RIGHT, stale_hours=24))
    assert (
        stale.score(ONE_DEFINITION).auc == pytest.approx(stale.auc_served)
        and stale.score(FRESH).auc > stale.auc_served
    )
    assert "fixes code, not age" in " ".join(stale.why)
    null = skew.run(replace(RIGHT, window=20))
    assert "not significant" in null.verdict and "not significant" not in slip.verdict
    assert (
        nothing.table().num_rows == raw_values.N_SERVED
        and nothing.table().num_columns == 2 * len(INPUTS)
    )


# ---- against Feast


@pytest.mark.parametrize("params", [SkewParams(), replace(EVERYTHING, stale_hours=12)])
def test_feast_gives_training_serving_and_repaired_values_cell_by_cell(params: SkewParams) -> None:
    before = set((workspace.server() / "scratch").glob("feast-skew-*"))
    found = real.confirm(params)
    assert found.complete and found.agrees and found.n_flights >= 8, found.verdict
    assert (
        found.n_cells
        == found.n_offline
        == found.n_online
        == found.n_repaired
        == found.n_flights * len(INPUTS)
    )
    assert found.n_wrong >= found.n_flights and found.n_logged == found.n_flights
    assert set((workspace.server() / "scratch").glob("feast-skew-*")) == before, (
        "its folder is gone"
    )
    served = skew.run(params)
    assert found.logged is not None
    assert found.logged.auc > served.auc_served or params.share < 1, (
        "but a log of two paths teaches neither"
    )
    texts = found.fixes
    assert (
        len(texts) == len(params.mistakes) + 1
        and f"{found.n_repaired} of {found.n_cells} cells agree" in texts[0]["evidence"]
    )
    assert (
        ":material/verified:" in found.verdict
        and ":material/error:" in replace(found, n_online=0).verdict
    )
    figure = figures.scores(served, found.logged, served)
    assert [trace.x[0] for trace in figure.data] == [
        *(score.auc for score in served.scores),
        found.logged.auc,
        served.auc_served,
    ]
    assert real.Confirmation(params).verdict == "Feast is still running."


# ---- figures


def test_figures_show_the_results_numbers() -> None:
    result = skew.run(SkewParams())
    figure = figures.values(result)
    hour = INPUTS.index("hour_local")
    assert (
        len(figure.data[3 * hour + 1].x) == 0
        and len(figure.data[3 * hour + 2].x) == figures.N_DRAWN
    )
    assert (
        len(figure.data[1].x) == figures.N_DRAWN
        and "100% differ" in figure.layout.annotations[hour].text
    )
    assert len(figure.to_json()) < 300_000
    same = figures.values(skew.run(RIGHT))
    assert all("the same" in note.text for note in same.layout.annotations[: len(INPUTS)])
