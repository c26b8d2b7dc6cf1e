"""Growth: five joins give one answer, pairs are counted without joining, and what would not fit is
said and not run.
"""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine import scripts
from engine.feature_store import feast_repo, growth
from engine.feature_store.growth import GrowthParams, GrowthResult, Point, joins
from engine.feature_store.growth import figure as figures
from engine.feature_store.growth.joins import CONTESTANTS, EVENT, FEATURE, KEY, Rows
from engine.feature_store.growth.result import TTLS
from engine.workspace import REPOSITORY
from tests.engine.printed import run_script

SMALL = GrowthParams(
    n_labels=400,
    n_rows=300,
    repeats=1,
    contestants=("Feast file", "Feast duckdb", "Polars join_asof"),
)


def by_hand(rows: Rows, ttl: timedelta) -> tuple[int, int, int, float]:
    """Pairs of equal keys, those in the window, labels with a value and their sum, by comparing
    everything with everything.
    """
    label_keys, row_keys = (np.asarray(t[KEY].to_pylist()) for t in (rows.labels, rows.features))
    label_times, row_times = (t[EVENT].to_numpy() for t in (rows.labels, rows.features))
    value = rows.features[FEATURE].to_numpy()
    same = label_keys[:, None] == row_keys[None, :]
    age = label_times[:, None] - row_times[None, :]
    inside = (
        same & (age >= np.timedelta64(0)) & (age <= np.timedelta64(ttl or timedelta(days=9_999)))
    )
    winners = [
        int(np.flatnonzero(mask)[np.argmax(row_times[mask])]) for mask in inside if mask.any()
    ]
    return int(same.sum()), int(inside.sum()), len(winners), float(value[winners].sum())


@pytest.mark.parametrize("ttl", TTLS)
@pytest.mark.parametrize("n_keys", [1, 3, 100])
def test_all_five_joins_give_the_answer_found_by_hand_and_pairs_are_counted_right(
    n_keys: int, ttl: str, tmp_path: Path
) -> None:
    span = TTLS[ttl]
    rows = joins.rows_of(300, 250, n_keys, span)
    n_pairs, n_window, n_values, total = by_hand(rows, span)
    assert (rows.n_pairs, rows.n_window_pairs) == (n_pairs, n_window)
    path = feast_repo.write(rows.features, tmp_path / "rows.parquet")
    for name in CONTESTANTS:
        n, value = joins.prepare(name, rows, path, span)()
        assert n == n_values and value == pytest.approx(total, abs=0.01), name


def test_the_file_store_holds_all_pairs_of_a_key_and_duckdb_those_in_the_window() -> None:
    few, many = (joins.rows_of(2_000, 2_000, n, timedelta(days=1)) for n in (3, 1_000))
    assert few.n_pairs > 200 * many.n_pairs and few.n_pairs > 300 * few.n_window_pairs
    assert growth.pairs_of("Feast file", few) == few.n_pairs
    assert growth.pairs_of("Feast duckdb", few) == few.n_window_pairs
    assert growth.pairs_of("pandas merge_asof", few) == few.labels.num_rows


def test_a_run_measures_every_size_in_turns_and_the_script_prints_its_headline() -> None:
    result = growth.run(SMALL)
    assert result.complete and result.agree and len(result.sweep) == len(growth.SWEEP_KEYS)
    for name in SMALL.contestants:
        assert [point.n_labels for point in result.points_of(name)] == [50, 100, 200, 400]
        assert all(
            len(point.seconds) == 1 and point.seconds[0] > 0 for point in result.points_of(name)
        )
    assert [point.n_keys for point in result.sweep] == list(growth.SWEEP_KEYS)
    assert result.table().num_rows == 12 + len(result.sweep)
    assert run_script(scripts.render(SMALL)) == result.headline()
    for figure in (figures.growth(result, result), figures.pairs(result), figures.memory(result)):
        assert len(figure.to_json()) < 300_000
    assert "400 labels, 300 rows, 3 keys" in result.verdict
    assert "All give the same values." in " ".join(result.why)


