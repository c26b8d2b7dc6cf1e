"""Uploads: any columns of numbers, any number of classes, rows that lack something; resampled as
imbalanced-learn resamples the same rows with the person's own labels.
"""

from __future__ import annotations

import decimal
import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imblearn import combine, over_sampling, under_sampling

from engine import data, scripts, workspace
from engine.errors import InputError
from engine.sampling import lineage, points, samplers
from engine.sampling.lineage import LineageParams, LineageResult, removal
from engine.sampling.lineage import figure as figures
from engine.sampling.points import Points
from engine.sampling.samplers import AGAINST_REST, BOTH, CLEANING, METHODS, OVER, SLOW
from tests.engine.printed import run_script

CASE = Path(__file__).resolve().parents[2] / "cases" / "smote_multi.csv"
FAST = tuple(method for method in METHODS if method not in SLOW)


def saved(content: bytes, name: str) -> str:
    folder = workspace.session(workspace.new_session_id())
    return str(data.save_upload(content, name, folder))


def uploaded(**columns: Any) -> str:
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    return saved(sink.getvalue(), "mine.parquet")


def params_of(path: str, **more: Any) -> LineageParams:
    named = {"x_column": "a", "y_column": "b", "label": "y", **more}
    return LineageParams(source="upload", upload=path, **named)


def strategy_of(params: LineageParams, y: list[Any], minority: Any, names: list[Any]) -> Any:
    """Return the library's ``sampling_strategy`` by its documentation, for the person's labels."""
    method, ratio = params.method, params.ratio
    others = {name: y.count(name) for name in names if name != minority}
    if method in CLEANING:
        return list(others)
    if len(others) == 1:
        return ratio
    if method in (*OVER, *BOTH):
        return {minority: int(ratio * max(others.values()))}
    most = int(y.count(minority) / ratio)
    return {name: most for name, n in others.items() if n > most}


def by_library(
    params: LineageParams, rows: Points, y: list[Any], minority: Any
) -> tuple[np.ndarray, list[Any]]:
    """Return what imbalanced-learn makes of the rows with the labels ``y``: all classes, or the
    minority against the rest.
    """
    method, labels, target = params.method, list(y), minority
    if len(set(y)) > 2 and method in AGAINST_REST:
        labels, target = [int(label == minority) for label in y], 1
    # instance hardness and neighbourhood cleaning take whole numbers alone
    names = sorted(set(labels))
    if method in ("instance hardness", "neighbourhood cleaning"):
        labels, target = [names.index(label) for label in labels], names.index(target)
    strategy = strategy_of(params, labels, target, sorted(set(labels)))
    if method in BOTH:
        smote = over_sampling.SMOTE(
            sampling_strategy=strategy, k_neighbors=params.k_neighbors, random_state=params.seed
        )
        cls = combine.SMOTEENN if method == "SMOTE + ENN" else combine.SMOTETomek
        X, found = cls(smote=smote).fit_resample(rows.X, np.array(labels))
        return X, found.tolist()
    name, arguments = samplers.sampler_settings(method, params.k_neighbors, 1.0, params.seed)
    if "sampling_strategy" in arguments or method in CLEANING:
        arguments["sampling_strategy"] = strategy
    module = over_sampling if name.startswith("over") else under_sampling
    sampler = getattr(module, name.split(".")[1])(**arguments)
    X, found = sampler.fit_resample(samplers.features(method, rows), np.array(labels))
    if labels != list(y) and method not in OVER:
        found = np.array(y)[sampler.sample_indices_]
    return samplers.coordinates(method, X, rows), found.tolist()


# ---- the file of the report


@pytest.mark.parametrize("minority", ["", "virginica", "versicolor"])
@pytest.mark.parametrize("method", [m for m in METHODS if m not in ("none", *SLOW)])
def test_the_reported_file_is_resampled_as_the_library_does(method: Any, minority: str) -> None:
    path = saved(CASE.read_bytes(), "smote_multi.csv")
    assert points.upload_columns(path) == (["a", "b"], ["y"])
    assert points.upload_classes(path, "y") == {"virginica": 20, "versicolor": 30, "setosa": 100}
    params = params_of(path, method=method, minority=minority, k_neighbors=3)
    result, table = lineage.run(params), csv.read_csv(CASE)
    y, wanted = table["y"].to_pylist(), minority or "virginica"
    X, found = by_library(params, result.points, y, wanted)
    numbers = [table[name].to_numpy() for name in ("a", "b")]
    standard = [(column - column.mean()) / column.std() for column in numbers]
    assert np.array_equal(result.points.X, np.column_stack(standard))
    assert np.array_equal(result.resampled, X)
    assert [result.points.classes[code] for code in result.resampled_y] == found
    assert result.points.n_minority == y.count(wanted) and wanted in result.verdict
    scheme = next(reason for reason in result.why if reason.startswith("**Scheme**"))
    assert ("one against the rest" in scheme) == (method in AGAINST_REST)
    if method in OVER:
        made = [result.points.classes[code] for code in result.resampled_y[150:]]
        assert set(made) == {wanted} and len(made) == result.n_synthetic
        assert {y[row] for row in result.record.seed_index} == {wanted}
    assert (result.removal.reason >= 0).all()
    assert figures.plane(result).data and figures.origins(result).data


