"""The house's "Never" list, read from the imports themselves; each rule is also shown to catch a
breach.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = ("pyspark", "feast", "prefect", "sklearn", "duckdb")
LIMITS = {"pages": 250, "engine": 400}
WIDGETS = {
    "slider",
    "select_slider",
    "selectbox",
    "multiselect",
    "radio",
    "checkbox",
    "toggle",
    "button",
    "number_input",
} | {
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
COMPOSER = "pipeline"  # engine/pipeline alone may import several topics
SHARED = {"engine.spark.session", "engine.spark.restarts"}  # the server's one Spark, for every lab
TOPICS = {path.stem for path in (ROOT / "pages/lessons").glob("*.toml")} - {COMPOSER}
EXPERIMENTS = [
    (path.stem, name)
    for path in sorted((ROOT / "pages" / "lessons").glob("*.toml"))
    for name in tomllib.loads(path.read_text(encoding="utf-8"))["tabs"]
]


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def dotted(path: Path) -> str:
    """The name under which a file is imported, a package's without ``__init__``."""
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module that the code names in an import, ``from a import b`` as ``a.b``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def imports_among(code: dict[str, str]) -> dict[str, set[str]]:
    """Which modules import which, inside functions and for types too; ``a.b`` is ``a`` where ``b``
    is a name in it.
    """
    return {
        name: (
            {
                whole if whole in code else whole.rpartition(".")[0]
                for whole in imported(ast.parse(text))
            }
            & set(code) - {name}
        )
        for name, text in code.items()
    }


