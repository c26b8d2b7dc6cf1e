"""What a link can set: the list in ``url_keys.toml``, and what an opened page binds to it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest

LISTED = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
KINDS = {  # Streamlit's element -> what a link gives it
    "tab_container": "choice",
    "button_group": "choice",
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


def listed() -> dict[str, str]:
    """Return the kind of every key in the list."""
    plain = {
        key: kind
        for kind in ("choice", "choices", "number", "flag")
        for key in LISTED[kind]["keys"]
    }
    return plain | dict.fromkeys(LISTED["text"], "text")


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from _nodes(child)


def drawn(app: AppTest) -> dict[str, str]:
    """Return the kind of every key that Streamlit binds to the address on this page."""
    found = {}
    for node in _nodes(app._tree):
        proto = getattr(node, "proto", None)
        key = getattr(proto, "query_param_key", "") or getattr(
            getattr(proto, "tab_container", None), "query_param_key", ""
        )
        if key:
            found[key] = KINDS.get(node.type, node.type)
    return found


def unlisted(found: dict[str, str]) -> dict[str, str]:
    """Return what of ``found`` the list does not name, or names with another kind."""
    known = listed()
    return {key: kind for key, kind in found.items() if known.get(key) != kind}


def check(app: AppTest) -> None:
    """Fail on a key that a link can set and nobody has listed: every page test comes by here."""
    new = unlisted(drawn(app))
    assert not new, (
        f"{new}: enter each in tests/pages/url_keys.toml with its kind, a free text with its sink "
        "and the test that attacks it"
    )
