"""The private parts of imbalanced-learn and scikit-learn are where the one module that uses them
expects them. That its samplers give the libraries' own rows is tested in ``test_lineage.py``.
"""

from __future__ import annotations

import ast
import inspect
import re
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from imblearn import over_sampling
from sklearn.neighbors import KNeighborsClassifier

from engine.sampling.lineage import imblearn_internals

ENGINE = Path(__file__).resolve().parents[3] / "engine"
OUR_OWN = {"_places"}
SAMPLERS = [name for name in over_sampling.__all__ if hasattr(imblearn_internals, name)]
OVERRIDDEN = [
    (sampler, name)
    for sampler in SAMPLERS
    for owner in getattr(imblearn_internals, sampler).__mro__
    if owner.__module__ == imblearn_internals.__name__
    for name, thing in vars(owner).items()
    if inspect.isfunction(thing) and re.match("_[a-z]", name) and name not in OUR_OWN
]


@pytest.mark.parametrize(
    ("library", "minor"), [("scikit-learn", "1.9."), ("imbalanced-learn", "0.14.")]
)
def test_the_libraries_are_those_that_the_adapter_was_written_for(library: str, minor: str) -> None:
    """A new minor may move what is private: go through this file before the cap is raised."""
    assert version(library).startswith(minor)


def test_every_over_sampler_of_the_lab_is_checked() -> None:
    assert len(SAMPLERS) == 8 and {sampler for sampler, _ in OVERRIDDEN} == set(SAMPLERS)


@pytest.mark.parametrize(("sampler", "name"), sorted(set(OVERRIDDEN)))
def test_what_is_overridden_is_there_with_the_same_parameters(sampler: str, name: str) -> None:
    ours, theirs = (
        list(inspect.signature(getattr(getattr(module, sampler), name)).parameters)
        for module in (imblearn_internals, over_sampling)
    )
    assert ours == theirs


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_library_calls_what_is_overridden(sampler: str) -> None:
    rng = np.random.default_rng(0)
    y = (np.arange(120) < 30).astype(int)
    X: Any = rng.normal(size=(120, 2)) + y[:, np.newaxis]
    settings = {"random_state": 0}
    if sampler == "SMOTENC":
        settings["categorical_features"] = [1]
        X[:, 1] = rng.integers(0, 3, 120)
    if sampler == "KMeansSMOTE":
        settings["cluster_balance_threshold"] = 0.1
    recorder = getattr(imblearn_internals, sampler)(**settings)
    _, resampled = recorder.fit_resample(X, y)
    noted = np.concatenate([record.seed_index for record in recorder.records_])
    assert len(noted) == len(resampled) - 120 > 0 and (y[noted] == 1).all()


def test_a_nearest_neighbours_model_keeps_its_rows_in_order() -> None:
    X = np.random.default_rng(0).normal(size=(50, 3))
    model = KNeighborsClassifier(1).fit(X, np.arange(50) % 2)
    assert np.array_equal(imblearn_internals.fitted_rows(model), X)


def private_parts(code: str) -> set[str]:
    """Private attributes that the code takes from anything but its own object, and private names
    that it imports from the two libraries.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) not in ("self", "cls"):
            found.add(node.attr)
        elif isinstance(node, ast.ImportFrom) and re.match("sklearn|imblearn", str(node.module)):
            found |= {*str(node.module).split("."), *(alias.name for alias in node.names)}
    return {name for name in found if re.match("_[a-z]", name)} - {"_asdict"}  # a named tuple's


def test_nobody_else_reaches_into_either_library() -> None:
    own = Path(imblearn_internals.__file__)
    found = {
        path.relative_to(ENGINE).as_posix(): private_parts(path.read_text(encoding="utf-8"))
        for topic in ("sampling", "leakage")
        for path in (ENGINE / topic).rglob("*.py")
        if path != own
    }
    assert {name: what for name, what in found.items() if what} == {}
    code = "from sklearn.utils._param import x\nmodel._fit_X\nself._mine\nsuper()._step()"
    assert private_parts(code) == {"_param", "_fit_X", "_step"}
