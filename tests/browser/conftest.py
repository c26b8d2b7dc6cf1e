"""A real server of this checkout on a free port and a real Chromium; both end with the tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from engine import kept
from tests.browser.serve import FLAGS, browser_path, serve

expect.set_options(
    timeout=30_000
)  # a first page may meet a server that is still warming, on a machine that is busy


def with_kept_results(workspace: Path) -> Path:
    """Give a server's new workspace what this process's page tests have measured.

    A link costs nothing, and a file is replaced, never written again.
    """
    shutil.copytree(kept.folder(), workspace / "server" / "kept", copy_function=os.link)
    return workspace


@pytest.fixture(scope="package")  # one for all that use it: to warm one up takes half a minute
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    workspace = with_kept_results(tmp_path_factory.mktemp("workspace"))
    with serve("app.py", workspace) as address:
        yield address


@pytest.fixture(
    scope="package"
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
