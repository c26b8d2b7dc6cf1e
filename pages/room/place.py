"""A talk's place in a room: the stage goes where the room is, and shows how it votes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any

import streamlit as st

from engine.rooms import figure, qr
from engine.rooms.room import Card, Room
from engine.rooms.vote import STAGES, Count
from engine.units import format_number
from pages.room import addresses, questions
from pages.shell.chart import chart
from pages.talk.presented import View
from pages.talk.talk import LETTERS, Talk, TalkScene

STYLE = (Path(__file__).parent / "stage.css").read_text("utf-8")
POLL_SECONDS = 1.0
ASKING = STAGES.index("revealed")  # the stages before it hide the run's answer


def cards(talk: Talk) -> tuple[Card, ...]:
    """Return what a room has to know of a talk."""
    return tuple(
        Card(
            one.shown_title,
            one.shown_note,
            one.minutes,
            questions.question(one.prediction) if one.prediction else None,
        )
        for one in talk.scenes
    )


class InRoom:
    """The ``Place`` of a talk that is moved from the stage and from the speaker's screen."""

    shared = True

    def __init__(self, room: Room) -> None:
        self.room = room

    def view(self) -> View:
        """Return what is on now; the phases of a scene that asks are the stages of its vote."""
        view = self.room.view()
        phases = tuple(
            (0, 1) if stage is None else (STAGES.index(stage), len(STAGES))
            for stage in self.room.stages()
        )
        phase, n_phases = phases[view.number]
        return View(
            view.number,
            phases,
            n_phases > 1 and phase < ASKING,
            view.blank,
            view.elapsed_seconds or 0.0,
            view.moves,
        )

    def go(self, number: int, phase: int | None = None) -> None:
        """Show scene ``number``, its vote in the stage of that number."""
        stage = None if phase is None else STAGES[max(0, min(len(STAGES) - 1, phase))]
        self.room.go(number, stage)

    def set_blank(self, blank: bool) -> None:
        """Make the stage black, or not."""
        self.room.set_blank(blank)

    def restart_timer(self) -> None:
        """Count the elapsed time from now."""
        self.room.restart_timer()

    def asked(self, scene: TalkScene) -> None:
        """Draw the question with the way to vote, and once the vote is closed how it went."""
        st.html(f"<style>{STYLE}</style>")
        with st.container(key="room_votes"):
            _asked(self.room)

    def answered(self, scene: TalkScene, actual: Any) -> None:
        """Draw the room's votes against the answer, until the scene's own chart is asked for."""
        count = self.room.view().vote
        if count is None or count.stage != "revealed" or scene.prediction is None:
            return
        st.html(f"<style>{STYLE}</style>")
        with st.container(key="room_votes"), _named("room_answer"):
            drawn = figure.distribution(count, *questions.right(scene.prediction, actual))
            chart(drawn, "room_answer", _alt(count), verdict=str(drawn.layout.title.text))


@st.fragment(run_every=POLL_SECONDS)
def _asked(room: Room) -> None:
    """Draw the open question with its count, or the closed vote, as both change by themselves."""
    count = room.view().vote
    if count is None:
        return
    if count.stage == "open":
        st.html(_open(room, count))
        return
    st.html(f"<p class='room-asked'>{escape(count.question.text)}</p>")
    with _named("room_share"):
        drawn = figure.distribution(count)
        chart(drawn, "room_share", _alt(count), verdict=str(drawn.layout.title.text))


def _open(room: Room, count: Count) -> str:
    """Return the question, its choices, the way to vote, and how many have voted."""
    address = addresses.to_show(room.code)
    choices = "".join(
        f"<li><b>{letter}</b> {escape(choice)}</li>"
        for letter, choice in zip(LETTERS, count.question.choices, strict=False)
    )
    way = (
        f"<img alt='QR code of the vote' src='{qr.source(f'http://{address}')}'>"
        f"<p class='room-address'>{escape(address).replace('/vote/', '/vote/<wbr>')}</p>"
        if address
        else "<p class='room-address'>Raise your hand</p>"
    )
    n = format_number(count.n)
    asked = f"<h2>{escape(count.question.text)}</h2><ul>{choices}</ul>"
    way += f"<p class='room-count' role='status'>{n} voted</p>"
    return f"<div class='room-open'><div>{asked}</div><div class='room-way'>{way}</div></div>"


def _alt(count: Count) -> str:
    return f"Share of {format_number(count.n)} votes for each of {len(count.counts)} choices"


@contextmanager
def _named(key: str) -> Iterator[None]:
    """Let the stage draw the chart ``key`` inside, whichever one the scene names."""
    before = st.session_state.get("stage_chart", "")
    st.session_state["stage_chart"] = key
    yield
    st.session_state["stage_chart"] = before
