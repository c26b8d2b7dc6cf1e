"""Links from before an option was written as it is today."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st


def _plain(text: str) -> str | float:
    """Return a number as such, however it is written (``20,000``, ``1.0%``), else the text without
    its spaces and a leading zero.
    """
    text = re.sub(r"[\s,]", "", text)
    try:
        return round(float(text[:-1]) / 100, 9) if text.endswith("%") else float(text)
    except ValueError:
        return text.lstrip("0")


def accept_older_link(key: str, options: Sequence[Any], label: Callable[[Any], str]) -> None:
    """Take the option that a link means by another label than today's: ``0.05`` for ``5%``, ``39``
    for ``8 Feb 2013``. Streamlit itself knows today's labels only.
    """
    text = st.query_params.get(key)
    if text is None or key in st.session_state or any(text == label(one) for one in options):
        return
    for one in options:
        if _plain(text) in (_plain(str(one)), _plain(label(one))):
            st.session_state[key] = one
