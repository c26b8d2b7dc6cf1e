"""The server itself is killed in the midst of a job: the next one on the same workspace finds what
was finished, and nothing of the first goes on.
"""

from __future__ import annotations

import asyncio
import re
import signal
from contextlib import suppress
from pathlib import Path

import psutil

from tests.bench.sessions import Visitor, run
from tests.browser.serve import launch

FINISHED = {"formats_tab": "Race", "race_n_rows": "1,000", "race_repeats": "1"}
SLOW = {"spark_tab": "Spark or pandas"}  # in child processes, one after the other
MEASURED = re.compile(r"Measured \d")
SECONDS = 240  # far more than it takes, on a machine that does nothing else


async def measured(address: str) -> str:
    """Return the line under the finished experiment, with the time at which it was measured."""
    async with Visitor(address, 1) as visitor:
        await visitor.open("formats", **FINISHED)
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
            with suppress(psutil.NoSuchProcess):
                if any("engine.spark.contest" in " ".join(each.cmdline()) for each in started):
                    opening.cancel()
                    return started
            await asyncio.sleep(0.25)
    raise TimeoutError("No child of the job.")


def test_a_server_that_is_killed_loses_nothing_finished_and_leaves_nothing_running(
    tmp_path: Path,
) -> None:
    with launch("app.py", tmp_path) as (address, first):
        before = run(measured(address))
        started = run(in_midst_of_a_job(address, psutil.Process(first.pid)))
        first.send_signal(signal.SIGKILL)
        first.wait(timeout=30)
    kept = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("server/kept/*.kept")}
    with launch("app.py", tmp_path) as (address, _):
        _, alive = psutil.wait_procs(started, timeout=60)
        assert [process.cmdline() for process in alive] == []
        assert not (tmp_path / "server" / "tmp" / str(first.pid)).exists()
        assert run(measured(address)) == before
        now = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("server/kept/*.kept")}
        assert kept.items() <= now.items(), "measured once, not again"
