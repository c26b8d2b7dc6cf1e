"""The quality gate: pandera's verdict on each row against a loop over rows, gates, contracts, the
generated tests.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, scripts
from engine.errors import InputError
from engine.etl import faults, quality
from engine.etl import rules as quality_rules
from engine.etl.contracts import CONTRACTS
from engine.etl.quality import FAULTS, TABLES, QualityParams, figure, load_tests, tests_code
from engine.etl.rules import Contract
from engine.units import format_share
from engine.workspace import REPOSITORY
from tests.engine.contracts import contracts
from tests.engine.printed import run_script

DAYS: dict[str, Any] = {"first_day": 43, "n_days": 1}  # 12 February: the wind of 1,048 mph


def kept(value: Any, rule: quality_rules.ColumnRule) -> list[str]:
    """The rules that one value breaks, by hand."""
    if value is None:
        return [] if rule.nullable else [f"{rule.name} must not be null"]
    broken = []
    if rule.min is not None and not rule.min <= value <= rule.max:  # type: ignore[operator]
        broken.append(f"{rule.name} must be {rule.min:,g}–{rule.max:,g}")
    if rule.one_of and value not in rule.one_of:
        broken.append(f"{rule.name} must be one of {', '.join(rule.one_of)}")
    if (
        rule.references
        and value not in referenced(rule.references)
        and value not in rule.exceptions
    ):
        broken.append(f"{rule.name} must be in {rule.references}")
    return broken


@cache
def referenced(reference: str) -> frozenset[Any]:
    table, _, column = reference.partition(".")
    return frozenset(data.load(table)[column].unique().to_pylist())


def as_number(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def by_hand(contract: Contract, table: pa.Table) -> dict[str, list[int]]:
    """Every row against every rule, one by one; rows of a wrong type are set aside first."""
    found: dict[str, list[int]] = {text: [] for text in quality_rules.texts(contract)}
    seen = set()
    for place, row in enumerate(table.to_pylist()):
        values, wrong = {}, False
        for rule in contract.columns:
            values[rule.name] = value = row[rule.name]
            if rule.type in ("int", "float") and value is not None:
                values[rule.name] = number = as_number(value)
                if number is None or (rule.type == "int" and number % 1):
                    found[f"{rule.name} must be of type {rule.type}"].append(place)
                    wrong = True
        if wrong:
            continue
        for rule in contract.columns:
            for text in kept(values[rule.name], rule):
                found[text].append(place)
        key = tuple(values[name] for name in contract.unique)
        if key and key in seen and not (contract.unique_nulls == "distinct" and None in key):
            found[quality_rules.unique_text(contract)].append(place)
        seen.add(key)
    return found


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("fault", FAULTS)
def test_every_row_is_judged_as_by_hand(table: Any, fault: Any) -> None:
    params = QualityParams(table=table, fault=fault, dose=0.1, **DAYS)
    batch = quality.batch_of(table, fault, 0.1, 43, 1, 0)
    rows = batch.table.slice(0, 1_000)
    found = {text: places.tolist() for text, places in quality.check(params.contract, rows).items()}
    assert found == by_hand(params.contract, rows)
    if fault in ("type", "null", "foreign key", "unique"):
        result = quality.run(params)
        assert result.caught_share == 1 and result.n_unseen == 0


def test_the_real_faults_are_there() -> None:
    weather = quality.run(QualityParams(fault="none"))
    (row,) = weather.reasons().to_pylist()
    assert (
        row["wind_speed"] == pytest.approx(1048.36)
        and row["reason"] == "wind_speed must be 0–120"
        and not row["injected"]
    )
    hours = next(check for check in weather.checks if check.kind == "hours")
    there = {(row["origin"], row["time_hour"]) for row in weather.batch.table.to_pylist()}
    assert hours.failed and f"{3 * 14 * 24 - len(there):,} are missing" in hours.text
    planes = next(
        check
        for check in quality.run(QualityParams(table="flights", fault="none", **DAYS)).checks
        if "tailnum" in check.text
    )
    known, flown = (
        set(data.load("planes")["tailnum"].to_pylist()),
        faults.real("flights", 43, 1)["tailnum"].to_pylist(),
    )
    assert len(planes.rows) == sum(tail is not None and tail not in known for tail in flown) > 100
    assert planes.severity == "warn"


@pytest.mark.parametrize("table", TABLES)
def test_each_fault_does_what_it_says(table: Any) -> None:
    rows = faults.real(table, 43, 1)
    n = len(rows)
    struck = {fault: faults.inject(table, rows, fault, 0.2, 1) for fault in FAULTS}
    assert struck["none"].table.equals(rows) and struck["none"].injected.sum() == 0
    assert len(struck["unique"].table) == n + round(0.2 * n) and len(
        struck["volume"].table
    ) == n - round(0.2 * n)
    assert struck["volume"].n_cut == round(0.2 * n)
    for fault in ("type", "null", "range", "foreign key", "drift"):
        batch, name = struck[fault], faults.COLUMNS[table][fault]
        before, after = rows[name].to_pylist(), batch.table[name].to_pylist()
        assert batch.injected.sum() == round(0.2 * n)
        factor = faults.DRIFTS.get(name, (0, ""))[0]
        for mark, old, new in zip(batch.injected, before, after, strict=True):
            if not mark:
                assert (
                    float(new) == float(old) if fault == "type" and new is not None else new == old
                ) or new is old is None
            elif fault == "type":
                assert new.endswith(faults.UNITS[name])
            elif fault == "null":
                assert new is None
            elif old is not None and fault != "foreign key":
                assert new == pytest.approx(old * (10 if fault == "range" else factor), abs=0.51)
            elif fault == "foreign key":
                assert new == old.lower()


def test_the_distance_of_distributions_by_hand() -> None:
    a, b = np.array([1.0, 2.0, 3.0, 4.0]), np.array([3.0, 4.0, 5.0])
    assert quality_rules.ks_statistic(a, b) == pytest.approx(1 / 2)
    assert quality_rules.ks_statistic(b, a + 10) == 1
    assert quality_rules.ks_statistic(np.array([1.0, np.nan]), np.array([1.0])) == 0
    assert quality_rules.ks_statistic(np.zeros(0), np.ones(3)) == 0


def test_drift_stops_the_batch_from_its_dose_on() -> None:
    low, high = (
        quality.run(QualityParams(table="flights", fault="drift", dose=dose, **DAYS))
        for dose in (0.02, 0.5)
    )
    assert (
        not low.stops
        and low.caught_share < 0.1
        and "distance must be within" in high.stops
        and high.caught_share == 1
    )
    assert high.n_loaded == 0 and low.n_loaded == low.n_rows - low.n_quarantined


def test_the_gate_by_hand() -> None:
    quarantine = quality.run(QualityParams(dose=0.05))
    assert (
        quarantine.n_loaded == quarantine.n_rows - quarantine.n_quarantined and not quarantine.stops
    )
    stop = quality.run(QualityParams(dose=0.05, gate="stop"))
    assert (
        stop.n_loaded == 0
        and stop.stops == f"{stop.n_quarantined:,} rows break a rule"
        and "**stops**" in stop.verdict
    )
    full = quality.run(QualityParams(dose=0.05, max_quarantined=0.01))
    assert full.n_loaded == 0 and "more than 1%" in full.stops
    off = quality.run(QualityParams(dose=0.05, gate="off"))
    assert off.n_loaded == off.n_rows and off.worst_error == off.worst_error_open > 1
    cut = quality.run(QualityParams(fault="volume", dose=0.3))
    assert cut.stops.startswith("rows per day must be 68–72") and cut.caught_share == 1


def test_downstream_numbers_by_arrow() -> None:
    result = quality.run(QualityParams(fault="range", dose=0.1, **DAYS))
    wind = result.batch.table["wind_speed"]
    mean = next(metric for metric in result.metrics if metric.name == "mean wind, mph")
    assert mean.open == pytest.approx(pc.mean(wind).as_py())
    assert mean.gated == pytest.approx(pc.mean(wind.filter(pa.array(~result.quarantined))).as_py())
    clean = faults.real("weather", 43, 1)["wind_speed"]
    assert mean.truth == pytest.approx(pc.mean(clean.filter(pc.less(clean, 120))).as_py())
    text = quality.run(QualityParams(fault="type", **DAYS))
    broken = {metric.name: metric.exception for metric in text.metrics}
    assert (
        broken["mean wind, mph"].startswith("BinderException")
        and "the text" in broken["highest wind, mph"]
    )
    assert all(metric.error("off") == 1 for metric in text.metrics if metric.exception)


@pytest.mark.parametrize(
    "setting",
    [
        {},
        {"table": "flights", "fault": "type", **DAYS},
        {"table": "planes", "fault": "unique", "dose": 0.2},
        {
            "table": "flights",
            "fault": "foreign key",
            "rules": '[columns]\ndest = { type = "text", in = ["LAX"] }',
            **DAYS,
        },
    ],
)
def test_the_script_asks_pandera_itself(setting: dict[str, Any]) -> None:
    params = QualityParams(**setting)
    assert run_script(scripts.render(params)) == quality.run(params).headline()


# ---- contracts


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("not toml", "rules must be TOML: "),
        ("a = 1", "rules must have the parts [columns] and [table]. Got a."),
        ("[table]", "rules must name at least one column under [columns]. Got none."),
        (
            '[columns]\nspeed = { type = "int" }',
            "rules: a batch of weather has no column 'speed'. It has origin, ",
        ),
        ("[columns]\ntemp = 3", "rules: temp must be a table like"),
        ('[columns]\ntemp = { type = "int", low = 1 }', "rules: temp may have type, nullable, "),
        (
            "[columns]\ntemp = { min = 1 }",
            "rules: type of temp must be one of int, float, text, time. Got None.",
        ),
        (
            '[columns]\ntemp = { type = "float", on_fail = "cry" }',
            "rules: on_fail of temp must be one of",
        ),
        (
            '[columns]\ntemp = { type = "float", min = "a", max = 2 }',
            "rules: min of temp must be a number, at most ",
        ),
        (
            '[columns]\ntemp = { type = "float", min = 3 }',
            "rules: temp must have both min and max, or neither.",
        ),
        (
            '[columns]\ntemp = { type = "float", min = 3, max = 2 }',
            "rules: min of temp must not exceed max. Got 3 and 2.",
        ),
        (
            '[columns]\norigin = { type = "text", min = 3, max = 4 }',
            "rules: min and max of origin need a number type.",
        ),
        (
            '[columns]\norigin = { type = "text", in = "EWR" }',
            "rules: in of origin must be a list of texts. Got 'EWR'.",
        ),
        (
            '[columns]\norigin = { type = "text", nullable = 1 }',
            "rules: nullable of origin must be true or false.",
        ),
        (
            '[columns]\norigin = { type = "text", references = "x.y" }',
            "rules: references of origin must be table.column of",
        ),
        (
            '[columns]\ntemp = { type = "float" }\n[table]\ndrift = "wind"',
            "rules: drift must be a column of the contract.",
        ),
        (
            '[columns]\ntemp = { type = "float" }\n[table]\nspeed = 1',
            "rules: [table] may have unique, unique_nulls, rows_a_day, ",
        ),
        (
            '[columns]\ntemp = { type = "float" }\n[table]\nunique = ["a"]',
            "rules: unique must list columns of the contract,",
        ),
        (
            '[columns]\ntemp = { type = "float" }\n[table]\nunique_nulls = "distinct"',
            "rules: unique_nulls needs the rule unique,",
        ),
        (
            '[columns]\ntemp = { type = "float" }\n[table]\nunique = ["temp"]\nunique_nulls = 1',
            "rules: unique_nulls must be one of equal, distinct. Got 1.",
        ),
        (
            '[columns]\ntemp = { type = "float" }\n[table]\nrows = [9, 1]',
            "rules: rows must be two whole numbers,",
        ),
        (
            '[columns]\ntemp = { type = "float" }\n[table]\nmax_ks = 2',
            "rules: max_ks must be 0–1. Got 2.",
        ),
        (
            '[columns]\ntemp = { type = "float" }\n[table]\nevery_hour_of = "temp"',
            "rules: every_hour_of needs the column",
        ),
        (
            'table = 3\n[columns]\ntemp = { type = "float" }',
            "rules: [table] must be a part of its own. Got 3.",
        ),
    ],
)
def test_a_bad_contract_is_told_in_words(rules: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        quality.run(QualityParams(rules=rules))
    assert str(caught.value).startswith(message)


def test_rules_of_ones_own_decide() -> None:
    rules = '[columns]\nwind_speed = { type = "float", nullable = true, min = 0, max = 20 }'
    result = quality.run(QualityParams(fault="none", rules=rules))
    wind = result.batch.table["wind_speed"]
    assert result.n_quarantined == pc.sum(pc.greater(wind, 20)).as_py() and len(result.checks) == 2
    assert all(
        quality_rules.parse(table, text) == quality_rules.parse(table)
        for table, text in CONTRACTS.items()
    )


def test_the_days_must_lie_within_the_year() -> None:
    with pytest.raises(InputError, match="first_day must be 1–351 for 14 days. Got 360."):
        QualityParams(first_day=360)


# ---- the generated tests


def pytest_outcomes(params: QualityParams, folder: Path) -> dict[str, bool]:
    """Run the generated file with pytest itself; which of its tests pass."""
    (folder / "test_load.py").write_text(tests_code.generate(params), encoding="utf-8")
    batch = quality.batch_of(
        params.table, params.fault, params.dose, params.first_day, params.n_days, params.seed
    )
    pq.write_table(batch.table, folder / "batch.parquet")
    run = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            str(folder / "test_load.py"),
            "-v",
            "-p",
            "no:cacheprovider",
            "--rootdir",
            str(folder),
        ],
        cwd=REPOSITORY,
        env={**os.environ, "BATCH": str(folder / "batch.parquet")},
        capture_output=True,
        text=True,
    )
    lines = [
        line
        for line in run.stdout.splitlines()
        if "::test_" in line and ("PASSED" in line or "FAILED" in line)
    ]
    return {
        line.split("::")[1].split()[0]: "PASSED" in line
        for line in lines
        if "::" in line.split()[0]
    }


@pytest.mark.parametrize(
    ("setting", "failing"),
    [
        ({"table": "weather", "fault": "none", "first_day": 60}, set()),
        (
            {"table": "planes", "fault": "unique"},
            {"test_data", "test_idempotency", "test_reconciliation"},
        ),
        ({"table": "flights", "fault": "type", **DAYS}, {"test_contract", "test_data"}),
    ],
)
def test_the_generated_tests_run_in_pytest_and_here_alike(
    setting: dict[str, Any], failing: set[str], tmp_path: Path
) -> None:
    params = QualityParams(**setting)
    outcomes = pytest_outcomes(params, tmp_path)
    assert (
        set(outcomes) == set(load_tests.NAMES)
        and {name for name, passed in outcomes.items() if not passed} == failing
    )
    here = load_tests.run(params)
    assert set(here.failed) == failing and here.code == tests_code.generate(params)
    assert ("All **5** tests pass" in here.verdict) == (not failing)


# ---- text of a person's in generated code


def payload(canary: Path) -> str:
    return f'__import__("pathlib").Path("{canary}").touch()'


def attacks(run: str) -> dict[str, str]:
    """Texts that would run ``run`` if they became code, each in another way."""
    single = run.replace('"', "'")
    return {
        "the reported one": f'"}} | {{str({run})}} | {{"x',
        "single quotes": f"'}} | {{str({run})}} | {{'x",
        "end of the list": f"'] + [{run}] + ['",
        "end of the call": f'")); {run} #',
        "a new line": f"\n{run}\n",
        "other line ends": f"\r{run}\r\u2028{run}\u2029{run}\x85{run}\x0b{run}\x0c",
        "triple quotes": f'"""\n{run}\n"""',
        "other triple quotes": f"'''\n{run}\n'''",
        "a mark of the template": (
            f"@gate\n{run}\n@rules @unique @known @batch @keys @manifest @broken @schema"
        ),
        "a field of an f-string": f"{{{single}}} {{{{{single}}}}} {{0.__class__}} {{check}} %s",
        "a backslash before a quote": f"\\' + {run} + \\'",
        "a backslash before a double quote": f'\\" + {run} + \\"',
        "a backslash at the end": "\\",
        "an escape": f"\\x22 + {run} + \\x22 \\N{{QUOTATION MARK}}",
        "NUL and a comment": f"\x00# \n{run}",
        "look-alikes of quotes": f"\u202e\uff02 + {run} + \uff02 \u2019 \uff07 \u201c",
        "a type comment": f"x # type: ignore\n{run}  # coding: rot13",
    }


def in_toml(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def hostile_rules(text: str) -> str:
    """The text in every place where a contract may hold one."""
    known = ", ".join(map(in_toml, ("SJU", "BQN", "STT", "PSE", text)))
    return (
        f'[columns]\ndest = {{ type = "text", references = "airports.faa", except = [{known}] }}\n'
        f'origin = {{ type = "text", in = ["EWR", "JFK", "LGA", {in_toml(text)}] }}'
    )


def run_generated(cases: dict[str, QualityParams], folder: Path) -> dict[str, dict[str, Any]]:
    """Run what is generated for each case in one child; what came of each."""
    places = []
    for number, p in enumerate(cases.values()):
        place = folder / f"case{number}"
        place.mkdir()
        (place / "script.py").write_text(scripts.render(p), encoding="utf-8")
        (place / "test_load.py").write_text(tests_code.generate(p), encoding="utf-8")
        batch = quality.batch_of(p.table, p.fault, p.dose, p.first_day, p.n_days, p.seed)
        pq.write_table(batch.table, place / "batch.parquet")
        places.append(str(place))
    command = [sys.executable, "-m", "tests.engine.run_generated", *places]
    run = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True)
    return dict(zip(cases, map(json.loads, run.stdout.splitlines()), strict=True))


def test_no_text_of_a_contract_is_run(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    texts = attacks(payload(canary))
    cases = {
        name: QualityParams(table="flights", fault="none", rules=hostile_rules(text), **DAYS)
        for name, text in texts.items()
    }
    found = run_generated(cases, tmp_path)
    assert not canary.exists()
    for name, params in cases.items():
        assert found[name] == {"headline": quality.run(params).headline(), "failed": []}, name
        assert f"origin must be one of EWR, JFK, LGA, {texts[name]}" in found[name]["headline"]
    assert not canary.exists()


def test_the_canary_would_sing(tmp_path: Path) -> None:
    """The attack works where a text is pasted: what the test above looks for can happen."""
    canary = tmp_path / "canary"
    text = attacks(payload(canary))["the reported one"]
    eval(f'{{"SJU", "{text}"}}')
    assert canary.exists()


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (
            "[columns]\norigin = { type = 'text', in = [2013-01-01] }",
            "rules: in of origin must be a list of texts.",
        ),
        (
            "[columns]\norigin = { type = 'text', in = [1979-05-27T07:32:00Z] }",
            "rules: in of origin must be a list of",
        ),
        (
            "[columns]\norigin = { type = 'text', in = 07:32:00 }",
            "rules: in of origin must be a list of texts.",
        ),
        (
            "[columns]\norigin = { type = 'text', in = [['EWR']] }",
            "rules must be nested at most 4 deep",
        ),
        (
            "[columns]\norigin = { type = 'text', except = [{ a = 1 }] }",
            "rules must be nested at most 4 deep",
        ),
        ("[columns]\norigin = { type = 2013-01-01 }", "rules: type of origin must be one of"),
        (
            "[columns]\norigin = { type = 'text', references = 2013-01-01 }",
            "rules: references of origin must be",
        ),
        (
            "[columns]\norigin = { type = 'text', references = 'airports.faa\"])' }",
            "rules: references of origin must be",
        ),
        (
            "[columns]\n\"temp': 1, 'x\" = { type = 'float' }",
            "rules: a batch of weather has no column",
        ),
        (
            "[columns]\ntemp = { type = 'float', min = nan, max = 1 }",
            "rules: min of temp must be a number",
        ),
        (
            "[columns]\ntemp = { type = 'float', min = 0, max = inf }",
            "rules: max of temp must be a number",
        ),
        (
            f"[columns]\ntemp = {{ type = 'float', min = 0, max = {'9' * 3_000} }}",
            "rules: a whole number must have at most 64",
        ),
        (
            f"[columns]\ntemp = {{ type = 'float', min = 0, max = 0x{'f' * 3_800} }}",
            "rules: a whole number must have at most",
        ),
        (
            "[columns]\ntemp = { type = 'float' }\n[table]\nunique = ['temp', 'temp']",
            "rules: unique must list columns",
        ),
        (
            "[columns]\ntemp = { type = 'float' }\n[table]\nunique = [2013-01-01]",
            "rules: unique must list columns",
        ),
        (
            "[columns]\ntemp = { type = 'float' }\n[table]\nrows = [0, 9999999999999999]",
            "rules: rows must be two whole",
        ),
        (
            "[columns]\ntemp = { type = 'float' }\n[table]\ndrift = '@gate'",
            "rules: drift must be a column of the contract.",
        ),
        (
            "[columns]\norigin = { type = 'text', in = ['\ud800'] }",
            "rules must be TOML: 'utf-8' codec can't encode",
        ),
        ("a = " + "[" * 3_900, "rules must be nested at most 4 deep"),
        ("[columns]\ntemp = " + "[" * 1_900 + "]" * 1_900, "rules must be nested at most 4 deep"),
        ("[columns.temp]\n" + "a." * 1_900 + "a = 1", "rules must be nested at most 4 deep"),
        (
            "[columns]\ntime_hour = { type = 'float' }",
            "rules: type of time_hour must be time, for it holds times.",
        ),
        (
            "[columns]\norigin = { type = 'int' }",
            "rules: type of origin must be text, for it holds texts.",
        ),
        (
            "[columns]\ntemp = { type = 'text' }",
            "rules: type of temp must be int or float, for it holds numbers.",
        ),
        (
            "[columns]\ntemp = { type = 'float', in = ['1'] }",
            "rules: in of temp needs a column of texts.",
        ),
        (
            "[columns]\ntemp = { type = 'float', references = 'airports.faa' }",
            "rules: references of temp must name a column",
        ),
        (
            "[columns]\norigin = { type = 'text' }\n[table]\ndrift = 'origin'",
            "rules: drift must be a column of numbers.",
        ),
    ],
    ids=range(27),
)
def test_what_cannot_be_a_rule_is_refused_in_a_sentence(rules: str, message: str) -> None:
    for write in (quality.run, tests_code.generate):
        with pytest.raises(InputError) as caught:
            write(QualityParams(rules=rules))
        assert str(caught.value).startswith(message)


def test_honest_texts_with_quotes_give_code_that_passes(tmp_path: Path) -> None:
    texts = [
        'a"b',
        "O'Hare",
        "back\\slash\\",
        "new\nline",
        "tab\t",
        "Zürich ✈ 東京",
        "{braces}",
        "@gate",
        '"""',
        "'''",
        "%s",
    ]
    listed = ", ".join(map(in_toml, ("EWR", "JFK", "LGA", *texts)))
    exceptions = ", ".join(map(in_toml, ("SJU", "BQN", "STT", "PSE", *texts)))
    weather = (
        f'[columns]\norigin = {{ type = "text", in = [{listed}] }}\ntime_hour = {{ type = "time" }}'
    )
    flights = (
        '[columns]\ndest = { type = "text", references = "airports.faa", except ='
        f" [{exceptions}] }}"
    )
    literal = "[columns]\ndest = { type = 'text', references = 'airports.faa', except = ['a\"b'] }"
    cases = {
        "in": QualityParams(fault="none", first_day=60, rules=weather),
        "except": QualityParams(table="flights", fault="none", rules=flights, **DAYS),
        "broken": QualityParams(table="flights", fault="foreign key", rules=literal, **DAYS),
    }
    found = run_generated(cases, tmp_path)
    assert all(
        found[name]["headline"] == quality.run(params).headline() for name, params in cases.items()
    )
    assert {name: case["failed"] for name, case in found.items()} == {
        "in": [],
        "except": [],
        "broken": ["test_data"],
    }


