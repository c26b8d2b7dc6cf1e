"""The code to take away: each experiment's ``example.py`` runs by itself, with public libraries
alone, and prints what its comments say.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import pytest

from engine.orchestration.server import SERVER
from engine.spark import session
from pages.shell import lessons

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENTS = [(topic, name) for topic in lessons.topics() for name in lessons.load(topic).tabs]
EXPERIMENTS += [(topic, name) for topic in lessons.topics() for name in lessons.load(topic).inside]
IDS = [f"{topic}-{name}" for topic, name in EXPERIMENTS]
OURS = {path.stem for path in ROOT.glob("*.py")} | {"engine", "pages", "tests"}
# Runs examples one after another: Prefect takes seconds to import.
CHILD = """
import contextlib, io, json, sys
for code in json.load(sys.stdin):
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink):
        exec(compile(code, "<example>", "exec"), {"__name__": "__main__"})
    print(json.dumps(sink.getvalue()))
"""


def code_of(topic: str, name: str) -> str:
    return (ROOT / "engine" / topic / name / "example.py").read_text(encoding="utf-8")


def promised(code: str) -> list[str]:
    """Return what the comments behind the prints say, in the order of the code."""
    return re.findall(r"^print\(.*\)  # (.+)$", code, re.M)


def code_lines(code: str) -> int:
    """Return the number of lines that are no import, comment, docstring or blank."""
    tree = ast.parse(code)
    left_out = {
        line
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom) or node is tree.body[0]
        for line in range(node.lineno, (node.end_lineno or 0) + 1)
    }
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in left_out
        for number, line in enumerate(code.splitlines(), 1)
    )


def ran(code: str) -> str:
    """Run an example in this process, as ``python example.py`` would; return what it prints."""
    sink = io.StringIO()
    with contextlib.redirect_stdout(sink), warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)  # the idiom of the versions in the lock
        exec(compile(code, "<example>", "exec"), {"__name__": "__main__"})
    return sink.getvalue()


@pytest.fixture(scope="module")
def in_prefect() -> dict[str, str]:
    """What each example of orchestration prints, run in one child on the server of these tests."""
    SERVER.ready(120)
    names = [name for topic, name in EXPERIMENTS if topic == "orchestration"]
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=json.dumps([code_of("orchestration", name) for name in names]),
        cwd=ROOT,
        env={**os.environ, **SERVER.environment()},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert child.returncode == 0, child.stderr[-2_000:]
    return dict(zip(names, map(json.loads, child.stdout.splitlines()), strict=True))


@pytest.mark.parametrize(("topic", "name"), EXPERIMENTS, ids=IDS)
def test_an_example_is_short_and_needs_nothing_of_ours(topic: str, name: str) -> None:
    code = code_of(topic, name)
    named = {
        (node.module or "" if isinstance(node, ast.ImportFrom) else alias.name).split(".")[0]
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert not named & OURS
    assert 5 <= code_lines(code) <= 15
    assert promised(code)


@pytest.mark.parametrize(("topic", "name"), EXPERIMENTS, ids=IDS)
def test_an_example_prints_what_it_says(
    topic: str,
    name: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    code = code_of(topic, name)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    if topic == "orchestration":
        printed = request.getfixturevalue("in_prefect")[name]
    elif "pyspark" in code:
        from pyspark.sql import SparkSession

        own = session.session().newSession()  # what it sets stays its own
        monkeypatch.setattr(SparkSession, "_instantiatedSession", own)
        printed = ran(code)
    else:
        printed = ran(code)
    lines = iter(printed.splitlines())  # Feast prints of its own in between
    assert [line for line in promised(code) if line not in lines] == [], printed
