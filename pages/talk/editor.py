"""The page Talks: choose a talk, order and edit its scenes, save it, present it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import streamlit as st

from engine.errors import InputError
from engine.texts import sentence
from pages.room import panel
from pages.shell import lab, lessons, texts
from pages.talk import link, preflight, presented, scene_list
from pages.talk.draft import Draft
from pages.talk.talk import (
    LONGEST_NOTE,
    LONGEST_TITLE,
    MINUTES,
    SIZES,
    TalkScene,
    charts,
    dumps,
    loads,
    predictions,
    shipped,
)

STYLE = """
.st-key-talk_head { flex-wrap: nowrap; margin-top: 0.7rem }
.st-key-talk_head > :first-child { flex: 1 1 auto; min-width: 12rem }
@media (max-width: 640px) { .st-key-talk_head { flex-wrap: wrap } }
"""


def draw() -> None:
    """Draw the page."""
    st.html(f"<style>{lab.STYLE}{STYLE}</style>")
    with st.container(key="header"):
        st.header("Talks · Scenes of any labs, in an order of your own", anchor=False)
    with lab.errors_shown():
        _arrive()
    draft = _draft()
    _head(draft)
    minutes = draft.talk().minutes
    n_labs = len({one.lab for one in draft.scenes.values()})
    texts.note(
        f"{draft.came}Scenes: {len(draft.scenes)}, labs: {n_labs}, planned: {minutes:g} min. Drag"
        " a scene to its place, or move it with Alt and an arrow. The talk is kept in this window"
        " alone: save it."
    )
    left, right = st.columns((1.25, 1), gap="medium")
    with left:
        scene_list.draw(draft)
        _add(draft)
    with right, st.container(border=True, gap="xsmall"):
        _scene(draft, draft.selected)


def _draft() -> Draft:
    """Return the talk that is edited in this session; at first the tour."""
    held: Draft = st.session_state.setdefault("talk_draft", Draft.of(shipped()["tour"]))
    return held


def _open(draft: Draft) -> None:
    st.session_state["talk_draft"] = draft
    st.session_state["talk_opened"] = True


def _arrive() -> None:
    """Open the talk that the address brings, once; it is shown, not presented."""
    code = st.query_params.get("talk")
    if code is not None:
        del st.query_params["talk"]
        _open(Draft.of(link.decode(code), "This talk came by a link: look through it first. "))


def _try(change: Callable[[], None]) -> None:
    """Make a change; one that a talk cannot have is refused by a sentence. For callbacks."""
    try:
        change()
    except InputError as error:
        st.toast(sentence(str(error)), icon=":material/error:")


def _head(draft: Draft) -> None:
    """Draw the talk's title and what is done with the talk as a whole."""
    if st.session_state.pop("talk_opened", False) or "talk_title" not in st.session_state:
        # the browser would send the former title again as if it were typed
        st.session_state["talk_title"] = draft.title
    with st.container(key="talk_head", horizontal=True, vertical_alignment="bottom", gap="small"):
        st.text_input(
            "Title of the talk",
            max_chars=LONGEST_TITLE,
            key="talk_title",
            on_change=lambda: _try(lambda: draft.set_title(st.session_state["talk_title"])),
        )
        with st.popover(
            "Open", icon=":material/folder_open:", help="A talk that is there, or a file"
        ):
            _offer()
        with st.popover("Save", icon=":material/save:", help="The talk as a file and as a link"):
            _save(draft)
        with st.popover(
            "Room", icon=":material/groups:", help="The speaker's own screen, and votes"
        ):
            panel.draw(draft.talk())
        preflight.popover(draft.talk())
        present = st.button(
            "Present",
            key="talk_present",
            type="primary",
            icon=":material/slideshow:",
            help="Shows the first scene in this window; PageDown goes on",
        )
    if present:
        one = presented.start(draft.talk())
        st.switch_page("stage.py", query_params={"at": one.code})


