"""The server is killed in the midst of a job, with a tab open, or loses its workspace: what was
finished is found again, the open tab goes on, and nothing is left running or outside.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import psutil
import pytest
from playwright.sync_api import Page, expect

from tests.bench.harness import settle
from tests.bench.sessions import Visitor, run
from tests.browser.serve import launch

FINISHED = {"formats_tab": "Race", "race_n_rows": "1,000", "race_repeats": "1"}
SLOW = {"spark_tab": "Spark or pandas"}  # in child processes, one after the other
MEASURED = re.compile(r"Measured \d")
SECONDS = 240  # far more than it takes, on a machine that does nothing else


async def measured(address: str, seed: str = "0") -> str:
    """Return the line under the finished experiment, with the time at which it was measured."""
    async with Visitor(address, 1) as visitor:
        await visitor.open("formats", **FINISHED, race_seed=seed)
        for _ in range(SECONDS * 10):
            for text in visitor.texts:
                if MEASURED.match(text):
                    assert visitor.problems == []
                    return text
            await asyncio.sleep(0.1)
    raise TimeoutError(f"No result: {visitor.texts}")


async def in_midst_of_a_job(address: str, server: psutil.Process) -> list[psutil.Process]:
    """Start a slow job and return all that the server has started, its child among them."""
    async with Visitor(address, 2) as visitor:
        opening = asyncio.create_task(visitor.open("spark", **SLOW))
        for _ in range(SECONDS * 4):
            started = server.children(recursive=True)
            if at_work(started):
                opening.cancel()
                return started
            await asyncio.sleep(0.25)
    raise TimeoutError("No child of the job.")


def at_work(processes: list[psutil.Process]) -> bool:
    """Whether a child of the slow job is among them."""
    with suppress(psutil.NoSuchProcess):
        return any("engine.spark.contest" in " ".join(each.cmdline()) for each in processes)
    return True


def wait_for_the_end(server: psutil.Process) -> None:
    """Wait until the slow job has had no child for five seconds: it has several in turn."""
    quiet_since = began = time.monotonic()
    while time.monotonic() - quiet_since < 5:
        assert time.monotonic() - began < SECONDS
        if at_work(server.children(recursive=True)):
            quiet_since = time.monotonic()
        time.sleep(0.25)


@pytest.fixture(autouse=True)
def outside(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """The places where a server could leave files outside of its workspace."""
    folder = tmp_path_factory.mktemp("outside")
    for name in ("HOME", "TMPDIR"):
        (folder / name).mkdir()
        monkeypatch.setenv(name, str(folder / name))
    yield
    assert [str(path) for path in folder.rglob("*") if path.is_file()] == []


def test_a_server_that_is_killed_loses_nothing_finished_and_leaves_nothing_running(
    tmp_path: Path, page: Page
) -> None:
    with launch("app.py", tmp_path) as (address, first):
        before = run(measured(address))
        page.goto(f"{address}/formats?{urlencode(FINISHED)}")
        expect(page.get_by_text(before, exact=True)).to_be_visible(timeout=60_000)
        started = run(in_midst_of_a_job(address, psutil.Process(first.pid)))
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("server/kept/*.kept")}
    with launch("app.py", tmp_path, port=urlsplit(address).port or 0) as (address, _):
        _, alive = psutil.wait_procs(started, timeout=60)
        assert [process.cmdline() for process in alive] == []
        assert not (tmp_path / "server" / "tmp" / str(first.pid)).exists()
        assert run(measured(address)) == before
        now = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("server/kept/*.kept")}
        assert kept.items() <= now.items(), "measured once, not again"
        # the tab that was open all the time goes on by itself
        expect(page.get_by_text(before, exact=True)).to_be_visible(timeout=120_000)
        page.get_by_role("tab", name="Bytes read", exact=True).click()
        expect(page.locator(".st-key-bytes_read_reset")).to_be_visible(timeout=120_000)
        assert page.get_by_test_id("stException").count() == 0


async def upload(address: str) -> list[str]:
    """Upload a file to the tab Bytes read and return what must not be there."""
    async with Visitor(address, 3) as visitor:
        await visitor.open("formats", formats_tab="Bytes read", bytes_read_table="upload")
        (place,) = [each for each in visitor.widgets.items() if each[1].kind == "file_uploader"]
        await visitor._upload(*place)
        return visitor.problems


def test_a_tab_that_is_closed_and_a_workspace_that_is_deleted_harm_nobody(tmp_path: Path) -> None:
    with launch("app.py", tmp_path) as (address, server):
        before = run(measured(address))
        run(in_midst_of_a_job(address, psutil.Process(server.pid)))
        wait_for_the_end(psutil.Process(server.pid))  # the visitor is gone: after a grace period
        settle(server.pid)
        for path in tmp_path.iterdir():
            if path.name != "server.log":
                shutil.rmtree(path, ignore_errors=True)  # the server goes on writing
        assert run(measured(address)) == before, "what this server has measured it still has"
        assert run(measured(address, seed="5")) and list(tmp_path.glob("server/kept/*.kept"))
        assert run(upload(address)) == [] and list(tmp_path.glob("sessions/*/uploads/*.arrow"))
