"""A visitor's own file as a setting of an experiment: saved in the session's folder, its path kept
beside the widget. Below it, how a text file was read, and what can be changed about that.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import streamlit as st

from engine import data
from engine.errors import require
from engine.texts import inert
from engine.upload_reader.options import CHOICES, FOUND, Options, Report
from engine.workspace import session
from pages.shell import state, texts

LABELS = {
    "separator": ("Separator", "Between two cells of a line"),
    "decimal": ("Decimal mark", "1.5 or 1,5; the other one may mark thousands"),
    "header": ("First line", "Names of the columns, or values"),
    "encoding": ("Encoding", "Which bytes are which letters"),
}
COLUMNS = {
    "text": ("As text", "Columns kept letter by letter, with leading zeros and long numbers"),
    "number": ("As numbers", "What is no number there is read as missing"),
}

ROWS_SHOWN = 5  # of the list of columns; the rest scrolls


def path(name: str, *, help: str) -> str:
    """Draw the uploader of an experiment and return the path of the file it has, inside the
    workspace.

    Raises
    ------
    InputError
        There is no file yet, or it is empty, too large or of an unknown kind; a text file that
        cannot be read as it is chosen.
    """
    key, seen = f"{name}_upload_path", f"{name}_upload_seen"
    given = st.file_uploader(
        "Your CSV, JSON, Parquet or Avro file",
        type=list(data.ENDINGS),
        key=f"{name}_file",
        help=help,
    )
    fresh = given is not None and given.file_id != st.session_state.get(seen)
    if given is not None and (fresh or not Path(st.session_state[key]).is_file()):
        st.session_state[key] = ""
        _forget_choices(name)
        st.session_state[key] = str(
            data.save_upload(given.getvalue(), given.name, session(state.session_id()) / "uploads")
        )
        st.session_state[seen] = (
            given.file_id
        )  # each run of the page gives the file again: it is hashed and written once
    kept = st.session_state.get(key, "")
    require(
        bool(kept) and Path(kept).exists(),
        "No file yet: choose a CSV, JSON, Parquet or Avro file, or another table.",
    )
    return str(_as_chosen(name, Path(kept)))


def _as_chosen(name: str, kept: Path) -> Path:
    """Return the path of a file as it is to be read; of a text file, draw how it was read."""
    if not data.is_text(kept):
        return kept
    options = st.session_state.get(_options_key(name), Options())
    chosen = data.choose_options(kept, options)
    try:
        data.read_upload(chosen)
    finally:  # a file that is refused may be read another way
        report = data.how_read(chosen)
        if report is not None:
            _show(name, options, report)
    return chosen


def _options_key(name: str) -> str:
    return f"{name}_upload_options"


def _widget_key(name: str, field: str) -> str:
    return f"{name}_read_{field}"


def _forget_choices(name: str) -> None:
    """Another file is read as it is found."""
    st.session_state.pop(_options_key(name), None)
    for field in (*LABELS, *COLUMNS):
        st.session_state.pop(_widget_key(name, field), None)


def _changed(name: str, field: str) -> None:
    """Take one choice over, before the file is read."""
    value = st.session_state[_widget_key(name, field)]
    options = st.session_state.get(_options_key(name), Options())
    given = tuple(value) if field in COLUMNS else value
    st.session_state[_options_key(name)] = replace(options, **{field: given})


def _show(name: str, options: Options, report: Report) -> None:
    """Draw one line, which opens what was found and what can be chosen instead."""
    with st.popover(
        inert(report.line()),
        key=f"{name}_how_read",
        type="tertiary",
        width="stretch",
        wrap=True,
    ):
        for note in report.notes:
            texts.note(note)
        if report.columns:
            st.dataframe(
                [
                    {"column": column.name, "read as": column.kind, "note": column.note}
                    for column in report.columns
                ],
                hide_index=True,
                height=37 + 35 * min(len(report.columns), ROWS_SHOWN),
                key=_widget_key(name, "columns"),
                alt="Each column, what it was read as, and why",
            )
        fields = list(LABELS) if report.format == "CSV" else ["encoding"]
        places = st.columns(2)
        for number, field in enumerate(fields):
            with places[number % 2]:
                _choice(name, field, options)
        _column_choices(name, options, [column.name for column in report.columns])


def _choice(name: str, field: str, options: Options) -> None:
    label, help = LABELS[field]
    choices: Mapping[str, str] = CHOICES[field]
    values = [FOUND, *choices]
    # an encoding is its own name
    words = {} if field == "encoding" else choices
    st.selectbox(
        label,
        values,
        values.index(getattr(options, field)),
        key=_widget_key(name, field),
        help=help,
        format_func=lambda value: "as found" if value == FOUND else words.get(value, value),
        on_change=_changed,
        args=(name, field),
    )


def _column_choices(name: str, options: Options, names: list[str]) -> None:
    for (field, (label, help)), place in zip(COLUMNS.items(), st.columns(2), strict=True):
        chosen = list(getattr(options, field))
        place.multiselect(
            label,
            list(dict.fromkeys([*names, *chosen])),
            chosen,
            key=_widget_key(name, field),
            help=help,
            placeholder="as found",
            on_change=_changed,
            args=(name, field),
        )