def test_an_int_on_a_column_with_fractions_counts_them_as_mistyped() -> None:
    rules = '[columns]\nwind_speed = { type = "int", nullable = true, min = 0, max = 5 }'
    result = quality.run(QualityParams(fault="none", rules=rules))
    wind = [value for value in result.batch.table["wind_speed"].to_pylist() if value is not None]
    headline = result.headline()
    assert headline["wind_speed must be of type int"] == sum(value % 1 != 0 for value in wind) > 0
    assert headline["wind_speed must be 0–5"] == sum(
        value % 1 == 0 and not 0 <= value <= 5 for value in wind
    )


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_every_contract_that_fits_is_held_as_by_hand(drawn: st.DataObject) -> None:
    table, fault = drawn.draw(st.sampled_from(TABLES)), drawn.draw(st.sampled_from(FAULTS))
    params = QualityParams(
        table=table, fault=fault, dose=0.3, rules=drawn.draw(contracts(table, wild=False)), **DAYS
    )
    rows = quality.batch_of(table, fault, 0.3, 43, 1, 0).table.slice(0, 300)
    found = {text: places.tolist() for text, places in quality.check(params.contract, rows).items()}
    assert found == by_hand(params.contract, rows)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_contract_runs_or_is_refused_in_a_sentence(drawn: st.DataObject) -> None:
    table, gate = drawn.draw(st.sampled_from(TABLES)), drawn.draw(st.sampled_from(quality.GATES))
    rules = drawn.draw(contracts(table, wild=True))
    params = QualityParams(
        table=table, fault=drawn.draw(st.sampled_from(FAULTS)), gate=gate, rules=rules, **DAYS
    )
    try:
        result = quality.run(params)
    except InputError:
        return
    assert (
        result.verdict
        and result.why
        and result.reasons().num_rows <= 200
        and result.table().num_rows
    )
    for code in (scripts.render(params), tests_code.generate(params)):
        compile(code, "<generated>", "exec")


# ---- words and figures


def test_words_and_figures_follow_the_numbers() -> None:
    result = quality.run(QualityParams())
    assert (
        f"catch **{format_share(result.caught_share)}** of {result.n_injected:,} injected faults"
        in result.verdict
    )
    assert any(
        f"{result.n_unseen:,} injected rows pass every rule" in reason for reason in result.why
    )
    chart = figure.checks(result, quality.run(QualityParams(fault="none")))
    injected, real, unseen = chart.data[:3]
    assert injected.x[0] + real.x[0] == result.n_quarantined and unseen.x[-1] == result.n_unseen
    below = figure.downstream(result)
    assert list(below.data[0].x) == [
        max(100 * metric.error("off"), 0.01) for metric in result.metrics
    ]
    assert [
        trace.name for trace in figure.downstream(quality.run(QualityParams(gate="off"))).data
    ] == ["without a gate"]
    assert (
        "all rules pass"
        in figure.checks(quality.run(QualityParams(table="planes", fault="none"))).data[0].y
    )
    assert result.table().num_rows == len(result.checks) and result.reasons(5).num_rows == 5
