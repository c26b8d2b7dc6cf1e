"""How a page test visits the playground: open a page with a link's settings, wait for its jobs, read its text."""

from __future__ import annotations

import time
from importlib import import_module

from streamlit.testing.v1 import AppTest

ROUTER = "pages/router.py"
# Imported before the page, as the warm-up does: Feast's import parses code (typeguard), AppTest parses the page at each
# poll, and CPython 3.11 cannot parse in two threads at once ("AST constructor recursion depth mismatch").
WARM = {"feature_store": "feast"}


def open_page(page: str, **query: str | list[str]) -> AppTest:
    app = AppTest.from_file(f"../../{ROUTER}", default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    if page in WARM:
        import_module(WARM[page])
    if page != "home":
        app.switch_page(f"{page}.py")
    return settle(app.run())


def settle(app: AppTest) -> AppTest:
    """Poll as the browser does until no job of this page is under way."""
    while [button for button in app.button if button.key.endswith("_cancel")]:
        time.sleep(0.05)
        app.run()
    return app


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)
