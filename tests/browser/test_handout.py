"""The hand-out of a talk in a real browser: drawn without a network, printed one scene per page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from engine import figures
from pages.talk import handout, recorded
from pages.talk.recorded import Recorded
from pages.talk.talk import Talk, shipped


@pytest.fixture
def talk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Talk:
    """A talk that ships, with records of figures that are tall, wide, and of many texts."""
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    one = shipped()["leakage"]
    for number, scene in enumerate(one.scenes):
        figure = figures.new_tall("", height=300 + 100 * number, x="rows", y="seconds")
        for line in range(number + 1):
            figure.add_scatter(x=[1, 2, 3], y=[line, 2, 1], name=f"a long name of line {line}")
        finding = "A finding of several words. " * (1 + number % 4)
        recorded.save(
            scene, Recorded("c", figure.to_json(), finding, "Lines", "It is 3.", 1.7e9, "")
        )
    return one


def test_every_chart_is_drawn_and_printed_on_a_page_of_its_own(
    page: Page, talk: Talk, tmp_path: Path
) -> None:
    path = tmp_path / "handout.html"
    path.write_text(handout.render(talk), encoding="utf-8")
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: said.append(request.url))
    page.goto(path.as_uri())
    expect(page.locator("section .main-svg:first-child")).to_have_count(len(talk.scenes))
    boxes = page.locator("section").evaluate_all(
        "all => all.map(one => [one.scrollWidth - one.clientWidth, one.offsetHeight])"
    )
    assert all(over <= 0 and height < 695 for over, height in boxes), boxes  # of 184 mm
    page.locator(".scatterlayer .point").nth(1).hover(force=True)
    expect(page.locator(".hoverlayer .hovertext").first).to_be_visible()
    pdf = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == len(talk.scenes)
    assert said == [path.as_uri()]
