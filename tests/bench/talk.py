"""``python -m tests.bench.talk [--killed] [name …]``: in a real Chromium, the time from PageDown to
the last change of the next scene's chart, over the shipped talks.

Each talk is presented twice in one window: in the first round the engines run and their results are
kept, the second is measured. With ``--killed`` there is no network from the start, and Spark's JVM
and Prefect's server are killed before each step that is measured.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path

import psutil
from playwright.sync_api import Page, TimeoutError, sync_playwright

from pages.talk.talk import Talk, shipped
from tests.browser.cut_off import cut_off
from tests.browser.serve import FLAGS, browser_path, launch

REST_MS = 600  # without a change of a chart: it is whole
MOST_MS = 120_000
FIRST_MS = 20_000  # for the jobs of a scene, in the first round
ENGINES = {"JVM": "org.apache.spark.deploy", "Prefect": "engine.orchestration.serve"}
WATCH = """() => {
  addEventListener('keydown', () => { window.pressed = window.changed = performance.now(); }, true);
  const inChart = ({ target }) => target.nodeType === 1 && target.closest('.chart');
  new MutationObserver((changes) => {
    if (changes.some(inChart)) window.changed = performance.now();
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
}"""
WHOLE = """([at, rest]) => document.querySelector('.talk-line')?.dataset.at === at
  && document.querySelector('[data-testid=stApp]').dataset.testScriptState !== 'running'
  && document.querySelector('.st-key-talk_question, .chart[data-drawn]')
  && performance.now() - window.changed > rest"""


def steps(talk: Talk) -> list[str]:
    """Return each place that PageDown comes to after the first, as ``scene.phase``."""
    places = [
        f"{number}.{phase}"
        for number, one in enumerate(talk.scenes, 1)
        for phase in range(2 if one.predict else 1)
    ]
    return places[1:]


def show(
    page: Page, address: str, name: str, wait: bool, before: Callable[[], object] = bool
) -> dict[str, float]:
    """Present a talk from its start; with ``wait`` stay at each place until its jobs are done, for
    ``FIRST_MS`` at most; do ``before`` before each step. Return the milliseconds to each of its
    places.
    """
    page.goto(f"{address}/stage?talk={name}")
    page.wait_for_selector(".chart[data-drawn], .st-key-talk_question", timeout=MOST_MS)
    found = {}
    for place in steps(shipped()[name]):
        before()
        page.keyboard.press("PageDown")
        page.wait_for_function(WHOLE, arg=[place, REST_MS], timeout=MOST_MS)
        found[place] = page.evaluate("window.changed - window.pressed")
        if wait:
            with suppress(TimeoutError):
                jobs = "() => !document.querySelector('[class*=_progress]')"
                page.wait_for_function(jobs, timeout=FIRST_MS)
    return found


def kill_engines(server: psutil.Process) -> list[str]:
    """Kill the server's JVM and its Prefect server, where they run; return which were there."""
    found = []
    for process in server.children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            command = " ".join(process.cmdline())
            for engine, mark in ENGINES.items():
                if mark in command:
                    process.kill()
                    found.append(engine)
    return found


def main(names: list[str], killed: bool) -> None:
    """Print each talk's times, then those of all."""
    every: list[float] = []
    kills: list[str] = []
    with ExitStack() as stack, tempfile.TemporaryDirectory() as folder:
        if killed and not stack.enter_context(cut_off()):
            raise SystemExit("--killed needs Linux, root and ip, to take the network away.")
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1920, "height": 1080})
        page.add_init_script(f"({WATCH})()")  # before the stage, which keeps its keys to itself
        launched = launch("app.py", Path(folder), traceback_expected=killed)
        with launched as (address, process):
            server = psutil.Process(process.pid)
            for name in names or [*shipped()]:
                show(page, address, name, wait=True)
                before = (lambda: kills.extend(kill_engines(server))) if killed else bool
                found = show(page, address, name, wait=False, before=before)
                found = {at: ms for at, ms in found.items() if ms}  # a question has no chart
                every += found.values()
                print(f"{name}: " + ", ".join(f"{at} {ms:,.0f}" for at, ms in found.items()))
        browser.close()
    p95 = sorted(every)[max(0, round(0.95 * len(every)) - 1)]
    print(
        f"all, ms: median {statistics.median(every):,.0f}, p95 {p95:,.0f},"
        f" max {max(every):,.0f}, n = {len(every)}"
    )
    if killed:
        print("killed: " + ", ".join(f"{one} {kills.count(one)}×" for one in ENGINES))


if __name__ == "__main__":
    given = sys.argv[1:]
    main([one for one in given if one != "--killed"], "--killed" in given)
