"""The stage's line and keys: which scene is on, the time, and what a key or a press asks for."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import streamlit as st

from pages.shell.experiments import params_class
from pages.talk.presented import Presentation, View
from pages.talk.talk import TalkScene

_HERE = Path(__file__).parent
KEY = "talk_bar"
MOST_TWEAKED = 3
_mount = st.components.v2.component(
    KEY,
    html=(_HERE / "bar.html").read_text("utf-8"),
    css=(_HERE / "bar.css").read_text("utf-8"),
    js=(_HERE / "bar.js").read_text("utf-8"),
    isolate_styles=False,
)


def tweakable(scene: TalkScene, experiment: str) -> list[str]:
    """Return the keys of the controls of an experiment, those that the scene sets first; the page
    offers the first ``MOST_TWEAKED`` that are in view.
    """
    lesson, settings = scene.lesson, scene.settings
    keys = [f"{experiment}_{one.name}" for one in fields(params_class(lesson.topic, experiment))]
    return sorted(keys, key=lambda key: key not in settings)


def draw(shown: Presentation, view: View, tweaked: list[str]) -> None:
    """Draw the line and listen to keys; a press moves the presentation."""
    scenes = shown.talk.scenes
    planned = [60 * one.minutes for one in scenes]
    data = {
        "titles": [one.shown_title for one in scenes],
        "number": view.number,
        "phases": view.phases,
        "blank": view.blank,
        "elapsed": view.elapsed_seconds,
        "planned": sum(planned),
        "plannedHere": sum(planned[: view.number + 1]),
        "tweaked": tweaked,
        "most": MOST_TWEAKED,
        "heard": st.session_state.get("talk_heard", 0),
    }
    _mount(data=data, key=KEY, on_press_change=_pressed(shown))


def _pressed(shown: Presentation) -> Callable[[], None]:
    def answer() -> None:
        press = st.session_state[KEY].get("press")
        if isinstance(press, dict):
            obey(shown, press, st.session_state)

    return answer


def obey(shown: Presentation, press: dict[str, Any], session: MutableMapping[Any, Any]) -> None:
    """Do what a press asks, once, although a poll may send it a second time."""
    number = press.get("id", 0)
    if number <= session.get("talk_heard", 0):
        return
    session["talk_heard"] = number
    place, does = shown.place, press.get("does")
    if does == "go":
        place.go(int(press["number"]), press.get("phase"))
    elif does == "blank":
        place.set_blank(bool(press["blank"]))
    elif does == "clock":
        place.restart_timer()
    elif does == "leave":
        session["talk_left"] = True
