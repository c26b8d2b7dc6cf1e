"""A visitor's own Feast repository (PLAYGROUND_FEAST_REPO) in the place of the lab's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from engine.feature_store.own.repo import ignored, own_repo
from engine.jobs import Steps
from pages.shell import work


def replace_by_own(
    tab: Callable[[], None], name: str, steps: Callable[[str], Steps], draw: Callable[[Any], None]
) -> Callable[[], None]:
    """Return the function that draws what ``steps`` find in the own repository, read only; without
    one, ``tab``.
    """

    def show() -> None:
        folder = own_repo()
        if not folder:
            if note := ignored():
                st.caption(note)
            tab()
            return
        st.caption(
            f"Your own repository, read only: `{folder}` (PLAYGROUND_FEAST_REPO). Feast opens"
            " copies of its files."
        )
        work.run(name, folder, steps, draw)

    return show
