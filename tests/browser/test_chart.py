"""The chart component in a real browser: it stays, fits, is themed, clicked, saved, played."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import hostile
from tests.browser.serve import serve

BARS = ".st-key-bars .chart"


@pytest.fixture(scope="module")
def charts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serve("tests/browser/chart_app.py", tmp_path_factory.mktemp("charts")) as address:
        yield address


@pytest.fixture
def opened(page: Page, charts: str) -> Page:
    page.goto(charts)
    expect(page.locator(f"{BARS}[data-drawn]")).to_be_visible()
    return page


def heights(page: Page) -> list[float]:
    """Return the heights of the bars in the figure that Plotly holds."""
    found: list[float] = page.evaluate(
        f"Array.from(document.querySelector('{BARS} .chart-plot')._fullData[0].y)"
    )
    return found


def test_a_tweak_changes_the_chart_that_is_there(opened: Page) -> None:
    opened.evaluate(f"window.before = document.querySelector('{BARS} .main-svg')")
    control = opened.locator(".st-key-n input[type=range]")
    control.focus()
    control.press("ArrowRight")
    expect(opened.locator(f"{BARS} .chart-title")).to_contain_text("6 rows of table are new")
    assert heights(opened) == [6, 50, 10]
    same = f"window.before === document.querySelector('{BARS} .main-svg')"
    assert opened.evaluate(same), "the chart was built again"


def test_the_title_is_the_verdict_as_text_and_follows_nothing(opened: Page) -> None:
    title = opened.locator(f"{BARS} .chart-title")
    expect(title.locator("strong")).to_have_text("5 rows")
    expect(title.locator("code").first).to_have_text("table")
    assert title.locator("a, img").count() == 0 and hostile.HOST in title.inner_text()
    name = opened.locator(f"{BARS} .chart-plot").get_attribute("aria-label")
    assert name is not None and name.startswith("5 rows of table") and name.endswith("Three bars")


def test_an_axis_of_dates_has_the_day_first(opened: Page) -> None:
    expect(opened.locator(".st-key-hours .chart[data-drawn]")).to_be_visible()
    ticks = " ".join(opened.locator(".st-key-hours .chart .xtick").all_text_contents())
    assert "14 Feb 2013" in ticks and "Feb 14" not in ticks


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1280, 720), (390, 844)])
def test_the_first_chart_ends_in_the_window(opened: Page, width: int, height: int) -> None:
    opened.set_viewport_size({"width": width, "height": height})
    fits = f"""() => {{ const {{bottom, right}} =
        document.querySelector('{BARS}').getBoundingClientRect();
        return bottom <= innerHeight && right <= innerWidth && bottom > innerHeight / 3; }}"""
    opened.wait_for_function(fits)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_texts_have_the_color_of_the_theme(browser: Browser, charts: str, scheme: str) -> None:
    page = browser.new_page(color_scheme=scheme)
    page.goto(charts)
    expect(page.locator(f"{BARS}[data-drawn]")).to_be_visible()
    color = page.evaluate(
        f"getComputedStyle(document.querySelector('{BARS} .xtick text')).fill.match(/\\d+/g)"
    )
    bright = sum(int(part) for part in color[:3]) > 3 * 128
    assert bright is (scheme == "dark")
    page.close()


def test_a_click_on_a_mark_reaches_the_page_once(opened: Page) -> None:
    bar = opened.locator(f"{BARS} .point path").nth(1)
    box = bar.bounding_box()
    assert box is not None
    opened.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(opened.get_by_text("clicked B at 50")).to_be_visible()


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_it_is_saved_with_its_title_by_mouse_or_key(
    opened: Page, tmp_path: Path, kind: str
) -> None:
    button = opened.locator(BARS).get_by_role("button", name=f"Save as {kind.upper()}")
    with opened.expect_download() as saved:
        button.focus()
        button.press("Enter")
    assert saved.value.suggested_filename == f"bars.{kind}"
    path = tmp_path / "file"
    saved.value.save_as(path)
    content = path.read_bytes()
    assert content.startswith(b"\x89PNG") if kind == "png" else b"5 rows of table" in content


def test_full_screen_fills_it_and_comes_back(opened: Page) -> None:
    before = opened.locator(f"{BARS} .chart-plot").bounding_box()
    opened.locator(BARS).hover()
    opened.locator(BARS).get_by_role("button", name="Full screen").click()
    opened.wait_for_function("document.fullscreenElement !== null")
    opened.keyboard.press("Escape")
    opened.evaluate("document.fullscreenElement && document.exitFullscreen()")
    opened.wait_for_function("document.fullscreenElement === null")
    opened.wait_for_function(
        f"Math.abs(document.querySelector('{BARS} .chart-plot').getBoundingClientRect().height"
        f" - {before['height'] if before else 0}) < 4"
    )


def test_frames_play_without_the_server(opened: Page) -> None:
    played = opened.locator(".st-key-played")
    played.get_by_text("play", exact=True).click()
    opened.wait_for_function(
        "document.querySelector('.st-key-played .chart-plot')._fullData[0].y[0] === 2"
    )


def test_the_library_is_this_servers_and_kept_by_the_browser(opened: Page, charts: str) -> None:
    source = opened.locator("script[src*=plotly]").get_attribute("src")
    assert source is not None and re.fullmatch(r"/chart/plotly-[\d.]+\.min\.js", source)
    answer = opened.request.get(f"{charts}{source}")
    assert answer.status == 200 and "immutable" in answer.headers["cache-control"]
