"""``make bench [LAB=formats] [QUICK=1]``: what a tweak costs in a real Chromium, in ms and as a
ratio to a bare page in the same run.

Printed: cold start of the server to Home's first chart; then for each lab, from
``tests/bench/<topic>.py``: key press on a control to repainted chart for the bare page and for each
tab of ``TABS``, in turns, median of ``N_TWEAKS`` with the range; and what ``compute()`` measures:
server compute a tweak, figure payload bytes, the lab's own goals.
"""

from __future__ import annotations

import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from playwright.sync_api import sync_playwright

from pages.shell import lessons
from tests.bench.harness import QUICK, WIRE, latencies, settle
from tests.browser.serve import FLAGS, browser_path, launch, serve

# Streamlit's default, which .streamlit/config.toml switches off: the yardstick is a bare page
STOCK = "--runner.postScriptGC=true"
TOPICS = sorted(path.stem for path in lessons.FOLDER.glob("*.toml"))


def main(topics: list[str]) -> None:
    """Measure the labs named, by default all."""
    labs = {topic: import_module(f"tests.bench.{topic}") for topic in topics or TOPICS}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        windows = tuple(
            browser.new_page(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
            for _ in range(2)  # marks take 150 ms to move, by design: not what is measured
        )
        for window in windows:
            window.add_init_script(f"({WIRE})()")
        start = time.perf_counter()
        with (
            launch("app.py", Path(folder)) as (address, server),
            serve("tests/bench/bare_page.py", Path(folder), STOCK) as bare,
        ):
            windows[1].goto(address)
            windows[1].wait_for_selector(".st-key-home_formats .main-svg")
            print(
                f"Cold start to Home's first chart: {time.perf_counter() - start:.1f} s (two"
                " servers starting)"
            )
            settle(server.pid)  # what warms up behind the first pages is not what a tweak costs
            for topic, lab in labs.items():
                print(f"{topic}: key press to repainted chart")
                latencies(windows, lab.TABS, address, bare)
        browser.close()
    for topic, lab in ({} if QUICK else labs).items():
        print(f"{topic}: server compute and payload")
        lab.compute()


if __name__ == "__main__":
    main(sys.argv[1:])
