"""The playground without a warm-up: its routes and its guard, and no engine that a talk's room does
not need. Run in place of ``app.py`` by the tests of the room alone.
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engine.jobs import JOBS  # noqa: E402
from pages.shell.errors import show_unforeseen  # noqa: E402
from pages.startup import ROUTES, middleware  # noqa: E402


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    """End the jobs with the server."""
    yield
    JOBS.stop()


app = st.App(
    ROOT / "pages" / "router.py",
    lifespan=lifespan,
    routes=ROUTES,
    middleware=middleware(),
    on_script_error=show_unforeseen,
)
