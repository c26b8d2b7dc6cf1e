"""A visitor's own file as a setting of an experiment: saved in the session's folder, its path kept
beside the widget.
"""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from engine import data
from engine.errors import require
from engine.workspace import session
from pages.shell import state


def path(name: str, *, help: str) -> str:
    """Draw the uploader of an experiment and return the path of the file it has, inside the
    workspace.

    Raises
    ------
    InputError
        There is no file yet, or it is empty, too large or of an unknown kind.
    """
    key, seen = f"{name}_upload_path", f"{name}_upload_seen"
    given = st.file_uploader(
        "Your CSV, Parquet or Avro file", type=list(data.ENDINGS), key=f"{name}_file", help=help
    )
    fresh = given is not None and given.file_id != st.session_state.get(seen)
    if given is not None and (fresh or not Path(st.session_state[key]).is_file()):
        st.session_state[key] = ""
        st.session_state[key] = str(
            data.save_upload(given.getvalue(), given.name, session(state.session_id()) / "uploads")
        )
        st.session_state[seen] = (
            given.file_id
        )  # each run of the page gives the file again: it is hashed and written once
    kept = st.session_state.get(key, "")
    require(
        bool(kept) and Path(kept).exists(),
        "No file yet: choose a CSV, Parquet or Avro file, or another table.",
    )
    return str(kept)
