"""Famous leaks: the recreated tables against what was published, the scores' order, and which check
finds which.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from engine import scripts
from engine.leakage import famous
from engine.leakage.famous import FamousParams, FamousResult, figure
from engine.leakage.famous.cases import CASES, FACTS, recreate
from engine.leakage.famous.result import CaseRun, Found
from tests.engine.printed import run_script

MANY = range(20)


@pytest.fixture(scope="module")
def result() -> FamousResult:
    return famous.run(FamousParams(repeats=1))


def column(case: str, name: str, seed: int = 0) -> np.ndarray:
    return np.asarray(recreate(case, seed).table[name].to_pandas())


def test_patient_ids_have_ranges_with_their_own_share_of_cancer() -> None:
    ids = np.concatenate([column("id ranges", "patient_id", seed) for seed in MANY])
    y = np.concatenate([column("id ranges", "y", seed) for seed in MANY])
    assert y[ids < 20_000].mean() == pytest.approx(0.36, abs=0.03)
    assert y[ids > 100_000].mean() < 0.03
    assert len(column("id ranges", "y")) == 1_712
    assert y.sum() / len(MANY) == pytest.approx(118, rel=0.1), "118 patients with cancer"
    assert recreate("id ranges", 0).fresh["patient_id"].to_pandas().min() >= 5_000_000


def test_sorting_by_hospital_gives_the_published_auc() -> None:
    hospital = np.concatenate([column("hospital id", "hospital", seed) for seed in MANY])
    y = np.concatenate([column("hospital id", "y", seed) for seed in MANY])
    assert roc_auc_score(y, hospital == "MSH") == pytest.approx(0.861, abs=0.015)
    assert y[hospital == "MSH"].mean() == pytest.approx(0.342, abs=0.02)
    assert set(recreate("hospital id", 0).fresh["hospital"].to_pylist()) == {"new"}


def test_a_removed_code_leaves_its_gap() -> None:
    made = recreate("code for the answer", 0)
    codes = np.column_stack([made.table[name].to_numpy() for name in made.leaks])
    y, n_left = made.table["y"].to_numpy(), (codes > 0).sum(axis=1)
    assert y[n_left == 0].mean() == 1, "a patient without any code left had pneumonia"
    assert y[n_left == 4].mean() == 0, "one with all four had none"
    gaps = codes == -1
    assert (np.diff(gaps.astype(int), axis=1) >= 0).all(), "the other codes moved left"
    fresh = made.fresh.to_pandas()
    later = (fresh[list(made.leaks)] > 0).sum(axis=1)
    assert later.min() == 1 and abs(np.corrcoef(later, fresh["y"])[0, 1]) < 0.05


def test_boats_and_bodies_are_as_many_as_in_the_published_table() -> None:
    table = recreate("future-filled columns", 0).table.to_pandas()
    assert len(table) == 1_309 and table["y"].sum() == 500
    assert (table["boat"].notna().sum(), table["body"].notna().sum()) == (486, 121)
    assert table.loc[table["body"].notna(), "y"].sum() == 0
    fresh = recreate("future-filled columns", 0).fresh
    assert fresh["boat"].null_count == fresh["body"].null_count == fresh.num_rows


def test_rows_are_sorted_and_the_audit_gets_no_row_number() -> None:
    made = recreate("sorted rows", 0)
    y = made.table["y"].to_numpy()
    assert (y == np.repeat([0, 1], [570, 393])).all() and "row" not in made.audited.column_names


def test_reported_scores_are_high_and_production_is_not(result: FamousResult) -> None:
    assert result.complete and [run.case for run in result.runs] == list(CASES)
    for run in result.runs:
        assert run.reported > 0.75 and run.production < 0.7 < run.reported
        assert 0.6 < run.without < 0.72, "the weak column alone: Φ(0.8 / √2) = 0.714 at best"
    assert result.mean("sorted rows", "reported") == 1


def test_each_leak_is_found_by_its_check_and_the_hospital_once_it_is_named(
    result: FamousResult,
) -> None:
    wanted = {
        "id ranges": "identifier",
        "code for the answer": "one-sided values",
        "future-filled columns": "missingness",
        "sorted rows": "row order",
    }
    for case, detector in wanted.items():
        assert detector in result.found(case)
    assert result.not_found == ("hospital id",) and result.n_found == 4 and result.n_false == 0
    named = replace(result, params=FamousParams(audit=True, named=True))
    assert named.found("hospital id") == ("group overlap",) and named.n_found == 5
    assert "5 of 5" in named.verdict and named.detectors[0] == "group overlap"


def test_found_means_in_every_table() -> None:
    runs = [
        CaseRun("id ranges", seed, 1, 1, 1, Found(names, ()), Found((), ()))
        for seed, names in enumerate([("a", "b"), ("b",)])
    ]
    assert FamousResult(FamousParams(), tuple(runs)).found("id ranges") == ("b",)


def test_the_preview_is_not_audited_and_says_so() -> None:
    found = famous.preview(FamousParams(audit=True))
    assert not found.audited and not found.complete and len(found.runs) == len(CASES)
    assert "under way" in found.verdict and "found by" not in found.rows()[0]
    assert figure.scores(found).data[-1].y[0] == FACTS["id ranges"].short


def test_the_script_prints_the_headline(result: FamousResult) -> None:
    assert run_script(scripts.render(result.params)) == result.headline()


def test_figures_show_the_results_numbers(result: FamousResult) -> None:
    audited = replace(result, params=FamousParams(audit=True))
    dots = figure.scores(audited).data[-3]
    assert list(dots.x) == [run.reported for run in result.runs] and "row order" in dots.y[-1]
    (cells,) = figure.checks(audited).data
    assert list(cells.x) == list(audited.detectors) and np.sum(cells.z[1]) == 0
