"""Search over labs, experiments, scenes and terms, from Home: every word of the question must begin
a word of what is found; words of a title count more.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import streamlit as st

from engine.texts import inert
from pages.shell import glossary, lessons, notebook, stage, state
from pages.shell.lessons import Lesson

SHOWN = 10
LONGEST = 80  # characters of a question
WEIGHTS = (6, 3, 1)  # of a word: the whole word of a title, its beginning, the text
KINDS = ("Term", "Lab", "Experiment", "Scene")  # the first of equals first


@dataclass(frozen=True, slots=True)
class Entry:
    """What can be found: its kind, title and text, where it is (``?scene=`` or ``?open=``), and
    further text that is searched but not shown.
    """

    kind: str
    title: str
    text: str
    topic: str
    query: tuple[tuple[str, str], ...] = ()
    more: str = ""


@lru_cache(maxsize=1)
def entries() -> tuple[Entry, ...]:
    """Return everything that can be found, in the order of the course."""
    found = [
        Entry("Term", one.name, one.means, one.topic, (("scene", str(one.scene_number + 1)),))
        for one in glossary.terms()
    ]
    for topic in lessons.topics():
        lesson = lessons.load(topic)
        found.append(Entry("Lab", lesson.title, lesson.question, topic, (), lesson.short))
        for name, label in lesson.experiments.items():
            text, guide = lesson.try_lines.get(name, ""), lesson.guide[label]
            found.append(Entry("Experiment", label, text, topic, (("open", name),), guide))
        for number, scene in enumerate(lesson.scenes):
            query = (("scene", str(number + 1)),)
            found.append(Entry("Scene", scene.title, scene.look_at, topic, query))
    return tuple(found)


@lru_cache(maxsize=1_024)
def _words(text: str) -> tuple[str, ...]:
    return tuple(re.findall(r"[^\W_]+", text.casefold()))


def _score(asked: tuple[str, ...], one: Entry) -> int:
    """Return how well an entry fits; 0 if a word of the question begins none of its words."""
    title, text = _words(one.title), _words(f"{one.text} {one.more}")
    total = 0
    for word in asked:
        fits = (
            word in title,
            any(other.startswith(word) for other in title),
            any(other.startswith(word) for other in text),
        )
        if not any(fits):
            return 0
        total += max(weight for weight, fit in zip(WEIGHTS, fits, strict=True) if fit)
    return total * 100 - len(title)  # of equals the shorter title: it has less beside the question


def find(question: str) -> list[Entry]:
    """Return the entries that fit a question, the best first, at most ``SHOWN``."""
    asked = _words(question[:LONGEST])
    scored = [(_score(asked, one), one) for one in entries() if asked]
    fitting = sorted(
        (pair for pair in scored if pair[0] > 0),
        key=lambda pair: (-pair[0], KINDS.index(pair[1].kind)),
    )
    return [one for _, one in fitting[:SHOWN]]


def link(one: Entry, *, named: bool = True) -> None:
    """Draw an entry as a link to the lab, where it is then on screen; ``named``: with the lab."""
    label = f"**{one.title}**" + (" · show me" if one.kind == "Term" else "")
    st.page_link(f"{one.topic}.py", label=label, query_params=list(one.query))
    place = f"{lessons.load(one.topic).short}, {one.kind.lower()} · " if named else ""
    st.caption(f"{place}{one.text}")


@st.fragment
def draw() -> None:
    """Draw the field and what it finds."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        question = st.text_input(
            "Search labs, scenes and terms",
            key="search",
            max_chars=LONGEST,
            placeholder="watermark, skew, threshold …",
            icon=":material/search:",
            width=420,
        )
        st.page_link("glossary.py", label="Glossary", icon=":material/dictionary:")
        st.page_link("notebook.py", label="Notebook", icon=":material/book_2:")
    if not (question or "").strip():
        return
    found = find(question)
    with st.container(key="found", border=True, gap="xsmall"):
        for one in found:
            link(one)
        if not found:
            st.markdown(inert(f"Nothing has all of these words: {question.strip()}. Use fewer."))


def arrive(lesson: Lesson) -> None:
    """Bring on screen what a link to this page names: ``?scene=`` and its number, ``?open=`` and an
    experiment, or ``?kept=`` and a run of the notebook. What names none is left aside.
    """
    number, name, run = (st.query_params.pop(key, "") for key in ("scene", "open", "kept"))
    if not (number or name or run):
        return
    st.session_state["mode"] = state.EXPLORE
    if number.isascii() and number.isdigit() and 1 <= int(number[:4]) <= len(lesson.scenes):
        stage.show_scene(lesson, int(number[:4]) - 1)
    elif name in lesson.experiments:
        st.session_state.update(lesson.place_of(name))
    for one in notebook.entries() if run else ():
        if one["id"] == run and one["lab"] == lesson.topic and notebook.params_of(one):
            notebook.bring_back(one)
