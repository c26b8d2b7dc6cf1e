"""The frame of a lab: header in one line, lazy tabs, and one screen of three columns: controls, the
chart under its verdict, reasons.

A lab page is one call, ``lab.page("formats", race=race.show, …)``; an experiment is
``lab.tab(topic, name, params, output)``: ``params`` builds its Params from widgets, ``output`` runs
and draws the Result inside ``lab.screen``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import plotly.graph_objects as go
import streamlit as st

from engine.errors import InputError, explain
from engine.texts import strip_marks
from pages.shell import chart as charts
from pages.shell import export, learner, lessons, panels, path, search, stage, state
from pages.shell.chart import clicked as clicked
from pages.shell.chart import recorded
from pages.shell.lessons import Lesson

P = TypeVar("P")
STYLE = (Path(__file__).parent / "frame.css").read_text("utf-8")
WIDTHS = (1.05, 3.95)  # controls : the rest
CLOSE = (2.8, 1.15)  # chart : reasons
WIDE = (2.1, 1.85)  # chart : a panel that needs room, such as code
STEP = (2.6, 1.35)  # chart : what a step of the path says


def page(topic: str, **experiments: Callable[[], None]) -> None:
    """Draw a lab: header, or the bar of presenter mode, and its experiments as lazy tabs in the
    order of the lesson.
    """
    lesson = lessons.load(topic)
    state.follow_moved(lesson)
    search.arrive(lesson)
    st.html(f"<style>{STYLE}</style>")
    if state.presenting():
        stage.bar(lesson)
    else:
        _header(lesson)
    if state.learning():
        path.draw(lesson, experiments)
        return
    path.leave()
    tabs = st.tabs(list(lesson.tabs.values()), key=lesson.tab_key, bind="query-params")
    for tab, experiment in zip(tabs, lesson.tabs, strict=True):
        if tab.open:
            with tab:
                _guidance(lesson, experiment)
                experiments[experiment]()


def _header(lesson: Lesson) -> None:
    """Draw the lesson's number and question, the mode, the scenes and what can be taken away."""
    with st.container(
        key="header",
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        gap="small",
    ):
        st.header(f"{lesson.number} · {lesson.question}", anchor=False, width="content")
        with st.container(
            horizontal=True, width="content", gap="small", vertical_alignment="center"
        ):
            stage.mode()
            if not state.learning():
                _scenes(lesson)
            export.share(lesson)


def _scenes(lesson: Lesson) -> None:
    with st.popover("Scenes", icon=":material/movie:", help="Settings worth seeing"):
        for number, scene in enumerate(lesson.scenes):
            st.button(
                f"{number + 1} · {scene.title}",
                key=f"{lesson.topic}_scene_{number}",
                help=scene.look_at,
                on_click=stage.show_scene,
                args=(lesson, number),
                width="stretch",
            )


def _guidance(lesson: Lesson, experiment: str) -> None:
    """Draw one line: what to look at in the scene that was chosen, else what to try first."""
    index = stage.scene_index(lesson)
    scene = None if index is None else lesson.scenes[index]
    st.session_state["stage_chart"] = scene.chart if scene else ""
    if state.presenting():
        return
    with st.container(key="guidance"):
        if scene:
            st.markdown(
                f"**Scene {index + 1} of {len(lesson.scenes)} · {scene.title}.** {scene.look_at}"
            )
        elif (name := _in_view(lesson, experiment)) in lesson.try_lines:
            st.markdown(f"**Try:** {lesson.try_lines[name]}")


def _in_view(lesson: Lesson, experiment: str) -> str:
    """Return the experiment that a tab shows: its own, or one inside it whose view is chosen."""
    for name, (host, _, view, option) in lesson.inside.items():
        chosen = st.session_state.get(view, st.query_params.get(view))
        if host == experiment and chosen == option:
            return name
    return experiment


