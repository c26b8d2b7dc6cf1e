"""Every tab and every scene as its window shows it, and what axe-core finds on each tab."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from pages.shell import lessons
from tests.browser import screens

TOPICS = lessons.topics()


@pytest.mark.parametrize("topic", TOPICS)
def test_a_tab_shows_verdict_chart_and_first_controls_in_every_window(
    page: Page, server: str, topic: str
) -> None:
    assert list(screens.tab_problems(page, server, topic)) == []


@pytest.mark.parametrize("topic", TOPICS)
def test_a_scene_fills_the_stage(page: Page, server: str, topic: str) -> None:
    assert list(screens.scene_problems(page, server, topic)) == []


def test_home_is_accessible_in_both_themes(page: Page, server: str) -> None:
    page.goto(server)
    page.wait_for_selector(".chart[data-drawn]")
    assert list(screens.findings(page)) == []


def test_the_navigation_holds_every_page_at_1280(page: Page, server: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(server)
    links = page.get_by_test_id("stTopNavLink")
    links.first.wait_for()
    boxes = [links.nth(i).bounding_box() for i in range(links.count())]
    widths = [box["width"] for box in boxes if box]
    assert len(widths) == len(TOPICS) + 3  # Home, Practice, Talks
    assert sum(widths) < 1280 - 100


def test_the_bar_of_the_stage_comes_with_the_pointer_or_a_key(page: Page, server: str) -> None:
    page.goto(f"{server}/formats?mode=Present&formats_tab=Bytes+read")
    page.wait_for_selector(".chart[data-drawn]")
    opacity = "getComputedStyle(document.querySelector('.st-key-stage_bar')).opacity"
    page.wait_for_function(f"{opacity} === '0'")
    page.mouse.move(300, 300)
    page.mouse.move(310, 300)
    page.wait_for_function(f"{opacity} === '1'")
    page.wait_for_function(f"{opacity} === '0'", timeout=10_000)
    page.keyboard.press("Shift")
    page.wait_for_function(f"{opacity} === '1'")


def test_the_checks_see_what_is_wrong(page: Page, server: str) -> None:
    page.goto(f"{server}/formats?formats_tab=Bytes+read")
    page.wait_for_selector(".chart.first[data-drawn]")
    page.add_style_tag(content=".st-key-controls label p { color: #ddd; background: #fff }")
    page.add_style_tag(content=".chart.first { margin-top: 400px !important }")
    assert any("color-contrast" in finding for finding in screens.findings(page))
    looked = screens.look(page, screens.SIZES["projector"])
    assert any(problem.startswith("the chart is at") for problem in looked)
