"""``make bench``: what a tweak costs in a real Chromium, as milliseconds and as a ratio to a bare page in the same run.

Printed: cold start of the server to Home's first chart; slider key press to repainted chart for the bare page and for each
lab tab, interleaved, median of ``N_TWEAKS`` with the range; server compute a tweak; figure payload bytes.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from engine.formats import bytes_read
from engine.formats.figures import bytes_read as figures
from tests.browser.serve import FLAGS, browser_path, serve

N_TWEAKS = 15
TABS = {"formats · Bytes read": ("/formats", "bytes_read_window", "bytes_read_strip")}  # name -> path, slider, chart
QUIET_MILLISECONDS = 400  # the page counts as repainted at its last change before such a silence
WATCH = """quiet => {
  window.painted = new Promise(resolve => {
    let start = null, last = null, timer = null;
    addEventListener('keydown', () => { start = performance.now(); }, {once: true, capture: true});
    const settle = () => { observer.disconnect(); resolve(last === null ? null : last - start); };
    const observer = new MutationObserver(() => {
      if (start === null) return;
      last = performance.now();
      clearTimeout(timer);
      timer = setTimeout(settle, quiet);
    });
    observer.observe(document.querySelector('[data-testid=stMain]'),
      {childList: true, subtree: true, attributes: true, characterData: true});
    setTimeout(settle, 10000);
  });
}"""


def tweak(page: Page, slider: str, key: str) -> float:
    """Press ``key`` on the slider and return the milliseconds until the page stood still again."""
    page.locator(f".st-key-{slider} input[type=range]").last.focus()
    page.evaluate(WATCH, QUIET_MILLISECONDS)
    page.keyboard.press(key)
    milliseconds: float = page.evaluate("window.painted")
    return milliseconds


def spread(values: list[float]) -> str:
    return f"median {statistics.median(values):6.0f}  ({min(values):.0f} … {max(values):.0f}, n = {len(values)})"


def latencies(page: Page, address: str, bare: str) -> None:
    for name, (path, slider, chart) in TABS.items():
        times: dict[str, list[float]] = {"bare page": [], name: []}
        for block in range(3):
            for label, url, key, plot in (("bare page", bare, "bare_n", "bare_chart"), (name, address + path, slider, chart)):
                page.goto(url)
                page.wait_for_selector(f".st-key-{plot} .main-svg")
                page.wait_for_timeout(1500)
                tweak(page, key, "ArrowRight")  # not counted: first paint after a load
                for i in range(N_TWEAKS // 3):
                    times[label].append(tweak(page, key, "ArrowRight" if (i + block) % 5 else "ArrowLeft"))
        for label, values in times.items():
            print(f"  {label:24}{spread(values)} ms")
        ratio = statistics.median(times[name]) / statistics.median(times["bare page"])
        print(f"  {name:24}{ratio:.2f} × the bare page (goal ≤ 1.5)")


def compute() -> None:
    base = bytes_read.BytesReadParams()
    bytes_read.run(base)
    seconds = []
    for i in range(N_TWEAKS):
        start = time.perf_counter()
        result = bytes_read.run(replace(base, window=(0.1 + i / 50, 0.2 + i / 50)))
        seconds.append(time.perf_counter() - start)
    print(f"  bytes read, range drag  {spread([s * 1000 for s in seconds])} ms (goal ≤ 50)")
    for draw in (figures.strip, figures.statistics, figures.layout):
        print(f"  {draw.__name__:24}{len(draw(result).to_json()):,} bytes (goal ≤ 300,000)")


def main() -> None:
    print("Server compute and payload")
    compute()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        start = time.perf_counter()
        with serve("app.py", Path(folder)) as address, serve("tests/bench/bare_page.py", Path(folder)) as bare:
            page.goto(address)
            page.wait_for_selector(".st-key-home_formats .main-svg")
            print(f"Cold start to Home's first chart: {time.perf_counter() - start:.1f} s (two servers starting)")
            print("Slider to repainted chart")
            latencies(page, address, bare)
        browser.close()


if __name__ == "__main__":
    main()