def tab(
    topic: str, name: str, params: Callable[[], P], output: Callable[[P], None]
) -> Callable[[], None]:
    """Return the function that draws an experiment: ``params()`` left, below it Reset,
    ``output(params)`` right.

    It is a fragment, which shows an ``InputError`` of either as a sentence and stays usable.
    """

    @st.fragment
    def show() -> None:
        left, right = st.columns(WIDTHS, gap="small")
        with errors_shown():
            with left.container(key="controls", border=True, gap="xsmall"):
                try:
                    settings = params()
                finally:
                    _reset(topic, name)
            with right:
                output(settings)
        learner.mirror(name)

    return show


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an ``InputError`` raised inside as a sentence on the page; on stage, for any error, what
    the scene showed before.
    """
    try:
        yield
    except InputError as error:
        if not recorded(str(error)):
            st.error(str(error), icon=":material/error:")
    except Exception as error:
        if not state.on_stage() or not recorded(explain(error)):
            raise


def _reset(topic: str, name: str) -> None:
    """Draw what is below every experiment's controls: back to the defaults."""
    lesson = lessons.load(topic)
    st.button(
        "Reset",
        key=f"{name}_reset",
        icon=":material/restart_alt:",
        help="All controls of this tab back to their defaults",
        on_click=state.apply_experiment,
        args=(lesson, name, {}),
    )


def pinned(name: str) -> Any:
    """Return the Result pinned as run A of an experiment, or ``None``."""
    return st.session_state.get(f"{name}_pinned")


@dataclass
class Screen:
    """What a screen shows first: a verdict and the chart that it is the title of."""

    verdict: str
    figure: go.Figure | None = None
    draw: Callable[[], None] = lambda: None

    def answer(
        self, figure: go.Figure, key: str, alt: str, on_click: Callable[[], None] | None = None
    ) -> None:
        """Draw the first chart, titled by the verdict; the exported figure is this one."""
        self.figure = figure
        self.draw = partial(chart, figure, key, alt, on_click, verdict=self.verdict)
        self.draw()


def chart(
    figure: go.Figure,
    key: str,
    alt: str,
    on_click: Callable[[], None] | None = None,
    *,
    verdict: str = "",
) -> None:
    """Draw a figure as ``pages.shell.chart.chart`` does; in Learn mode with what was predicted."""
    if state.learning():
        figure = path.marked(figure, "" if verdict else key)
    charts.chart(figure, key, alt, on_click, verdict=verdict)


@contextmanager
def screen(topic: str, name: str, result: Any, verdict: str = "") -> Iterator[Screen]:
    """Draw one screen of a Result: inside, the first chart by ``answer`` and what is below it;
    beside it why, prediction, challenge, A/B, code and guide.

    ``result`` offers ``params``, ``why``, ``headline()``, ``table()`` and, where none is given,
    ``verdict``. On stage the first chart is drawn where the scene's own is not there yet.
    """
    lesson = lessons.load(topic)
    wide = WIDE if panels.is_wide(name) else CLOSE
    middle, right = st.columns(STEP if state.learning() else wide, gap="small")
    shown = Screen(verdict or result.verdict)
    st.session_state["stage_filled"] = False
    st.session_state["path_shown"] = (lesson, name, result)
    with middle.container(key="answer", gap="small"):
        yield shown
        if state.presenting() and not st.session_state["stage_filled"]:
            st.session_state["stage_chart"] = ""
            shown.draw()
    st.session_state.pop("path_shown", None)
    with right:
        beside = path.beside if state.learning() else panels.draw
        st.session_state.get("stage_beside", beside)(lesson, name, result)
    if shown.figure is not None:
        export.keep(name, result, shown.figure, strip_marks(shown.verdict))


@contextmanager
def aside(result: Any) -> Iterator[None]:
    """Draw one screen of a result that is no run of the tab's experiment, so that the lesson's
    panels do not fit it: inside, its chart and what is below it; beside it its ``why``.
    """
    middle, right = st.columns(CLOSE, gap="small")
    with middle.container(key="answer", gap="small"):
        yield
    with right.container(key="panels", gap="small"):
        panels.say_reasons(result)
