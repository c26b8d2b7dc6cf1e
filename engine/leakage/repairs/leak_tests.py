"""A pytest file for one's own columns: no overlap, order of time, fitting on training rows alone,
availability.

The file needs pandas, scikit-learn and pytest, nothing of ours. Its ``fit`` is where one's own
pipeline goes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated

from engine.errors import require
from engine.ranges import Params, Text
from engine.source_code import fill

TEMPLATE = '''"""Leakage tests. Run them with: pytest test_leakage.py

They check four things: no row and no group on both sides of the split, training before test,
fitting that never looks at test rows, features that are known at the moment of prediction.
Put your own pipeline into fit(); everything else stays.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

PATH = @path
TARGET = @target
SPLIT, TEST = @split, @test_value  # the column that tells the side, and its value for test rows
GROUP = @group  # what must not be on both sides of the split: customer, patient, machine; or None
TIME = @time  # the row's moment of prediction; or None
IDS = @ids  # columns that name rows: no features, and no proof that two rows differ
KNOWN_AT = @known_at  # column -> hours after the moment of prediction, or a timestamp column
LEFT_OUT = @left_out  # columns that are no features


@pytest.fixture(scope="module")
def rows():
    path = Path(__file__).parent / PATH
    return pd.read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)


def features(rows):
    return [name for name in rows if name not in {TARGET, SPLIT, GROUP, TIME, *IDS, *LEFT_OUT}]


def is_test(rows):
    return (rows[SPLIT].astype(str) == str(TEST)).to_numpy()


def fit(rows):
    """YOUR PIPELINE: gets every row, returns a model fitted on the training rows.

    Replace the body by your own.
    """
    train = rows[~is_test(rows)]
    numbers = make_pipeline(SimpleImputer(), StandardScaler())
    texts = OneHotEncoder(handle_unknown="ignore")
    prepare = make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (texts, make_column_selector(dtype_include=["object", "string", "category", "bool"])),
    )
    model = LogisticRegression(max_iter=1_000) if rows[TARGET].nunique() == 2 else Ridge()
    return make_pipeline(prepare, model).fit(train[features(rows)], train[TARGET])


def predicted(model, rows):
    wanted = rows[features(rows)]
    if hasattr(model, "predict_proba"):
        return model.predict_proba(wanted)[:, 1]
    return model.predict(wanted)


def test_both_sides_are_there(rows):
    assert 0 < is_test(rows).sum() < len(rows), f"{SPLIT} must have rows with {TEST!r} and others"


def test_no_row_stands_on_both_sides(rows):
    compared = rows.drop(columns=[name for name in {SPLIT, TARGET, *IDS} if name in rows])
    hashes = pd.util.hash_pandas_object(compared, index=False).to_numpy()
    twins = np.flatnonzero(is_test(rows) & np.isin(hashes, hashes[~is_test(rows)]))
    some = twins[:5].tolist()
    assert not some, f"{len(twins)} test rows are in training too, for example rows {some}"


@pytest.mark.skipif(GROUP is None, reason="no group column")
def test_no_group_stands_on_both_sides(rows):
    shared = set(rows.loc[is_test(rows), GROUP]) & set(rows.loc[~is_test(rows), GROUP])
    some = sorted(map(str, shared))[:5]
    assert not some, f"{len(shared)} values of {GROUP} are on both sides, for example {some}"


@pytest.mark.skipif(TIME is None, reason="no time column")
def test_training_is_earlier_than_test(rows):
    moment = pd.to_datetime(rows[TIME]) if rows[TIME].dtype == object else rows[TIME]
    first = moment[is_test(rows)].min()
    late = int((moment[~is_test(rows)] > first).sum())
    assert late == 0, f"{late} training rows are later than the first test row ({first})"


def test_fitting_sees_training_rows_only(rows):
    """Spoil every test row; the model must not notice.

    This finds scalers, encoders and selectors fitted on all rows.
    """
    spoiled, test = rows.copy(), is_test(rows)
    for name in features(rows):
        if pd.api.types.is_bool_dtype(rows[name]):
            spoiled.loc[test, name] = ~rows.loc[test, name]
        elif pd.api.types.is_numeric_dtype(rows[name]):
            spoiled[name] = rows[name].where(~test, rows[name] * 7 + 1_000)
        else:
            spoiled.loc[test, name] = rows.loc[test, name].iloc[::-1].to_numpy()
    spoiled.loc[test, TARGET] = rows.loc[test, TARGET].iloc[::-1].to_numpy()
    probe = rows[~test].head(200)
    expected = predicted(fit(rows), probe)
    np.testing.assert_allclose(predicted(fit(spoiled), probe), expected, rtol=1e-6)


def test_features_are_known_at_the_moment_of_prediction(rows):
    late = {}
    for name, known in KNOWN_AT.items():
        if name in features(rows):
            hours = isinstance(known, (int, float))
            n = len(rows) * (known > 0) if hours else (rows[known] > rows[TIME]).sum()
            late |= {name: int(n)} if n else {}
    fix = "Add them to LEFT_OUT, or take their value as of then"
    assert not late, f"known too late, in so many rows: {late}. {fix}"
'''


NAME = Text(2_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns(Params):
    """The roles of one's own columns; "" where there is none. ``known_at``: ``column: hours or
    timestamp``, by commas.
    """

    path: Annotated[str, NAME] = "flights.parquet"
    target: Annotated[str, NAME] = "late"
    split: Annotated[str, NAME] = "part"
    test_value: Annotated[str, NAME] = "test"
    group: Annotated[str, NAME] = ""
    time: Annotated[str, NAME] = "time_hour"
    ids: Annotated[str, NAME] = ""
    known_at: Annotated[str, NAME] = "dep_delay: 2, arr_delay: 4.5"
    left_out: Annotated[str, NAME] = ""

    def check_together(self) -> None:
        """Raise ``InputError`` where a role is empty that every test needs."""
        for name in ("path", "target", "split", "test_value"):
            require(bool(getattr(self, name).strip()), "{} must be given: the tests need it.", name)


def split_names(text: str) -> list[str]:
    """Return the names between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def parse_moments(text: str) -> dict[str, float | str]:
    """Return column -> hours, or the name of a timestamp column.

    Raises
    ------
    InputError
        A part is not ``column: hours`` or ``column: timestamp column``.
    """
    found: dict[str, float | str] = {}
    for part in split_names(text):
        name, colon, known = (piece.strip() for piece in part.rpartition(":"))
        require(
            bool(name and colon and known),
            "known_at must be made of column: hours or column: timestamp. Got {!r}.",
            part,
        )
        try:
            found[name] = float(known)
        except ValueError:
            found[name] = known
        else:
            require(
                math.isfinite(float(known)),
                "known_at must give a finite number of hours. Got {!r}.",
                part,
            )
    return found


def generate(columns: Columns) -> str:
    """Return the pytest file."""
    return fill(
        TEMPLATE,
        path=columns.path.strip(),
        target=columns.target.strip(),
        split=columns.split.strip(),
        test_value=columns.test_value.strip(),
        group=columns.group.strip() or None,
        time=columns.time.strip() or None,
        ids=split_names(columns.ids),
        known_at=parse_moments(columns.known_at),
        left_out=split_names(columns.left_out),
    )
