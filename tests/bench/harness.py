"""What ``make bench`` measures with: a key press in a real Chromium to the repainted chart, and the
compute behind it.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
from playwright.sync_api import Page

N_TWEAKS = 15
N_BLOCKS = 3  # bare page and tab take turns
SETTLE_SECONDS = 300.0


@dataclass(frozen=True)
class Tab:
    """A tab, the control that is tweaked with the arrow keys, and the chart that answers."""

    name: str
    path: str
    control: (
        str  # CSS, the element that takes the arrow keys, or the choices that are clicked in turn
    )
    chart: str  # widget key


def slider(key: str) -> str:
    return f".st-key-{key} input[type=range]"


BARE = Tab("bare page", "", slider("bare_n"), "bare_chart")
# the chart has answered at its last change before its first silence of this length
ANSWER_MILLISECONDS = 120
# the page stands still at its last change before such a silence: what a job confirms comes before
# it
QUIET_MILLISECONDS = 400
WATCH = """([chart, answer, quiet]) => {
  window.painted = new Promise(resolve => {
    let start = null, chartChanged = null, answered = null, last = null;
    let timer = null, chartTimer = null;
    const begin = () => { start ??= performance.now(); };
    for (const event of ['keydown', 'pointerdown']) {
      addEventListener(event, begin, {once: true, capture: true});
    }
    const settle = () => {
      observer.disconnect();
      // a view that leaves the chart alone has answered once the page stands still
      answered ??= chartChanged ?? last;
      resolve(last === null ? null : [answered - start, last - start]);
    };
    const observer = new MutationObserver(changes => {
      if (start === null) return;
      last = performance.now();
      clearTimeout(timer);
      timer = setTimeout(settle, quiet);
      const inChart = ({target}) =>
        target.closest?.('.js-plotly-plot') && target.closest(`.st-key-${chart}`);
      if (answered === null && changes.some(inChart)) {
        chartChanged = last;
        clearTimeout(chartTimer);
        chartTimer = setTimeout(() => { answered ??= chartChanged; }, answer);
      }
    });
    observer.observe(document.querySelector('[data-testid=stMain]'),
      {childList: true, subtree: true, attributes: true, characterData: true});
    setTimeout(settle, 5000);
  });
}"""


def tweak(page: Page, tab: Tab, turn: int) -> tuple[float, float] | None:
    """Press an arrow key on the control, or click its next choice.

    Returns the milliseconds until the chart had answered, and until the whole page stood still;
    None if nothing changed.
    """
    control = page.locator(tab.control)
    asked = [tab.chart, ANSWER_MILLISECONDS, QUIET_MILLISECONDS]
    if tab.control.endswith("[role=radio]"):
        page.evaluate(WATCH, asked)
        control.nth(turn % control.count()).click()
    else:
        control.last.focus()
        page.evaluate(WATCH, asked)
        page.keyboard.press("ArrowRight" if turn % 3 else "ArrowLeft")
    milliseconds: tuple[float, float] | None = page.evaluate("window.painted")
    return milliseconds


def spread(values: list[float]) -> str:
    return (
        f"median {statistics.median(values):6.0f}  ({min(values):.0f} … {max(values):.0f}, n ="
        f" {len(values)})"
    )


def settle(pid: int) -> None:
    """Wait until the server and its children, which warm up, take less than an eighth of a core for
    three seconds.
    """

    def seconds() -> float:
        parent = psutil.Process(pid)
        taken = 0.0
        for process in (parent, *parent.children(recursive=True)):
            try:
                taken += sum(process.cpu_times()[:2])
            except psutil.Error:  # it has just ended
                continue
        return taken

    began = time.monotonic()
    while time.monotonic() - began < SETTLE_SECONDS:
        before = seconds()
        time.sleep(3)
        if seconds() - before < 3 / 8:
            return


def latencies(page: Page, tabs: tuple[Tab, ...], address: str, bare: str) -> None:
    """Print each tab against the bare page, in turns."""
    for tab in tabs:
        times: dict[str, list[tuple[float, float]]] = {BARE.name: [], tab.name: []}
        for _ in range(N_BLOCKS):
            for place, url in ((BARE, bare), (tab, f"{address}/{tab.path}")):
                page.goto(url)
                page.wait_for_selector(f".st-key-{place.chart} .main-svg", timeout=120_000)
                page.get_by_role("button", name="Cancel").wait_for(
                    state="detached", timeout=120_000
                )
                page.wait_for_timeout(1500)
                tweak(page, place, 0)  # not counted: first paint after a load
                for i in range(N_TWEAKS // N_BLOCKS):
                    took = tweak(page, place, i + 1)
                    times[place.name] += [] if took is None else [took]
        answered, still = (
            {name: [pair[i] for pair in pairs] for name, pairs in times.items()} for i in (0, 1)
        )
        if not answered[tab.name]:
            print(f"  {tab.name}: MISSED, nothing changed on the page")
            continue
        for what, found in (("chart answers", answered), ("page stands still", still)):
            ratio = statistics.median(found[tab.name]) / statistics.median(found[BARE.name])
            print(f"  {tab.name}, {what}: {ratio:.2f} × the bare page (goal ≤ 1.5)")
            for label, values in found.items():
                print(f"    {label:36}{spread(values)} ms")


def measure(name: str, run: Callable[[int], Any]) -> Any:
    """Print what ``run(i)`` takes for ``N_TWEAKS`` different settings, and return the last
    answer.
    """
    run(0)
    seconds = []
    for i in range(N_TWEAKS):
        start = time.perf_counter()
        answer = run(i)
        seconds.append(time.perf_counter() - start)
    print(f"  {name:36}{spread([s * 1000 for s in seconds])} ms (goal ≤ 50)")
    return answer


def payloads(figures: dict[str, Any]) -> None:
    """Print the bytes of each figure."""
    for name, figure in figures.items():
        print(f"  {name:36}{len(figure.to_json()):8,} bytes (goal ≤ 300,000)")
