"""A real server of this checkout on a free port and a real Chromium; both end with the tests."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.browser.cut_off import cut_off
from tests.browser.serve import FLAGS, browser_path, launch

expect.set_options(
    timeout=30_000
)  # a first page may meet a server that is still warming, on a machine that is busy


def take_kept_results(kept: Path) -> None:
    """Link into a server's folder what page tests have measured by now, in this part of make test
    or in another. Kept files are replaced, never written again.
    """
    for path in (path for part in parts() for path in part.glob("server/kept/*.kept")):
        with suppress(FileExistsError, FileNotFoundError):
            (kept / path.name).hardlink_to(path)
    take_pipeline_runs(kept.parent)


def parts() -> list[Path]:
    """Return the workspaces of this part of make test and of the others."""
    own = Path(os.environ["PLAYGROUND_WORKSPACE"])
    return list(own.parent.iterdir()) if "TEST_WORKSPACES" in os.environ else [own]


def take_pipeline_runs(server: Path) -> None:
    """Link into a server's folder the runs of the pipeline that tests have made by now, with what
    their stages made, which never changes.
    """
    target = server / "pipeline"
    for folder in (part / "server" / "pipeline" for part in parts()):
        for path in folder.glob("artifacts/*"):
            place = target / "artifacts" / path.name
            if path.suffix != ".part" and not place.exists():
                with suppress(FileExistsError, FileNotFoundError, shutil.Error):
                    linked = place.with_name(f"{path.name}.linked")
                    shutil.copytree(path, linked, copy_function=os.link)
                    linked.rename(place)
        (target / "runs").mkdir(parents=True, exist_ok=True)
        for path in folder.glob("runs/*.json"):
            with suppress(FileExistsError, FileNotFoundError):
                (target / "runs" / path.name).hardlink_to(path)


@pytest.fixture(scope="package", autouse=True)
def without_network() -> Iterator[bool]:
    """Whether all that these tests start, servers and browser, has no way out of this machine."""
    with cut_off() as done:
        yield done


@pytest.fixture(scope="package")  # one for all that use it: to warm one up takes half a minute
def started_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path, int]]:
    workspace = tmp_path_factory.mktemp("workspace")
    kept = workspace / "server" / "kept"
    kept.mkdir(mode=0o700, parents=True)
    with launch("app.py", workspace) as (address, process):
        yield address, kept, process.pid


@pytest.fixture
def server(started_server: tuple[str, Path, int]) -> str:
    """Return the address of the one server, which finds what was measured before as an earlier
    server's.
    """
    address, kept, _ = started_server
    take_kept_results(kept)
    return address


@pytest.fixture
def server_process(started_server: tuple[str, Path, int]) -> psutil.Process:
    """The process of the one server."""
    return psutil.Process(started_server[2])


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
