"""The screen of a view whose result is no run of the tab's experiment, with Spark's state below."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from engine.spark import session
from pages.shell import lab


@contextmanager
def screen(result: Any) -> Iterator[None]:
    """Draw one screen of a result that has ``why``: inside, its chart, and what is below it."""
    with lab.aside(result):
        yield
        st.caption(session.ENGINE.status)  # here, for it changes while Spark starts
