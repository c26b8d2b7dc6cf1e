"""Practice in a real browser: every tab in every window, in both themes; the record outlives a
reload.
"""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser import screens

TABS = ("Questions", "Mock interview", "Design", "Come back", "Checklist")
SIDEWAYS = """() => {
  const main = document.querySelector('[data-testid=stMain]');
  return main.scrollWidth - main.clientWidth;
}"""


def rest(page: Page) -> None:
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")
    page.evaluate(screens.REST, [screens.QUIET_MS, screens.MOST_MS])


def test_every_tab_fits_every_window_and_is_accessible(page: Page, server: str) -> None:
    page.goto(f"{server}/practice")
    for name in TABS:
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("tab", name=name, exact=True).click()
        rest(page)
        for size in (screens.SIZES["projector"], screens.PHONE):
            page.set_viewport_size({"width": size[0], "height": size[1]})
            rest(page)
            assert page.evaluate(SIDEWAYS) <= 1, (name, size)
        page.set_viewport_size({"width": 1440, "height": 900})
        assert list(screens.findings(page)) == [], name


def test_notes_and_rating_outlive_a_reload_and_the_clock_runs(page: Page, server: str) -> None:
    page.goto(f"{server}/practice?practice_group=Data+quality")
    page.get_by_role("button", name="Start two minutes").click()
    expect(page.get_by_role("timer")).to_contain_text("1:5")
    notes = page.get_by_label("Your points")
    notes.fill("owners and a gate")
    notes.blur()
    page.get_by_role("button", name="Show a model answer").click()
    expect(page.get_by_text("From the default run, computed here").first).to_be_visible()
    page.get_by_role("button", name="Keep this rating").click()
    expect(page.get_by_text("Kept: Missed.")).to_be_visible()
    rest(page)
    page.reload()
    expect(page.get_by_label("Your points")).to_have_value("owners and a gate")
    expect(page.get_by_text("1 of 22 questions answered and rated.")).to_be_visible()