@pytest.mark.parametrize(
    "method", ["SMOTE", "SMOTE-NC", "SMOTE + ENN", "NearMiss 1", "random under", "ENN"]
)
def test_the_script_of_more_classes_prints_the_headline(method: Any) -> None:
    path = saved(CASE.read_bytes(), "smote_multi.csv")
    params = params_of(path, method=method, minority="versicolor")
    assert run_script(scripts.render(params)) == lineage.run(params).headline()


# ---- any classes, generated


CLASSES: dict[str, list[Any]] = {
    "text": ["b", "a", "d", "c"],
    "numbers as text": ["10", "9", "100", "1"],
    "whole": [10, 9, -3, 100],
    "true and false": [True, False],
    "floats": [2.0, 0.0, 10.0, -1.0],
}


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(sorted(CLASSES)),
    n_classes=st.integers(2, 4),
    method=st.sampled_from([m for m in METHODS if m not in ("none", "instance hardness")]),
    seed=st.integers(0, 10_000),
    k=st.integers(1, 4),
    ratio=st.sampled_from([0.4, 0.7, 1.0]),
    rounded=st.booleans(),
)
def test_any_classes_are_resampled_as_the_library_does(
    kind: str, n_classes: int, method: Any, seed: int, k: int, ratio: float, rounded: bool
) -> None:
    rng = np.random.default_rng(seed)
    names = CLASSES[kind][: n_classes if kind != "true and false" else 2]
    sizes = rng.permutation([40, 25, 14, 9][: len(names)])
    y = [name for name, n in zip(names, sizes, strict=True) for _ in range(n)]
    y = [y[place] for place in rng.permutation(len(y))]
    X = rng.normal(size=(len(y), 2)) + np.array([[names.index(label)] for label in y]) * 0.7
    minority = (
        names[int(np.argmin(sizes))] if rng.random() < 0.6 else names[rng.integers(len(names))]
    )
    rows = np.round(X) if rounded else X  # rounded: many copies
    path = uploaded(a=rows[:, 0], b=rows[:, 1], y=y)
    params = params_of(
        path, method=method, minority=str(minority), k_neighbors=k, ratio=ratio, seed=seed
    )
    try:
        result = lineage.run(params)
    except InputError as error:
        assert "refuses these points" in str(error) or " must " in str(error)
        return
    X, found = by_library(params, result.points, y, minority)
    own = {str(name): name for name in names}
    assert np.array_equal(result.resampled, X)
    assert [own[result.points.classes[code]] for code in result.resampled_y] == found
    assert (result.removal.reason >= 0).all() and result.why and result.table().num_rows
    if method in OVER and method not in ("SMOTEN",):
        seeds, to = result.record.seed_index, result.record.neighbour_index
        step = result.record.step[:, np.newaxis] * (
            result.record.weight[:, np.newaxis] * (result.points.X[to] - result.points.X[seeds])
        )
        assert np.array_equal(result.points.X[seeds] + step, result.synthetic)


def test_instance_hardness_of_more_classes_is_the_librarys() -> None:
    path = saved(CASE.read_bytes(), "smote_multi.csv")
    params = params_of(path, method="instance hardness", ratio=1.0)
    result, y = lineage.run(params), csv.read_csv(CASE)["y"].to_pylist()
    X, found = by_library(params, result.points, y, "virginica")
    assert (
        np.array_equal(result.resampled, X)
        and [result.points.classes[code] for code in result.resampled_y] == found
    )
    assert (result.removal.value < result.removal.limit).all() and result.n_removed > 20


