"""Streamlit's private parts are where the one module that uses them expects them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

ROOT = Path(__file__).resolve().parents[2]
PRIVATE = ("streamlit.runtime", "streamlit.proto", "streamlit.elements")


def app() -> None:
    import streamlit as st

    from pages.shell.streamlit_internals import runs_for_this_fragment, texts_in_address

    st.slider("A", 0, 9, 3, key="a", bind="query-params")
    st.selectbox("B", (1, 2), key="b", format_func="{} h".format, bind="query-params")
    st.multiselect("C", ("x", "y", "z"), key="c", bind="query-params")
    st.text_input("D", key="unbound")

    @st.fragment
    def part() -> None:
        st.button("Press", key="press")
        st.text(f"part {runs_for_this_fragment()}")

    part()
    st.json(
        [
            texts_in_address(key, value)
            for key, value in (("a", 7), ("b", 2), ("c", ["z", "x"]), ("unbound", "t"))
        ]
    )


@pytest.fixture(scope="module")
def page() -> AppTest:
    return AppTest.from_function(app).run()


def test_the_address_writes_numbers_labels_and_items(page: AppTest) -> None:
    assert not page.exception
    assert page.json[0].value == '[["7"], ["2 h"], ["z", "x"], []]'


def test_a_run_of_the_whole_page_is_for_every_fragment(page: AppTest) -> None:
    assert page.text[0].value == "part True"


def test_nobody_else_reaches_into_streamlit() -> None:
    found: list[Any] = [
        (path.relative_to(ROOT).as_posix(), line.strip())
        for path in (ROOT / "pages").rglob("*.py")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.strip().startswith(
            tuple(f"{verb} {name}" for verb in ("from", "import") for name in PRIVATE)
        )
    ]
    assert {path for path, _ in found} == {"pages/shell/streamlit_internals.py"}, found
