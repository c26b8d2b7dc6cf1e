"""Where the pages of a room are: for this machine, and for phones of the network."""

from __future__ import annotations

from urllib.parse import urlencode

import streamlit as st

from engine.errors import InputError
from engine.rooms import network
from engine.rooms.room import Room


def for_phones(kind: str, code: str) -> str:
    """Return the address of a room's page for a phone; ``InputError`` without a network."""
    return f"http://{network.address()}:{st.get_option('server.port')}/{kind}/{code}"


def to_show(code: str) -> str:
    """Return the address of the vote as people type it; ``""`` while phones cannot reach it."""
    if not network.is_on():
        return ""
    try:
        return for_phones("vote", code).removeprefix("http://")
    except InputError:  # the machine has left its network; hands can still be counted
        return ""


def speaker_link(room: Room) -> str:
    """Return the path of the speaker's screen on this machine, with its token."""
    return f"/speaker/{room.code}?{urlencode({'token': room.token})}"
