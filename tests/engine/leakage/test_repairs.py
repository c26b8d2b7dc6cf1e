"""Wrong to right: what runs is what is shown, the repair closes the gap; and the generated tests
catch what they should.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from engine import scripts
from engine.errors import InputError
from engine.leakage import repairs
from engine.leakage.repairs import RepairsParams, RepairsResult, leak_tests
from engine.leakage.repairs import figure as figures
from engine.leakage.repairs.cases import FIXED, HERE, MECHANISMS, codes
from engine.leakage.repairs.leak_tests import Columns
from tests.engine.printed import run_script

NULL = "scaling on all rows"
SLOW = "best of many on one test set"


@pytest.mark.parametrize("mechanism", MECHANISMS)
def test_the_marked_line_is_there_and_the_repair_closes_the_gap(mechanism: str) -> None:
    wrong, right = codes(mechanism)
    assert wrong.count(HERE) == 1 and right.count(FIXED) == 1 and wrong != right
    result = repairs.run(RepairsParams(mechanism=mechanism, repeats=1))
    if mechanism == NULL:
        assert abs(result.closed) < 0.005 and abs(result.wrong_gap) < 0.03
        assert any(reason.startswith("**No measurable effect**") for reason in result.why)
    else:
        assert result.wrong_gap > 0.04 and result.closed > 0.04


@pytest.mark.parametrize("mechanism", ["target encoding on all rows", NULL])
def test_the_script_gives_the_headline(mechanism: str) -> None:
    params = RepairsParams(mechanism=mechanism, repeats=2, seed=1)
    assert run_script(scripts.render(params)) == repairs.run(params).headline()


def by_hand() -> RepairsResult:
    scores = {
        ("wrong", "reported"): [0.9, 0.8],
        ("wrong", "production"): [0.6, 0.6],
        ("right", "reported"): [0.7, 0.6],
        ("right", "production"): [0.7, 0.62],
    }
    return RepairsResult(RepairsParams(repeats=2), scores, True)


def test_words_by_hand() -> None:
    result = by_hand()
    assert (
        result.verdict
        == "The fix changes the gap from +0.250 to **−0.010** AUC: wrong reports 0.850 (production"
        " 0.600), right 0.650 (0.660)."
    )
    assert "wrong +0.250 (+0.200 to +0.300), right −0.010 (−0.020 to 0.000)." in result.why[1]
    assert "gains 0.060 AUC in production" in result.why[2]
    assert result.table().num_rows == 8 and result.closed == pytest.approx(0.26)
    figure = figures.gaps(result, result)
    assert list(figure.data[0].x) == pytest.approx([0.85, 0.6])
    empty = RepairsResult(RepairsParams(), {})
    assert (
        empty.verdict.startswith("The first repeat")
        and empty.why == []
        and empty.table().num_rows == 0
    )


OWN = Columns(
    path="mine.csv",
    target="left",
    split="side",
    test_value="test",
    group="customer",
    time="at",
    ids="row_id",
    known_at="calls: 24, amount: booked",
    left_out="calls, booked",
)


def clean_rows() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    n = 240
    at = pd.date_range("2024-01-01", periods=n, freq="h")
    frame = pd.DataFrame(
        {
            "row_id": [f"r{i}" for i in range(n)],
            "customer": [f"c{i // 4}" for i in range(n)],
            "at": at,
            "booked": at - pd.Timedelta("1h"),
            "amount": rng.normal(100, 10, n),
            "kind": rng.choice(["a", "b"], n),
            "calls": rng.poisson(2, n),
            "gap": np.where(rng.random(n) < 0.2, np.nan, rng.normal(size=n)),
        }
    )
    frame["left"] = (frame["amount"] + rng.normal(0, 10, n) > 100).astype(int)
    frame["side"] = np.where(np.arange(n) >= 180, "test", "train")
    return frame


def run_tests(folder: Path, frame: pd.DataFrame, text: str) -> str:
    frame.to_csv(folder / "mine.csv", index=False)
    (folder / "test_leakage.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--tb=line",
            "test_leakage.py",
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ""},
        check=False,
    )
    return done.stdout


def test_the_generated_file_passes_on_clean_rows(tmp_path: Path) -> None:
    out = run_tests(tmp_path, clean_rows(), leak_tests.generate(OWN))
    assert "6 passed" in out and "failed" not in out, out


def test_the_generated_file_fails_on_leaky_rows_and_a_leaky_fit(tmp_path: Path) -> None:
    """One breach for each test: a copy, which is of its group, a late training row, an imputer on
    all rows, a late column.
    """
    frame = clean_rows()
    frame = pd.concat(
        [frame, frame.iloc[[3]].assign(side="test", row_id="copy")], ignore_index=True
    )
    text = leak_tests.generate(
        Columns(**{**{n: getattr(OWN, n) for n in OWN.__slots__}, "left_out": "booked"})
    )
    leaky = 'train = rows.assign(gap=rows["gap"].fillna(rows["gap"].mean()))[~is_test(rows)]'
    assert text.count("train = rows[~is_test(rows)]") == 1
    out = run_tests(tmp_path, frame, text.replace("train = rows[~is_test(rows)]", leaky))
    assert "5 failed, 1 passed" in out, out
    for said in (
        "1 test rows are in training too",
        "1 values of customer",
        "training rows are later",
        "{'calls': 241}",
    ):
        assert said in out
    assert "Mismatched elements" in out or "Not equal to tolerance" in out


def test_names_are_written_as_values_never_as_code() -> None:
    text = leak_tests.generate(
        Columns(path='a"""\nimport os', target="it's", group='x"); y', known_at="a: b: 2")
    )
    names: dict[str, Any] = {}
    head = text[: text.index("@pytest.fixture")]
    exec(compile(head, "<head>", "exec"), names)
    assert (names["PATH"], names["TARGET"], names["GROUP"]) == ('a"""\nimport os', "it's", 'x"); y')
    assert names["KNOWN_AT"] == {"a: b": 2.0} and names["IDS"] == []


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"target": " "}, "target must be given: the tests need it."),
        (
            {"known_at": "a, b: 2"},
            "known_at must be made of column: hours or column: timestamp. Got 'a'.",
        ),
    ],
)
def test_what_the_tests_need_is_said(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        leak_tests.generate(Columns(**setting))
    assert str(caught.value) == message
