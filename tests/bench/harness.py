"""What ``make bench`` measures with: a key press in a real Chromium to the repainted chart, and the compute behind it."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Page

N_TWEAKS = 15
N_BLOCKS = 3  # bare page and tab take turns


@dataclass(frozen=True)
class Tab:
    """A tab, the control that is tweaked with the arrow keys, and the chart that answers."""

    name: str
    path: str
    control: str  # CSS, the element that takes the arrow keys, or the choices that are clicked in turn
    chart: str  # widget key


def slider(key: str) -> str:
    return f".st-key-{key} input[type=range]"


BARE = Tab("bare page", "", slider("bare_n"), "bare_chart")
QUIET_MILLISECONDS = 400  # the page counts as repainted at its last change before such a silence
WATCH = """quiet => {
  window.painted = new Promise(resolve => {
    let start = null, last = null, timer = null;
    const begin = () => { start ??= performance.now(); };
    for (const event of ['keydown', 'pointerdown']) addEventListener(event, begin, {once: true, capture: true});
    const settle = () => { observer.disconnect(); resolve(last === null ? null : last - start); };
    const observer = new MutationObserver(() => {
      if (start === null) return;
      last = performance.now();
      clearTimeout(timer);
      timer = setTimeout(settle, quiet);
    });
    observer.observe(document.querySelector('[data-testid=stMain]'),
      {childList: true, subtree: true, attributes: true, characterData: true});
    setTimeout(settle, 5000);
  });
}"""


def tweak(page: Page, tab: Tab, turn: int) -> float | None:
    """Press an arrow key on the control, or click its next choice; return the milliseconds until the page stood still again."""
    control = page.locator(tab.control)
    if tab.control.endswith("[role=radio]"):
        page.evaluate(WATCH, QUIET_MILLISECONDS)
        control.nth(turn % control.count()).click()
    else:
        control.last.focus()
        page.evaluate(WATCH, QUIET_MILLISECONDS)
        page.keyboard.press("ArrowRight" if turn % 3 else "ArrowLeft")
    milliseconds: float | None = page.evaluate("window.painted")
    return milliseconds


def spread(values: list[float]) -> str:
    return f"median {statistics.median(values):6.0f}  ({min(values):.0f} … {max(values):.0f}, n = {len(values)})"


def latencies(page: Page, tabs: tuple[Tab, ...], address: str, bare: str) -> None:
    """Print each tab against the bare page, in turns."""
    for tab in tabs:
        times: dict[str, list[float]] = {BARE.name: [], tab.name: []}
        for _ in range(N_BLOCKS):
            for place, url in ((BARE, bare), (tab, f"{address}/{tab.path}")):
                page.goto(url)
                page.wait_for_selector(f".st-key-{place.chart} .main-svg", timeout=120_000)
                page.get_by_role("button", name="Cancel").wait_for(state="detached", timeout=120_000)
                page.wait_for_timeout(1500)
                tweak(page, place, 0)  # not counted: first paint after a load
                for i in range(N_TWEAKS // N_BLOCKS):
                    took = tweak(page, place, i + 1)
                    times[place.name] += [] if took is None else [took]
        ratio = statistics.median(times[tab.name]) / statistics.median(times[BARE.name])
        print(f"  {tab.name}: {ratio:.2f} × the bare page (goal ≤ 1.5)")
        for label, values in times.items():
            print(f"    {label:36}{spread(values)} ms")


def measure(name: str, run: Callable[[int], Any]) -> Any:
    """Print what ``run(i)`` takes for ``N_TWEAKS`` different settings, and return the last answer."""
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