def _offer() -> None:
    """Draw the talks that come with the playground, and the way to load a file."""
    for name, talk in shipped().items():
        st.button(
            f"{talk.title} ({talk.minutes:g} min)",
            key=f"talk_open_{name}",
            on_click=_open,
            args=(Draft.of(talk),),
            width="stretch",
        )
    brought = st.file_uploader("Load from a file", type="toml", key="talk_file", max_upload_size=1)
    with lab.errors_shown():
        if brought is not None and st.button("Load this file", key="talk_load"):
            came = "This talk came from a file: look through it first. "
            _open(Draft.of(loads(brought.getvalue()), came))
            st.rerun()


def _save(draft: Draft) -> None:
    """Draw the talk's file and its link."""
    talk = draft.talk()
    st.download_button(
        "Save to a file",
        dumps(talk),
        "talk.toml",
        "application/toml",
        key="talk_save",
        on_click="ignore",
        icon=":material/download:",
    )
    st.caption("The link holds the whole talk, with your notes:")
    with lab.errors_shown():
        base = (st.context.url or "").split("?")[0]
        st.code(f"{base}?talk={link.encode(talk)}", language=None, wrap_lines=False)


def _add(draft: Draft) -> None:
    """Draw the choice of a further scene."""
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        topic = st.selectbox(
            "Add from lab",
            lessons.topics(),
            format_func=lambda one: lessons.load(one).short,
            key="talk_add_lab",
            width=170,
        )
        titles = [one.title for one in lessons.load(topic).scenes]
        title = st.selectbox("Scene", titles, key=f"talk_add_scene_{topic}")
        st.button(
            "Add",
            key="talk_add",
            icon=":material/add:",
            help="Adds it after the selected scene",
            on_click=lambda: _try(lambda: draft.add(TalkScene(topic, title))),
        )


def _scene(draft: Draft, number: int) -> None:
    """Draw what can be set of the selected scene."""
    scene = draft.scenes[number]
    lesson = scene.lesson
    texts.say(f"**{lesson.short}: {scene.scene}**  \n{scene.of_lab.look_at}")
    named = partial(_field, draft, number)
    st.text_input(
        "Title on stage",
        scene.title,
        max_chars=LONGEST_TITLE,
        placeholder=scene.scene,
        **named("title"),
    )
    st.text_area(
        "Your note",
        scene.note,
        max_chars=LONGEST_NOTE,
        height=110,
        placeholder=scene.of_lab.note,
        help="For the speaker; the audience's window never gets it",
        **named("note"),
    )
    low, high = MINUTES
    with st.container(horizontal=True, gap="small"):
        st.number_input("Minutes", low, high, float(scene.minutes), 0.25, **named("minutes"))
        st.slider("Size of texts", *SIZES, float(scene.size), 0.1, **named("size"))
    own = scene.of_lab.params.get(lesson.tab_key)
    beside = [
        one.chart for one in lesson.scenes if one.chart and one.params.get(lesson.tab_key) == own
    ]
    offered = ["", *(one for one in charts(lesson) if one in {*beside, scene.chart})]
    st.selectbox(
        "Chart",
        offered,
        offered.index(scene.chart),
        format_func=lambda one: one or "as the scene has it",
        **named("chart"),
    )
    questions = ["", *predictions(lesson)]
    st.selectbox(
        "Ask first",
        questions,
        questions.index(scene.predict),
        format_func=lambda one: one or "nothing",
        help="The question is shown first; the next key reveals the run that answers it",
        **named("predict"),
    )
    if scene.prediction:
        st.caption(scene.prediction.question)


def _field(draft: Draft, number: int, name: str) -> dict[str, Any]:
    """Return key and callback of the widget of a scene's field."""
    key = f"talk_{name}_{number}"

    def changed() -> None:
        value = st.session_state[key]
        _try(lambda: draft.set(number, **{name: value}))

    return {"key": key, "on_change": changed}
