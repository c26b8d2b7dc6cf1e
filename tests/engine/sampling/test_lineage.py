"""Lineage: parents give the library's rows to the bit; every removed row has the reason that its
method asks for.
"""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn import combine, over_sampling, under_sampling
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import StratifiedKFold

from engine import data, scripts, workspace
from engine.errors import InputError
from engine.jobs import run_to_end
from engine.sampling import lineage, points, samplers
from engine.sampling.lineage import KINDS, LineageParams, LineageResult, player, removal
from engine.sampling.lineage import figure as figures
from engine.sampling.points import Points
from engine.sampling.samplers import BOTH, METHODS, UNDER
from tests.engine.printed import run_script

EXACT = (
    "random over",
    "SMOTE",
    "Borderline-1",
    "Borderline-2",
    "SVM-SMOTE",
    "K-Means-SMOTE",
    "ADASYN",
)


def library(params: LineageParams) -> tuple[np.ndarray, np.ndarray]:
    """Return what imbalanced-learn's own class answers."""
    name, arguments = samplers.sampler_settings(
        params.method, params.k_neighbors, params.ratio, params.seed
    )
    module = over_sampling if name.startswith("over") else under_sampling
    rows = params.points()
    X, y = getattr(module, name.split(".")[1])(**arguments).fit_resample(
        samplers.features(params.method, rows), rows.y
    )
    return X, y


def assembled(result: LineageResult) -> np.ndarray:
    X = result.points.X
    difference = X[result.record.neighbour_index] - X[result.record.seed_index]
    return X[result.record.seed_index] + result.record.step[:, np.newaxis] * (
        result.record.weight[:, np.newaxis] * difference
    )


# ---- over-sampling, to the bit


@pytest.mark.parametrize("source", ["moons", "blobs", "overlap", "bridge", "island", "flights"])
@pytest.mark.parametrize("method", EXACT)
def test_parents_and_steps_give_the_librarys_rows_to_the_bit(method: Any, source: Any) -> None:
    params = LineageParams(source=source, method=method, n_rows=600, seed=3)
    result = lineage.run(params)
    X, y = library(params)
    n_rows = len(result.points.y)
    assert np.array_equal(assembled(result), X[n_rows:]) and np.array_equal(result.resampled, X)
    assert np.array_equal(result.resampled_y, y) and (
        result.n_synthetic > 100 or source == "bridge"
    )
    assert (result.points.y[result.record.seed_index] == 1).all()


@pytest.mark.parametrize("seed", [0, 1, 2, 17, 101])
@pytest.mark.parametrize("method", EXACT)
def test_whatever_the_seed_and_whichever_class_comes_first(method: Any, seed: int) -> None:
    """The library is given the rows forwards and backwards, so that the minority stands last and
    first.
    """
    rows = LineageParams(source="overlap", n_rows=300, seed=seed).points()
    params = LineageParams(method=method, seed=seed, ratio=0.8)
    name, arguments = samplers.sampler_settings(method, params.k_neighbors, params.ratio, seed)
    for order in (slice(None), slice(None, None, -1)):
        turned = Points(rows.X[order].copy(), rows.y[order].copy(), rows.category[order])
        X, y = getattr(over_sampling, name.split(".")[1])(**arguments).fit_resample(
            turned.X, turned.y
        )
        result = lineage.resample(turned, params)
        assert np.array_equal(assembled(result), X[300:]) and np.array_equal(result.resampled_y, y)
        assert result.n_synthetic > 50


