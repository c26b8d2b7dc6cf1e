"""The screen of a view whose result is no run of the tab's experiment, so that the lesson's panels
do not fit it: the chart under its verdict, reasons beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import streamlit as st

from engine.spark import session
from pages.shell import lab, texts


@contextmanager
def screen(result: Any) -> Iterator[None]:
    """Draw one screen of a result that has ``why``: inside, its chart, and what is below it."""
    middle, right = st.columns(lab.CLOSE, gap="small")
    with middle.container(key="answer", gap="small"):
        yield
        st.caption(session.ENGINE.status)  # here, for it changes while Spark starts
    with right.container(key="panels", gap="small"):
        texts.say("\n".join(f"- {reason}" for reason in result.why))
