"""From a stage of a run to the lab about it: on the run's own data where the lab takes a file or
has the same settings, else with the closest settings, which is said.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import streamlit as st

from engine import data
from engine.feature_store.feast_repo import EVENT
from engine.feature_store.point_in_time.result import DELAYS, SPANS
from engine.pipeline import store
from engine.pipeline.params import FIRST
from engine.pipeline.records import Run
from engine.pipeline.runner import params_of
from engine.pipeline.stages.audit import TARGET, subject
from engine.workspace import session
from pages.shell import lessons, state

MOST_DAYS, LAST_DAY = 28, 337  # that a lab takes; its latest first day, 3 December
Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Way:
    """How a stage's lab is opened: where it is, how it fits, its settings, and the file that it
    gets. ``roles`` are the lab's choices about that file, which no link holds.
    """

    topic: str
    experiment: str
    fit: str
    settings: Callable[[Run], Settings]
    file: Callable[[Run], tuple[str, bytes]] | None = None
    roles: tuple[tuple[str, str], ...] = ()


def _made(run: Run, stage: str) -> Path:
    record = run.stage(stage)
    return store.place(stage, record.key if record else "")


def _days(prefix: str) -> Callable[[Run], Settings]:
    def settings(run: Run) -> Settings:
        params = params_of(run)
        return {
            f"{prefix}_first_day": min((params.days[0] - FIRST).days + 1, LAST_DAY),
            f"{prefix}_n_days": min(params.n_days, MOST_DAYS),
        }

    return settings


def _late(run: Run) -> Settings:
    return _days("late")(run) | {"late_late_share": run.params["late_share"]}


def _quality(run: Run) -> Settings:
    more = {"quality_table": "flights", "quality_fault": "none", "quality_gate": "quarantine"}
    return _days("quality")(run) | more


def _lead(run: Run) -> Settings:
    lead = run.params["lead_minutes"]
    offset = min(DELAYS, key=lambda name: abs(SPANS[name] - lead))
    first = (date.fromisoformat(run.params["days"][0]) - FIRST).days + 1
    return {
        "point_in_time_offset": offset,
        "point_in_time_first_day": min(first, 360),
        "point_in_time_filter_by_created": True,
    }


def _first_part(run: Run) -> tuple[str, bytes]:
    day = run.params["days"][0]
    path = _made(run, "load") / "flights" / f"flight_date={day}" / "part-0.parquet"
    return path.name, path.read_bytes()


def _planes(run: Run) -> tuple[str, bytes]:
    path = _made(run, "features") / "planes.parquet"
    return path.name, path.read_bytes()


def _audited(run: Run) -> tuple[str, bytes]:
    content = io.BytesIO()
    pq.write_table(subject(pq.read_table(_made(run, "training_set") / "rows.parquet")), content)
    return "training_set.parquet", content.getvalue()


CLOSEST = "Closest settings, on the lab's own data"
WAYS: dict[str, Way] = {
    "ingest": Way(
        "etl", "late", f"{CLOSEST}: the same days and share of late rows, of flights.", _late
    ),
    "validate": Way(
        "etl",
        "quality",
        "The same contract and flights: up to 28 days, from 3 December at the latest.",
        _quality,
    ),
    "load": Way(
        "formats",
        "anatomy",
        "On this run's data: the Parquet file of its first day.",
        lambda run: {"anatomy_source": "upload"},
        _first_part,
    ),
    "features": Way(
        "spark",
        "partitioning",
        "On this run's data: its table of plane features, by plane.",
        lambda run: {"partitioning_table": "upload", "partitioning_keys": ["tailnum"]},
        _planes,
    ),
    "training_set": Way(
        "feature_store",
        "point_in_time",
        f"{CLOSEST}: the same first day and the nearest lead time.",
        _lead,
    ),
    "audit": Way(
        "leakage",
        "audit",
        "On this run's data: the rows that the stage audited, without declared times.",
        lambda run: {"audit_source": "upload"},
        _audited,
        (
            ("audit_target", TARGET),
            ("audit_time_column", EVENT),
            ("audit_split_column", "split"),
        ),
    ),
    "train": Way(
        "leakage",
        "time_splits",
        f"{CLOSEST}: a split in time order.",
        lambda run: {"time_splits_scheme": "purged, embargo"},
    ),
    "register": Way(
        "sampling",
        "arena",
        f"{CLOSEST}: models against a baseline, split in time order.",
        lambda run: {"arena_split": "in time order"},
    ),
    "serve": Way(
        "feature_store",
        "skew",
        f"{CLOSEST}: the store filled every hour, the same kind of model.",
        lambda run: {"skew_stale_hours": 1, "skew_model": run.params["model"]},
    ),
    "monitor": Way(
        "orchestration", "alerts", f"{CLOSEST}: alert rules on runs of Prefect.", lambda run: {}
    ),
}


def settings(way: Way, run: Run) -> Settings:
    """Return every setting of the lab that is opened: its place, and what it takes from the run."""
    return lessons.load(way.topic).place_of(way.experiment) | way.settings(run)


def in_address(settings: Settings) -> dict[str, Any]:
    """Return settings as a link writes them."""
    return {
        key: value
        if isinstance(value, list)
        else str(value).lower()
        if isinstance(value, bool)
        else str(value)
        for key, value in settings.items()
    }


def draw(run: Run, stage: str) -> None:
    """Draw the link to the lab of a stage, and how the lab fits this run."""
    way = WAYS[stage]
    lesson = lessons.load(way.topic)
    if way.file is not None and not _brought(way, run):
        st.button(
            "Take this run's file there",
            key="flow_bring",
            help="It takes the place of your own file in that lab",
            on_click=_bring,
            args=(way, run),
        )
        return
    st.page_link(
        f"{way.topic}.py",
        label=f"Open {lesson.short}: {lesson.experiments[way.experiment]}",
        icon=":material/arrow_forward:",
        query_params=in_address(settings(way, run)),
    )
    st.caption(way.fit)


def _files() -> dict[str, tuple[str, str]]:
    """Return what this session has brought: experiment -> run and path."""
    files: dict[str, tuple[str, str]] = st.session_state.setdefault("pipeline_files", {})
    return files


def _brought(way: Way, run: Run) -> bool:
    """Whether the lab has this run's file; one that has no other gets it now."""
    run_id, path = _files().get(way.experiment, ("", ""))
    there = st.session_state.get(f"{way.experiment}_upload_path", "")
    if there not in ("", path):
        return False
    if there == "" or run_id != run.id:
        _bring(way, run)
    return True


def _bring(way: Way, run: Run) -> None:
    """Save the file of the run as the session's own upload, as if its visitor had chosen it."""
    if way.file is None:
        return
    name, content = way.file(run)
    path = data.save_upload(content, name, session(state.session_id()) / "uploads")
    _files()[way.experiment] = (run.id, str(path))
    for key, value in ((f"{way.experiment}_upload_path", str(path)), *way.roles):
        st.session_state[key] = value
