"""Nothing is left outside the workspace: a server whose home and temporary folder are empty leaves
them so.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Page, expect

from pages.shell import lessons
from tests.browser.serve import launch

LEFT = (
    "feast_metrics_",
    "artifacts-",
    "spark-",
    "liblz4-java-",
)  # by Feast, by Spark's JVM, and by its first shuffle
SECONDS = 150  # far more than it takes, on a machine that does nothing else


def inside(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def options_of(java: psutil.Process) -> list[str]:
    return [
        word
        for word in java.cmdline()
        if word.startswith(("-Djava.io.tmpdir=", "-XX:-UsePerfData"))
    ]


def test_a_server_leaves_nothing_outside_its_workspace(
    page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {name: tmp_path / name for name in ("home", "temporary", "work space")}
    for folder in folders.values():
        folder.mkdir()
    home, temporary, workspace = folders.values()
    for name in [
        name
        for name in os.environ
        if name.startswith(("XDG_", "PREFECT_", "PROMETHEUS_", "SPARK_"))
    ]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("TMPDIR", str(temporary))
    with launch("app.py", workspace) as (address, server):
        for lab in sorted(path.stem for path in lessons.FOLDER.glob("*.toml")):
            page.goto(f"{address}/{lab}")
            expect(page.locator(".main-svg").first).to_be_visible()
            if lab == "orchestration":
                expect(
                    page.get_by_text("Prefect's own server, on this machine.").first
                ).to_be_visible()
            if lab == "spark":  # its first tab runs on Spark; the server's own warm-up on Feast
                own = workspace / "server" / "tmp" / str(server.pid)
                deadline = time.monotonic() + SECONDS
                while not all(any(name.startswith(left) for name in inside(own)) for left in LEFT):
                    assert time.monotonic() < deadline, inside(own)
                    page.wait_for_timeout(200)
        javas = [
            child
            for child in psutil.Process(server.pid).children(recursive=True)
            if child.name() == "java"
        ]
        assert [options_of(java) for java in javas] == [
            [f"-Djava.io.tmpdir={own}", "-XX:-UsePerfData"]
        ]
        assert (inside(home), inside(temporary)) == ([], [])
        server.send_signal(signal.SIGINT)
        server.wait(timeout=30)
    assert (inside(home), inside(temporary), inside(workspace / "server" / "tmp")) == ([], [], [])
