"""The lab notebook: runs that a visitor has kept, with settings, prediction, result and remark: the
section ``notebook`` of the learner's record.

The record holds no figures. The session does, and the server keeps those of settings that hold no
text of a person's, by setting and code (``engine/kept.py``).
"""

from __future__ import annotations

from dataclasses import MISSING, asdict, fields
from datetime import UTC, date, datetime
from math import isfinite
from typing import Any
from uuid import uuid4

import plotly.graph_objects as go
import streamlit as st

from engine import kept
from engine.errors import InputError, require
from engine.ranges import Params
from pages.shell import answers, learner, lessons, state
from pages.shell.experiments import params_class
from pages.shell.lessons import Lesson

MOST = 60  # entries
LONGEST_VALUE = 60  # characters of a setting as text
LONGEST = 1_000  # characters of a remark, or of another text
FIELDS = {  # of an entry -> type
    **dict.fromkeys(("id", "at", "lab", "experiment", "verdict", "predicted", "remark"), str),
    "settings": dict,
    "headline": dict,
}
Entry = dict[str, Any]


def entries() -> list[Entry]:
    """Return the kept runs, the newest first, each with ``FIELDS``."""
    listed: list[Entry] = learner.section("notebook").get("entries", [])
    return listed[::-1]


def keep(lesson: Lesson, name: str, result: Any, figure: go.Figure, verdict: str) -> None:
    """Add the run on screen, and its figure.

    Raises
    ------
    InputError
        The notebook is full, or the settings are too long for the record.
    """
    held = learner.section("notebook").get("entries", [])
    require(len(held) < MOST, "The notebook must have at most {} runs. Remove one.", MOST)
    one: Entry = {
        "id": uuid4().hex,
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "lab": lesson.topic,
        "experiment": name,
        "verdict": verdict[:LONGEST],
        "predicted": _predicted(lesson, name, result.params)[:LONGEST],
        "remark": "",
        "settings": {key: _plain(value) for key, value in asdict(result.params).items()},
        "headline": {key: _number(value) for key, value in result.headline().items()},
    }
    learner.put("notebook", {"entries": [*held, one]})
    st.session_state.setdefault("notebook_figures", {})[one["id"]] = figure
    kept.save((type(result.params), result.params), figure, 0.0)


def remark(number: str, text: str) -> None:
    """Replace the remark of an entry, named by its id."""
    held = [
        {**one, "remark": text[:LONGEST]} if one["id"] == number else one for one in entries()[::-1]
    ]
    learner.put("notebook", {"entries": held})


def remove(number: str) -> None:
    """Take an entry out, named by its id."""
    held = [one for one in entries()[::-1] if one["id"] != number]
    learner.put("notebook", {"entries": held})


def _number(value: Any) -> Any:
    """Return a number or text of a headline as JSON has it: no NaN, no infinity."""
    if isinstance(value, float):
        return float(value) if isfinite(value) else str(value)
    return value if isinstance(value, int) else str(value)


def _plain(value: Any) -> Any:
    """Return a value of Params as JSON has it."""
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return value.isoformat() if isinstance(value, date) else value


def params_of(one: Entry) -> Params | None:
    """Return the Params of an entry; ``None`` where its settings are no longer what the lab has."""
    try:
        cls = params_class(one["lab"], one["experiment"])
        values = {}
        for field in fields(cls):
            value = one["settings"].get(field.name, field.default)
            if isinstance(value, list):
                default = field.default if isinstance(field.default, tuple) else ()
                days = any(type(part) is date for part in default)
                value = tuple(date.fromisoformat(part) if days else part for part in value)
            values[field.name] = value
        made: Params = cls(**values)
    except (InputError, ImportError, AttributeError, TypeError, ValueError):
        return None
    return made


def figure_of(one: Entry) -> go.Figure | None:
    """Return the figure of an entry, of this session or as the server keeps it."""
    held: go.Figure | None = st.session_state.get("notebook_figures", {}).get(one["id"])
    if held is None and (params := params_of(one)) is not None:
        found = kept.load((type(params), params))
        held = found.result if found else None
    return held


def changed(one: Entry) -> str:
    """Return the settings of an entry that differ from the defaults, as text."""
    params = params_of(one)
    if params is None:
        return "of an earlier version of the lab"
    defaults = {f.name: f.default for f in fields(params) if f.default is not MISSING}
    listed = [
        f"{key} = {str(_plain(value))[:LONGEST_VALUE]}"
        for key, value in asdict(params).items()
        if value != defaults.get(key)
    ]
    return ", ".join(listed) or "the defaults"


def bring_back(one: Entry) -> None:
    """Set every control of the entry's tab as it was. Before its widgets are drawn."""
    lesson = lessons.load(one["lab"])
    settings = {f"{one['experiment']}_{key}": value for key, value in one["settings"].items()}
    state.apply_experiment(
        lesson, one["experiment"], {**lesson.place_of(one["experiment"]), **settings}
    )


def _predicted(lesson: Lesson, name: str, params: Any) -> str:
    """Return what the visitor predicted for this very setting, with the question; else nothing."""
    for one in lesson.predictions:
        if one.experiment == name and lesson.settings_of(name, one.params) == params:
            title = one.title or one.question
            said = [
                answer["choice"]
                for answer in answers.entries()
                if answer["lab"] == lesson.topic and answer["title"] == title
            ]
            if said:
                return f"{one.question} {said[-1]}"
    return ""


def _check(value: dict[str, Any]) -> None:
    listed = value.get("entries", [])
    if set(value) - {"entries"} or not isinstance(listed, list):
        raise InputError("section notebook must hold entries alone. Got something else.")
    require(len(listed) <= MOST, "notebook must have at most {} runs. Got {}.", MOST, len(listed))
    for i, one in enumerate(listed):
        fits = (
            isinstance(one, dict)
            and set(one) == set(FIELDS)
            and all(isinstance(one[key], kind) for key, kind in FIELDS.items())
            and all(len(one[key]) <= LONGEST for key, kind in FIELDS.items() if kind is str)
            and one["lab"] in lessons.topics()
            and one["experiment"] in lessons.load(one["lab"]).experiments
        )
        require(fits, "run {} of the notebook must have the fields of a run. Got others.", i + 1)


learner.register("notebook", _check)