@settings(max_examples=25, deadline=None)
@given(
    method=st.sampled_from(EXACT),
    seed=st.integers(0, 1_000),
    n_rows=st.integers(60, 300),
    share=st.floats(0.1, 0.3),
    k=st.integers(1, 5),
    n_features=st.integers(1, 5),
)
def test_any_points_of_any_width_are_traced_to_the_bit(
    method: Any, seed: int, n_rows: int, share: float, k: int, n_features: int
) -> None:
    rng = np.random.default_rng(seed)
    y = (np.arange(n_rows) < share * n_rows).astype(int)
    rows = Points(
        rng.normal(size=(n_rows, n_features)) + y[:, np.newaxis],
        rng.permutation(y),
        np.full(n_rows, "a"),
    )
    params = LineageParams(method=method, k_neighbors=k, ratio=1.0, seed=seed)
    try:
        result = lineage.resample(rows, params)
    except InputError as error:
        assert str(error).startswith(f"{method} refuses these points")
        return
    assert np.array_equal(assembled(result), result.synthetic)
    chosen = [
        result.record.neighbour_index[i] in result.record.neighbours[i]
        for i in range(result.n_synthetic)
    ]
    assert all(chosen), "the chosen neighbour is among those that could have been"
    low = -0.5 if method == "SVM-SMOTE" else 0
    assert ((result.record.step >= low) & (result.record.step < 1)).all()
    weights = result.record.weight
    majority = rows.y[result.record.neighbour_index] == 0
    assert (weights[~majority] == 1).all() and (
        (weights[majority] >= 0) & (weights[majority] < 0.5)
    ).all()
    assert majority.any() <= (method == "Borderline-2")


def test_neighbours_are_the_k_nearest_minority_rows() -> None:
    result = lineage.run(LineageParams())
    X, rows = result.points.X, result.minority_index
    for made in range(result.n_synthetic):
        seed = result.record.seed_index[made]
        others = rows[rows != seed]
        nearest = others[np.argsort(np.linalg.norm(X[others] - X[seed], axis=1), kind="stable")][:5]
        assert set(nearest) == set(result.record.neighbours[made])


def test_smote_by_hand() -> None:
    """Three minority points on a line, k = 1: each synthetic point lies between two that are next
    to each other.
    """
    X = np.array(
        [[0.0, 0.0], [1.0, 0.0], [5.0, 0.0], [0.0, 9.0], [1.0, 9.0], [2.0, 9.0], [3.0, 9.0]]
    )
    rows = Points(X, np.array([1, 1, 1, 0, 0, 0, 0]), np.full(7, "a"))
    result = lineage.resample(rows, LineageParams(k_neighbors=1, ratio=1.0))
    assert result.n_synthetic == 1 and int(result.resampled_y.sum()) == 4
    nearest = {0: 1, 1: 0, 2: 1}
    seed = int(result.record.seed_index[0])
    assert result.record.neighbour_index[0] == nearest[seed]
    x = X[seed, 0] + result.record.step[0] * (X[nearest[seed], 0] - X[seed, 0])
    assert result.synthetic.tolist() == [[x, 0.0]]
    assert result.describe(0) == (
        f"Synthetic point 0: seed row {seed}, chosen neighbour row {nearest[seed]} (1 of 1 by"
        f" distance), λ = {result.record.step[0]:.2f}."
    )


def test_smote_nc_votes_on_the_category() -> None:
    params = LineageParams(method="SMOTE-NC", source="flights", n_rows=600)
    result = lineage.run(params)
    X, _ = library(params)
    assert np.array_equal(result.resampled, X[:, :2].astype(float)) and np.array_equal(
        assembled(result), result.synthetic
    )
    assert result.synthetic_category.tolist() == X[600:, 2].tolist()
    for made, voters in enumerate(result.record.neighbours):
        votes = Counter(result.points.category[voters].tolist())
        assert votes[str(result.synthetic_category[made])] == max(votes.values())


def test_smoten_votes_on_every_bin() -> None:
    params = LineageParams(method="SMOTEN", source="moons", n_rows=300)
    result = lineage.run(params)
    X, _ = library(params)
    assert np.array_equal(result.resampled, samplers.coordinates("SMOTEN", X, result.points))
    bins = samplers.features("SMOTEN", result.points)
    assert bins.min() == 0 and bins.max() == samplers.N_BINS - 1
    for made, voters in enumerate(result.record.neighbours):
        for column in (0, 1):
            votes = Counter(bins[voters, column].tolist())
            assert votes[int(X[300 + made, column])] == max(votes.values())


