"""The audit: each detector on rows worked by hand, scores against scikit-learn, odd tables said and
not crashed.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score

from engine import scripts
from engine.errors import InputError
from engine.leakage import audit
from engine.leakage.audit import AuditParams, AuditResult, info_sheet, sources
from engine.leakage.audit import figure as figures
from engine.leakage.audit.findings import ABOUT, DETECTORS, INVISIBLE, KINDS, coverage
from engine.leakage.column_scores import auc_of_levels, score
from engine.leakage.table_columns import N_FOLDS, read
from tests.engine.printed import run_script

N = 400
RNG = np.random.default_rng(4)
Y = RNG.permutation(np.tile([0, 1], N // 2))
HOUR = np.datetime64("2024-01-01T00", "us") + np.arange(N) * np.timedelta64(3_600_000_000, "us")


def table(**columns: Any) -> pa.Table:
    plain = {"a": RNG.normal(size=N), "b": RNG.normal(size=N), "c": RNG.normal(size=N), "y": Y}
    return pa.table(
        {name: pa.array(values, from_pandas=True) for name, values in (plain | columns).items()}
    )


def found(result: AuditResult, detector: str) -> list[tuple[tuple[str, ...], str]]:
    return [(f.columns, f.severity) for f in result.findings if f.detector == detector]


def test_a_column_of_noise_in_bins_scores_as_its_out_of_fold_means_do() -> None:
    """The same score by the book: a mean for each value from the other folds, then scikit-learn's
    AUC.
    """
    grade = RNG.integers(0, 5, N)
    subject = read(table(grade=grade, y=(Y | (grade == 3)).astype(int)), "y")
    predicted = np.empty(N)
    for fold in range(N_FOLDS):
        out = subject.folds == fold
        for value in range(5):
            rest = subject.y[~out & (grade == value)]
            predicted[out & (grade == value)] = (rest.sum() + 5 * subject.y.mean()) / (
                len(rest) + 5
            )
    assert score(subject.columns["grade"], subject).value == pytest.approx(
        roc_auc_score(subject.y, predicted)
    )
    assert auc_of_levels(
        np.array([1.0, 1.0, 2.0]), np.array([1, 0, 2]), np.array([1, 1, 0])
    ) == pytest.approx(5 / 6)


def test_an_id_scores_a_coin_flip_out_of_fold() -> None:
    result = audit.audit_table(table(key=[f"k{i * 7919 % 1000:03d}" for i in range(N)]), "y")
    assert result.scores["key"].value < 0.55 and result.alarms == ()


def test_the_answer_in_other_words_is_certain() -> None:
    result = audit.audit_table(table(state=np.where(Y == 1, "closed", "open")), "y")
    assert found(result, "single-feature score") == [(("state",), "certain")]
    assert "state alone reaches AUC 1.000 out of fold, of 400 rows" in result.findings[0].evidence
    number = RNG.normal(size=N)
    other = audit.audit_table(table(y=number, feet=3.28 * number + 1), "y")
    assert (
        found(other, "single-feature score") == [(("feet",), "certain")]
        and "r = 1.000000" in other.findings[0].evidence
    )


def test_a_value_that_one_answer_has_is_named_with_its_rows() -> None:
    hit = np.flatnonzero(Y == 1)[:150]
    code = np.where(np.isin(np.arange(N), hit), "K9", RNG.choice(["A", "B", "C"], N))
    (finding,) = audit.audit_table(table(code=code), "y").findings
    assert (finding.detector, finding.columns, finding.kind) == (
        "one-sided values",
        ("code",),
        "L2",
    )
    assert finding.evidence == "code = 'K9': all 150 rows have y 1, against 50% of the table"
    assert finding.rows == tuple(hit[:8])
    few = np.where(np.isin(np.arange(N), hit[:10]), "K9", "A")
    assert audit.audit_table(table(code=few), "y").findings == (), "ten rows are too few to tell"


def test_empty_cells_that_tell_and_those_that_do_not() -> None:
    values = RNG.normal(size=N)
    by_answer = np.where(np.isin(np.arange(N), np.flatnonzero(Y == 1)[::2]), np.nan, values)
    by_chance = np.where(np.arange(N) % 5 == 0, np.nan, values)
    (finding,) = audit.audit_table(table(by_answer=by_answer, by_chance=by_chance), "y").findings
    assert (finding.detector, finding.columns) == ("missingness", ("by_answer",))
    assert "empty in 50% of the rows with y 1 and in 0% of the others" in finding.evidence


def test_an_id_counted_up_by_class_and_one_counted_up_in_time() -> None:
    result = audit.audit_table(
        table(case=np.argsort(np.argsort(Y + 0.5 * RNG.random(N))), line=np.arange(N)), "y"
    )
    assert found(result, "identifier") == [(("case",), "suspicious")]


def test_an_encoding_over_all_rows_against_one_of_training_rows() -> None:
    street = np.arange(N) % 50
    y = RNG.integers(0, 2, N)
    train = np.arange(N) % 8 < 6
    part = np.where(train, "train", "test")

    def smoothed(rows: np.ndarray) -> np.ndarray:
        n, s = (
            np.bincount(street[rows], minlength=50),
            np.bincount(street[rows], weights=y[rows], minlength=50),
        )
        return ((s + 3 * 0.4) / (n + 3))[street]

    columns = {
        "street": street,
        "everything": smoothed(np.arange(N)),
        "train_only": smoothed(np.flatnonzero(train)),
        "y": y,
    }
    result = audit.audit_table(table(**columns, part=part), "y", split="part")
    assert found(result, "target encoding") == [(("everything",), "certain")]
    left_out = (np.bincount(street, weights=y)[street] - y) / (np.bincount(street)[street] - 1)
    result = audit.audit_table(table(street=street, left_out=left_out, y=y), "y")
    assert ("left_out",) in [columns for columns, _ in found(result, "target encoding")]


@pytest.mark.parametrize("sign", ["+", "−", "×", "÷"])
def test_two_columns_that_are_the_target(sign: str) -> None:
    y, one = RNG.normal(20, 4, N), RNG.uniform(2, 9, N)
    two = {"+": y - one, "−": one - y, "×": y / one, "÷": one / y}[sign]
    result = audit.audit_table(table(one=one, two=two, y=y), "y")
    ((columns, severity),) = found(result, "columns that add up")
    assert set(columns) == {"one", "two"} and severity == "certain"
    assert "is y in all 400 rows that have both" in result.findings[0].evidence
    assert (
        audit.audit_table(table(one=one, two=two + RNG.normal(0, 0.1, N), y=y), "y").findings == ()
    )


def test_a_difference_that_parts_the_classes() -> None:
    due = RNG.normal(0, 5, N)
    result = audit.audit_table(
        table(due=due, done=due + np.where(Y == 1, 2, -2) * RNG.uniform(0.1, 1, N)), "y"
    )
    ((columns, severity),) = found(result, "columns that add up")
    assert set(columns) == {"due", "done"} and severity == "certain"


def test_copies_on_both_sides_exact_and_near() -> None:
    values = {name: np.tile(RNG.normal(size=N // 2), 2) for name in "abc"}
    part = np.repeat(["train", "test"], N // 2)
    y = np.tile(RNG.integers(0, 2, N // 2), 2)
    exact = audit.audit_table(table(**values, y=y, part=part, row=np.arange(N)), "y", split="part")
    assert (
        found(exact, "exact duplicates") == [((), "certain")]
        and found(exact, "near duplicates") == []
    )
    assert (
        "200 of 200 test rows (100%) are in training too, equal in all 3 columns"
        in exact.findings[0].evidence
    )
    near = {name: x + RNG.normal(0, 1e-4, N) for name, x in values.items()}
    result = audit.audit_table(table(**near, y=y, part=part), "y", split="part")
    assert (
        found(result, "near duplicates") == [((), "suspicious")]
        and found(result, "exact duplicates") == []
    )
    three = {"a": RNG.integers(0, 3, N), "b": RNG.integers(0, 3, N), "c": RNG.integers(0, 3, N)}
    assert audit.audit_table(table(**three, part=part), "y", split="part").alarms == (), (
        "27 kinds of rows must meet by chance"
    )


def test_groups_that_tell_and_groups_that_do_not() -> None:
    group = np.repeat(np.arange(N // 8), 8)
    part = np.where(np.arange(N) % 3 == 0, "test", "train")
    own = (RNG.random(N // 8) < 0.5).astype(int)[group]
    y = np.where(RNG.random(N) < 0.8, own, 1 - own)
    told = audit.audit_table(table(who=group, y=y, part=part), "y", group="who", split="part")
    assert found(told, "group overlap") == [(("who",), "certain")]
    mute = audit.audit_table(
        table(who=group, y=RNG.permutation(Y), part=part), "y", group="who", split="part"
    )
    assert found(mute, "group overlap") == [(("who",), "note")] and mute.alarms == ()


def test_training_rows_later_than_the_first_test_row() -> None:
    dealt = np.where(np.arange(N) % 4 == 3, "test", "train")
    result = audit.audit_table(table(at=HOUR, part=dealt), "y", time="at", split="part")
    assert found(result, "time overlap") == [(("at",), "certain")]
    assert (
        "297 of 300 training rows (99%) are later than the first test row (2024-01-01 03:00:00)"
        in result.findings[0].evidence
    )
    cut = np.where(np.arange(N) >= 300, "test", "train")
    assert audit.audit_table(table(at=HOUR, part=cut), "y", time="at", split="part").alarms == ()


def test_test_rows_of_another_kind() -> None:
    a = RNG.normal(size=N)
    result = audit.audit_table(
        table(a=a, part=np.where(a + RNG.normal(size=N) > 0.8, "test", "train")), "y", split="part"
    )
    assert found(result, "adversarial validation") == [(("a",), "suspicious")]


@pytest.mark.parametrize(
    ("moment", "late"),
    [
        (2, True),
        (-2.0, False),
        (timedelta(hours=1), True),
        ("logged", True),
        (datetime(2023, 1, 1), False),
    ],
)
def test_a_declared_moment(moment: Any, late: bool) -> None:
    columns = {
        "at": HOUR,
        "logged": HOUR + np.timedelta64(60_000_000, "us"),
        "x": RNG.normal(size=N),
    }
    result = audit.audit_table(table(**columns), "y", time="at", known_at={"x": moment})
    assert (found(result, "timing") == [(("x",), "certain")]) is late


def test_values_that_were_updated_after_the_event() -> None:
    late = np.arange(N) % 4 < 2
    changed = HOUR + np.where(late, 1, -1) * np.timedelta64(7_200_000_000, "us")
    y = RNG.integers(0, 2, N)
    balance = np.where(late, 3.0 * y, 0.0) + RNG.normal(size=N)
    result = audit.audit_table(
        table(at=HOUR, changed=changed, balance=balance, y=y), "y", time="at"
    )
    assert found(result, "sharpening") == [(("changed",), "certain"), (("balance",), "suspicious")]


def test_windows_that_look_ahead_and_those_that_look_back() -> None:
    shop, n = np.repeat(np.arange(10), 60), 600
    x = RNG.normal(size=n)
    smooth = np.convolve(x, np.ones(3) / 3, mode="same")
    back = np.r_[0.0, 0.0, np.convolve(x, np.ones(3) / 3, mode="valid")]
    columns = {
        "shop": shop,
        "at": np.tile(np.arange(60), 10),
        "x": x,
        "smooth": smooth,
        "back": back,
    }
    made = pa.table({**columns, "previous": np.r_[0.0, x[:-1]], "y": RNG.integers(0, 2, n)})
    result = audit.audit_table(made, "y", time="at", group="shop")
    assert found(result, "truncated history")[0] == (("smooth",), "certain") and result.flagged == (
        "smooth",
    )
    ahead = pa.table(
        {
            **{k: columns[k] for k in ("shop", "at", "x")},
            "next": np.r_[x[1:], 0.0],
            "y": RNG.integers(0, 2, n),
        }
    )
    assert audit.audit_table(ahead, "y", time="at", group="shop").flagged in (("next",), ()), (
        "a shift may be either's: a note"
    )


def test_what_a_check_lacks_is_said() -> None:
    result = audit.audit_table(
        table(part=["one"] * N, at=HOUR.astype(str)), "y", split="part", time="at"
    )
    lacking = {check.detector: check.why_not for check in result.checks if not check.ran}
    assert lacking["time overlap"] == "part has one value in every row: it splits nothing"
    assert lacking["timing"] == "known_at not given"
    assert lacking["sharpening"] == "at holds text, not moments: cast it to a timestamp or a number"
    assert lacking["truncated history"].startswith("at holds text") and len(result.checks) == len(
        DETECTORS
    )
    assert any(reason.startswith("**Not run:** ") for reason in result.why)


def test_odd_columns_are_left_out_with_a_reason() -> None:
    odd = {
        "empty": pa.nulls(N),
        "void": pa.array([None] * N, pa.string()),
        "same": ["x"] * N,
        "list": pa.array([[1]] * N),
        "inf": pa.array([float("inf")] * N),
        "money": pa.array([Decimal("1.5"), Decimal("2.5")] * (N // 2)),
        "day": pa.array(np.arange(N, dtype=np.int32)).cast(pa.date32()),
        "word": pa.array(["a", None] * (N // 2)).dictionary_encode(),
        "half": pa.array(np.arange(N, dtype=np.float16)),
        "raw": pa.array([b"1", b"2"] * (N // 2)),
    }
    result = audit.audit_table(table(**odd), "y")
    reasons = {
        "empty": "empty in every row",
        "void": "empty in every row",
        "same": "one value in every row",
    }
    assert result.skipped == reasons | {"list": "nested values", "inf": "no finite number"}
    assert {"money", "day", "word", "half", "raw"} <= set(result.scores)
    assert any("**Not audited:** 5 columns" in reason for reason in result.why)


@pytest.mark.parametrize(
    ("columns", "roles", "message"),
    [
        (
            {"y": ["a"] * N},
            {},
            "The target must have two values at least. y cannot be one: one value in every row.",
        ),
        (
            {"y": ["a"] * (N - 3) + ["b"] * 3},
            {},
            "Each class of the target must have 10 rows at least. Got 3 of b.",
        ),
        (
            {"y": list("abcd") * (N // 4)},
            {},
            "The target must have two classes, or be a number. y has 4 text values",
        ),
        (
            {"y": [None] * (N - 9) + [1] * 9},
            {},
            "The table must have at least 60 rows with a target. Got 9 of 400.",
        ),
        ({}, {"time": "when"}, "time must be one of the table's columns. Got 'when'."),
        ({}, {"split": "y"}, "target, time and split must be different columns. Got y, y."),
        (
            {"at": HOUR},
            {"time": "at", "known_at": {"a": "b"}},
            "known_at must name a timestamp column",
        ),
    ],
)
def test_what_cannot_be_audited_is_a_sentence(
    columns: dict[str, Any], roles: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError) as caught:
        audit.audit_table(table(**columns), "y", **roles)
    assert str(caught.value).startswith(message)


def test_ten_thousand_columns_of_noise_raise_no_alarm() -> None:
    columns = {f"n{i}": RNG.normal(size=120) for i in range(9_000)} | {
        f"k{i}": RNG.integers(0, 9, 120) for i in range(1_000)
    }
    result = audit.audit_table(
        pa.table({**columns, "y": RNG.permutation(np.tile([0, 1], 60))}), "y"
    )
    assert len(result.scores) == 10_000 and len(result.alarms) <= 1


def test_flights_as_the_data_notes_have_them() -> None:
    late = audit.run(AuditParams(n_rows=3_000, clock=True, split="in time order"))
    assert {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"} == set(late.flagged)
    cancelled = audit.run(AuditParams(source="cancelled flights", group="date"))
    assert (("tailnum",), "suspicious") in found(cancelled, "missingness")
    assert late.best_kept[1] < 0.7 < audit.run(AuditParams(n_rows=3_000)).best_kept[1]


@pytest.mark.parametrize("source", [name for name in get_args(sources.Source) if name != "upload"])
def test_the_script_gives_the_headline(source: Any) -> None:
    params = AuditParams(source=source, n_rows=2_000)
    assert run_script(scripts.render(params)) == audit.run(params).headline()


def test_findings_fill_in_and_the_sheet_holds_all_eight_types() -> None:
    seen = [
        progress.partial
        for progress in audit.steps(AuditParams(n_rows=2_000))
        if progress.partial is not None
    ]
    assert not seen[-1].complete and "checks have run" in seen[0].verdict
    result = audit.run(AuditParams(n_rows=2_000))
    sheet = json.loads(info_sheet.as_json(result))
    assert [entry["type"] for entry in sheet["types"]] == list(KINDS)
    assert (
        sum(len(entry["findings"]) for entry in sheet["types"])
        == len(result.findings)
        == result.table().num_rows
    )
    page = info_sheet.as_html(result)
    assert (
        all(kind in page for kind in KINDS)
        and "arr_delay alone reaches" in page
        and page.count("<table>") >= 2
    )
    assert {about.kind for about in ABOUT.values()} | {kind for _, kind, _ in INVISIBLE} == set(
        KINDS
    )
    assert len(coverage()) == len(DETECTORS) + len(INVISIBLE)


def test_the_figure_puts_flagged_columns_on_top() -> None:
    result = audit.run(AuditParams(n_rows=2_000))
    figure = figures.columns(result, result)
    assert (
        figure.data[0].y[-1] == "arr_delay"
        and figure.data[0].marker.color[-1] == figures.figures.LEAKED
    )
    assert (
        "single-feature score" in figure.data[0].text[-1] and figure.data[1].name == "pinned run A"
    )
