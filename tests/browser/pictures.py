"""``make pictures [LAB=formats]``: the pictures of the README, one scene of each lab, from a real
browser, as small WebP files in ``docs/pictures``.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from pages.shell import lessons
from tests.browser.screens import SIZES, WAIT_MS, settled
from tests.browser.serve import FLAGS, browser_path, launch

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
MOST_BYTES = 40_000
WIDTH = 800  # of a picture, in pixels
QUALITIES = (85, 75, 65, 55, 45)
SCENES = {
    "formats": "Two columns, one week",
    "etl": "A file every midnight: no strategy is correct",
    "sampling": "One synthetic point, step by step",
    "leakage": "A leak reports 100% accuracy",
    "feature_store": "One label, one row",
    "spark": "All flights to ORD are in one partition",
    "orchestration": "Every attempt of a daily retraining run",
    "pipeline": "Every dropped row has a reason",
}


def packed(screenshot: bytes) -> bytes:
    """Return a screenshot as WebP, as good as ``MOST_BYTES`` allow."""
    whole = Image.open(io.BytesIO(screenshot)).convert("RGB")
    small = whole.resize((WIDTH, WIDTH * whole.height // whole.width), Image.Resampling.LANCZOS)
    for quality in QUALITIES:
        sink = io.BytesIO()
        small.save(sink, "WEBP", quality=quality, method=6)
        if sink.tell() <= MOST_BYTES:
            break
    return sink.getvalue()


def take(page: Page, address: str, topic: str) -> bytes:
    """Open the scene of a lab and return its picture once all of it is measured."""
    number = [scene.title for scene in lessons.load(topic).scenes].index(SCENES[topic])
    page.goto(f"{address}/{topic}")
    settled(page)
    page.get_by_role("button", name="Scenes").click()
    page.locator(f".st-key-{topic}_scene_{number} button").first.click()
    page.get_by_text(f"Scene {number + 1} of").wait_for(timeout=WAIT_MS)
    page.keyboard.press("Escape")
    page.evaluate("document.activeElement.blur()")  # else its tooltip stays
    page.mouse.move(0, 0)
    settled(page)
    return packed(page.screenshot())


def main(topics: list[str]) -> None:
    """Take the pictures of the labs named, by default all."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    width, height = SIZES["projector"]
    with (
        tempfile.TemporaryDirectory() as folder,
        sync_playwright() as playwright,
        launch("app.py", Path(folder)) as (address, _),
    ):
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light")
        for topic in topics or SCENES:
            picture = take(page, address, topic)
            (FOLDER / f"{topic}.webp").write_bytes(picture)
            print(f"{topic}: {len(picture):,} bytes", flush=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
