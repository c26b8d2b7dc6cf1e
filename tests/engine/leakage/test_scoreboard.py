"""The scoreboard: seeds kept apart, plants that leak, clean tables that do not, Wilson by hand. The
bench runs it in full.
"""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from engine.errors import InputError
from engine.leakage import plants
from engine.leakage.audit import figure as figures
from engine.leakage.audit import scoreboard
from engine.leakage.audit.scoreboard import (
    CleanTrial,
    ScoreboardParams,
    ScoreboardResult,
    Trial,
)
from engine.leakage.plants import EVALUATION_SEEDS, HIDDEN_KIND, PLANT_KINDS, TUNING_SEEDS
from engine.statistics import share_interval

MUST_CATCH = {  # plants of doses that move the score, by what must catch them
    "copy of the answer": "single-feature score",
    "value only one answer has": "one-sided values",
    "missing where it happened": "missingness",
    "id given by the answer": "identifier",
    "encoding over all rows": "target encoding",
    "columns that add up": "columns that add up",
    "copies across the split": "exact duplicates",
    "near copies across the split": "near duplicates",
    "groups on both sides": "group overlap",
    "random split over time": "time overlap",
    "biased test rows": "adversarial validation",
    "effect, moment declared": "timing",
    "updated after the event": "sharpening",
    "look-ahead window": "truncated history",
    "sparse id by the answer": "identifier",
    "id that repeats": "identifier",
    "order of the rows": "row order",
    "copies with new ids and times": "exact duplicates",
}


def test_no_seed_is_tuned_on_and_judged_by() -> None:
    assert set(TUNING_SEEDS).isdisjoint(EVALUATION_SEEDS)
    asked = ScoreboardParams(seed=50_000, n_plants=200, n_clean=200)
    assert EVALUATION_SEEDS.start + asked.seed + 200 <= EVALUATION_SEEDS.stop


@pytest.mark.parametrize("kind", PLANT_KINDS)
def test_a_plant_with_a_strong_dose_is_caught_by_its_own_detector(kind: str) -> None:
    doses = {seed: plants.planted(kind, seed).dose for seed in TUNING_SEEDS[:6]}
    seed = max(
        doses, key=lambda s: doses[s] if kind != "encoding over all rows" else -abs(doses[s] - 0.2)
    )
    made = plants.planted(kind, seed)
    found = scoreboard.audit_made(made)
    assert MUST_CATCH[kind] in {finding.detector for finding in found.alarms}


def test_a_clean_table_of_each_turn_is_left_alone() -> None:
    trials = [scoreboard.judge_clean(EVALUATION_SEEDS.start + turn) for turn in (0, 2, 5, 6)]
    assert (
        sum(trial.n_columns for trial in trials) >= 100
        and sum(len(trial.flagged) for trial in trials) <= 2
    )


def test_clean_tables_hold_what_could_be_taken_for_a_leak() -> None:
    made = plants.clean(EVALUATION_SEEDS.start + 2)
    y = made.table["y"].to_numpy()
    x = made.table["symptom"].to_numpy().astype(float)
    assert 0.72 < roc_auc_score(y, x) < 0.93
    assert (
        len(set(made.table["uuid"].to_pylist())) == len(y)
        and len(set(made.table["sku"].to_pylist())) > 200
    )
    assert (
        made.table["sensor"].null_count > len(y) / 2
        and np.corrcoef(x, made.table["symptom_again"].to_numpy())[0, 1] > 0.7
    )


def test_the_effect_of_a_plant_is_what_a_model_gains() -> None:
    made = plants.planted("value only one answer has", EVALUATION_SEEDS.start + 1)
    y = made.table["y"].to_numpy()
    x = scoreboard.make_matrix(made.table, made.features)
    gains = []
    for seed in range(2):
        test = np.random.default_rng(seed).random(len(y)) < 0.3
        code = (x[:, -1:] == x[:, -1].max()).astype(float)
        pair = [x[:, :3] / x[:, :3].std(axis=0), np.c_[x[:, :3] / x[:, :3].std(axis=0), code]]
        auc = [
            roc_auc_score(
                y[test], LogisticRegression().fit(z[~test], y[~test]).predict_proba(z[test])[:, 1]
            )
            for z in pair
        ]
        gains.append(auc[1] - auc[0])
    assert (
        scoreboard.measure_effect(made) == pytest.approx(np.mean(gains), abs=0.08)
        and np.mean(gains) > 0.02
    )
    none = plants.planted("copies across the split", EVALUATION_SEEDS.start)
    assert none.fresh is not None and none.planted == ()


