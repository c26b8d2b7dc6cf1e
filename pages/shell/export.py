"""What a visitor takes away of a run: chart data, the figure, the run, and a link to its
setting.
"""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import plotly.graph_objects as go
import psutil
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import streamlit as st

from engine import figures
from engine.errors import InputError
from engine.texts import sentence
from pages.shell import latest, learner, notebook, quiz, state
from pages.shell.lessons import Lesson

PACKAGES = ("streamlit", "plotly", "numpy", "pandas", "pyarrow", "polars", "fastavro", "duckdb") + (
    *("scikit-learn", "imbalanced-learn", "pyspark", "feast", "prefect"),
)


def _no_formulas(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    texts = texts.cast(pa.string())
    formula = pc.and_not(
        pc.match_substring_regex(texts, r"^[=+\-@\t\r]"),
        pc.match_substring_regex(texts, r"^[+-][\d.,]+ ?%?$"),
    )
    marked = pc.binary_join_element_wise("'", texts, "")
    return pc.if_else(pc.fill_null(formula, False), marked, texts)


def _csv(table: pa.Table) -> bytes:
    """Return the table as CSV; a text that a spreadsheet would run as a formula gets an apostrophe
    before it.

    Numbers stay numbers, also as text ("-0.3"). The JSON of the run holds every text as it is.
    """
    for place, field in enumerate(table.schema):
        if pa.types.is_string(field.type) or pa.types.is_large_string(field.type):
            table = table.set_column(place, field.name, _no_formulas(table[field.name]))
    table = table.rename_columns(_no_formulas(pa.chunked_array([table.column_names])).to_pylist())
    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink)
    return sink.getvalue().to_pybytes()


def _run_json(result: Any) -> str:
    run = {
        "settings": asdict(result.params),
        "results": result.headline(),
        "rows": result.table().to_pylist(),
        "exported_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": (
            {"python": platform.python_version()} | {name: version(name) for name in PACKAGES}
        ),
        "machine": {
            "system": platform.system(),
            "machine": platform.machine(),
            "cores": os.cpu_count(),
        }
        | {"memory_bytes": psutil.virtual_memory().total},
    }
    return json.dumps(run, indent=1, default=str)


def keep(name: str, result: Any, figure: go.Figure, title: str) -> None:
    """Remember what is on screen, for ``share``, and its sentence for Practice."""
    st.session_state["shown"] = (name, result, figure, title)
    latest.note(name, result, title)


@st.fragment
def share(lesson: Lesson) -> None:
    """Draw the popover with the link to what is on screen and its files, made when it is opened."""
    popover = st.popover(
        "Share", icon=":material/share:", key="share", on_change="rerun", help="Link and files"
    )
    shown = st.session_state.get("shown")
    if not popover.open:
        return
    with popover:
        if shown is None or shown[0] not in lesson.experiments:
            st.caption("There is no result on screen yet.")
        else:
            _draw(lesson, *shown)


def _draw(lesson: Lesson, name: str, result: Any, figure: go.Figure, title: str) -> None:
    st.caption("Link to this setting:")
    settings = {f"{name}_{key}": value for key, value in asdict(result.params).items()}
    beside = [one for one in lesson.experiments if lesson.tab_of(one) == lesson.tab_of(name)]
    views = {
        key: st.session_state.get(key, default)
        for key, default in lesson.views.items()
        if key.startswith(tuple(f"{one}_" for one in beside))
    }
    st.code(
        state.link(lesson, {**settings, **views, **lesson.place_of(name)}),
        language=None,
        wrap_lines=True,
    )
    titled = go.Figure(figure).update_layout(title_text=title)
    for label, content, ending, mime in (
        ("Chart data (CSV)", lambda: _csv(result.table()), "csv", "text/csv"),
        ("Figure (HTML)", lambda: figures.to_html(titled), "html", "text/html"),
        ("Run (JSON)", lambda: _run_json(result), "json", "application/json"),
    ):
        st.download_button(
            label,
            content,
            f"{name}.{ending}",
            mime,
            key=f"{name}_{ending}",
            on_click="ignore",
            width="stretch",
        )
    st.caption("SVG and PNG: the buttons at the top right of the chart.")
    _notebook(lesson, name, result, figure, title)


def _keep(*run: Any) -> None:
    try:
        notebook.keep(*run)
    except InputError as error:
        st.toast(sentence(str(error)), icon=":material/error:")


def _notebook(lesson: Lesson, name: str, result: Any, figure: go.Figure, title: str) -> None:
    """Draw the button that keeps the run, and the way to those that are kept."""
    full = not quiz.is_complete(result) or len(notebook.entries()) >= notebook.MOST
    st.button(
        "Keep in notebook",
        key="keep_run",
        icon=":material/bookmark_add:",
        help=f"Settings, prediction, numbers and figure of a finished run; at most {notebook.MOST}",
        disabled=full,
        on_click=_keep,
        args=(lesson, name, result, figure, title),
        width="stretch",
    )
    st.page_link("notebook.py", label=f"Notebook ({len(notebook.entries())})")
    learner.mirror("share")