def test_copies_do_not_change_the_reason_of_a_removed_row() -> None:
    """Rows of the same numbers in two classes: each keeps its class in the condensed store."""
    rng = np.random.default_rng(3)
    X = np.round(rng.normal(size=(60, 2)))
    y = (np.arange(60) < 15).astype(int)
    rows = Points(X, y, np.full(60, "a"))
    for method in ("condensed", "one-sided", "repeated ENN", "all k-NN", "Tomek links", "ENN"):
        result = lineage.resample(rows, LineageParams(method=method, k_neighbors=3))  # type: ignore[arg-type]
        reasons = {removal.REASONS[code] for code in result.removal.reason}
        assert result.n_removed and removal.COPIES not in reasons


# ---- columns of numbers


NUMBERS: dict[str, pa.Array] = {
    "int8": pa.array(np.arange(60) - 30, pa.int8()),
    "uint8": pa.array(np.arange(60) + 190, pa.uint8()),
    "uint64": pa.array([2**64 - 1 - i for i in range(60)], pa.uint64()),
    "bigint": pa.array([2**62 + i for i in range(60)], pa.int64()),
    "float32": pa.array(np.arange(60) / 7, pa.float32()),
    "float64": pa.array(np.arange(60) / 7, pa.float64()),
    "largest": pa.array(np.where(np.arange(60) % 2, 1e308, -1e308), pa.float64()),
    "smallest": pa.array(np.arange(60) * 5e-324, pa.float64()),
    "bool": pa.array([i % 3 == 0 for i in range(60)]),
    "decimal": pa.array([decimal.Decimal(i) / 8 for i in range(60)], pa.decimal128(9, 3)),
    "long decimal": pa.array(
        [decimal.Decimal(f"{10**28}.{i:02}") for i in range(60)], pa.decimal128(38, 2)
    ),
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_column_of_numbers_of_any_type_is_an_axis(kind: str) -> None:
    """The oracle is exact: fractions, standardized, rounded once."""
    from fractions import Fraction

    path = uploaded(a=NUMBERS[kind], b=np.arange(60.0) % 11, y=["no"] * 45 + ["yes"] * 15)
    assert set(points.upload_columns(path)[0]) == {"a", "b"}
    result = lineage.run(params_of(path))
    exact = [Fraction(value) for value in NUMBERS[kind].to_pylist()]
    centred = [value - sum(exact) / 60 for value in exact]
    variance = sum(value**2 for value in centred) / 60
    squares = [float(value**2 / variance) for value in centred]
    expected = np.sqrt(squares) * [-1 if value < 0 else 1 for value in centred]
    assert result.points.X[:, 0] == pytest.approx(expected, rel=1e-9, abs=1e-9)
    assert (
        result.n_synthetic == 7 and run_script(scripts.render(result.params)) == result.headline()
    )


def test_labels_of_any_type_and_how_they_are_offered() -> None:
    columns = {
        "a": np.arange(60.0) * 1.5,
        "b": np.arange(60.0) % 13,
        "few": np.arange(60) % 3,
        "flag": [i % 4 == 0 for i in range(60)],
        "text": ["u", "v", "w"] * 20,
        "id": [f"row {i}" for i in range(60)],
        "one": ["same"] * 60,
        "with null": [None, 1.0, 2.0, float("nan"), 0.0, 1.0] * 10,
        "decimal": [decimal.Decimal("1.5"), decimal.Decimal(2)] * 30,
    }
    path = uploaded(**columns)
    _, labels = points.upload_columns(path)
    assert labels[:3] == ["flag", "decimal", "text"], "two classes first, then text"
    assert set(labels) == {"b", "few", "flag", "text", "with null", "decimal"}
    assert points.upload_classes(path, "with null") == {"0.0": 10, "2.0": 10, "1.0": 20}
    assert points.upload_categories(path, ("text", "a", "b"))[0] == "id"


# ---- rows that lack something


def test_rows_without_a_label_a_number_or_a_category_are_left_out_and_counted() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=80), rng.normal(size=80)
    y: list[Any] = ["no"] * 60 + ["yes"] * 20
    category: list[Any] = ["u", "v"] * 40
    a[0], a[1], b[1], b[2] = np.nan, np.inf, -np.inf, np.nan
    y[3], y[4], category[5] = None, " ", None
    path = uploaded(a=a, b=b, y=y, c=category)
    result = lineage.run(params_of(path, category="c"))
    assert len(result.points.y) == 75 and "5 rows of the file are left out" in result.verdict
    assert result.why[0] == (
        "**5 of 80 rows are left out**: 2 with no label in y, 2 with no finite number in a, 2 with"
        " no finite number in b."
    )
    voted = lineage.run(params_of(path, category="c", method="SMOTE-NC"))
    assert len(voted.points.y) == 74 and "1 with no category in c" in voted.why[0]
    kept = [i for i in range(80) if i > 5]
    whole = uploaded(a=a[kept], b=b[kept], y=[y[i] for i in kept], c=[category[i] for i in kept])
    same = lineage.run(params_of(whole, category="c", method="SMOTE-NC"))
    assert np.array_equal(same.resampled, voted.resampled) and len(same.points.notes) == 0


