"""Opening a room for a talk: its code, the speaker's screen, how phones vote."""

from __future__ import annotations

import streamlit as st

from engine import hosted
from engine.rooms.registry import ROOMS
from engine.rooms.room import Room
from pages.room import addresses
from pages.room.place import InRoom, cards
from pages.talk import presented
from pages.talk.talk import Talk


def draw(talk: Talk) -> None:
    """Draw what is in the popover "Room" of a talk: open one, then the ways into it."""
    if off := hosted.off("room"):
        st.caption(off)
        return
    room, opened = _room(), st.session_state.get("room_talk")
    if room is None:
        st.caption(
            "A room has a screen for the speaker (notes, time, next scene) and takes votes on the"
            " talk's questions."
        )
        st.button("Open a room", key="room_open", type="primary", on_click=_open, args=(talk,))
        return
    address = addresses.to_show(room.code)
    st.markdown(f"Room **{room.code}**")
    st.caption(
        f"Phones vote at {address}."
        if address
        else "Phones cannot vote: start the playground by `make talk` for that. Without them, count"
        " hands and type the tally on the speaker's screen."
    )
    if opened != talk:
        st.caption("The talk has been edited since: the room shows it as it was.")
        st.button("Open a new room", key="room_open", on_click=_open, args=(talk,))
    st.link_button(
        "Speaker's screen",
        addresses.speaker_link(room),
        icon=":material/co_present:",
        help="Opens in a window of its own; keep it off the projector. It shows your notes",
        width="stretch",
    )
    if opened is not None and st.button(
        "Present in this window",
        key="room_present",
        type="primary",
        icon=":material/slideshow:",
        width="stretch",
    ):
        if room.view().elapsed_seconds is None:
            room.restart_timer()
        one = presented.start(opened, InRoom(room))
        st.switch_page("stage.py", query_params={"at": one.code})


def _room() -> Room | None:
    """Return the room that this session has opened, ``None`` once the server has forgotten it."""
    code: str = st.session_state.get("room_code", "")
    return ROOMS.find(code)


def _open(talk: Talk) -> None:
    before = _room()
    if before is not None:
        ROOMS.close(before.code)
    st.session_state["room_talk"] = talk
    st.session_state["room_code"] = ROOMS.open(cards(talk)).code
