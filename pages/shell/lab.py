"""The frame of a lab: question, scenes, presenter bar, lazy tabs; inside a tab: controls, verdict,
chart, errors.

A lab page is one call, ``lab.page("formats", race=race.show, …)``; an experiment is
``lab.tab(topic, name, params, output)``: ``params`` builds its Params from widgets, ``output`` runs
and hands the Result to ``lab.report``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import plotly.graph_objects as go
import streamlit as st

from engine.errors import InputError
from pages.shell import lessons, panels, state
from pages.shell.chart import chart as chart  # lab.chart, as tabs write it
from pages.shell.lessons import Lesson

P = TypeVar("P")
PRESENTER_STYLE = """<style>
[data-testid="stColumn"]:has(.st-key-controls), .st-key-controls, .st-key-panels { display: none }
[data-testid="stTabs"] [role="tablist"] { display: none }
[data-testid="stTabs"] :is([data-testid="stButtonGroup"], [data-testid="stSelectbox"],
  [data-testid="stSlider"], [data-testid="stExpander"]) { display: none }
html { font-size: 22px !important }
</style>"""


def page(topic: str, **experiments: Callable[[], None]) -> None:
    """Draw a lab: headline, scenes or presenter bar, and its experiments as lazy tabs in the order
    of the lesson.
    """
    lesson = lessons.load(topic)
    if state.presenting():
        st.html(PRESENTER_STYLE)
    _headline(lesson)
    tabs = st.tabs(list(lesson.tabs.values()), key=lesson.tab_key, bind="query-params")
    for tab, experiment in zip(tabs, lesson.tabs, strict=True):
        if tab.open:
            with tab:
                experiments[experiment]()


def _headline(lesson: Lesson) -> None:
    if not state.presenting():
        st.caption(lesson.title)
    st.header(f"“{lesson.question}”", anchor=False)
    with st.container(horizontal=True, vertical_alignment="center"):
        with st.popover(
            "Scenes",
            icon=":material/movie:",
            help="Settings worth seeing, each with what to look at",
        ):
            for number, scene in enumerate(lesson.scenes):
                st.button(
                    f"{number + 1} · {scene.title}",
                    key=f"{lesson.topic}_scene_{number}",
                    help=scene.look_at,
                    on_click=_show_scene,
                    args=(lesson, number),
                    width="stretch",
                )
        st.toggle(
            "Present",
            key="present",
            bind="query-params",
            help="Large type, no controls; PageDown and PageUp step through the scenes, Esc leaves",
        )
        if state.presenting():
            _presenter_bar(lesson)
    _scene_text(lesson)


def _scene_index(lesson: Lesson) -> int | None:
    index: int | None = st.session_state.get(f"{lesson.topic}_scene")
    return index


def _show_scene(lesson: Lesson, number: int) -> None:
    st.session_state[f"{lesson.topic}_scene"] = number
    state.apply(lesson, lesson.scenes[number].params)


def _step(lesson: Lesson, by: int) -> None:
    index = _scene_index(lesson)
    number = (0 if by > 0 else len(lesson.scenes) - 1) if index is None else index + by
    _show_scene(lesson, max(0, min(len(lesson.scenes) - 1, number)))


def _leave() -> None:
    st.session_state["present"] = False


def _presenter_bar(lesson: Lesson) -> None:
    st.button(
        "Back",
        key="presenter_back",
        shortcut="PageUp",
        on_click=state.once(_step),
        args=(lesson, -1),
    )
    st.button(
        "Next",
        key="presenter_next",
        shortcut="PageDown",
        type="primary",
        on_click=state.once(_step),
        args=(lesson, 1),
    )
    st.button("Leave", key="presenter_leave", shortcut="Esc", on_click=_leave)
    st.toggle("Speaker note", key="presenter_note", persist_state="session")


def _scene_text(lesson: Lesson) -> None:
    index = _scene_index(lesson)
    st.session_state["stage_chart"] = "" if index is None else lesson.scenes[index].chart
    if index is None:
        if state.presenting():
            st.markdown(f"PageDown starts the {len(lesson.scenes)} scenes.")
        return
    scene = lesson.scenes[index]
    st.markdown(f"**Scene {index + 1} of {len(lesson.scenes)} · {scene.title}** — {scene.look_at}")
    if state.presenting() and st.session_state.get("presenter_note"):
        st.info(scene.note)


def tab(
    topic: str, name: str, params: Callable[[], P], output: Callable[[P], None]
) -> Callable[[], None]:
    """Return the function that draws an experiment: ``params()`` left, below it Reset,
    ``output(params)`` right.

    It is a fragment, which shows an ``InputError`` of either as a sentence and stays usable.
    """

    @st.fragment
    def show() -> None:
        left, right = st.columns([1, 3], gap="medium")
        with errors_shown():
            with left.container(key="controls", border=True):
                try:
                    settings = params()
                finally:
                    _reset(topic, name)
            with right:
                output(settings)

    return show


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an ``InputError`` raised inside as a sentence on the page."""
    try:
        yield
    except InputError as error:
        st.error(str(error), icon=":material/error:")


def _reset(topic: str, name: str) -> None:
    """Draw what stands below every experiment's controls: back to the defaults."""
    lesson = lessons.load(topic)
    st.button(
        "Reset",
        key=f"{name}_reset",
        icon=":material/restart_alt:",
        help="All controls of this tab back to their defaults",
        on_click=state.apply_experiment,
        args=(lesson, name, {}),
    )


def places(n: int) -> list[tuple[Any, Any]]:
    """Return n pairs of places, for the controls of a view and for its chart below; on stage all
    charts stand first.
    """
    pairs = [(st.container(), st.container()) for _ in range(n)]
    if not state.presenting():
        return pairs
    every = [place for pair in pairs for place in pair]
    return list(zip(every[n:], every[:n], strict=True))


def pinned(name: str) -> Any:
    """Return the Result pinned as run A of an experiment, or ``None``."""
    return st.session_state.get(f"{name}_pinned")


def report(topic: str, name: str, result: Any, figure: go.Figure) -> None:
    """Draw what every experiment shows below its charts: why, code, prediction, challenge, A/B,
    export, guide.

    ``result`` offers ``params``, ``why``, ``headline()`` and ``table()``; ``figure`` is what is
    exported.
    """
    panels.draw(lessons.load(topic), name, result, figure)
