"""The audit on names and order: ids that predict, rows in an order that predicts, copies under new
names; and the honest tables that look like them.

The inputs are of the kind of two public reports, made smaller: ``patients`` after KDD Cup 2008
(several images each, the range of the number tells the answer), ``in_order`` after a table written
one class after the other.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from engine.leakage import audit
from engine.leakage.audit import info_sheet
from engine.leakage.audit.detectors import chance
from engine.leakage.audit.detectors.naming import is_named_as_id
from engine.leakage.audit.findings import Finding
from engine.leakage.audit.result import AuditResult
from engine.leakage.table_columns import read

N = 600
DAY = np.datetime64("2020-01-01", "D")


def noise(rng: np.random.Generator, n: int = N) -> dict[str, Any]:
    """Return three columns that mean nothing."""
    return {"a": rng.normal(size=n), "b": rng.normal(size=n), "c": rng.exponential(size=n)}


def run(columns: dict[str, Any], **roles: Any) -> AuditResult:
    values = {name: pa.array(x, from_pandas=True) for name, x in columns.items()}
    return audit.audit_table(pa.table(values), "y", **roles)


def named(result: AuditResult, detector: str) -> list[Finding]:
    return [f for f in result.alarms if f.detector == detector]


def chances(z: Any, rng: np.random.Generator) -> np.ndarray:
    """Return 0/1 answers of log odds ``z``."""
    return (rng.random(len(z)) < 1 / (1 + np.exp(-z))).astype(np.int64)


def patients(
    rng: np.random.Generator, *, rows_each: int = 4, share: float = 0.85, n: int = N
) -> tuple[np.ndarray, np.ndarray]:
    """Return the sparse number of each row's patient and its answer, rows shuffled: a fifth of the
    patients is ill; ``share`` of these came from a site that counts below 40,000, the others from
    sites that begin at 100,000.
    """
    k = n // rows_each
    ill = rng.random(k) < 0.2
    low = rng.choice(39_000, k, replace=False)
    high = 100_000 + rng.choice(4_000_000, k, replace=False)
    number = np.where(ill & (rng.random(k) < share), low, high)
    who = rng.permutation(np.repeat(np.arange(k), rows_each))
    return number[who], ill[who].astype(np.int64)


WRITTEN: dict[str, Callable[[np.ndarray], Any]] = {
    "numbers": lambda ids: ids,
    "floats": lambda ids: ids.astype(float),
    "text": lambda ids: [f"P-{i:07d}" for i in ids],
    "digits": lambda ids: [f"{i:07d}" for i in ids],
    "beyond 2^53": lambda ids: ids + 2**60,
    "decimals": lambda ids: [Decimal(int(i)) + 10**20 for i in ids],
}


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("rows_each", [1, 4, 12])
def test_an_id_whose_range_tells_is_found_however_it_is_written(
    written: str, rows_each: int
) -> None:
    rng = np.random.default_rng(rows_each)
    ids, y = patients(rng, rows_each=rows_each, share=0.8)
    result = run(noise(rng) | {"patient_id": WRITTEN[written](ids), "y": y})
    (finding,) = named(result, "identifier")
    assert finding.columns == ("patient_id",) and result.best_kept[0] != "patient_id"
    grouped = run(noise(rng) | {"patient_id": WRITTEN[written](ids), "y": y}, group="patient_id")
    assert named(grouped, "identifier"), "as a group it predicts all the same"


def test_the_score_of_a_range_is_that_of_other_things() -> None:
    """AUC of the order against scikit-learn's AUC of the number itself, which the range allows."""
    ids, y = patients(np.random.default_rng(0))
    (finding,) = named(
        run(noise(np.random.default_rng(1)) | {"patient_id": ids, "y": y}), "identifier"
    )
    assert finding.score == pytest.approx(roc_auc_score(y, -ids), abs=0.04)


