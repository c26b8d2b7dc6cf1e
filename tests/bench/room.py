"""``python -m tests.bench.room``: how long the stage takes to answer a tweak, by itself and while
200 phones vote within 30 s on the same server, and whether each vote was counted once.

Both are measured in turns in one run: key press to the last change of the chart.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.bench.talk import REST_MS, WATCH
from tests.browser.room import Opened, room, talk_server
from tests.browser.serve import FLAGS, browser_path

N_PHONES = 200
SECONDS = 30.0
N_TWEAKS = 24
SLIDER = ".st-key-bytes_read_window input[type=range]"
RESTS = "rest => window.changed > window.pressed && performance.now() - window.changed > rest"


def tweak(stage: Page, key: str) -> float:
    """Press a key on the slider of the scene; return the milliseconds to the chart's last
    change.
    """
    stage.keyboard.press(key)
    stage.wait_for_function(RESTS, arg=REST_MS, timeout=60_000)
    taken: float = stage.evaluate("window.changed - window.pressed")
    return taken


def tweaks(stage: Page) -> list[float]:
    """Return the milliseconds of ``N_TWEAKS`` tweaks, to and fro."""
    stage.locator(SLIDER).last.focus()
    return [tweak(stage, ("ArrowRight", "ArrowLeft")[i % 2]) for i in range(N_TWEAKS)]


def hall(opened: Opened, answers: list[list[int]]) -> None:
    """Let ``N_PHONES`` vote, evenly over ``SECONDS``."""
    begun = time.monotonic()

    def later(number: int) -> list[int]:
        time.sleep(max(0.0, begun + SECONDS * number / N_PHONES - time.monotonic()))
        return opened.phone(number)

    with ThreadPoolExecutor(25) as pool:
        answers += pool.map(later, range(N_PHONES))


def main() -> None:
    """Print both medians, their ratio and the count of the votes."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        with (
            talk_server(Path(folder)) as address,
            room(browser, address) as shown,
            room(browser, address) as voted,
        ):
            voted.speaker.locator("#advance").click()  # to the scene that asks
            expect(voted.stage.locator(".room-count")).to_have_text("0 voted")
            shown.stage.locator(".chart[data-drawn]").first.wait_for()
            shown.stage.bring_to_front()  # a window behind another draws once a second
            shown.stage.keyboard.press("o")
            shown.stage.evaluate(WATCH)
            tweaks(shown.stage)  # to warm up
            alone = tweaks(shown.stage)
            answers: list[list[int]] = []
            phones = threading.Thread(target=hall, args=(voted, answers))
            phones.start()
            during = tweaks(shown.stage)
            phones.join()
            shown_count = voted.speaker.locator("#count")
            expect(shown_count).to_contain_text(f"phones {N_PHONES}")  # it asks once a second
            count = shown_count.inner_text()
        browser.close()
    first, second = statistics.median(alone), statistics.median(during)
    print(f"tweak alone {first:,.0f} ms, while {N_PHONES} phones vote {second:,.0f} ms,")
    print(f"ratio {second / first:.2f}, n = {N_TWEAKS} each; {count}, of {N_PHONES}")
    assert all(status == 303 for statuses in answers for status in statuses)


if __name__ == "__main__":
    main()
