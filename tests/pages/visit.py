"""How a page test visits the playground: open a page with a link's settings, wait for its jobs,
read its text.
"""

from __future__ import annotations

import json
import re
import time
from functools import lru_cache
from importlib import import_module
from typing import Any

from streamlit.testing.v1 import AppTest

from engine import jobs
from engine.jobs import JOBS
from pages.shell.work import POLL_SECONDS
from tests.pages import url_keys

ROUTER = "pages/router.py"
TEXTS = (
    *("markdown", "title", "header", "subheader", "caption", "text", "latex"),
    *("error", "warning", "info", "success"),
)
# a server forgets sooner; here each tab is visited again after those of every other lab
jobs.KEPT_JOBS = 1_000
_components: dict[str, Any] = {}
# Imported before the page, as the warm-up does: Feast's import parses code (typeguard), AppTest
# parses the page at each
# poll, and CPython 3.11 cannot parse in two threads at once ("AST constructor recursion depth
# mismatch").
# pandera imports hypothesis, whose code pytest parses.
WARM = {
    # the last one by the duckdb store's first read
    "feature_store": ("feast", "feast.infra.data_sources.mlflow.mlflow_dataset_source"),
    "pipeline": ("feast", "pandera.backends.pandas.builtin_checks"),
}


def open_page(page: str, **query: str | list[str]) -> AppTest:
    return settle(drawn_once(page, **query))


def drawn_once(page: str, **query: str | list[str]) -> AppTest:
    """Open a page and do not wait for its jobs."""
    app = AppTest.from_file(f"../../{ROUTER}", default_timeout=120)
    # As on a real server, all sessions share one registry of components. Each AppTest would make
    # its own, which reads the
    # metadata of every installed package: nine tenths of what a visit took.
    app._bidi_component_manager = _components.get("registry")
    for key, value in query.items():
        app.query_params[key] = value
    for name in WARM.get(page, ()):
        import_module(name)
    if page != "home":
        app.switch_page(f"{page}.py")
    app.run()
    _components["registry"] = app._bidi_component_manager
    return app


@lru_cache(maxsize=1)
def visitor(page: str) -> AppTest:
    """Return the one session in which what a lab has many of (scenes, challenges) is visited in
    turn.
    """
    return open_page(page)


def share(app: AppTest) -> AppTest:
    """Open the popover with the link and the files of what is on screen."""
    app.session_state["share"] = True
    return settle(app.run())


def problems(app: AppTest) -> list[str]:
    """Return the exceptions and errors that the page shows."""
    return [element.value for element in (*app.exception, *app.error)]


def settle(app: AppTest) -> AppTest:
    """Poll as the browser does, or as soon as a job ends, until no job of this page is under
    way.
    """
    while names := [
        button.key.removesuffix("_cancel")
        for button in app.button
        if button.key.endswith("_cancel")
    ]:
        key = f"{names[0]}_job"
        job = JOBS.find(app.session_state[key]) if key in app.session_state else None
        if job is None:
            time.sleep(0.05)
        else:
            job.ended.wait(POLL_SECONDS)
        app.run()
    url_keys.check(app)
    return app


def texts(app: AppTest) -> str:
    """Return all text that is read on the page: Markdown, then titles of charts."""
    written = [element.value for kind in TEXTS for element in app.get(kind)]
    return "\n".join([*written, *(chart["title"] for chart in charts(app))])


def without_terms(text: str) -> str:
    """Return a text without the links to definitions of its terms."""
    return re.sub(r'\[([^\]]*)\]\(#term-\S+ "[^"]*"\)', r"\1", text)


def charts(app: AppTest) -> list[dict[str, Any]]:
    """Return the figure of each chart as the browser gets it (``data``, ``layout``), with its
    ``key``, ``title`` and ``alt``.
    """
    drawn = [
        json.loads(element.proto.json)
        for element in app.get("bidi_component")
        if element.proto.component_name == "chart"
    ]
    return [
        {**json.loads(one["figure"]), **{part: one[part] for part in ("title", "alt", "first")}}
        | {"key": one["name"]}
        for one in drawn
    ]
