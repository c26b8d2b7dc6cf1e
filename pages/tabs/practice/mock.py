"""Mock interview: four questions drawn, 20 minutes, follow-ups one by one, a summary to keep."""

from __future__ import annotations

import random
import time
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from engine.practice import cards, mock, record
from engine.practice.content import Question
from engine.practice.mock import Said
from pages.shell import practice_record
from pages.tabs.practice import look

INTRO = (
    "Four questions from four groups, {minutes} minutes. Answer aloud or in notes. The"
    " interviewer's follow-ups come one by one. At the end you tick the signs that your answers had"
    " and keep a summary."
)


def show() -> None:
    """Draw the tab."""
    run: dict[str, Any] | None = st.session_state.get("mock_run")
    if run is None:
        _before()
    elif run["ended"] is None:
        _during(run)
    else:
        _after(run)


def _draw_again() -> None:
    st.session_state["mock_seed"] = random.SystemRandom().randint(0, mock.SEEDS)


def _begin() -> None:
    seed = st.session_state["mock_seed"]
    st.session_state["mock_run"] = {"seed": seed, "began": time.time(), "ended": None, "shown": {}}


def _before() -> None:
    """Draw what will happen and the draw's number; no question yet."""
    st.markdown(INTRO.format(minutes=mock.MINUTES))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.number_input(
            "Draw",
            0,
            mock.SEEDS,
            0,
            key="mock_seed",
            bind="query-params",
            width=160,
            help="The same number draws the same four questions: send the link to a partner",
        )
        st.button("Another draw", key="mock_again", icon=":material/casino:", on_click=_draw_again)
        st.button("Start", key="mock_start", type="primary", on_click=_begin)


def _end(run: dict[str, Any]) -> None:
    _keep_notes(run)
    run["ended"] = time.time()


def _keep_notes(run: dict[str, Any]) -> None:
    """Take the notes on screen into the run: a widget that is not drawn forgets its text."""
    for question in mock.draw(run["seed"]):
        key = f"mock_{question.id}_notes"
        if key in st.session_state:
            run.setdefault("notes", {})[question.id] = st.session_state[key]


def _reveal(run: dict[str, Any], question: Question) -> None:
    _keep_notes(run)
    n = run["shown"].get(question.id, 0)
    practice_record.note_kind(question.followups[n].kind)
    run["shown"][question.id] = n + 1


def _during(run: dict[str, Any]) -> None:
    """Draw the time left and the question that is chosen."""
    asked = mock.draw(run["seed"])
    with st.container(horizontal=True, vertical_alignment="center"):
        look.clock(run["began"], mock.MINUTES * 60, "mock_clock")
        place = st.segmented_control(
            "Question",
            range(1, len(asked) + 1),
            default=1,
            required=True,
            key="mock_place",
            format_func=lambda number: f"Question {number}",
            label_visibility="collapsed",
            on_change=_keep_notes,
            args=(run,),
        )
        st.button("End the interview", key="mock_end", on_click=_end, args=(run,))
    question = asked[int(place or 1) - 1]
    left, right = st.columns((2, 1.4), gap="medium")
    with left:
        st.subheader(question.text, anchor=False)
        st.text_area(
            "Notes",
            run.get("notes", {}).get(question.id, ""),
            key=f"mock_{question.id}_notes",
            max_chars=record.LONGEST_NOTE,
            height=220,
        )
    with right:
        n = run["shown"].get(question.id, 0)
        st.markdown("**Follow-ups**")
        for follow in question.followups[:n]:
            st.markdown(f"- {follow.text}")
        if n < len(question.followups):
            st.button(
                "Next follow-up",
                key="mock_next",
                icon=":material/forum:",
                on_click=_reveal,
                args=(run, question),
            )
        else:
            st.caption("That was the last one.")


def _leave() -> None:
    del st.session_state["mock_run"]


def _after(run: dict[str, Any]) -> None:
    """Draw each question with its signs and the answers to its follow-ups, and the summary."""
    asked = mock.draw(run["seed"])
    notes, said = run.get("notes", {}), {}
    with st.container(horizontal=True, vertical_alignment="center"):
        place = st.container(horizontal=True, width="content")
        st.button("Another interview", key="mock_leave", on_click=_leave)
    for question in asked:
        key = f"mock_{question.id}"
        with st.expander(question.text, expanded=question is asked[0]):
            left, right = st.columns((1, 1), gap="medium")
            with left:
                strong, weak = look.signs(question, key, {})
            with right:
                st.markdown("**Your notes**")
                st.text(notes.get(question.id, "") or "none")
                for follow in question.followups[: run["shown"].get(question.id, 0)]:
                    st.markdown(f"**{follow.text}** {follow.answer}")
        said[question.id] = Said(
            notes.get(question.id, ""),
            tuple(strong),
            tuple(weak),
            run["shown"].get(question.id, 0),
        )
    with place:
        _take_away(run, asked, said)


def _take_away(run: dict[str, Any], asked: tuple[Question, ...], said: dict[str, Said]) -> None:
    """Draw the buttons that keep the ratings and download the summary."""
    if st.button("Keep the ratings", key="mock_keep", type="primary"):
        for question in asked:
            one = said[question.id]
            rating = mock.rating(question, one)
            fields = {"strong": list(one.strong), "weak": list(one.weak), "rating": rating}
            practice_record.note_question(question.id, **fields)
            practice_record.answer(cards.question_id(question.id), rating)
        st.toast("Kept. What was weak comes back in Come back.")
    parts = mock.summary(asked, said, datetime.fromtimestamp(run["ended"], UTC), run["seed"])
    for label, write, ending, mime in (
        ("Summary (Markdown)", mock.to_markdown, "md", "text/markdown"),
        ("Summary (HTML)", mock.to_html, "html", "text/html"),
    ):
        st.download_button(
            label,
            write(parts),
            f"mock-interview.{ending}",
            mime,
            key=f"mock_{ending}",
            on_click="ignore",
        )
