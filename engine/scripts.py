"""The script of the code panel: a real file of the experiment, with its one block of parameters
replaced.

``engine/<topic>/<experiment>/script.py`` runs from the repository root as it stands, with the
default parameters: it holds one statement ``PARAMS = <Experiment>Params()``. It is linted and
type-checked like any module, and imported by nobody. ``render`` returns its text with the
parameters of a run.
"""

from __future__ import annotations

import ast
from functools import lru_cache
from pathlib import Path

from engine.ranges import Params
from engine.source_code import constructor


@lru_cache(maxsize=64)
def _halves(path: Path) -> tuple[str, str]:
    """Return the text before and after the statement ``PARAMS = …`` of a script."""
    text = path.read_text(encoding="utf-8")
    found = [
        node
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "PARAMS"
    ]
    if len(found) != 1:
        raise ValueError(f"{path.name} must assign PARAMS once. Got {len(found)}.")
    lines = text.splitlines(keepends=True)
    return "".join(lines[: found[0].lineno - 1]), "".join(lines[found[0].end_lineno or 0 :])


def path_of(params: Params) -> Path:
    """Return the script of the experiment whose settings ``params`` are."""
    topic, package = type(params).__module__.split(".")[1:3]
    return Path(__file__).parent / topic / (params.experiment or package) / "script.py"


def example(params: Params) -> str:
    """Return the few lines of public libraries that the experiment is about: ``example.py`` beside
    its script, a file of its own that runs as it is.
    """
    return path_of(params).with_name("example.py").read_text(encoding="utf-8")


def render(params: Params) -> str:
    """Return the script that reproduces a run with ``params``.

    Raises
    ------
    InputError
        A field holds what has no literal.
    """
    before, after = _halves(path_of(params))
    return f"{before}PARAMS = {constructor(params)}\n{after}"