@pytest.mark.parametrize("method", BOTH)
def test_smote_then_cleaning_is_the_librarys_own(method: Any) -> None:
    params = LineageParams(method=method, source="overlap")
    rows = params.points()
    smote = over_sampling.SMOTE(sampling_strategy=0.5, k_neighbors=5, random_state=0)
    cls = combine.SMOTEENN if method == "SMOTE + ENN" else combine.SMOTETomek
    X, y = cls(smote=smote).fit_resample(rows.X, rows.y)
    result = lineage.run(params)
    assert np.array_equal(result.resampled, X) and np.array_equal(result.resampled_y, y)
    everything = np.vstack([rows.X, result.synthetic])
    assert np.array_equal(
        np.sort(np.delete(everything, result.removal.index, axis=0), axis=0), np.sort(X, axis=0)
    )
    assert (result.removal.reason >= 0).all()
    apart, both = distances(everything), np.concatenate([rows.y, np.ones(result.n_synthetic, int)])
    order = np.argsort(apart, axis=1)
    if method == "SMOTE + ENN":
        gone = [i for i in range(len(both)) if (both[order[i, :3]] != both[i]).any()]
    else:
        pairs = order[:, 0]
        gone = [i for i in range(len(both)) if pairs[pairs[i]] == i and both[pairs[i]] != both[i]]
        assert result.removal.neighbours[:, 0].tolist() == pairs[gone].tolist()
    assert result.removal.index.tolist() == gone


# ---- under-sampling: every reason against its definition


def distances(X: np.ndarray) -> np.ndarray:
    apart = np.linalg.norm(X[:, np.newaxis] - X[np.newaxis], axis=2)
    np.fill_diagonal(apart, np.inf)
    return apart


@pytest.mark.parametrize("source", ["overlap", "moons", "island"])
@pytest.mark.parametrize("method", [m for m in UNDER if m != "cluster centroids"])
def test_what_is_removed_is_what_the_library_removes_each_with_a_reason(
    method: Any, source: Any
) -> None:
    params = LineageParams(method=method, source=source, n_rows=240, seed=1)
    result = lineage.run(params)
    X, y = library(params)
    kept = np.delete(np.arange(240), result.removal.index)
    assert np.array_equal(np.unique(X, axis=0), np.unique(result.points.X[kept], axis=0)) and len(
        X
    ) == len(kept)
    assert (result.removal.reason >= 0).all() and np.array_equal(result.resampled_y, y)
    assert (result.points.y[result.removal.index] == 0).all()
    assert all(result.removal.describe(place) for place in range(result.n_removed))


def test_tomek_links_by_brute_force() -> None:
    result = lineage.run(LineageParams(method="Tomek links", source="overlap"))
    X, y = result.points.X, result.points.y
    nearest = distances(X).argmin(axis=1)
    links = [
        i for i in range(len(y)) if y[i] == 0 and y[nearest[i]] == 1 and nearest[nearest[i]] == i
    ]
    assert result.removal.index.tolist() == links
    assert result.removal.neighbours[:, 0].tolist() == nearest[links].tolist()
    assert result.removal.describe(0).endswith(f"a Tomek link (row {nearest[links[0]]})")


def test_edited_neighbours_by_brute_force() -> None:
    result = lineage.run(LineageParams(method="ENN", source="overlap", k_neighbors=3))
    X, y = result.points.X, result.points.y
    order = np.argsort(distances(X), axis=1)[:, :3]
    gone = [i for i in range(len(y)) if y[i] == 0 and (y[order[i]] == 1).any()]
    assert result.removal.index.tolist() == gone
    assert result.removal.value.tolist() == [int((y[order[i]] == 1).sum()) for i in gone]
    assert result.removal.neighbours.tolist() == [order[i].tolist() for i in gone]


