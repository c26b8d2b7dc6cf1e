"""The few private parts of Streamlit that the shell needs, all in one place.

Streamlit has no public way to ask which fragment a run is for, nor how the address writes a
widget's value, nor to change an option of the server from code. ``requirements.in`` caps
Streamlit's minor version for this file; ``tests/pages/test_streamlit_internals.py`` fails when one
of these parts moves.
"""

from __future__ import annotations

from typing import Any

from streamlit import config
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState
from streamlit.runtime.state.query_params import _coerce_value_for_query_url


def runs_for_this_fragment() -> bool:
    """Whether this run was asked for by the fragment that the caller stands in, or is of the whole
    page.
    """
    context = get_script_run_ctx()
    ran = context.fragment_ids_this_run if context else None
    return not ran or ThreadState.get().fragment_id in ran


def texts_in_address(key: str, value: Any) -> list[str]:
    """Return how the address writes a value of the widget ``key``, drawn in this run.

    A formatted option is written by its label, a list item by item; what is no bound widget gives
    none. Streamlit keeps the labels with the widget's serializer.
    """
    context = get_script_run_ctx()
    if context is None:
        return []
    session = context.session_state._state
    binding = session.query_params.get_binding_for_param(key)
    if binding is None:
        return []
    metadata = session._new_widget_state.widget_metadata[binding.widget_id]
    texts = _coerce_value_for_query_url(metadata.serializer(value), metadata.value_type)
    return texts if isinstance(texts, list) else [texts]


def limit_uploads(most_mb: int) -> None:
    """Make ``server.maxUploadSize`` at most ``most_mb``: for the uploader and for what is sent past
    it.
    """
    now = config.get_option("server.maxUploadSize")
    config.set_option("server.maxUploadSize", min(now, most_mb), "a shared server")
