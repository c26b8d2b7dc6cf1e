"""What a learner looks up and takes away: search, a term's definition, a run in the notebook."""

from __future__ import annotations

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from pages.shell import glossary
from tests.engine.printed import run_script

CHART = ".st-key-bytes_read_strip .main-svg"


def test_a_term_is_found_from_home_and_explained_where_it_has_the_focus(
    page: Page, server: str
) -> None:
    page.goto(server)
    field = page.get_by_label("Search labs, scenes and terms")
    field.fill("row group")
    field.press("Enter")
    page.get_by_role("link", name=re.compile("row group · ")).click()
    expect(page.locator(CHART).first).to_be_visible()
    expect(page.locator(".st-key-guidance")).to_contain_text("Row groups too small")
    term = page.locator("a[href='#term-row-group']").first
    means = next(one.means for one in glossary.terms() if one.name == "row group")
    expect(term).to_have_attribute("title", means)
    shown = "e => getComputedStyle(e, '::after').content"
    assert term.evaluate(shown) == "none"
    term.focus()
    assert json.loads(term.evaluate(shown)) == means
    term.press("Enter")  # leads nowhere: the page stays
    expect(page.locator(CHART).first).to_be_visible()
    expect(page).to_have_url(re.compile("#term-row-group"))


def test_a_run_is_kept_survives_a_reload_and_leaves_as_files(
    page: Page, server: str, tmp_path: Path
) -> None:
    page.goto(f"{server}/formats?formats_tab=Bytes+read&bytes_read_order=shuffled")
    expect(page.locator(CHART).first).to_be_visible()
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Keep in notebook").click()
    link = page.get_by_role("link", name="Notebook (1)")
    link.click()
    expect(page.get_by_text("order = shuffled")).to_be_visible()
    page.reload()
    expect(page.get_by_text("order = shuffled")).to_be_visible()
    files = {}
    for label in ("Notebook (HTML)", "Code (Jupyter)"):
        with page.expect_download() as found:
            page.get_by_role("button", name=label).click()
        files[label] = tmp_path / found.value.suggested_filename
        found.value.save_as(files[label])
    cells = json.loads(files["Code (Jupyter)"].read_text("utf-8"))["cells"]
    printed = json.loads(cells[-1]["outputs"][0]["text"])
    assert run_script(cells[-1]["source"]) == printed
    page.goto(files["Notebook (HTML)"].as_uri())
    expect(page.locator(".plotly-graph-div .main-svg").first).to_be_visible()
