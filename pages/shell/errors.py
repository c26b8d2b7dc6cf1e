"""What a page shows for an exception that no experiment foresaw: one sentence, in the place of what
failed.
"""

from __future__ import annotations

import streamlit as st

from engine.errors import explain


def show_unforeseen(error: Exception) -> bool:
    """Show the sentence for ``error``; the app's handler for scripts, fragments and callbacks
    alike.

    Returns ``True``, which keeps Streamlit's own display away. What an experiment foresees it shows
    itself (``lab.errors_shown``).
    """
    st.error(explain(error), icon=":material/error:")
    return True