@pytest.mark.parametrize(("method", "growing"), [("repeated ENN", False), ("all k-NN", True)])
def test_rounds_by_brute_force(method: Any, growing: bool) -> None:
    result = lineage.run(LineageParams(method=method, source="overlap", k_neighbors=4))
    X, y = result.points.X, result.points.y
    apart, alive, rounds = distances(X), set(range(len(y))), {}
    for turn in range(1, 5 if growing else 100):
        members = np.array(sorted(alive))
        near = {
            i: members[np.argsort(apart[i, members], kind="stable")][: turn if growing else 4]
            for i in members
        }
        gone = {i: turn for i in members if y[i] == 0 and (y[near[i]] == 1).any()}
        if not gone and not growing:
            break
        rounds |= gone
        alive -= set(gone)
    assert (
        dict(zip(result.removal.index.tolist(), result.removal.limit.tolist(), strict=True))
        == rounds
    )
    assert len(set(rounds.values())) > 1


@pytest.mark.parametrize("version", [1, 2, 3])
def test_near_miss_by_brute_force(version: int) -> None:
    result = lineage.run(
        LineageParams(method=f"NearMiss {version}", source="overlap", k_neighbors=3)
    )  # type: ignore[arg-type]
    X, y = result.points.X, result.points.y
    sorted_apart = np.sort(np.linalg.norm(X[:, np.newaxis] - X[y == 1][np.newaxis], axis=2), axis=1)
    mean = (sorted_apart[:, -3:] if version == 2 else sorted_apart[:, :3]).mean(axis=1)
    kept = np.setdiff1d(np.flatnonzero(y == 0), result.removal.index)
    scored = ~np.isnan(result.removal.value)
    assert result.removal.value[scored] == pytest.approx(mean[result.removal.index[scored]])
    if version == 3:
        assert scored.sum() < result.n_removed and mean[kept].min() >= result.removal.value[
            scored
        ].max(initial=0)
    else:
        assert mean[kept].max() <= result.removal.value.min() and result.removal.limit[
            0
        ] == pytest.approx(mean[kept].max())


def test_condensed_rows_are_classified_by_the_store_or_were_never_tested() -> None:
    result = lineage.run(LineageParams(method="condensed", source="overlap"))
    X, y = result.points.X, result.points.y
    store = np.setdiff1d(np.arange(len(y)), result.removal.index)
    nearest = store[distances(X)[:, store].argmin(axis=1)]
    for place, row in enumerate(result.removal.index):
        right = y[nearest[row]] == 0
        assert removal.REASONS[result.removal.reason[place]] == (
            removal.CONDENSED if right else removal.UNTESTED
        )


def test_one_sided_selection_by_brute_force() -> None:
    """Told as Tomek links: links among what the store keeps and what it gets wrong. All others
    agree with the store.
    """
    result = lineage.run(LineageParams(method="one-sided", source="overlap"))
    X, y = result.points.X, result.points.y
    _, arguments = samplers.sampler_settings("one-sided", 5, 0.5, 0)
    sampler = under_sampling.OneSidedSelection(**arguments)
    sampler.fit_resample(X, y)
    fitted_on = sampler.estimators_[-1]._fit_X
    store = np.array([int(np.flatnonzero((row == X).all(axis=1))[0]) for row in fitted_on])
    to_store = np.linalg.norm(X[:, np.newaxis] - X[store][np.newaxis], axis=2)
    nearest = store[to_store.argmin(axis=1)]
    alive = np.union1d(store, np.flatnonzero((y == 0) & (y[nearest] == 1)))
    apart = distances(X)
    partner = {int(i): int(alive[apart[i, alive].argmin()]) for i in alive}
    links = {i for i in partner if y[i] == 0 and y[partner[i]] == 1 and partner[partner[i]] == i}
    reasons = {
        int(r): removal.REASONS[c]
        for r, c in zip(result.removal.index, result.removal.reason, strict=True)
    }
    assert {row for row, reason in reasons.items() if reason == removal.TOMEK} == links and links
    others = [row for row, reason in reasons.items() if reason != removal.TOMEK]
    assert others and all(
        reasons[row] == removal.CONDENSED and y[nearest[row]] == 0 for row in others
    )


