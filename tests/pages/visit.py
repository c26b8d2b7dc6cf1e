"""How a page test visits the playground: open a page with a link's settings, wait for its jobs, read its text."""

from __future__ import annotations

import time

from streamlit.testing.v1 import AppTest

ROUTER = "pages/router.py"


def open_page(page: str, **query: str | list[str]) -> AppTest:
    app = AppTest.from_file(f"../../{ROUTER}", default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
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
