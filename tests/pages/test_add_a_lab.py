"""CONTRIBUTING's "Add a lab", followed to the letter: its blocks make a lab in a copy of the
repository, which opens.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(
    r"`((?:engine|pages|tests)/[\w/]+\.(?:py|toml|md))`[^`]*(?:`[^`]+`[^`]*)*?\n\n```\w+\n(.*?)```\n",
    re.S,
)
VISIT = """
import json
from engine.coins.toss import TossParams, run
from pages import startup
from pages.shell import experiments, lessons
from tests.engine.printed import run_script
from tests.pages.visit import charts, open_page

app = open_page("coins", toss_n_tosses="25")
code = open_page("coins", toss_panel="Code")
lesson = lessons.load("coins")
challenge = lesson.challenges[0]
both = (challenge.wrong_params, challenge.solved_params)
ran = [run(lesson.settings_of("toss", settings)) for settings in both]
print(json.dumps({
    "problems": [str(e.value) for page in (app, code) for e in (*page.exception, *page.error)],
    "tosses": app.session_state["toss_n_tosses"],
    "charts": len(charts(app)),
    "home": len(charts(open_page("home"))),
    "topics": lessons.topics(),
    "script": run_script(code.code[1].value),
    "headline": run(TossParams()).headline(),
    "challenge": [challenge.met_by(result) for result in ran],
}))
"""


def with_keys(text: str, added: dict[str, dict[str, list[str]]]) -> str:
    """Return the list of keys with those of a new lab at the head of their kinds."""
    for kind, table in added.items():
        head, mark, rest = text.partition(f"\n[{kind}]\n")
        before, start, keys = rest.partition("keys = [\n")
        lines = "".join(f'    "{key}",\n' for key in table["keys"])
        text = head + mark + before + start + lines + keys
    return text


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository with the files that the text's blocks hold."""
    copy = tmp_path_factory.mktemp("contributor") / "playground"
    folders = ("engine", "pages", "tests", ".streamlit")
    for name in folders:
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "datasets").symlink_to(ROOT / "datasets")
    shutil.copy(ROOT / "pyproject.toml", copy)
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    part = text.partition("## Add a lab")[2]
    files = BLOCK.findall(part)
    assert len(files) == part.count("```") / 2 == 10
    for name, content in files:
        path = copy / name
        if path.exists():
            content = with_keys(path.read_text(encoding="utf-8"), tomllib.loads(content))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    (copy / "pages" / "tabs" / "coins" / "__init__.py").touch()
    return copy


def test_the_lab_opens_answers_and_is_found_by_everyone(lab: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-c", VISIT],
        cwd=lab,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-3_000:]
    found = json.loads(run.stdout.splitlines()[-1])
    assert found["problems"] == []
    assert found["tosses"] == 25 and found["charts"] == 1
    assert found["topics"][-1] == "coins" and found["home"] == len(found["topics"])
    assert found["script"] == found["headline"]
    assert found["challenge"] == [False, True]


def test_the_lab_keeps_the_rules(lab: Path) -> None:
    rules = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-k",
        "coins or circle",
        "tests/test_architecture.py",
    ]
    run = subprocess.run(rules, cwd=lab, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stdout[-3_000:]
    lint = [
        sys.executable,
        "-m",
        "ruff",
        "check",
        "engine/coins",
        "pages/tabs/coins",
        "pages/coins.py",
    ]
    found = subprocess.run(lint, cwd=lab, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout
