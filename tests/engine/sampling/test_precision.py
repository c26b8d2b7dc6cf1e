"""Precision: the error of a mean against all samples of a tiny population, and against the formula;
what is read from the file is what is averaged.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engine import data, scripts
from engine.sampling import precision
from engine.sampling.precision import SIZES, PrecisionParams, PrecisionResult
from engine.sampling.precision import figure as figures
from tests.engine.printed import run_script

TINY = np.array([3.0, 8.0, 1.0, 9.0, 4.0, 20.0])


@pytest.fixture(scope="module")
def result() -> PrecisionResult:
    return precision.run(PrecisionParams(repeats=100))


def test_the_standard_error_is_that_of_all_samples() -> None:
    for n in (1, 2, 3, 5):
        means = [np.mean(sample) for sample in itertools.combinations(TINY, n)]
        found = precision.standard_error(TINY.std(ddof=1), np.array([n]), len(TINY))
        assert found[0] == pytest.approx(np.std(means))
    assert precision.standard_error(1.0, np.array([6]), 6)[0] == 0


def test_means_of_the_first_rows_by_hand() -> None:
    found = precision.first_means(TINY, np.array([1, 3, 6, 7]))
    assert found[:3].tolist() == [3.0, 4.0, 7.5] and np.isnan(found[3])


def test_the_file_gives_the_mean_of_its_first_rows(tmp_path: Path) -> None:
    path = tmp_path / "column.csv"
    path.write_text("minutes\n" + "\n".join(map(str, TINY.tolist())), encoding="ascii")
    assert precision.read_mean(path, 4) == TINY[:4].mean()
    assert precision.read_mean(path, 6) == TINY.mean()


def test_real_samples_follow_the_formula_and_the_wrong_rows_do_not(
    result: PrecisionResult,
) -> None:
    delays = data.load("flights").to_pandas()["dep_delay"].dropna()
    assert result.truth == pytest.approx(delays.mean()) and result.n_population == len(delays)
    assert result.deviation == pytest.approx(delays.std())
    # 100 squared errors: a chi-square whose root is within 4 of its standard deviations, 28%
    assert np.abs(result.errors / result.theory - 1).max() < 0.3
    known = result.biased[np.isfinite(result.biased)]
    assert known[-1] > 0.7 * known[0] and known[-1] > 10 * result.errors[-1]
    assert result.complete and len(result.seconds) == len(SIZES) + 1
    assert result.seconds[-1] > 20 * result.seconds[SIZES.index(1_000)] > 0


def test_another_number_of_rows_asks_for_no_new_job_and_is_the_page_s_answer(
    result: PrecisionResult,
) -> None:
    assert PrecisionParams(n_rows=20_000).measuring() == PrecisionParams()
    more = replace(result, params=replace(result.params, n_rows=20_000))
    assert more.error == result.errors[SIZES.index(20_000)] < result.error / 3
    assert more.verdict.startswith("**20,000 rows**") and result.verdict.startswith("**1,000 rows")
    assert result.rows()[3]["RMSE, min"] == f"{result.error:.3f}"


def test_the_preview_has_fewer_samples_and_no_seconds() -> None:
    found = precision.preview(PrecisionParams(seed=3))
    assert (found.n_samples, len(found.seconds), found.complete) == (20, 0, False)
    assert found.params == PrecisionParams(seed=3) and found.table().num_rows == len(SIZES)


def test_the_script_prints_the_headline(result: PrecisionResult) -> None:
    assert run_script(scripts.render(result.params)) == result.headline()


def test_figures_show_the_results_numbers(result: PrecisionResult) -> None:
    figure = figures.by_rows(result, result)
    named = {trace.name: trace for trace in figure.data}
    assert list(named["random samples"].y) == result.errors.tolist()
    assert list(named["1,000 rows"].y) == [result.error]
    assert list(figures.by_seconds(result).data[0].x) == result.seconds[:-1].tolist()
