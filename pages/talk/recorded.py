"""What each scene of a talk showed when it was last whole: one JSON file a scene in the server's
folder of the workspace, ``recorded/``.

It is shown when an engine fails on stage, and it is what the hand-out is made of. A record holds
settings of the lessons alone, never a person's text. JSON of any version of the code can be read.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from engine import kept, workspace
from engine.jobs import JOBS, Job
from engine.units import format_time
from pages.shell import quiz, state
from pages.talk.talk import TalkScene

MOST_FILES = 300  # the oldest give way


@dataclass(frozen=True, slots=True)
class Recorded:
    """A chart as the audience saw it: ``figure`` is Plotly's JSON, ``finding`` its title,
    ``answer`` what the run gave to the scene's question, ``at`` when it was measured (seconds since
    1970), ``version`` of which code.
    """

    name: str
    figure: str
    finding: str
    alt: str
    answer: str
    at: float
    version: str

    @property
    def when(self) -> str:
        """When it was measured, as people read it."""
        return format_time(datetime.fromtimestamp(self.at))

    @property
    def current(self) -> bool:
        """Whether the code that runs now made it."""
        return self.version == _version()


@lru_cache(maxsize=1)
def _version() -> str:
    return kept.version(__name__)


def _settings(scene: TalkScene) -> dict[str, object]:
    return {**scene.lesson.defaults(), **scene.settings}


def _own_settings(scene: TalkScene) -> dict[str, object]:
    """Return the settings of the tab that the scene shows."""
    lesson, settings = scene.lesson, _settings(scene)
    own = [name for name in lesson.experiments if lesson.tab_of(name) == settings[lesson.tab_key]]
    prefixes = tuple(f"{name}_" for name in own)
    return {key: value for key, value in settings.items() if key.startswith(prefixes)}


def _path(scene: TalkScene) -> Path:
    folder = workspace.server() / "recorded"
    folder.mkdir(mode=0o700, exist_ok=True)
    what = [scene.lab, scene.shown_chart, _settings(scene)]
    digest = hashlib.sha256(json.dumps(what, sort_keys=True, default=str).encode()).hexdigest()
    return folder / f"{scene.lab}-{digest[:32]}.json"


def load(scene: TalkScene) -> Recorded | None:
    """Return what the scene showed, by this code or an earlier one, or ``None``."""
    try:
        content = json.loads(_path(scene).read_text("utf-8"))
        return Recorded(**{one.name: content[one.name] for one in fields(Recorded)})
    except (OSError, ValueError, KeyError, TypeError):
        return None  # not there, or cut short


def save(scene: TalkScene, record: Recorded) -> None:
    """Keep what the scene showed, in place of what it showed before."""
    path = _path(scene)
    workspace.write(path, json.dumps(asdict(record)))
    files = sorted(path.parent.glob("*.json"), key=lambda one: one.stat().st_mtime)
    for old in files[: max(0, len(files) - MOST_FILES)]:
        old.unlink(missing_ok=True)


def draw(scene: TalkScene, experiment: Callable[[], None]) -> None:
    """Draw a scene on stage by its tab's function, its settings set; keep what is on it once it is
    whole, and have shown in its place what was kept where an engine fails.
    """
    fresh = st.session_state.pop("settings_applied", None) is not None
    own = _own_settings(scene)
    if fresh:
        st.session_state["stage_settings"] = own
    _offer(scene)
    experiment()
    if fresh:  # a tab may put another value in place of what a scene cannot have
        st.session_state["stage_settings"] = {
            key: st.session_state.get(key, value) for key, value in own.items()
        }
    if not missing(scene):
        _note(scene)


def _offer(scene: TalkScene) -> None:
    for of_before in ("stage_drawn", "stage_problem", "stage_answer"):
        st.session_state.pop(of_before, None)
    record = load(scene)
    st.session_state["stage_recorded"] = record and {
        "name": record.name,
        "figure": record.figure,
        "title": f"{record.answer} {record.finding} (recorded {record.when})".strip(),
        "alt": record.alt,
    }


def answered(scene: TalkScene, actual: Any) -> str:
    """Take down what the run has given to the scene's question, and return it as a sentence."""
    asked = scene.prediction
    field = asked.field if asked else ""
    said = f"It is **{quiz.format_value(actual, field)}**."
    st.session_state["stage_answer"] = said
    return said


def missing(scene: TalkScene) -> str:
    """Return why the run that ends here has not drawn the scene as it is, with all jobs done; empty
    where it has. A pinned run, which may be of a person's own file, is too much.
    """
    failed = [job for job in _jobs() if job.state != "done"]
    said = st.session_state.get("stage_problem")
    if failed:
        return failed[0].message or f"The run is {failed[0].state}."
    drawn = st.session_state.get("stage_drawn")
    if drawn is None or scene.shown_chart not in ("", drawn["name"]):
        return str(said or "The scene's chart was not drawn.")
    if any(st.session_state.get(f"{name}_pinned") for name in scene.lesson.experiments):
        return "A run is pinned in this window: open the lab and unpin it."
    if not state.shows(st.session_state["stage_settings"]):
        return "Its controls were changed."
    return ""


def jobs_active() -> bool:
    """Whether a job of the page is under way and this session waits for it."""
    return any(job.active and state.owner() in job.owners for job in _jobs())


def forget_failed() -> None:
    """Have jobs of the page that failed run again when they are asked for."""
    for job in _jobs():
        if job.state == "failed":
            JOBS.forget(job.key)


def _note(scene: TalkScene) -> None:
    drawn, before = st.session_state["stage_drawn"], load(scene)
    ended = [job.finished_at for job in _jobs() if job.finished_at]
    record = Recorded(
        drawn["name"],
        drawn["figure"],
        drawn["title"],
        drawn["alt"],
        st.session_state.get("stage_answer", ""),
        max(ended, default=time.time()),
        _version(),
    )
    if before is None or (before.figure, before.current) != (record.figure, True):
        save(scene, record)


def _jobs() -> list[Job]:
    """Return the jobs that are on the page."""
    names = st.session_state.get("work_on_page", set())
    found = [JOBS.find(st.session_state[f"{name}_job"]) for name in names]
    return [job for job in found if job is not None]
