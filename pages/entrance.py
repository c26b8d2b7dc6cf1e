"""The way into a shared server whose operator has set up a sign-in (``[auth]`` of its secrets,
``engine.sign_in``). Elsewhere there is none.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from engine import hosted, sign_in
from engine.texts import inert
from pages.shell import state

ASKS = threading.Event()  # set at the start of a server where people sign in


def prepare(base: str) -> str:
    """Read the operator's settings once, and return why the server, below the path ``base``, may
    not start: ``""`` if it may.

    What becomes of the file later changes nothing: no server opens because its secrets are gone.
    """
    ASKS.clear()
    if not hosted.on():
        return ""
    try:
        auth = _auth()
    except FileNotFoundError:  # of Streamlit's errors too: a file that cannot be read as TOML
        return "secrets.toml must be a file of TOML that can be read. It is not."
    if problem := sign_in.start_problem(auth, base):
        return problem
    if auth:
        ASKS.set()
    return ""


def _auth() -> Mapping[str, Any]:
    if not any(Path(path).exists() for path in st.get_option("secrets.files")):
        return {}
    found: Mapping[str, Any] = st.secrets.to_dict().get("auth", {})
    return found


def admits() -> bool:
    """Whether the pages are for this visitor."""
    return not ASKS.is_set() or sign_in.may_enter(st.user)


def ask() -> None:
    """Draw the sign-in, or why who signed in may not enter. Nothing of the playground is beside
    it.
    """
    with st.container(horizontal_alignment="center"):
        st.header("Data Pipeline Playground", anchor=False, width="content")
        if not sign_in.is_signed_in(st.user):
            st.markdown("Sign in to open the playground.", width="content")
            st.button("Sign in", key="sign_in", type="primary", on_click=st.login)
            return
        st.markdown(inert(sign_in.refusal(st.user)), width="content")
        st.button("Sign out", key="sign_out", on_click=st.logout)


def way_out() -> None:
    """Draw at the foot of a page who is signed in, and the way out."""
    if not ASKS.is_set() or state.presenting():
        return
    name = st.user.get("name") or st.user.get("email") or st.user.get("sub")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="right"):
        st.caption(f"Signed in as {inert(str(name))}", width="content")
        st.button("Sign out", key="sign_out", type="tertiary", on_click=st.logout)