def test_nothing_removed_is_no_refusal() -> None:
    """Two far-away clouds: neighbourhood cleaning finds nothing to clean, and says so."""
    rng = np.random.default_rng(0)
    X = np.vstack([rng.normal(size=(30, 2)), 100 + rng.normal(size=(10, 2))])
    rows = Points(X, np.array([0] * 30 + [1] * 10), np.full(40, "a"))
    for method in ("neighbourhood cleaning", "ENN", "Tomek links"):
        result = lineage.resample(rows, LineageParams(method=method, k_neighbors=3))  # type: ignore[arg-type]
        assert result.n_removed == 0 and "majority 30 → 30" in result.verdict


def test_neighbourhood_cleaning_by_brute_force() -> None:
    result = lineage.run(
        LineageParams(method="neighbourhood cleaning", source="overlap", k_neighbors=3)
    )
    X, y = result.points.X, result.points.y
    near = np.argsort(distances(X), axis=1)[:, :3]
    outvoted = {i for i in np.flatnonzero(y == 0) if (y[near[i]] == 1).sum() >= 2}
    reasons = {
        int(r): removal.REASONS[c]
        for r, c in zip(result.removal.index, result.removal.reason, strict=True)
    }
    assert {row for row, reason in reasons.items() if reason == removal.OUTVOTED} == outvoted
    assert set(reasons.values()) == {removal.OUTVOTED, removal.SPOILS}
    for row, reason in reasons.items():
        if reason == removal.SPOILS:
            place = result.removal.index.tolist().index(row)
            spoiled = int(result.removal.neighbours[place][0])
            assert y[spoiled] == 1 and row in near[spoiled]


def test_hard_rows_have_a_chance_below_every_row_that_stays() -> None:
    result = run_to_end(
        lineage.steps(LineageParams(method="instance hardness", source="overlap", n_rows=200))
    )
    assert result.n_removed > 10 and (result.removal.value < result.removal.limit).all()
    X, y = result.points.X, result.points.y
    chances, shuffle = np.full(len(y), np.nan), np.random.RandomState(0)
    for train, test in StratifiedKFold(5, shuffle=True, random_state=shuffle).split(X, y):
        forest = RandomForestClassifier(100, random_state=np.random.RandomState(0)).fit(
            X[train], y[train]
        )
        chances[test] = forest.predict_proba(X[test])[:, 0]
    assert np.abs(result.removal.value - chances[result.removal.index]).max() < 0.15, (
        "another forest says about the same"
    )


def test_centroids_replace_the_majority() -> None:
    result = lineage.run(LineageParams(method="cluster centroids", source="overlap"))
    assert len(result.centroids) == 96 and result.n_removed == 352
    others = result.removal.limit + 1
    assert (1 / others).sum() == pytest.approx(96), "each cluster's rows count it once"
    majority = result.points.X[result.points.y == 0]
    nearest = np.linalg.norm(majority[:, np.newaxis] - result.centroids[np.newaxis], axis=2).argmin(
        axis=1
    )
    assert others.tolist() == np.bincount(nearest)[nearest].tolist(), (
        "a row's cluster is that of the nearest centroid"
    )


@pytest.mark.parametrize(
    ("method", "made", "because"),
    [
        ("SMOTE", 192, None),
        ("Borderline-1", 0, "it starts only from borderline points, and there are none."),
        ("SVM-SMOTE", 77, "its support vectors are all of one kind"),
    ],
)
def test_fewer_points_than_asked_for_are_explained(
    method: Any, made: int, because: str | None
) -> None:
    result = lineage.run(LineageParams(source="bridge", method=method, n_rows=600, seed=3))
    assert (result.n_wanted, result.n_synthetic) == (192, made)
    reasons = [reason for reason in result.why if f"{made} points instead of 192" in reason]
    assert (because or "") in "".join(reasons) and bool(reasons) is (because is not None)


