"""Which code a stage runs: its module and all of the engine that this imports, read from the
source.

A change of anything else leaves its outputs as they are.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from engine import kept, workspace

# Read as text: CPython 3.11 cannot parse in two threads at once, and Streamlit parses pages.
IMPORT = re.compile(
    r"^[ \t]*(?:from (engine[\w.]*) import (\([^)]*\)|[^(\n]+)|import (engine[^\n]*))", re.M
)


def file_of(module: str) -> Path | None:
    """Return the file of a module or package of the repository, ``None`` if there is none."""
    base = workspace.REPOSITORY.joinpath(*module.split("."))
    found = [path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()]
    return found[0] if found else None


@lru_cache(maxsize=512)
def imported(module: str) -> frozenset[str]:
    """Return the modules of the engine that a module imports, inside functions too."""
    path = file_of(module)
    names: set[str] = set()
    for package, listed, plain in IMPORT.findall(path.read_text("utf-8") if path else ""):
        words = re.sub(r"#.*|[()]", "", listed or plain).replace("\n", ",").split(",")
        parts = [word.split()[0] for word in words if word.strip()]
        names |= {f"{package}.{name}" for name in parts} if package else set(parts)
    engine = {name for name in names if name.startswith("engine.")}
    return frozenset(name if file_of(name) else name.rpartition(".")[0] for name in engine)


def modules(module: str) -> set[str]:
    """Return a module with all that it imports, directly or not."""
    found, waiting = {module}, [module]
    while waiting:
        new = imported(waiting.pop()) - found
        found |= new
        waiting += new
    return found


def files(module: str) -> list[Path]:
    """Return the files of ``modules(module)`` and of the packages that these are in."""
    names = modules(module)
    for name in list(names):
        parts = name.split(".")
        names |= {".".join(parts[:n]) for n in range(1, len(parts))}
    return sorted({path for name in names if (path := file_of(name))})


@lru_cache(maxsize=64)
def version(module: str) -> str:
    """Return a hash of the code that ``module`` runs, with the data sets, the lock and Python."""
    return kept.of_files(files(module))
