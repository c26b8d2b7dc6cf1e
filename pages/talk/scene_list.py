"""The scenes of a talk as a list that is ordered by dragging or by keys."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.talk.draft import Draft

_HERE = Path(__file__).parent
KEY = "talk_list"
_mount = st.components.v2.component(
    KEY,
    html='<ol class="talk-list" aria-label="Scenes in their order"></ol>',
    css=(_HERE / "scene_list.css").read_text("utf-8"),
    js=(_HERE / "scene_list.js").read_text("utf-8"),
)


def draw(draft: Draft) -> None:
    """Draw the list; what is done in it changes the draft."""
    rows = []
    for number, one in draft.scenes.items():
        parts = [one.lesson.short, one.scene if one.title else "", f"{one.minutes:g} min"]
        asks = f"asks “{one.predict}”" if one.predict else ""
        row = {"number": number, "title": one.shown_title}
        rows.append({**row, "more": " · ".join(filter(None, [*parts, asks]))})
    data = {"rows": rows, "selected": draft.selected, "heard": draft.heard}
    _mount(data=data, key=KEY, on_press_change=lambda: _obey(draft))


def _obey(draft: Draft) -> None:
    press = st.session_state[KEY].get("press")
    if not isinstance(press, dict) or press.get("id", 0) <= draft.heard:
        return
    draft.heard = press["id"]
    draft.order(press.get("order", []))
    if press.get("removed") is not None:
        draft.remove(press["removed"])
    draft.select(press.get("selected"))
