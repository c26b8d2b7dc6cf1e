"""Every text that a person can see, found in the sources: strings of the code, lessons, guides."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
LESSONS = ROOT / "pages" / "lessons"
# Arguments that a person does not read: keys of widgets, names of columns, CSS, SQL.
CODE = re.compile(r"^[\w./:*-]*$|^\s*(SELECT|CREATE|INSERT|COPY|WITH|DELETE|UPDATE|MERGE)\b|\{\s*$")


def strings(code: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string of a module that is no docstring; the fields of an
    f-string are ``{}``.
    """
    tree = ast.parse(code)
    skipped = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(part) for part in node.values}
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
            yield node.lineno, "".join(map(str, parts))
        elif (
            isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in skipped
        ):
            yield node.lineno, node.value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)


def texts() -> Iterator[tuple[str, str]]:
    """Yield place and text: sentences and labels of ``engine`` and ``pages``, lessons, guides."""
    for folder in ("engine", "pages"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            place = path.relative_to(ROOT).as_posix()
            for line, text in strings(path.read_text("utf-8")):
                if not CODE.search(text):
                    yield f"{place}:{line}", text
    talks = sorted((ROOT / "pages" / "talk" / "talks").glob("*.toml"))
    for path in (*sorted(LESSONS.glob("*.toml")), ROOT / "pages" / "glossary.toml", *talks):
        content = tomllib.loads(path.read_text("utf-8"))
        for text in _texts({key: part for key, part in content.items() if key != "moved"}):
            if not CODE.search(text):
                yield path.name, text
    for path in sorted(LESSONS.glob("*.md")):
        yield path.name, re.sub(r"```.*?```|`[^`]*`", "", path.read_text("utf-8"), flags=re.S)
