"""Define a view: Feast's answers against the rows themselves, its refusals in its own words."""

from __future__ import annotations

import ast
from typing import Any

import numpy as np
import pytest

from engine import scripts, workspace
from engine.errors import InputError
from engine.feature_store import define
from engine.feature_store.define import DefineParams, figure
from engine.feature_store.define.result import KEYS, N_LABELS, definition
from tests.engine.printed import run_script


def number(text: str) -> float:
    return float(text.replace("−", "-"))


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"ttl_hours": 1},
        {"ttl_hours": 0, "second": "last_delay"},
        {"entity": "airport", "first": "temp", "ttl_hours": 6},
    ],
    ids=str,
)
def test_feast_joins_the_row_that_is_found_by_hand(given: dict[str, Any]) -> None:
    params = DefineParams(**given)
    result = define.run(params)
    assert result.refused == "nowhere" and len(result.answers) == N_LABELS
    table = define.source(params.entity).to_pandas()
    values = table[table[KEYS[params.entity]] == result.key][params.first].to_numpy()
    for place, answer in zip(result.joined, result.answers, strict=True):
        said = answer[params.first]
        assert (said is None) == (place < 0 or np.isnan(values[place]))
        if said is not None:
            assert number(said) == pytest.approx(values[place], rel=1e-3)
    assert result.n_null == N_LABELS - result.n_values == sum(result.joined < 0)
    n_keys = table[KEYS[params.entity]].nunique()
    assert not result.altered and result.n_online == n_keys * len(params.schema)
    assert result.served is not None and set(result.served) == {name for name, _ in params.schema}
    if params.ttl_hours:
        old = result.asked - result.rows[np.maximum(result.joined, 0)]
        assert (old[result.joined >= 0] <= 3600 * params.ttl_hours).all()


@pytest.mark.parametrize(
    ("given", "stage", "words"),
    [
        ({"name": "plane:delays"}, "apply", "must not contain ':'"),
        ({"name": "delays@v2"}, "apply", "must not contain '@'"),
        ({"name": ""}, "apply", "Feature view needs a name"),
        ({"first": "tailnum"}, "define", "does not match the inferred type"),
        ({"first": "temp"}, "train", "Column 'temp' is not found"),
        ({"first": "mean_delay", "second": "mean_delay"}, "train", "Duplicate features"),
        ({"first_type": "Bool"}, "materialize", "numpy.float64"),
    ],
    ids=str,
)
def test_feast_refuses_in_its_own_words(given: dict[str, Any], stage: str, words: str) -> None:
    result = define.run(DefineParams(**given))
    assert result.refused == stage and words in result.error
    assert result.error[:60] in result.verdict and str(workspace.server()) not in result.error
    assert not list((workspace.server() / "scratch").glob("feast-define-*"))


def test_a_type_that_cuts_values_makes_skew_without_an_error() -> None:
    result = define.run(DefineParams(first_type="Int64"))
    right = define.run(DefineParams())
    assert result.refused == "nowhere" and result.answers == right.answers
    assert right.served == right.newest == result.newest and not right.altered
    assert number(right.served_value) != int(number(right.served_value))
    assert number(result.served_value) == int(number(right.served_value)), "the fraction is cut"
    assert result.altered == (("mean_delay", right.served_value, result.served_value),)
    assert result.served_value in result.verdict


@pytest.mark.parametrize("name", ["x'; import os", "a\nb", "../etc", 'say "x"', "${x}", "é"])
def test_other_names_are_refused_before_feast(name: str) -> None:
    with pytest.raises(InputError, match="name must be of letters"):
        DefineParams(name=name)


def test_the_definition_holds_the_name_as_a_literal() -> None:
    params = DefineParams(name="my view@v2", second="last_delay")
    tree = ast.parse(definition(params))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert {"my view@v2", "mean_delay", "last_delay", 12} <= set(texts)


@pytest.mark.parametrize("given", [{}, {"first": "temp"}], ids=str)
def test_the_script_prints_the_headline(given: dict[str, Any]) -> None:
    params = DefineParams(**given)
    assert run_script(scripts.render(params)) == define.run(params).headline()


def test_the_figure_has_a_mark_for_each_label() -> None:
    result = define.run(DefineParams(ttl_hours=6))
    marks = {trace.name: len(trace.x) for trace in figure.labels(result).data if trace.name}
    assert marks["value"] == result.n_values and marks["null"] == result.n_null
    refused = define.run(DefineParams(name="a:b"))
    marks = {trace.name: len(trace.x) for trace in figure.labels(refused).data if trace.name}
    assert marks["no answer"] == N_LABELS
    early = figure.labels(define.expected(DefineParams()))
    assert {trace.name for trace in early.data if trace.name} >= {"value", "null"}
    assert result.table().num_rows == N_LABELS
