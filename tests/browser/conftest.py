"""A real server of this checkout on a free port and a real Chromium; both end with the tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.serve import FLAGS, browser_path, serve

expect.set_options(
    timeout=30_000
)  # a first page may meet a server that is still warming, on a machine that is busy


@pytest.fixture(
    scope="module"
)  # it ends with its tests: idle, it would take a quarter of a core from all others
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve("app.py", tmp_path_factory.mktemp("workspace")) as address:
        yield address


@pytest.fixture(
    scope="module"
)  # while it lives, Playwright's event loop counts as running: nobody else could start one
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 1000}, accept_downloads=True)
    page = context.new_page()
    page.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)  # a busy machine is slow, not wrong
    yield page
    context.close()
