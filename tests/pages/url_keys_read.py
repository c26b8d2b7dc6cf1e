"""Reads from the pages' own code which widgets a link can set: each call of a widget that is bound
to the address.
"""

from __future__ import annotations

import ast
from pathlib import Path

PAGES = Path(__file__).resolve().parents[2] / "pages"
BOUND = ("BOUND", "bound")  # how pages spell {"bind": "query-params"}
# widget -> what a link gives it: one of the values that the page lists, a number between bounds,
# yes or no, a text
KINDS = {
    "tabs": "choice",
    "segmented_control": "choice",
    "pills": "choice",
    "selectbox": "choice",
    "select_slider": "choice",
    "radio": "choice",
    "multiselect": "choices",
    "slider": "number",
    "number_input": "number",
    "toggle": "flag",
    "checkbox": "flag",
    "text_input": "text",
    "text_area": "text",
}


def is_bound(call: ast.Call) -> bool:
    return any(
        keyword.arg == "bind"
        or (
            keyword.arg is None
            and isinstance(keyword.value, ast.Name)
            and keyword.value.id in BOUND
        )
        for keyword in call.keywords
    )


def spelled(node: ast.expr) -> str:
    """Return a key as the code spells it: a text, or with ``{…}`` where it is put together."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values
        )
    return "{}" if not isinstance(node, ast.Attribute) else f"{{{node.attr}}}"


def bound_keys(code: str) -> list[tuple[str, str]]:
    """Return key and widget of every bound call in ``code``."""
    calls = [
        node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call) and is_bound(node)
    ]
    return [
        (spelled(keyword.value), call.func.attr)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        for keyword in call.keywords
        if keyword.arg == "key"
    ]


def every() -> dict[str, set[str]]:
    """Return the widgets of every key that a link can set."""
    found: dict[str, set[str]] = {}
    for path in sorted(PAGES.rglob("*.py")):
        for key, widget in bound_keys(path.read_text(encoding="utf-8")):
            found.setdefault(key, set()).add(widget)
    return found