@pytest.mark.parametrize("name", ["patient_id", "xq"])
def test_an_id_with_one_answer_in_all_its_rows_is_found_by_membership(name: str) -> None:
    rng = np.random.default_rng(3)
    ids, y = patients(rng, share=0.0)
    (finding,) = named(run(noise(rng) | {name: ids, "y": y}), "identifier")
    assert "150 of 150 values that repeat have one y in all their rows" in finding.evidence


def test_things_that_each_have_a_level_of_their_own_are_found_and_weak_ones_are_not() -> None:
    rng = np.random.default_rng(5)
    who = rng.permutation(np.repeat(np.arange(150), 4))
    code, level = [f"C{i:05d}" for i in who], rng.normal(size=150)[who]
    strong = run(noise(rng) | {"code": code, "y": chances(3 * level, rng)})
    assert [f.columns for f in named(strong, "identifier")] == [("code",)]
    assert run(noise(rng) | {"code": code, "y": chances(0.4 * level, rng)}).alarms == ()


def honest_tables(rng: np.random.Generator) -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """Return tables without a leak, with the roles named: what could be taken for one."""
    z, at = rng.normal(size=N), DAY + np.arange(N)
    walk = np.zeros(N)
    for i in range(1, N):
        walk[i] = 0.95 * walk[i - 1] + 0.4 * rng.normal()
    city, shop = rng.integers(0, 100, N), np.repeat(np.arange(20), N // 20)
    age = np.sort(rng.integers(18, 90, N))
    trend = np.linspace(-1.5, 1.5, N)
    numbers = {
        "row_id": np.arange(N),
        "account_no": rng.choice(10**7, N, replace=False),
        "token": [f"{i:016x}" for i in rng.integers(2**60, 2**62, N)],
        "person_id": rng.choice(10**6, 150, replace=False)[rng.integers(0, 150, N)],
    }
    amounts = {
        "cents": np.round(np.exp(8 + z) * 100).astype(np.int64),
        "n_calls": rng.poisson(3 * np.exp(0.5 * z)),
        "year": 2000 + np.clip(np.round(5 + 2 * z), 0, 10).astype(np.int64),
    }
    likert = {f"q{i}": np.clip(np.round(3 + z + rng.normal(size=N)), 1, 5) for i in range(8)}
    return {
        "ids": (noise(rng) | numbers | {"y": chances(z, rng)}, {}),
        "amounts": (noise(rng) | amounts | {"y": chances(z, rng)}, {}),
        "codes": (
            noise(rng)
            | {"zip": 10_000 + 7 * city, "city": np.char.add("city ", city.astype(str))}
            | {"y": chances(rng.normal(size=100)[city], rng)},
            {},
        ),
        "a survey": (likert | {"y": chances(z, rng)}, {}),
        "time series": (noise(rng) | {"date": at, "y": chances(1.5 * walk, rng)}, {}),
        "a number over time": (noise(rng) | {"date": at, "y": walk}, {"time": "date"}),
        "a season": (noise(rng) | {"date": at, "y": chances(np.arange(N) % 7 - 3.0, rng)}, {}),
        "a trend and a counter": (
            noise(rng) | {"at": at, "row_id": np.arange(N), "y": chances(trend, rng)},
            {"time": "at"},
        ),
        "a weak trend, no time": (
            noise(rng) | {"row_id": np.arange(N), "y": chances(0.3 * trend, rng)},
            {},
        ),
        "sorted by age": (noise(rng) | {"age": age, "y": chances((age - 54) / 15, rng)}, {}),
        "shops over days": (
            noise(rng)
            | {"shop": shop, "day": np.tile(at[: N // 20], 20)}
            | {"y": chances(rng.normal(size=20)[shop] + walk[: N // 20][np.arange(N) % 30], rng)},
            {},
        ),
    }


@pytest.mark.parametrize("which", honest_tables(np.random.default_rng(0)))
def test_an_honest_table_is_left_alone(which: str) -> None:
    for seed in range(3):
        columns, roles = honest_tables(np.random.default_rng(seed))[which]
        assert run(columns, **roles).alarms == ()


def test_an_id_made_of_another_column_tells_no_more_than_that() -> None:
    rng = np.random.default_rng(7)
    carrier = rng.integers(0, 6, N)
    plane = [f"N{i:04d}{'ABCDEF'[c]}" for i, c in zip(rng.permutation(N), carrier, strict=True)]
    columns = noise(rng) | {"plane": plane, "y": chances(carrier - 2.5, rng)}
    assert named(run(columns), "identifier"), "its last character tells"
    assert not named(run(columns | {"carrier": carrier}), "identifier")


def in_order(kind: str, rng: np.random.Generator) -> np.ndarray:
    """Return 0/1 answers (N,) in an order that tells them."""
    drawn = (rng.random(N) < 0.4).astype(np.int64)
    row = np.arange(N)
    if kind == "half of them sorted":
        loose = np.flatnonzero(rng.random(N) < 0.5)
        y = np.sort(drawn)
        y[loose] = y[rng.permutation(loose)]
        return y
    return {
        "sorted": np.sort(drawn),
        "sorted down": np.sort(drawn)[::-1],
        "blocks of 100": np.repeat([0, 1, 0, 0, 1, 0], N // 6),
        "blocks of 8": np.repeat((rng.random(N // 8) < 0.4).astype(np.int64), 8),
        "in turn": row % 2,
        "every fifth": (row % 5 == 2).astype(np.int64),
        "every third, with exceptions": np.where(rng.random(N) < 0.3, drawn, row % 3 == 0),
    }[kind]


@pytest.mark.parametrize(
    "kind",
    ["sorted", "sorted down", "half of them sorted", "blocks of 100", "blocks of 8", "in turn",
     "every fifth", "every third, with exceptions"],
)  # fmt: skip
def test_an_order_that_tells_is_found(kind: str) -> None:
    rng = np.random.default_rng(11)
    y = in_order(kind, rng)
    result = run(noise(rng) | {"y": y})
    (finding,) = named(result, "row order")
    assert finding.where == "the row order" and not finding.columns
    shuffled = rng.permutation(N)
    assert run(noise(rng) | {"y": y[shuffled]}).alarms == ()
    columns = noise(rng) | {"unnamed: 0": np.arange(N), "y": y}
    assert "unnamed: 0" in run(columns).flagged, "the index column carries it into a model"


def test_a_sorted_table_is_certain_and_scores_as_its_row_number() -> None:
    y = np.sort((np.random.default_rng(2).random(N) < 0.4).astype(np.int64))
    (finding,) = named(run(noise(np.random.default_rng(3)) | {"y": y}), "row order")
    assert (finding.severity, finding.score) == ("certain", roc_auc_score(y, np.arange(N)))
    numbers = np.sort(np.random.default_rng(4).normal(size=N))
    (finding,) = named(run(noise(np.random.default_rng(3)) | {"y": numbers}), "row order")
    assert finding.severity == "suspicious" and finding.score > 0.9


def test_rows_sorted_by_the_answer_within_each_day_are_found() -> None:
    rng = np.random.default_rng(13)
    y = np.sort((rng.random((20, N // 20)) < 0.4).astype(np.int64), axis=1).ravel()
    date = np.repeat(DAY + np.arange(20), N // 20)
    assert named(run(noise(rng) | {"date": date, "y": y}), "row order")


def with_copies(rng: np.random.Generator, jitter: float) -> dict[str, Any]:
    """Return 500 rows and copies of 100 of them, in random order and on random sides of a split,
    each with an id and a moment of its own.
    """
    rows = noise(rng, 500) | {"kind": rng.choice(["x", "y"], 500), "y": chances(np.zeros(500), rng)}
    place = rng.permutation(np.r_[np.arange(500), rng.choice(500, 100, replace=False)])
    columns = {name: values[place] for name, values in rows.items()}
    for name in "abc":
        columns[name] = columns[name] + jitter * rng.normal(size=N)
    return columns | {
        "ticket_id": rng.choice(10**6, N, replace=False),
        "at": DAY + rng.integers(0, 900, N),
        "part": np.where(rng.random(N) < 0.3, "test", "train"),
    }


@pytest.mark.parametrize("roles", [{}, {"split": "part"}, {"split": "part", "time": "at"}])
@pytest.mark.parametrize(
    ("jitter", "detector"), [(0.0, "exact duplicates"), (1e-4, "near duplicates")]
)
def test_copies_under_another_id_and_moment_are_found(
    roles: dict[str, str], jitter: float, detector: str
) -> None:
    columns = with_copies(np.random.default_rng(17), jitter)
    if not roles:
        del columns["part"]
    assert len(named(run(columns, **roles), detector)) == 1


@pytest.mark.parametrize(
    ("name", "is_id"),
    [
        *[(name, True) for name in ("patient_id", "CustomerNo", "ID", "userId", "case number")],
        *[(name, True) for name in ("uuid", "PATIENTID", "MRN", "Unnamed: 0", "customer")],
        *[(name, False) for name in ("n_visits", "no_show", "paid", "humidity", "token_count")],
        *[(name, False) for name in ("customers", "age", "y", "", "账户", "days_since_case_id")],
    ],
)
def test_names_that_say_identifier(name: str, is_id: bool) -> None:
    assert is_named_as_id(name) is is_id


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 6))
def test_a_permutation_test_is_exact_under_chance_and_keeps_the_strata(seed: int, k: int) -> None:
    rng = np.random.default_rng(seed)
    strata = rng.integers(0, k, 60)
    order = chance.shuffled(strata, rng)
    assert np.array_equal(strata[order], strata) and np.array_equal(np.sort(order), np.arange(60))
    x = rng.normal(size=60)
    found = chance.test(lambda order: np.array([x[order][:20].mean()]), np.zeros(60, int), 39)
    assert found.p * 40 == pytest.approx(round(found.p * 40)) and 1 / 40 <= found.p <= 1


def test_the_p_of_honest_ids_is_uniform() -> None:
    """At most 5 of 100 honest scores reach p ≤ 0.05 but for chance (16 or more: p < 1e-4)."""
    ps = []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        x, y = rng.normal(size=80), rng.normal(size=80)
        ps.append(
            chance.test(
                lambda o, x=x, y=y: np.array([x @ y[o], -(x @ y[o])]), np.zeros(80, int), 99
            ).p
        )  # type: ignore[misc]
    assert sum(p <= 0.05 for p in ps) < 16 and min(ps) >= 0.01 and 0.35 < np.mean(ps) < 0.65


@pytest.mark.parametrize("zone", [None, "Europe/Rome"])
@pytest.mark.parametrize("role", [{}, {"time": "at"}, {"group": "at"}, {"time": "seen"}])
def test_nanoseconds_below_a_microsecond_are_audited_like_any_time(
    zone: str | None, role: dict[str, str], tmp_path: Any
) -> None:
    """As pandas writes them to Parquet: before and after 1970, with an empty cell."""
    rng = np.random.default_rng(19)
    step = np.sort(rng.integers(0, 10**15, N))
    at = pd.Series(pd.to_datetime(step + 1_700_000_000_000_000_123)).dt.tz_localize(
        zone, ambiguous="NaT"
    )
    frame = pd.DataFrame(noise(rng) | {"at": at, "y": rng.integers(0, 2, N)})
    frame["old"] = pd.to_datetime(step - 2_000_000_000_000_000_001).where(rng.random(N) < 0.9)
    frame["seen"] = at + timedelta(hours=2)
    frame.to_parquet(tmp_path / "ns.parquet")
    table = pa.parquet.read_table(tmp_path / "ns.parquet")
    assert table.schema.field("at").type == pa.timestamp("ns", zone)
    result = audit.audit_table(table, "y", **role)
    assert result.complete and info_sheet.as_html(result) and result.table().num_rows >= 0
    assert not {"at", "old", "seen"} & set(result.skipped)
    late = [f.columns for f in result.alarms if f.detector == "sharpening"]
    assert late == ([("seen",)] if role == {"time": "at"} else [])
    assert read(table, "y").columns["at"].numbers is not None
