"""The house's "Never" list, read from the imports themselves; each rule is also shown to catch a breach."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("pyspark", "feast", "prefect", "sklearn", "duckdb")
LIMITS = {"pages": 250, "engine": 400}
WIDGETS = {"slider", "select_slider", "selectbox", "multiselect", "radio", "checkbox", "toggle", "button", "number_input"} | {
    "text_input",
    "text_area",
    "segmented_control",
    "pills",
    "file_uploader",
    "data_editor",
    "download_button",
    "plotly_chart",
    "tabs",
}
TOPICS = ("formats", "etl", "sampling", "leakage", "feature_store", "spark", "orchestration")


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module that the code names in an import, ``from a import b`` as ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def breaches(path: str, code: str) -> list[str]:
    """Return what the "Never" list says against the code of ``path`` (relative to the repository)."""
    tree = ast.parse(code)
    names = list(imported(tree))
    parts = Path(path).parts
    tops = {name.split(".")[0] for name in names}
    found = []
    if parts[0] == "engine" and tops & {"streamlit", "pages"}:
        found.append("engine imports streamlit or pages")
    if parts[0] == "engine" and "plotly" in tops and "figures" not in path:
        found.append("plotly outside a figures module")
    if len(parts) > 2 and parts[0] == "engine" and parts[1] in TOPICS:
        others = {name.split(".")[1] for name in names if name.startswith("engine.")} & set(TOPICS) - {parts[1]}
        if others:
            found.append(f"topic {parts[1]} imports {others}")
    if path.startswith("pages/shell/"):
        named = {part for name in names for part in name.replace("_", ".").split(".")} & set(TOPICS)
        if named:
            found.append(f"the shell knows {named}")
    if any(name.startswith("multiprocessing") or name.endswith("ProcessPoolExecutor") for name in names):
        found.append("multiprocessing")
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler) and node.type is None:
            found.append("bare except")
        if isinstance(node, ast.FunctionDef) and (node.end_lineno or 0) - node.lineno >= 60:
            found.append(f"{node.name} is longer than 60 lines")
        if parts[0] == "pages" and is_keyless_widget(node):
            found.append(f"line {node.lineno}: a widget without a key")
    if len(code.splitlines()) > LIMITS[parts[0]]:
        found.append(f"more than {LIMITS[parts[0]]} lines")
    return found


def is_keyless_widget(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "st"
        and node.func.attr in WIDGETS
        and not any(keyword.arg in {"key", None} for keyword in node.keywords)
    )


@pytest.mark.parametrize("path", [path.relative_to(ROOT).as_posix() for path in modules("engine", "pages")])
def test_the_never_list_holds(path: str) -> None:
    assert breaches(path, (ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "code", "breach"),
    [
        ("engine/data.py", "import streamlit as st", "engine imports streamlit or pages"),
        ("engine/data.py", "from pages import home", "engine imports streamlit or pages"),
        ("engine/formats/race.py", "import plotly.graph_objects as go", "plotly outside a figures module"),
        ("engine/formats/race.py", "from engine.spark import skew", "topic formats imports {'spark'}"),
        ("pages/shell/lab.py", "from engine.formats import race", "the shell knows {'formats'}"),
        ("pages/shell/lab.py", "from pages.tabs import formats_race", "the shell knows {'formats'}"),
        ("pages/home.py", "from concurrent.futures import ProcessPoolExecutor", "multiprocessing"),
        ("engine/data.py", "import multiprocessing.pool", "multiprocessing"),
        ("engine/data.py", "try:\n    pass\nexcept:\n    pass", "bare except"),
        ("engine/data.py", "def long():\n" + "    pass\n" * 60, "long is longer than 60 lines"),
        ("pages/home.py", "import streamlit as st\nst.slider('a', 1, 2)", "line 2: a widget without a key"),
        ("pages/home.py", "a = 1\n" * 251, "more than 250 lines"),
    ],
)
def test_each_rule_catches_its_breach(path: str, code: str, breach: str) -> None:
    assert breach in breaches(path, code)


def test_importing_pages_loads_no_heavy_library() -> None:
    names = [
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for path in modules("pages/shell", "pages/tabs")
        if path.name != "__init__.py"
    ]
    code = (
        "import importlib, sys\n"
        f"for name in {['pages.home', 'pages.startup', *names]!r}: importlib.import_module(name)\n"
        f"print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    )
    out = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert out.stdout.strip().splitlines()[-1] == "[]"


def test_the_locks_name_no_index_and_no_path() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text and "index-url" not in text and "find-links" not in text


def test_every_cap_has_its_reason() -> None:
    for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines():
        if "<" in line.partition("#")[0]:
            assert line.partition("#")[2].strip(), line