def circle(graph: dict[str, set[str]]) -> list[str]:
    """One import circle, empty where there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def is_figure_module(path: str) -> bool:
    return Path(path).stem.split("_")[-1] in {"figure", "figures"}


def shadowed(code: str, beside: Iterable[str]) -> set[str]:
    """Names that a package's ``__init__`` makes although a module beside it has them: which one a
    reader gets is chance.
    """
    found = set()
    for node in ast.parse(code).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.ImportFrom):
            found |= {
                alias.asname or alias.name
                for alias in node.names
                if not is_module_of(node, alias.name, beside)
            }
        else:
            found |= {
                name.id
                for name in ast.walk(node)
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
    return found & set(beside)


def is_module_of(node: ast.ImportFrom, name: str, beside: Iterable[str]) -> bool:
    return name in beside and (ROOT / (node.module or "").replace(".", "/") / f"{name}.py").exists()


def breaches(path: str, code: str) -> list[str]:
    """Return what the "Never" list says against the code of ``path`` (relative to the
    repository).
    """
    tree = ast.parse(code)
    names = list(imported(tree))
    parts = Path(path).parts
    tops = {name.split(".")[0] for name in names}
    found = []
    if parts[0] == "engine" and tops & {"streamlit", "pages"}:
        found.append("engine imports streamlit or pages")
    if parts[0] == "engine" and "plotly" in tops and not is_figure_module(path):
        found.append("plotly outside a figure module")
    if parts[0] == "engine" and parts[-1] == "__init__.py":
        own = ".".join(parts[:-1])
        found += [
            f"an __init__ imports its {last}"
            for last in ("script", "figure")
            if any(f"{name}.".startswith(f"{own}.{last}.") for name in names)
        ]
    if len(parts) > 2 and parts[0] == "engine" and parts[1] in TOPICS:
        named = {".".join(name.split(".")[:3]) for name in names if name.startswith("engine.")}
        others = {name.split(".")[1] for name in named - SHARED} & set(TOPICS) - {parts[1]}
        if others:
            found.append(f"topic {parts[1]} imports {others}")
    if (
        len(parts) == 3 and parts[0] == "engine"
    ):  # else which of the two is imported first decides whether it works
        found += [
            f"a module of the whole topic imports experiment {experiment}"
            for topic, experiment in EXPERIMENTS
            if topic == parts[1]
            and any(f"{name}.".startswith(f"engine.{topic}.{experiment}.") for name in names)
        ]
    if path.startswith("pages/shell/"):
        named = {part for name in names for part in name.replace("_", ".").split(".")} & set(TOPICS)
        if named:
            found.append(f"the shell knows {named}")
    if any(
        name.startswith("multiprocessing") or name.endswith("ProcessPoolExecutor") for name in names
    ):
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


@pytest.mark.parametrize(
    "path", [path.relative_to(ROOT).as_posix() for path in modules("engine", "pages")]
)
def test_the_never_list_holds(path: str) -> None:
    assert breaches(path, (ROOT / path).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "code", "breach"),
    [
        ("engine/data.py", "import streamlit as st", "engine imports streamlit or pages"),
        ("engine/data.py", "from pages import home", "engine imports streamlit or pages"),
        (
            "engine/formats/race/result.py",
            "import plotly.graph_objects as go",
            "plotly outside a figure module",
        ),
        (
            "engine/formats/race/result.py",
            "from engine.spark import skew",
            "topic formats imports {'spark'}",
        ),
        (
            "engine/formats/trace.py",
            "from engine.formats import race",
            "a module of the whole topic imports experiment race",
        ),
        (
            "engine/formats/race/__init__.py",
            "from engine.formats.race import script",
            "an __init__ imports its script",
        ),
        (
            "engine/formats/race/__init__.py",
            "from engine.formats.race.figure import a",
            "an __init__ imports its figure",
        ),
        ("pages/shell/lab.py", "from engine.formats import race", "the shell knows {'formats'}"),
        (
            "pages/shell/lab.py",
            "from pages.tabs.formats import race",
            "the shell knows {'formats'}",
        ),
        ("pages/home.py", "from concurrent.futures import ProcessPoolExecutor", "multiprocessing"),
        ("engine/data.py", "import multiprocessing.pool", "multiprocessing"),
        ("engine/data.py", "try:\n    pass\nexcept:\n    pass", "bare except"),
        ("engine/data.py", "def long():\n" + "    pass\n" * 60, "long is longer than 60 lines"),
        (
            "pages/home.py",
            "import streamlit as st\nst.slider('a', 1, 2)",
            "line 2: a widget without a key",
        ),
        ("pages/home.py", "a = 1\n" * 251, "more than 250 lines"),
    ],
)
def test_each_rule_catches_its_breach(path: str, code: str, breach: str) -> None:
    assert breach in breaches(path, code)


def test_no_module_imports_itself_by_way_of_others() -> None:
    graph = imports_among(
        {dotted(path): path.read_text(encoding="utf-8") for path in modules("engine", "pages")}
    )
    assert circle(graph) == []


def test_a_circle_is_found() -> None:
    code = {
        "a": "from b import c",
        "b": "",
        "b.c": "def f():\n    import d",
        "d": "if TYPE_CHECKING:\n    from a import X",
    }
    assert set(circle(imports_among(code))) == {"a", "b.c", "d"}
    assert circle(imports_among(code | {"d": ""})) == []


@pytest.mark.parametrize(("topic", "experiment"), EXPERIMENTS)
def test_an_experiment_has_its_folder_its_script_its_example_its_figure_and_its_tab(
    topic: str, experiment: str
) -> None:
    folder = ROOT / "engine" / topic / experiment
    tab = ROOT / "pages" / "tabs" / topic / f"{experiment}.py"
    parts = ("__init__", "figure", "script", "example")
    files = [*(folder / f"{part}.py" for part in parts), tab]
    assert [path for path in files if not path.exists()] == []


def test_no_package_hides_a_module_behind_a_name() -> None:
    for path in modules("engine"):
        if path.name == "__init__.py":
            beside = {
                p.stem
                for p in path.parent.iterdir()
                if p != path and (p.suffix == ".py" or p.is_dir())
            }
            assert shadowed(path.read_text(encoding="utf-8"), beside) == set(), path
    assert shadowed("def script(): ...", ["script"]) == {"script"}
    assert shadowed("from engine.etl.late.arrivals import figure", ["figure"]) == {"figure"}


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
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip().splitlines()[-1] == "[]"


def test_a_server_computes_each_result_in_one_thread() -> None:
    """Two visitors' threads of BLAS on two cores wait for each other: ten times the CPU time."""
    code = (
        "import runpy; runpy.run_path('app.py'); import numpy, threadpoolctl\n"
        "print({pool['num_threads'] for pool in threadpoolctl.threadpool_info()})"
    )
    env = {name: value for name, value in os.environ.items() if name != "OMP_NUM_THREADS"}
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip().splitlines()[-1] == "{1}"


def test_the_locks_name_no_index_and_no_path() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert "://" not in text and "index-url" not in text and "find-links" not in text


def test_every_cap_has_its_reason() -> None:
    for line in (ROOT / "requirements.in").read_text(encoding="utf-8").splitlines():
        if "<" in line.partition("#")[0]:
            assert line.partition("#")[2].strip(), line