def test_parents_of_the_majority_are_not_counted_as_minority() -> None:
    result = lineage.run(LineageParams(source="overlap", method="Borderline-2"))
    minority = set(result.minority_index.tolist())
    parents = set(result.record.seed_index.tolist()) | set(result.record.neighbour_index.tolist())
    assert result.n_parents == len(parents & minority) < len(parents)
    assert f"{result.n_parents} of 48 minority points" in result.why[1]


def test_random_undersampling_says_so() -> None:
    result = lineage.run(LineageParams(method="random under"))
    assert result.n_removed == 352 - 96 and result.removal.describe(0) == removal.RANDOM
    assert result.verdict == (
        "random under removes **256** points: minority 48 → 48, majority 352 → 96."
    )


# ---- points, kinds, words


def test_kinds_by_hand() -> None:
    """Five minority points close together; one with two of its kind near; one alone inside the
    majority.
    """
    cluster = [[0.0, 0.0], [0.1, 0.0], [0.0, 0.1], [0.1, 0.1], [0.05, 0.05], [0.05, 0.0]]
    crowd = [[10 + 0.1 * i, 10.0] for i in range(8)]
    rows = Points(
        np.array([*cluster, [10.35, 10.1], *crowd]), np.array([1] * 7 + [0] * 8), np.full(15, "a")
    )
    result = lineage.resample(rows, LineageParams(k_neighbors=2, ratio=1.0))
    assert [KINDS[kind] for kind in result.kinds()] == ["safe"] * 6 + ["outlier"]


@pytest.mark.parametrize("source", ["moons", "blobs", "overlap", "bridge", "island", "flights"])
def test_points_keep_what_was_asked_for(source: Any) -> None:
    rows = LineageParams(source=source, n_rows=200, minority_share=0.1).points()
    assert rows.X.shape == (200, 2) and rows.n_minority == 20 and len(rows.category) == 200
    again = LineageParams(source=source, n_rows=200, minority_share=0.1).points()
    assert np.array_equal(rows.X, again.X)
    assert not np.array_equal(
        rows.X, LineageParams(source=source, n_rows=200, minority_share=0.1, seed=1).points().X
    )


def test_late_flights_are_the_minority() -> None:
    rows = LineageParams(source="flights", x_column="dep_delay", n_rows=400).points()
    assert rows.X.mean(axis=0) == pytest.approx([0, 0], abs=1e-9) and rows.X.std(
        axis=0
    ) == pytest.approx([1, 1])
    assert rows.X[rows.y == 1, 0].mean() > 1 and set(rows.category) == {"EWR", "JFK", "LGA"}


def test_drawn_points_are_those_of_the_link_and_the_rarer_class_is_the_minority() -> None:
    rows = LineageParams(source="drawn", drawn="1,2,1;3,4,1;5,6,1;7,8,0;9,9,0").points()
    assert rows.X.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8], [9, 9]] and rows.y.tolist() == [
        0,
        0,
        0,
        1,
        1,
    ]


def uploaded(table: pa.Table) -> str:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return str(
        data.save_upload(
            sink.getvalue(), "mine.parquet", workspace.session(workspace.new_session_id())
        )
    )


