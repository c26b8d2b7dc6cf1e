"""Checklist: what the course asks for, ticked by what was done, each with why."""

from __future__ import annotations

import streamlit as st

from engine.practice.checklist import Facts, Item, items
from engine.practice.content import questions
from pages.shell import lessons, path_record, practice_record, texts

PROJECT = "pipeline"  # the project's page: an item of its own


def facts() -> Facts:
    """Return what the record knows of the learner."""
    mine = practice_record.practice()
    return Facts(
        {
            lesson.short: _steps(lesson)
            for lesson in map(lessons.load, lessons.topics())
            if lesson.topic != PROJECT
        },
        mine["proofs"],
        sum(entry["rating"] is not None for entry in mine["questions"].values()),
        len(questions()),
        frozenset(mine["kinds"]),
    )


def _steps(lesson: lessons.Lesson) -> tuple[int, int]:
    """Return how many steps of a lesson's path are done, and how many it has."""
    return path_record.n_done(lesson), len(lesson.steps)


def show() -> None:
    """Draw the tab."""
    listed = items(facts())
    n = sum(item.done for item in listed)
    st.markdown(
        f"**{n} of {len(listed)} done.** Each item ticks itself from what you did; the record is in"
        " your browser."
    )
    for number, item in enumerate(listed):
        _item(number, item)


def _item(number: int, item: Item) -> None:
    with st.container(
        key=f"checklist_{number}",
        horizontal=True,
        vertical_alignment="center",
        gap="small",
        width=760,
    ):
        icon = ":material/check_circle:" if item.done else ":material/radio_button_unchecked:"
        with st.container():
            texts.say(f"{icon} **{item.title}**")
            texts.note(item.why)
        if not item.done and item.page in ("home", *lessons.topics()):
            st.page_link(
                f"{item.page}.py",
                label="Do it",
                icon=":material/arrow_forward:",
                query_params={f"{item.page}_tab": item.tab} if item.tab else None,
            )
