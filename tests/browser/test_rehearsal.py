"""Every talk that ships, walked through on stage without a network: each scene shows its chart,
each question is answered by a run, nothing calls another machine. What page tests have measured is
kept, so little is measured here.
"""

from __future__ import annotations

import psutil
import pytest
from playwright.sync_api import Page, expect

from pages.talk.talk import shipped
from tests.browser import screens
from tests.browser.cut_off import callers, ways_out
from tests.browser.test_outside import Watched, is_foreign

SIZES = ((1920, 1080), (1024, 768))  # a hall's and the narrowest; texts grow with the window
SLOW = 300_000  # milliseconds that a run may take which no page test has measured


@pytest.mark.parametrize("name", sorted(shipped()))
def test_a_talk_is_walked_through_without_a_network(
    page: Page, server: str, server_process: psutil.Process, without_network: bool, name: str
) -> None:
    talk, watched = shipped()[name], Watched(page)
    page.route(is_foreign, lambda route: route.abort())
    assert not without_network or ways_out(server_process) == []
    page.goto(f"{server}/stage?talk={name}")
    for number, scene in enumerate(talk.scenes, 1):
        line = f"{number} of {len(talk.scenes)} · {scene.shown_title}"
        expect(page.locator(".talk-title")).to_have_text(line)
        if scene.prediction is not None:
            expect(page.get_by_text(scene.prediction.question)).to_be_visible()
            expect(page.locator(".chart")).to_have_count(0)
            page.keyboard.press("PageDown")
        chart = f".st-key-{scene.shown_chart} .chart.stage" if scene.shown_chart else ".chart.first"
        expect(page.locator(f"{chart} .main-svg").first).to_be_visible(timeout=SLOW)
        if scene.prediction is not None:
            answer = page.locator(".st-key-talk_answer")
            expect(answer).to_contain_text(scene.prediction.because, timeout=SLOW)
        expect(page.locator("[data-testid=stAlert], [data-testid=stException]")).to_have_count(0)
        assert not scene.note or scene.note[:60] not in page.content()
        watched.check()
        for size in SIZES:
            assert screens.look(page, size, stage=True) == [], (scene, size)
        assert callers(server_process) == []
        page.keyboard.press("PageDown")
