"""SMOTE-NC step by step: penalty, neighbours and vote give imbalanced-learn's own rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn.over_sampling import SMOTENC

from engine import scripts
from engine.errors import InputError
from engine.sampling import lineage
from engine.sampling.lineage import LineageParams, LineageResult, player, vote
from engine.sampling.lineage import figure as figures
from engine.sampling.points import FLIGHT_CATEGORIES, Points
from tests.engine.printed import run_script
from tests.engine.sampling.test_uploaded import params_of, uploaded

CATEGORIES: dict[str, list[Any]] = {
    "text": ["b", "a", "c"],
    "whole": [10, 9, 100],
    "true and false": [True, False],
    "floats": [1.5, -2.0, 0.25],
}


def by_hand(result: LineageResult) -> list[str]:
    """Return each synthetic row's category by SMOTE-NC's definition and the library's own draw
    from ties.
    """
    points, k = result.points, result.params.k_neighbors
    names = sorted(set(points.category.tolist()))
    codes = np.array([names.index(value) for value in points.category.tolist()])
    minority = np.flatnonzero(points.y == 1)
    penalty = float(np.median(points.X[minority].std(axis=0)))
    assert penalty == pytest.approx(result.penalty, rel=1e-12)
    votes = np.zeros((result.n_synthetic, len(names)), int)
    for made, seed in enumerate(result.record.seed_index):
        near = result.record.neighbours[made]  # with copies the library may leave out another row
        squared = ((points.X - points.X[seed]) ** 2).sum(axis=1)
        squared = squared + penalty**2 * (codes != codes[seed])
        nearest = np.sort(squared[minority])[1 : k + 1]
        assert squared[near] == pytest.approx(nearest, abs=1e-9)
        np.add.at(votes[made], codes[near], 1)
    rng = np.random.RandomState(result.params.seed)
    best = rng.permutation(np.argwhere(votes == votes.max(axis=1, keepdims=True)))
    rows, first = np.unique(best[:, 0], return_index=True)
    assert rows.tolist() == list(range(result.n_synthetic))
    return [str(names[code]) for code in best[first, 1]]


def check(result: LineageResult, labels: list[Any], strategy: Any) -> None:
    points, n_rows = result.points, len(result.points.y)
    X = np.empty((n_rows, 3), object)
    X[:, :2], X[:, 2] = points.X, points.category
    found, y = SMOTENC(
        categorical_features=[2], sampling_strategy=strategy,
        k_neighbors=result.params.k_neighbors, random_state=result.params.seed,
    ).fit_resample(X, np.array(labels))  # fmt: skip
    assert len(y) == n_rows + result.n_synthetic
    assert np.array_equal(result.resampled, found[:, :2].astype(float))
    assert result.synthetic_category.tolist() == [str(value) for value in found[n_rows:, 2]]
    assert by_hand(result) == result.synthetic_category.tolist()
    is_tied = vote.tied(points, result.record)
    for made in range(result.n_synthetic):
        one = result.vote(made)
        near = result.record.neighbours[made]
        counts = Counter(str(points.category[row]) for row in near)
        assert dict(one.counts) == counts and one.is_tied == is_tied[made]
        assert counts[one.chosen] == max(counts.values())
        assert one.rows[: one.n_neighbours].tolist() == near.tolist()
        assert (np.diff(one.distances[: one.n_neighbours]) >= -1e-6).all(), "nearest first"
        assert one.chosen in result.describe(made) or len(one.chosen) > 30
        later = one.distances[one.n_neighbours :]
        assert (later >= one.distances[one.n_neighbours - 1] - 1e-6).all(), (
            "who has no vote is farther with the penalty"
        )


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(CATEGORIES)),
    seed=st.integers(0, 10_000),
    k=st.integers(1, 6),
    more=st.booleans(),
    rounded=st.booleans(),
)
def test_an_uploads_category_is_voted_on_as_the_library_does(
    kind: str, seed: int, k: int, more: bool, rounded: bool
) -> None:
    rng = np.random.default_rng(seed)
    y = rng.permutation([0] * 40 + [1] * 15 + ([2] * 25 if more else [])).tolist()
    X = rng.normal(size=(len(y), 2)) + np.array(y)[:, np.newaxis] / 2
    X = np.round(X) if rounded else X
    values = CATEGORIES[kind]
    category = [values[place] for place in rng.integers(len(values), size=len(y))]
    path = uploaded(a=X[:, 0], b=X[:, 1], y=y, c=category)
    params = params_of(
        path, method="SMOTE-NC", category="c", minority="1", k_neighbors=k, ratio=1.0, seed=seed
    )
    check(lineage.run(params), y, {1: 40} if more else 1.0)


@pytest.mark.parametrize("category", FLIGHT_CATEGORIES)
def test_the_flights_category_is_voted_on_as_the_library_does(category: Any) -> None:
    params = LineageParams(source="flights", method="SMOTE-NC", category=category, seed=2)
    result = lineage.run(params)
    check(result, result.points.y.tolist(), 0.5)
    assert result.points.category_name == category and 0 < result.voted_away_share < 1
    texts = result.points.category.astype(str)
    away = result.synthetic_category != texts[result.record.seed_index]
    assert result.voted_away_share == away.mean()
    assert run_script(scripts.render(params)) == result.headline()
    assert [row["category"] for row in result.table().to_pylist()] == [
        *texts,
        *result.synthetic_category,
    ]


def test_smote_nc_by_hand() -> None:
    """Numbers 0, 1, 2, 10 on a line (deviations 3.961 and 0, median 1.980): from 0 the nearest by
    numbers is 1, but its category adds 1.980 squared, so 2 votes with k = 1.
    """
    X = np.array([[0.0, 0], [1, 0], [2, 0], [10, 0], *([50.0, float(i)] for i in range(8))])
    category = np.array(["a", "b", "a", "b", *["a"] * 8])
    rows = Points(X, np.array([1] * 4 + [0] * 8), category)
    params = LineageParams(method="SMOTE-NC", k_neighbors=1, ratio=1.0)
    result = lineage.resample(rows, params)
    assert (
        result.penalty
        == pytest.approx(np.std([0, 1, 2, 10]) / 2)
        == pytest.approx(1.9803, abs=1e-4)
    )
    near = {
        int(seed): int(row)
        for seed, (row,) in zip(result.record.seed_index, result.record.neighbours, strict=True)
    }
    assert {seed: near[seed] for seed in near} == {
        seed: {0: 2, 1: 0, 2: 0, 3: 2}[seed] for seed in near
    } or near.get(1) == 2  # 1 is as far from 0 as from 2
    if 0 in near:
        one = result.vote(result.record.seed_index.tolist().index(0))
        assert one.rows.tolist() == [2, 1] and one.differs.tolist() == [False, True]
        assert one.distances.tolist() == pytest.approx([2, np.sqrt(1 + 1.9803**2)], abs=1e-3)


def test_a_minority_of_copies_has_no_penalty_and_votes() -> None:
    """The median deviation is 0: the library keeps the categories aside, and they still vote."""
    X = np.vstack([np.zeros((6, 2)), np.random.default_rng(0).normal(size=(20, 2))])
    rows = Points(X, np.array([1] * 6 + [0] * 20), np.array(["a", "b"] * 13))
    result = lineage.resample(rows, LineageParams(method="SMOTE-NC", k_neighbors=3, ratio=1.0))
    assert result.penalty == 0 and set(result.synthetic_category) <= {"a", "b"}
    for made, near in enumerate(result.record.neighbours):
        counts = Counter(rows.category[near].tolist())
        assert counts[str(result.synthetic_category[made])] == max(counts.values())


def test_a_category_of_the_flights_is_origin_or_carrier() -> None:
    with pytest.raises(InputError, match="category must be one of origin, carrier. Got 'dest'."):
        lineage.run(LineageParams(source="flights", method="SMOTE-NC", category="dest"))


def test_the_steps_say_the_categories_and_the_vote() -> None:
    result = lineage.run(LineageParams(source="flights", method="SMOTE-NC", category="carrier"))
    figure = figures.plane(result, made=4)
    n_stages = len(player.STAGES) + 1
    assert len(figure.frames) == player.N_PLAYED * n_stages
    one = result.vote(4)
    last, voting = (figure.frames[i].data[2].text for i in (n_stages - 1, n_stages - 2))
    assert last[0] == f"seed {one.seed_category}" and last[-1] == f"new {one.chosen}"
    assert list(last[1:-1]) == [
        f"{place} {name}" for place, name in enumerate(one.categories[: one.n_neighbours], 1)
    ]
    assert voting[-1] == ", ".join(f"{name} {n}" for name, n in one.counts)
    numbers, penalties = figures.vote(result, 4).data
    assert (np.array(numbers.x) + np.array(penalties.x)) == pytest.approx(one.distances**2)
    assert len(numbers.y) == len(set(numbers.y)) == len(one.rows)
