"""What ``make bench`` measures with: a key press in a real Chromium to the repainted chart, and the
compute behind it.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psutil
from playwright.sync_api import Page

QUICK = bool(os.environ.get("QUICK"))  # one tab a lab
N_TWEAKS = 15
N_BLOCKS = 3  # bare page and tab take turns, each in a window that stays open
MEDIAN_GOAL, P95_GOAL = 1.2, 1.5  # of the chart's answer, in bare pages of the same run
STILL_GOAL = 1.5  # of the whole page, at the median
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
# What the browser sends and gets: the time of the first message out after the press, of the first
# and the last one in.
WIRE = """() => {
  window.wire = {};
  const note = (name) => { window.wire[name] = performance.now(); };
  const Plain = window.WebSocket;
  window.WebSocket = class extends Plain {
    constructor(...all) {
      super(...all);
      this.addEventListener('message', () => {
        if (window.wire.sent) { if (!window.wire.first) note('first'); note('last'); }
      });
    }
    send(data) { if (window.wire.pressed && !window.wire.sent) note('sent'); super.send(data); }
  };
}"""
WATCH = """([chart, answer, quiet]) => {
  window.wire = {};
  window.painted = new Promise(resolve => {
    let start = null, chartFirst = null, chartChanged = null, answered = null, last = null;
    let timer = null, chartTimer = null;
    const begin = () => { start ??= performance.now(); window.wire.pressed = start; };
    for (const event of ['keydown', 'pointerdown']) {
      addEventListener(event, begin, {once: true, capture: true});
    }
    const settle = () => {
      observer.disconnect();
      // a view that leaves the chart alone has answered once the page stands still
      answered ??= chartChanged ?? last;
      if (last === null) return resolve(null);
      const {sent = start, first = start, last: received = start} = window.wire;
      resolve([answered, last, chartFirst ?? last, first, received].map(t => t - start));
    };
    const observer = new MutationObserver(changes => {
      if (start === null) return;
      last = performance.now();
      clearTimeout(timer);
      timer = setTimeout(settle, quiet);
      const inChart = ({target}) =>
        target.closest?.('.js-plotly-plot') && target.closest(`.st-key-${chart}`);
      if (answered === null && changes.some(inChart)) {
        chartFirst ??= last;
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


@dataclass(frozen=True)
class Answer:
    """What one tweak took, in milliseconds from the press."""

    answered: float  # the first chart's last change
    still: float  # the page's last change
    first_frame: float  # the first chart's first change
    first_message: float  # the server's first message
    last_message: float  # the server's last message


def tweak(page: Page, tab: Tab, turn: int) -> Answer | None:
    """Press an arrow key on the control, or click its next choice; ``None`` if nothing changed."""
    control = page.locator(tab.control)
    asked = [tab.chart, ANSWER_MILLISECONDS, QUIET_MILLISECONDS]
    if tab.control.endswith("[role=radio]"):
        page.evaluate(WATCH, asked)
        control.nth(turn % control.count()).click()
    else:
        control.last.focus()
        page.evaluate(WATCH, asked)
        page.keyboard.press("ArrowRight" if turn % 3 else "ArrowLeft")
    milliseconds = page.evaluate("window.painted")
    return None if milliseconds is None else Answer(*milliseconds)


def p95(values: list[float]) -> float:
    """Return the 95th percentile (nearest rank) of a list of figures."""
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


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


def _open(page: Page, place: Tab, url: str) -> None:
    page.bring_to_front()
    page.goto(url)
    page.wait_for_selector(f".st-key-{place.chart} .main-svg", timeout=120_000)
    page.get_by_role("button", name="Cancel").wait_for(state="detached", timeout=120_000)
    page.wait_for_timeout(1500)
    tweak(page, place, 0)  # not counted: first paint after a load


def latencies(windows: tuple[Page, Page], tabs: tuple[Tab, ...], address: str, bare: str) -> None:
    """Print each tab against the bare page, in turns; the first window has the bare page."""
    bare_window, window = windows
    _open(bare_window, BARE, bare)
    for tab in tabs[: 1 if QUICK else None]:
        _open(window, tab, f"{address}/{tab.path}")
        times: dict[str, list[Answer]] = {BARE.name: [], tab.name: []}
        for block in range(N_BLOCKS):
            for place, page in ((BARE, bare_window), (tab, window)):
                page.bring_to_front()
                for i in range(N_TWEAKS // N_BLOCKS):
                    took = tweak(page, place, block * N_BLOCKS + i + 1)
                    times[place.name] += [] if took is None else [took]
        if not times[tab.name]:
            print(f"  {tab.name}: MISSED, nothing changed on the page", flush=True)
            continue
        _print(tab.name, times)


def _print(name: str, times: dict[str, list[Answer]]) -> None:
    """Print the ratios of a tab, and where its time goes."""

    def values(place: str, what: str) -> list[float]:
        return [getattr(one, what) for one in times[place]]

    base = statistics.median(values(BARE.name, "answered"))
    median = statistics.median(values(name, "answered")) / base
    high = p95(values(name, "answered")) / p95(values(BARE.name, "answered"))
    still = statistics.median(values(name, "still")) / statistics.median(values(BARE.name, "still"))
    missed = median > MEDIAN_GOAL or high > P95_GOAL or still > STILL_GOAL
    print(
        f"  {name}: chart answers {median:.2f} × the bare page (goal ≤ {MEDIAN_GOAL}),"
        f" p95 {high:.2f} × (≤ {P95_GOAL}), page still {still:.2f} × (≤ {STILL_GOAL})"
        f"{'  MISSED' if missed else ''}",
        flush=True,
    )
    for place in times:
        print(f"    {place:36}{spread(values(place, 'answered'))} ms")
    parts = {part: statistics.median(values(name, part)) for part in Answer.__annotations__}
    print(
        f"    server's first message {parts['first_message']:.0f} ms, last"
        f" {parts['last_message']:.0f} ms; chart's first frame {parts['first_frame']:.0f} ms, last"
        f" {parts['answered']:.0f} ms; after the last message the browser takes"
        f" {max(0.0, parts['still'] - parts['last_message']):.0f} ms",
        flush=True,
    )


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