Z = 1.959964  # of the normal distribution, 97.5 %


def test_wilson_by_hand() -> None:
    low, high = share_interval(0, 100)
    assert (low, high) == (0.0, pytest.approx(Z**2 / (100 + Z**2)))
    low, high = share_interval(5, 10)
    half = Z * np.sqrt(0.25 / 10 + Z**2 / 400) / (1 + Z**2 / 10)
    assert (low, high) == (pytest.approx(0.5 - half), pytest.approx(0.5 + half))
    assert share_interval(0, 0) == (0.0, 1.0)


def by_hand() -> ScoreboardResult:
    trials = (
        Trial(PLANT_KINDS[0], 1, 0.5, 0.3, ("single-feature score",), ()),
        Trial(PLANT_KINDS[0], 2, 0.1, 0.05, (), ("age",)),
        Trial(PLANT_KINDS[0], 3, 0.1, 0.01, (), ()),
        Trial(HIDDEN_KIND, 1, 0.8, 0.2, (), ()),
    )
    return ScoreboardResult(
        ScoreboardParams(), trials, (CleanTrial(1, 40, ("x",), ("identifier",)),), True
    )


def test_words_and_rows_by_hand() -> None:
    result = by_hand()
    assert result.recall == 0.5 and result.false_share == pytest.approx(1 / 40)
    assert "finds **50%** of 2 injected leaks (95% CI 9.5% to 91%)" in result.verdict
    assert "flags **2.5%** of 40 clean columns (95% CI 0.44% to 13%)" in result.verdict
    first, hidden = result.rows[0], result.rows[-1]
    assert (first["injected"], first["move_score"], first["caught"], first["false_columns"]) == (
        3,
        2,
        1,
        1,
    )
    assert (
        first["caught_of_the_rest"] == "0 of 1"
        and hidden["visible"] is False
        and hidden["move_score"] == 1
    )
    counts = {row["detector"]: row for row in result.by_detector}
    assert (
        counts["identifier"]["alarms on clean tables"] == 1
        and counts["single-feature score"]["leaks found"] == 1
    )
    assert result.table().num_rows == len(PLANT_KINDS) + 1
    figure = figures.scoreboard(result)
    assert list(figure.data[0].x) == [0.5, 0.0, 1 / 40] and "50%" in figure.layout.title.text
    assert ScoreboardResult(ScoreboardParams()).verdict.startswith("0 leaky tables")


def test_tables_fill_in_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    made = by_hand()
    monkeypatch.setattr(scoreboard, "judge", lambda kind, seed: made.trials[0])
    monkeypatch.setattr(scoreboard, "judge_clean", lambda seed: made.cleans[0])
    seen = list(scoreboard.steps(ScoreboardParams(n_plants=2, n_clean=3)))
    assert len(seen) == 2 * (len(PLANT_KINDS) + 1) + 3 and [p.share for p in seen] == sorted(
        p.share for p in seen
    )
    result = scoreboard.run(ScoreboardParams(n_plants=2, n_clean=3))
    assert (
        result.complete
        and len(result.trials) == 2 * (len(PLANT_KINDS) + 1)
        and len(result.cleans) == 3
    )


def test_every_kind_has_its_planter_and_no_other() -> None:
    from engine.leakage.plants.kinds import PLANTERS

    assert set(PLANTERS) == {*PLANT_KINDS, HIDDEN_KIND} == {*MUST_CATCH, HIDDEN_KIND}
    with pytest.raises(InputError, match="kind must be one of"):
        plants.planted("weather", 0)