def test_before_any_run_the_pairs_are_counted() -> None:
    early = growth.expected(SMALL)
    assert not early.complete and not early.points
    assert {name: n for name, _, n in early.counted} == {
        name: growth.pairs_of(name, SMALL.rows(1.0)) for name in SMALL.contestants
    }
    assert f"Feast file is slowest, it joins **{early.n_pairs:,}** pairs" in early.verdict
    drawn = {trace.name: trace.y[-1] for trace in figures.growth(early).data}
    assert drawn == {name: n for name, _, n in early.counted}


def test_what_would_not_fit_is_said_before_and_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    (sentence,) = growth.left_out(GrowthParams(n_labels=10_000, n_rows=10_000))
    assert sentence.startswith("Feast file is left out from 5,000 labels on: 8,")
    assert "about 4.17 s and 667 MB of memory" in sentence
    both = growth.left_out(GrowthParams(n_labels=300_000, n_rows=300_000, ttl="never expires"))
    assert [text.split(" is left out")[0] for text in both] == ["Feast file", "Feast duckdb"]
    assert growth.left_out(GrowthParams()) == ()
    monkeypatch.setattr(growth, "MAX_PAIRS", 5_000)
    result = growth.run(replace(SMALL, contestants=("Feast file", "Polars join_asof")))
    assert [point.n_labels for point in result.points_of("Feast file")] == [50, 100]
    assert [point.n_labels for point in result.points_of("Polars join_asof")] == [50, 100, 200, 400]
    assert (
        all(point.n_pairs <= 5_000 for point in (*result.points_of("Feast file"), *result.sweep))
        and result.left_out
    )


def test_slope_and_disagreement_by_hand() -> None:
    def point(n: int, seconds: float, answer: Any = (1, 2.0), name: Any = "Feast file") -> Point:
        return Point(name, 3, n, n, n * n, (seconds,), answer)

    result = GrowthResult(
        GrowthParams(), 400, 400, 160_000, 10, (), datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert result.slope("Feast file") is None
    result = replace(
        result, points=(point(50, 9.0), point(100, 1.0), point(200, 4.0), point(400, 16.0))
    )
    assert result.slope("Feast file") == pytest.approx(2.0), "over the three largest"
    assert result.agree and result.pairs_per_label == 400
    result = replace(
        result, points=(*result.points, point(400, 0.5, (1, 3.0), "pandas merge_asof"))
    )
    assert not result.agree and "THEIR ANSWERS DIFFER" in " ".join(result.why)
    assert "**16 s**, **32×** the time of pandas merge_asof (500 ms)" in result.verdict


HOLD = """
import time
import numpy as np
from engine.feature_store.growth import child
held = []
def hold():
    held.append(np.ones(50_000_000 // 8))
    time.sleep(0.3)  # on a busy machine the watcher looks seldom
    held.clear()
print(child.peak_bytes(hold), child.peak_bytes(lambda: None))
"""


def test_peak_memory_is_what_a_call_holds_at_most() -> None:
    """In a process of its own, as on the page: what other tests have left running here gives memory
    back at any moment.
    """
    done = subprocess.run(
        [sys.executable, "-c", HOLD], cwd=REPOSITORY, capture_output=True, text=True, check=True
    )
    holding, idle = map(int, done.stdout.split())
    assert 45e6 < holding < 90e6 and idle < 5e6


def test_peak_memory_comes_from_a_child_process() -> None:
    params = GrowthParams(
        n_labels=1_000, n_rows=1_000, n_keys=1, repeats=1, memory=True, contestants=CONTESTANTS[::3]
    )
    result = growth.run(params)
    assert result.peak_bytes is not None and set(result.peak_bytes) == {
        "Feast file",
        "Polars join_asof",
    }
    assert result.peak_bytes["Feast file"] > 10e6, "a million pairs of some columns"
    assert len(figures.memory(result).data) == 1