def test_an_uploads_rarer_label_is_the_minority() -> None:
    rng = np.random.default_rng(0)
    table = pa.table(
        {
            "a": rng.normal(size=60),
            "b": rng.normal(size=60),
            "fraud": ["no"] * 50 + ["yes"] * 10,
            "t": ["x"] * 60,
        }
    )
    path = uploaded(table)
    assert points.upload_columns(path) == (["a", "b"], ["fraud"])
    result = lineage.run(
        LineageParams(source="upload", upload=path, x_column="a", y_column="b", label="fraud")
    )
    assert result.points.y.tolist() == [0] * 50 + [1] * 10 and result.n_synthetic == 15
    assert run_script(scripts.render(result.params)) == result.headline()


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            pa.array([1.0] * 30),
            "Column a must hold two different values at least. Got 1.0 in every row.",
        ),
        (
            pa.array([None] * 30, pa.float64()),
            "A row must have a label and two numbers. 30 of 30 rows are left out: 30 with no finite"
            " number in a.",
        ),
        (pa.array(["x"] * 30), "Column a must hold numbers: distances need them. Got string."),
    ],
)
def test_a_column_that_distances_cannot_use_is_named(column: pa.Array, message: str) -> None:
    path = uploaded(pa.table({"a": column, "b": np.arange(30.0), "label": [0] * 20 + [1] * 10}))
    with pytest.raises(InputError) as caught:
        lineage.run(
            LineageParams(source="upload", upload=path, x_column="a", y_column="b", label="label")
        )
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"drawn": "1,2"}, "drawn must be points x,y,class with whole numbers. Got '1,2'."),
        ({"drawn": "1,200,0"}, "drawn must be in 0–100, with class 0 or 1. Got '1,200,0'."),
        (
            {"source": "upload", "upload": "/etc/passwd"},
            "upload must be a file that you uploaded here.",
        ),
    ],
)
def test_a_drawing_and_an_upload_say_their_rules(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        lineage.run(LineageParams(**setting))
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        (
            {"source": "few", "k_neighbors": 6},
            "k must be below the 6 points in which SMOTE looks for neighbours",
        ),
        (
            {"source": "drawn", "drawn": "1,1,1;2,2,0;3,3,0"},
            "Each class must have at least two points. Got 1 minority and 2 majority. Raise Rows",
        ),
        ({"source": "drawn", "drawn": ""}, "drawn must have points of both classes. Got none."),
        (
            {"minority_share": 0.4, "ratio": 0.5},
            "ratio must be above the present one, 0.67 (160 to 240). Got 0.50.",
        ),
        (
            {"source": "flights", "n_rows": 5_000, "x_column": "carrier"},
            "columns must be among dep_delay",
        ),
        (
            {"source": "flights", "x_column": "air_time"},
            "columns must be two different ones. Got 'air_time' twice.",
        ),
    ],
)
def test_what_the_library_refuses_is_said_with_the_control_to_change(
    setting: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        lineage.run(LineageParams(**setting))
    assert str(caught.value).startswith(message)


def test_the_librarys_own_refusal_is_passed_on() -> None:
    """Every minority point is far from the majority: ADASYN finds nothing to adapt to."""
    X = np.vstack(
        [
            np.random.default_rng(0).normal(size=(20, 2)),
            100 + np.random.default_rng(1).normal(size=(10, 2)),
        ]
    )
    rows = Points(X, np.array([0] * 20 + [1] * 10), np.full(30, "a"))
    with pytest.raises(InputError, match="ADASYN refuses these points: .*Choose another method"):
        lineage.resample(rows, LineageParams(method="ADASYN", k_neighbors=3, ratio=1.0))


def test_the_share_among_the_majority_by_brute_force() -> None:
    result = lineage.run(LineageParams(source="overlap"))
    apart = np.linalg.norm(result.synthetic[:, np.newaxis] - result.points.X[np.newaxis], axis=2)
    assert result.among_majority_share == pytest.approx(
        (result.points.y[apart.argmin(axis=1)] == 0).mean()
    )


def test_nothing_done_is_said() -> None:
    result = lineage.run(LineageParams(method="none"))
    assert (
        result.verdict == "none changes **no** point: minority 48 → 48, majority 352 → 352."
        and all(result.table()["stays"].to_pylist())
    )
    assert result.among_majority_share == 0 and result.ratio_after == pytest.approx(48 / 352)


def test_the_table_tells_every_row() -> None:
    result = lineage.run(LineageParams(method="SMOTE + ENN", source="overlap"))
    table = result.table().to_pylist()
    assert [row["row"] for row in table] == list(range(400 + result.n_synthetic))
    assert Counter(row["what"] for row in table) == {
        "majority": 352,
        "minority": 48,
        "synthetic": result.n_synthetic,
    }
    assert [row["row"] for row in table if not row["stays"]] == result.removal.index.tolist()
    X, first = result.points.X, table[400]
    step = first["step"] * (
        first["neighbour_weight"] * (X[first["neighbour_row"]] - X[first["seed_row"]])
    )
    assert (X[first["seed_row"]] + step).tolist() == [first["x"], first["y"]]
    assert first["explanation"].startswith(result.describe(0)) and table[0]["seed_row"] is None
    assert table[result.removal.index[0]]["explanation"].endswith(
        f"Removed: {result.removal.describe(0)}."
    )
    assert Counter(row["kind"] for row in table[:400]) == {
        "": 352,
        **{KINDS[i]: int(n) for i, n in enumerate(np.bincount(result.kinds())) if n},
    }
    centroids = (
        lineage.run(LineageParams(method="cluster centroids", source="overlap")).table().to_pylist()
    )
    assert sum(row["what"] == "centroid" and row["stays"] for row in centroids) == 96


@pytest.mark.parametrize("method", METHODS)
def test_the_script_prints_the_headline(method: Any) -> None:
    params = LineageParams(method=method, source="overlap", n_rows=200, k_neighbors=3)
    assert run_script(scripts.render(params)) == lineage.run(params).headline()


# ---- figures


def test_the_plane_draws_every_point_once_and_plays_in_the_browser() -> None:
    result = lineage.run(LineageParams(source="overlap"))
    figure = figures.plane(result, result, made=5, lines=True)
    marks = {trace.name: len(trace.x) for trace in figure.data if trace.mode == "markers"}
    assert sum(n for name, n in marks.items() if name in ("majority", *KINDS)) == 400
    assert marks["synthetic"] == marks["run A, synthetic"] == result.n_synthetic
    assert len(figure.frames) == player.N_PLAYED * len(player.STAGES)
    last = figure.frames[len(player.STAGES) - 1]
    star = last.data[2]
    assert (star.x[-1], star.y[-1]) == tuple(result.synthetic[5]) and star.text[-1] == "new"
    assert [step.label for step in figure.layout.sliders[0].steps][:2] == [
        "5: seed",
        "5: k neighbours",
    ]


def test_the_largest_plane_is_small_enough() -> None:
    result = lineage.run(LineageParams(n_rows=5_000, ratio=1.0))
    assert len(figures.plane(result, lines=True).to_json()) < 300_000


def test_close_up_shows_the_point_and_its_neighbours_alone() -> None:
    result = lineage.run(LineageParams())
    figure = figures.plane(result, made=7, close=True)
    (left, right), (low, high) = figure.layout.xaxis.range, figure.layout.yaxis.range
    around = result.points.X[[result.record.seed_index[7], *result.record.neighbours[7]]]
    assert (
        (around > [left, low]).all()
        and (around < [right, high]).all()
        and len(figure.frames) == len(player.STAGES)
    )
    assert right - left < np.ptp(result.points.X[:, 0]) / 2
    cleaned = lineage.run(LineageParams(source="overlap", method="ENN"))
    figure = figures.plane(cleaned, cleaned, removed=3, close=True)
    row = cleaned.points.X[cleaned.removal.index[3]]
    assert figure.layout.xaxis.range[0] < row[0] < figure.layout.xaxis.range[1]
    (pinned,) = (trace for trace in figure.data if trace.name == "run A, removed")
    assert len(pinned.x) == cleaned.n_removed


def test_a_removed_point_is_shown_with_its_neighbours() -> None:
    result = lineage.run(LineageParams(source="overlap", method="ENN"))
    figure = figures.plane(result, removed=2)
    (reason,) = (trace for trace in figure.data if trace.name == "why removed")
    assert len(reason.x) == 3 * 5
    assert reason.x[0] == result.points.X[result.removal.index[2], 0]


def test_origins_are_shares_of_a_hundred() -> None:
    result = lineage.run(LineageParams(source="overlap", method="Borderline-1"))
    figure = figures.origins(result, result)
    assert [round(sum(bar.x)) for bar in figure.data] == [100, 100, 100]
    safe_minority, safe_seeds = figure.data[0].x[0], figure.data[1].x[0]
    assert safe_seeds == 0 < safe_minority
