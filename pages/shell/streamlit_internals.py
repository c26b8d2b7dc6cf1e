"""The few private parts of Streamlit that the shell needs, all in one place.

Streamlit has no public way to ask which fragment a run is for, nor how the address writes a
widget's value, nor to change an option of the server from code, nor who a request's cookies say it
is. Two runs of one session that meet (an end and a begin) share a state, but no lock: a press can
be lost in between. ``requirements.in`` caps Streamlit's minor version for this file;
``tests/pages/test_streamlit_internals.py`` fails when one of these parts moves.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from typing import Any

from streamlit import config
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import ThreadState
from streamlit.runtime.state.query_params import _coerce_value_for_query_url
from streamlit.runtime.state.safe_session_state import SafeSessionState

# A session's state keeps nothing beside its fields, so its lock is one of these, by its address.
# Two sessions that get the same one wait for each other a moment.
_LOCKS = tuple(threading.RLock() for _ in range(256))
_ALIGNMENT = 16  # bytes between two objects, at least


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


def signed_in(cookies: Mapping[str, str]) -> dict[str, Any]:
    """Return what the provider said of who signed in; empty where no cookie of this server says it,
    or it is older than Streamlit keeps one.
    """
    from streamlit.web.server.starlette import starlette_server_config, starlette_websocket

    name = starlette_server_config.USER_COOKIE_NAME
    found = starlette_websocket._get_signed_cookie_with_chunks(dict(cookies), name)
    return dict(json.loads(found)) if found else {}


def share_locks() -> None:
    """Let the runs of one session change its state one after the other. Once, as the server starts.

    A press begins a new run beside the one that ends (``runner.fastReruns``). Streamlit locks the
    state for each run, not for the session: the end took the press for its own and forgot it
    before the new run had answered it, or failed as the state grew under it.
    """
    made: Callable[..., None] = SafeSessionState.__init__
    if made.__module__ == __name__:
        return

    def make(self: SafeSessionState, state: Any, yield_callback: Callable[[], None]) -> None:
        made(self, state, yield_callback)
        object.__setattr__(self, "_lock", _LOCKS[id(state) // _ALIGNMENT % len(_LOCKS)])

    SafeSessionState.__init__ = make  # type: ignore[method-assign]
