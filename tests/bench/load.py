"""``make load [SESSIONS=25] [MINUTES=5] [OPENS=500]``: many visitors on one shared server.

Visitors without a browser (``tests.bench.sessions``) and two real browsers walk over pages, tabs,
controls, scenes, uploads and jobs. Printed: what must not happen (an exception on a page or in the
log, a secret of another visitor, no answer), seconds from a changed control to the end of its run,
and memory, file descriptors and threads of the server over time, also after further page opens.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.async_api import async_playwright

from engine.units import format_bytes
from tests.bench.harness import settle
from tests.bench.sessions import PAGES, SECRET, Visitor
from tests.browser.serve import FLAGS, browser_path, launch

HOSTED = {"PLAYGROUND_HOSTED": "1", "STREAMLIT_SERVER_ALLOWED_HOSTS": "127.0.0.1"}
THINK_SECONDS = (1.0, 4.0)  # between two actions of a visitor
SAMPLE_SECONDS = 5.0
BROWSERS = 2
AT_ONCE = 5  # of the further page opens


@dataclass(frozen=True, slots=True)
class Sample:
    """The server at one moment: resident bytes of its own process and of its children together."""

    seconds: float
    own_bytes: int
    children_bytes: int
    n_files: int
    n_threads: int


@dataclass(slots=True)
class Report:
    """What a run of many visitors found."""

    n_visitors: int
    problems: list[str] = field(default_factory=list)
    tweaks: list[float] = field(default_factory=list)  # seconds
    n_actions: int = 0
    n_bytes: int = 0  # received by all visitors
    samples: list[Sample] = field(default_factory=list)

    def tweak_line(self) -> str:
        """Return how long a tweak took."""
        tweaks = sorted(self.tweaks)
        p95 = tweaks[int(0.95 * (len(tweaks) - 1))] if tweaks else 0.0
        median = statistics.median(tweaks) if tweaks else 0.0
        return f"median {median:.2f} s, p95 {p95:.2f} s ({len(tweaks):,} tweaks)"

    def lines(self) -> list[str]:
        """Return the report as lines of Markdown."""
        return [
            f"{self.n_visitors} visitors and {BROWSERS} browsers: {self.n_actions:,} actions,"
            f" {format_bytes(self.n_bytes)} received, {len(self.problems)} problems",
            f"Tweak to the end of its run: {self.tweak_line()}",
            "| seconds | server | its children | files | threads |",
            "|---|---|---|---|---|",
            *(
                f"| {each.seconds:.0f} | {format_bytes(each.own_bytes)}"
                f" | {format_bytes(each.children_bytes)} | {each.n_files} | {each.n_threads} |"
                for each in self.samples
            ),
            *(f"PROBLEM {problem}" for problem in self.problems),
        ]


def sample(pid: int, start: float) -> Sample:
    """Return the state of the server ``pid`` now."""
    server = psutil.Process(pid)
    children = 0
    for child in server.children(recursive=True):
        try:
            children += child.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return Sample(
        time.monotonic() - start,
        server.memory_info().rss,
        children,
        server.num_fds(),
        server.num_threads(),
    )


async def walk(
    address: str,
    pid: int,
    n_visitors: int,
    seconds: float,
    n_actions: int = 0,
    think: tuple[float, float] = THINK_SECONDS,
) -> Report:
    """Let visitors walk over the server ``pid`` at ``address`` for ``seconds`` and ``n_actions``
    each, at least.
    """
    report, start = Report(n_visitors), time.monotonic()

    async def one(number: int) -> None:
        async with Visitor(address, number) as visitor:
            try:
                await visitor.walk(seconds, n_actions, think)
            finally:
                report.problems += visitor.problems
                report.tweaks += visitor.tweaks
                report.n_actions += visitor.n_actions
                report.n_bytes += visitor.n_bytes

    async def watch() -> None:
        while True:
            report.samples.append(await asyncio.to_thread(sample, pid, start))
            await asyncio.sleep(max(SAMPLE_SECONDS, seconds / 30))

    watching = asyncio.create_task(watch())
    outcomes = await asyncio.gather(*map(one, range(n_visitors)), return_exceptions=True)
    watching.cancel()
    report.samples.append(sample(pid, start))
    report.problems += [repr(each) for each in outcomes if isinstance(each, BaseException)]
    return report


async def browse(address: str, seconds: float) -> list[str]:
    """Open page after page in a real browser and return what must not be there."""
    problems: list[str] = []
    until = time.monotonic() + seconds
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        page.on("pageerror", lambda error: problems.append(f"browser: {error}"))
        number = 0
        while time.monotonic() < until:
            number += 1
            await page.goto(f"{address}/{PAGES[number % len(PAGES)]}")
            await page.wait_for_selector("[data-test-script-state=notRunning]", timeout=120_000)
            await page.wait_for_timeout(1_000 * random.uniform(*THINK_SECONDS))
            if await page.get_by_test_id("stException").count():
                problems.append(f"browser: an exception on {page.url}")
            if SECRET.search((await page.content()).encode()):
                problems.append(f"browser: a visitor's secret on {page.url}")
        await browser.close()
    return problems


async def open_many(address: str, n_opens: int) -> list[str]:
    """Open ``n_opens`` pages, each in a session of its own that ends at once."""
    problems: list[str] = []
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with gate, Visitor(address, 5_000 + number) as visitor:
            await visitor.open(PAGES[number % len(PAGES)])
            problems.extend(visitor.problems)

    await asyncio.gather(*map(one, range(n_opens)))
    return problems


async def measure(address: str, pid: int, n_visitors: int, seconds: float, opens: int) -> Report:
    """Run visitors and browsers beside each other, then the further page opens."""
    browsing = [asyncio.create_task(browse(address, seconds)) for _ in range(BROWSERS)]
    report = await walk(address, pid, n_visitors, seconds)
    for found in await asyncio.gather(*browsing, return_exceptions=True):
        report.problems += [repr(found)] if isinstance(found, BaseException) else found
    start = time.monotonic() - report.samples[-1].seconds
    report.problems += await open_many(address, opens)
    report.samples.append(sample(pid, start))
    return report


def run(sessions: int, minutes: float, opens: int) -> Report:
    """Start a shared server and return what visitors found on it; a traceback in its log is a
    problem, too.
    """
    report, before = Report(sessions), dict(os.environ)
    os.environ.update(HOSTED, PLAYGROUND_WARM_UP="on")
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            launch("app.py", Path(folder)) as (address, server),
        ):
            settle(server.pid)  # a class comes to a server that is warm
            report = asyncio.run(measure(address, server.pid, sessions, 60 * minutes, opens))
    except AssertionError as error:
        report.problems.append(f"in the server's log: {error}")
    os.environ.clear()
    os.environ.update(before)
    return report


def main(printed: Callable[[Report], str] = lambda report: "\n".join(report.lines())) -> int:
    """Measure, print the report, and return 1 if something must not have happened."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=25)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--opens", type=int, default=500)
    given = parser.parse_args()
    report = run(given.sessions, given.minutes, given.opens)
    print(printed(report))
    return bool(report.problems)


if __name__ == "__main__":
    sys.exit(main())
