"""Questions: think first, then a model answer in this machine's numbers, its signs, follow-ups and
scenes.
"""

from __future__ import annotations

import time

import streamlit as st

from engine.practice import cards, record
from engine.practice.content import Question, questions
from pages.shell import practice_record
from pages.tabs.practice import look

THINK_SECONDS = 120
MARKS = {cards.AGAIN: "○", cards.HARD: "◔", cards.GOOD: "●", cards.EASY: "●"}


def groups() -> dict[str, list[Question]]:
    """Return the questions by group, in order."""
    found: dict[str, list[Question]] = {}
    for question in questions():
        found.setdefault(question.group, []).append(question)
    return found


def show() -> None:
    """Draw the tab."""
    listed = groups()
    group = st.segmented_control(
        "Group",
        list(listed),
        default=next(iter(listed)),
        required=True,
        key="practice_group",
        bind="query-params",
        label_visibility="collapsed",
    )
    left, right = st.columns((1.2, 3), gap="medium")
    with left.container(key="practice_list"):
        asked = [question.text for question in listed[group]]
        if st.session_state.get("practice_question") not in asked:
            st.session_state.pop("practice_question", None)
        text = st.radio("Question", asked, key="practice_question", bind="query-params")
        rated = practice_record.practice()["questions"].values()
        n = sum(one["rating"] is not None for one in rated)
        st.caption(f"{n} of {len(questions())} questions answered and rated.")
    with right:
        _question(next(question for question in listed[group] if question.text == text))


def _question(question: Question) -> None:
    key = f"practice_{question.id}"
    st.subheader(question.text, anchor=False)
    shown = st.session_state.get(f"{key}_shown", False)
    if not shown:
        _think(question, key)
        return
    answer, beside = st.columns((2, 1.2), gap="medium")
    with answer:
        look.answer(question, key)
        _followups(question, key)
    with beside:
        _rate(question, key)
        look.scenes(question, key)


def _start(key: str) -> None:
    st.session_state[f"{key}_began"] = time.time()


def _show_answer(question: Question, key: str) -> None:
    practice_record.note_question(question.id, notes=st.session_state.get(f"{key}_notes", ""))
    st.session_state[f"{key}_filled"] = True
    st.session_state[f"{key}_shown"] = True


def _think(question: Question, key: str) -> None:
    """Draw the timer and the place for own notes."""
    st.markdown("**Think first.** Answer aloud in two minutes, or write your points down.")
    began = st.session_state.get(f"{key}_began")
    if began is None:
        st.button(
            "Start two minutes",
            key=f"{key}_start",
            icon=":material/timer:",
            on_click=_start,
            args=(key,),
        )
    else:
        look.clock(began, THINK_SECONDS, f"{key}_clock")
    kept = practice_record.question(question.id).get("notes", "")
    if kept and not st.session_state.get(f"{key}_filled"):  # the record has arrived
        st.session_state[f"{key}_notes"], st.session_state[f"{key}_filled"] = kept, True
    st.text_area(
        "Your points",
        key=f"{key}_notes",
        max_chars=record.LONGEST_NOTE,
        height=180,
        placeholder="What do you ask first? Which choice, and why? What can go wrong?",
    )
    st.button(
        "Show a model answer",
        key=f"{key}_show",
        type="primary",
        on_click=_show_answer,
        args=(question, key),
    )


def _followups(question: Question, key: str) -> None:
    """Draw the follow-ups, one more with each press; each answer behind its own press."""
    st.markdown("**What an interviewer asks next**")
    n = st.session_state.get(f"{key}_n", 0)
    for number, follow in enumerate(question.followups[:n]):
        st.markdown(f"**{follow.text}** :gray-badge[{follow.kind}]")
        if st.toggle("Show an answer", key=f"{key}_follow_{number}"):
            st.markdown(follow.answer)
    if n < len(question.followups):
        st.button(
            "Next follow-up",
            key=f"{key}_next",
            icon=":material/forum:",
            on_click=_next,
            args=(question, key),
        )


def _next(question: Question, key: str) -> None:
    n = st.session_state.get(f"{key}_n", 0)
    practice_record.note_kind(question.followups[n].kind)
    st.session_state[f"{key}_n"] = n + 1


def _rate(question: Question, key: str) -> None:
    """Draw own notes, the signs, and the button that keeps the rating."""
    kept = practice_record.question(question.id)
    if kept.get("notes"):
        with st.expander("Your points"):
            st.text(kept["notes"])
    strong, weak = look.signs(question, key, kept)
    rating = cards.rating_of(len(strong), len(question.strong), len(weak))
    if st.button("Keep this rating", key=f"{key}_keep", type="primary"):
        practice_record.note_question(question.id, strong=strong, weak=weak, rating=rating)
        practice_record.answer(cards.question_id(question.id), rating)
    kept = practice_record.question(question.id)
    if kept.get("rating"):
        card = practice_record.cards().get(cards.question_id(question.id))
        when = f" It comes back on {look.day(card.due)}." if card else ""
        st.caption(f"Kept: {cards.NAMES[kept['rating']]}.{when}")
