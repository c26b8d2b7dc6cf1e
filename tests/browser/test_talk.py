"""A talk is presented by keys, ordered by keys and by dragging, in a real browser."""

from __future__ import annotations

import re

from playwright.sync_api import Page, Route, expect

from pages.talk.talk import shipped
from tests.browser.screens import REST, findings

# A run that starts at the same moment takes a press with it, now and then.
SWALLOW = """() => {
  const { bar } = [...document.querySelectorAll('*')].find((element) => element.bar);
  const { send } = bar;
  bar.send = () => { bar.send = send; };
}"""
# Presses a key and keeps the browser busy while the answer comes; counts how often it is sent.
PRESS_WHILE_BUSY = """() => {
  const { bar } = [...document.querySelectorAll('*')].find((element) => element.bar);
  const { send } = bar;
  let sends = 0;
  bar.send = (...press) => { sends += 1; send(...press); };
  dispatchEvent(new KeyboardEvent('keydown', { key: 'PageDown' }));
  for (const end = performance.now() + 2400; performance.now() < end;);
  return new Promise((done) => setTimeout(() => done(sends), 50));
}"""
# Counts the charts that are drawn although their scene has been left.
COUNT_LEFT = """() => {
  let plotly;
  window.left = 0;
  const react = (root, ...rest) => {
    left += !root.isConnected;
    return plotly.react(root, ...rest);
  };
  const watched = { get: (all, name) => (name === 'react' ? react : all[name]) };
  Object.defineProperty(window, 'Plotly', {
    configurable: true,
    get: () => plotly && new Proxy(plotly, watched),
    set: (value) => { plotly = value; },
  });
}"""
TITLES = [one.shown_title for one in shipped()["tour"].scenes]


def test_keys_lead_through_a_talk(page: Page, server: str) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(server)
    page.get_by_role("link", name="A tour in five minutes").click()
    chart = page.locator(".st-key-bytes_read_strip .main-svg").first
    expect(chart).to_be_visible()
    expect(page.locator(".talk-title")).to_have_text(f"1 of 6 · {TITLES[0]}")
    expect(page.locator(".st-key-controls")).to_be_hidden()

    page.evaluate(SWALLOW)
    page.keyboard.press("PageDown")
    expect(page.locator(".st-key-talk_question")).to_contain_text("Your number, from 0 to 20?")
    expect(page.locator(".chart")).to_have_count(0)
    page.keyboard.press("ArrowRight")
    expect(page.locator(".st-key-talk_answer")).to_contain_text("It is 20.")
    expect(chart).to_be_visible()
    page.evaluate(REST, [100, 5_000])
    assert page.evaluate("document.querySelector('.chart').getBoundingClientRect().bottom") <= 720

    page.keyboard.press("b")
    expect(page.locator(".talk-black")).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator(".talk-black")).to_be_hidden()
    page.keyboard.press("l")
    page.mouse.move(300, 200)
    box = page.locator(".talk-ring").bounding_box()
    assert box is not None and abs(box["x"] + box["width"] / 2 - 300) < 2
    page.keyboard.press("l")

    page.keyboard.press("5")  # the leak simulator
    title = page.locator(".st-key-dose_curve .chart-title")
    expect(title).to_be_visible()
    before = title.text_content() or ""
    page.keyboard.press("o")
    handle = page.locator(".st-key-dose_dose input[type=range]")
    expect(handle).to_be_visible()
    expect(page.locator(".st-key-controls > :visible")).to_have_count(3)
    handle.focus()
    page.keyboard.press("ArrowLeft")  # the control's, not the talk's
    expect(title).not_to_have_text(before)
    page.keyboard.press("PageUp")  # the talk's, whatever has the focus
    plane = page.locator(".st-key-lineage_plane .main-svg").first
    expect(plane).to_be_visible()
    page.reload()
    expect(plane).to_be_visible()
    expect(page.locator(".talk-title")).to_have_text(f"4 of 6 · {TITLES[3]}")
    page.mouse.move(310, 210)
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="Data Pipeline Playground")).to_be_visible()


def test_a_press_before_the_first_chart_is_drawn_is_sent_once_and_only_the_second_is_drawn(
    page: Page, server: str
) -> None:
    library: list[Route] = []
    page.route("**/chart/plotly-*", lambda route: library.append(route))  # it comes late
    page.add_init_script(f"({COUNT_LEFT})()")
    page.goto(f"{server}/stage?talk=leakage")
    first, second = (f".st-key-{one.shown_chart}" for one in shipped()["leakage"].scenes[:2])
    expect(page.locator(f"{first} .chart")).to_be_attached()
    assert page.evaluate(PRESS_WHILE_BUSY) == 1
    expect(page.locator(f"{second} .chart")).to_be_attached()
    for route in library:
        route.continue_()
    expect(page.locator(f"{second} .main-svg").first).to_be_visible()
    assert page.evaluate("[Boolean(Plotly), left]") == [True, 0]


def test_a_scene_is_moved_by_key_and_by_mouse_and_the_talk_is_presented(
    page: Page, server: str
) -> None:
    page.goto(f"{server}/talks")
    rows = page.locator(".talk-list li")
    expect(rows).to_have_count(6)
    rows.nth(0).locator(".text").click()
    page.keyboard.press("Alt+ArrowDown")
    expect(rows.nth(1)).to_contain_text(TITLES[0])
    rows.nth(5).locator(".number").drag_to(rows.nth(0), target_position={"x": 40, "y": 3})
    expect(rows.nth(0)).to_contain_text(TITLES[5])
    page.keyboard.press("Delete")
    expect(rows).to_have_count(5)
    expect(page.get_by_text(re.compile("Scenes: 5"))).to_be_visible()
    assert [*findings(page)] == []
    page.get_by_role("button", name="Present").click()
    expect(page.locator(".talk-title")).to_have_text(f"1 of 5 · {TITLES[1]}")