def test_a_file_with_more_rows_than_asked_for_says_so() -> None:
    rng = np.random.default_rng(1)
    path = uploaded(a=rng.normal(size=300), b=rng.normal(size=300), y=[0] * 250 + [1] * 50)
    result = lineage.run(params_of(path, n_rows=100))
    assert len(result.points.y) == 100 and "100 of 300 rows" in result.why[0]


# ---- few rows, copies, refusals


@pytest.mark.parametrize("n_minority", range(1, 7))
@pytest.mark.parametrize("method", [m for m in FAST if m != "none"])
def test_tiny_minorities_give_a_result_or_the_reason(method: Any, n_minority: int) -> None:
    rng = np.random.default_rng(n_minority)
    n = 40 + n_minority
    path = uploaded(a=rng.normal(size=n), b=rng.normal(size=n), y=["x"] * 40 + ["y"] * n_minority)
    params = params_of(path, method=method, k_neighbors=3)
    try:
        result = lineage.run(params)
    except InputError as error:
        limits = ("Each class must have", "k must be below", "k must be at most", "refuses these")
        assert str(error).startswith((*limits, method)), error
        with pytest.raises((ValueError, IndexError, RuntimeError)):
            by_library(params, params.points(), ["x"] * 40 + ["y"] * n_minority, "y")
        return
    X, _ = by_library(params, result.points, ["x"] * 40 + ["y"] * n_minority, "y")
    assert np.array_equal(result.resampled, X)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("ADASYN", "no minority row has a row of another class among its k nearest"),
        ("K-Means-SMOTE", "their density has no value"),
    ],
)
def test_the_librarys_refusals_are_in_plain_words(method: Any, message: str) -> None:
    X = np.repeat([[0.0, 0.0], [1.0, 0.0], [50.0, 50.0]], [30, 10, 10], axis=0)
    X[:40] += np.random.default_rng(0).normal(size=(40, 2))
    rows = Points(X, (np.arange(50) >= 40).astype(int), np.full(50, "a"))
    with pytest.raises(InputError, match=message):
        lineage.resample(rows, LineageParams(method=method, k_neighbors=3, ratio=1.0))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"minority": "setosa"}, "The minority must have fewer rows than the largest other class."),
        ({"minority": "none"}, "Minority must be a class of y in the rows taken. Got 'none'."),
        ({"y_column": "a"}, "x and y must be two different columns. Got a twice."),
        ({"ratio": 0.2}, "ratio must be above the present one, 0.20 (20 to 100). Got 0.20."),
        ({"label": "a"}, "Label a must have at most 100 classes. Got 150."),
        ({"category": "d", "method": "SMOTE-NC"}, "Columns must be in the file. Got 'd'."),
    ],
)
def test_what_cannot_be_asked_is_said_with_what_to_change(
    more: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        lineage.run(params_of(saved(CASE.read_bytes(), "smote_multi.csv"), **more))
    assert str(caught.value).startswith(message)


def test_a_ratio_that_asks_for_no_point_is_refused() -> None:
    rng = np.random.default_rng(2)
    path = uploaded(a=rng.normal(size=31), b=rng.normal(size=31), y=[0] * 21 + [1] * 10)
    with pytest.raises(InputError, match="one more minority point at least. Got 0.50: 10.5 of 10"):
        lineage.run(params_of(path, ratio=0.5))


def test_a_class_of_marks_is_plain_text_in_every_sentence() -> None:
    rng = np.random.default_rng(4)
    y = ["[x](http://a.b)"] * 10 + ["<b>two</b>"] * 20 + ["c"] * 40
    path = uploaded(
        a=rng.normal(size=70), b=rng.normal(size=70), y=y, k=["[k](http://a.b)", "l"] * 35
    )
    result: LineageResult = lineage.run(params_of(path, method="SMOTE-NC", category="k"))
    said = " ".join([result.verdict, *result.why, *(result.describe(i) for i in range(5))])
    assert "](" not in said and "<b>two" not in said and result.points.n_minority == 10
