"""A visitor's way through the playground in a real Chromium: look, drag, share, reload, present,
export.
"""

from __future__ import annotations

import re
import signal
from pathlib import Path
from urllib.parse import urlparse

import psutil
import pytest
from playwright.sync_api import Page, expect

from pages.shell import lessons
from tests.browser.screens import wait_for_the_bar
from tests.browser.serve import launch
from tests.engine.test_house import endless_avro

STRIP = ".st-key-bytes_read_strip"


def open_lab(page: Page, address: str) -> None:
    page.goto(f"{address}/formats")
    expect(page.locator(f"{STRIP} .main-svg").first).to_be_visible()


def title_of(page: Page) -> str:
    return page.locator(f"{STRIP} .chart-title").first.text_content() or ""


def test_from_home_to_a_shared_setting_and_back(page: Page, server: str) -> None:
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(server)
    expect(page.locator(".st-key-home_formats .main-svg").first).to_be_visible()
    page.get_by_role("link", name="Open Format benchmarks").click()
    page.get_by_role("tab", name="Bytes read").click()
    expect(page.locator(f"{STRIP} .main-svg").first).to_be_visible()
    before = title_of(page)
    handle = page.locator(".st-key-bytes_read_window input[type=range]").last
    handle.focus()
    for _ in range(10):
        page.keyboard.press("ArrowRight")
    expect(page.locator(f"{STRIP} .chart-title").first).not_to_have_text(before)
    expect(page).to_have_url(re.compile("bytes_read_window"))
    page.get_by_role("button", name="Share").click()
    link = page.get_by_test_id("stPopoverBody").locator("code").inner_text().strip()
    assert link.startswith(f"{server}/formats?") and "bytes_read_window" in link
    after = title_of(page)
    page.goto(link)
    expect(page.locator(f"{STRIP} .chart-title").first).to_have_text(after)
    hosts = {urlparse(url).hostname for url in requests if url.startswith("http")}
    assert hosts == {"127.0.0.1"}, "the playground asks nothing of the network"


def test_presenter_mode_answers_a_clicker(page: Page, server: str) -> None:
    page.goto(f"{server}/formats?present=true&formats_tab=Bytes+read")
    expect(page.locator(f"{STRIP} .main-svg").first).to_be_visible()
    expect(page.locator(".st-key-controls")).to_be_hidden()
    wait_for_the_bar(page)
    page.keyboard.press("PageDown")
    expect(page.locator(".st-key-stage_line")).to_contain_text("1 of")
    page.keyboard.press("PageDown")
    expect(page.locator(".st-key-stage_line")).to_contain_text("2 of")
    expect(page).to_have_url(re.compile("race_types=rich"))
    page.keyboard.press("PageUp")
    expect(page.locator(".st-key-stage_line")).to_contain_text("1 of")
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-controls:visible").first).to_be_visible()


POLL_KEPT = """
    const every = window.setInterval;
    window.setInterval = (poll, ...rest) => { window.poll = poll; return every(poll, ...rest); };
"""


def press_as_a_poll_falls_due(page: Page, press: str) -> None:
    """As on a busy machine: the poll comes between the press and the moment in which Streamlit
    sends it, and sends it too.
    """
    page.evaluate(f"""() => {{
        {press}
        window.poll();
        const end = performance.now() + 500;
        while (performance.now() < end);
    }}""")


def test_a_key_pressed_as_a_poll_falls_due_turns_one_scene(page: Page, server: str) -> None:
    page.add_init_script(POLL_KEPT)
    page.goto(f"{server}/formats?present=true&race_n_rows=100%2C000&race_repeats=9")
    expect(page.get_by_text("Measuring:")).to_be_visible()
    wait_for_the_bar(page)
    key = 'new KeyboardEvent(type, { key: "PageDown", keyCode: 34, bubbles: true })'
    press_as_a_poll_falls_due(
        page, f'for (const type of ["keydown", "keyup"]) document.dispatchEvent({key});'
    )
    expect(page.locator(".st-key-stage_line")).to_contain_text("1 of")
    page.keyboard.press("PageDown")
    expect(page.locator(".st-key-stage_line")).to_contain_text("2 of")


@pytest.mark.parametrize(
    ("button", "suffix", "start"),
    [("CSV", ".csv", '"format"'), ("HTML", ".html", "<!doctype html>"), ("JSON", ".json", "{")],
)
def test_an_export_arrives(
    page: Page, server: str, tmp_path: Path, button: str, suffix: str, start: str
) -> None:
    page.goto(f"{server}/formats?formats_tab=Bytes+read")
    expect(page.locator(f"{STRIP} .main-svg").first).to_be_visible()
    page.get_by_role("button", name="Share").click()
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile(button)).click()
    target = tmp_path / f"export{suffix}"
    download.value.save_as(target)
    text = target.read_text(encoding="utf-8")
    assert text.startswith(start)
    assert suffix != ".html" or "cdn.plot.ly/plotly" not in text, (
        "an exported figure opens without a network"
    )


@pytest.mark.parametrize("width", [390, 1440])
def test_nothing_is_wider_than_the_screen(page: Page, server: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    labs = sorted(path.stem for path in lessons.FOLDER.glob("*.toml"))
    for path in ("", *(labs if width < 500 else ["formats"])):
        page.goto(f"{server}/{path}")
        expect(page.locator(".main-svg").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_race_fills_in_survives_a_reload_and_can_be_cancelled(page: Page, server: str) -> None:
    page.goto(f"{server}/formats?race_n_rows=100%2C000&race_repeats=9")
    cancel = page.get_by_role("button", name="Cancel")
    expect(cancel).to_be_visible()
    expect(page.locator(".st-key-race_chart .main-svg").first).to_be_visible(timeout=60_000)
    measured = page.locator(".st-key-race_chart").get_by_text("MB", exact=False)
    expect(measured.first).to_be_visible(timeout=60_000)
    page.reload()
    expect(measured.first).to_be_visible()
    expect(cancel).to_be_visible()
    page.get_by_role("link", name="Home").first.click()
    page.get_by_role("link", name="Open Format benchmarks").click()
    expect(measured.first).to_be_visible()
    cancel.click()
    expect(page.get_by_text("Cancelled: what was measured until then is shown.")).to_be_visible(
        timeout=60_000
    )
    expect(measured.first).to_be_visible()


def test_a_click_on_the_canvas_draws_a_point(page: Page, server: str) -> None:
    page.goto(f"{server}/sampling?lineage_source=drawn&lineage_k_neighbors=2&lineage_ratio=1.0")
    title = page.locator(".st-key-lineage_plane .chart-title").first
    expect(title).to_have_text(re.compile("minority 6 →"))
    box = page.locator("canvas").first.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.9, box["y"] + box["height"] * 0.1)
    expect(title).to_have_text(re.compile("minority 7 →"))
    assert re.search(
        r";(89|90|91),(89|90|91),1$", page.get_by_label("Points", exact=True).last.input_value()
    )


@pytest.mark.parametrize(
    ("query", "kind", "color"),
    [("", "made", "230, 159, 0"), ("?lineage_method=ENN", "removed", "217, 95, 48")],
)
def test_a_click_on_a_point_looks_at_it(
    page: Page, server: str, query: str, kind: str, color: str
) -> None:
    page.goto(f"{server}/sampling{query}")
    control = page.locator(f".st-key-lineage_{kind} input[type=range]").last
    expect(control).to_have_value("0")
    point = page.locator(f".st-key-lineage_plane path.point[style*='{color}']").nth(4)
    box = point.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(control).not_to_have_value("0")
    expect(page).to_have_url(re.compile(f"lineage_{kind}="))


def test_stepping_through_a_synthetic_point_asks_nothing_of_the_server(
    page: Page, server: str
) -> None:
    page.goto(f"{server}/sampling")
    plane = page.locator(".st-key-lineage_plane")
    expect(plane.get_by_text("point 0: new point")).to_be_visible()
    page.evaluate(
        "() => { window.asked = 0; const send = WebSocket.prototype.send;WebSocket.prototype.send ="
        " function (data) { window.asked += 1; return send.call(this, data) } }"
    )
    plane.get_by_text("▶ play").click()
    expect(plane.get_by_text("point 1: seed")).to_be_visible(timeout=20_000)
    assert page.evaluate("window.asked") == 0


def test_prefect_runs_a_predicted_run_and_its_bars_replace_the_predicted_ones(
    page: Page, server: str
) -> None:
    quick = (
        "monitor_tasks=4&monitor_width=1&monitor_duration_seconds=0.2"
        "&monitor_failure_probability=0.0"
    )
    page.goto(f"{server}/orchestration?monitor_flow=daily+ETL&{quick}")
    title = page.locator(".st-key-monitor_gantt .chart-title").first
    expect(title).to_have_text(re.compile("Predicted.* 5 attempts for 6 tasks"))
    start = page.get_by_role("button", name="Run", exact=True)
    expect(start).to_be_enabled(timeout=120_000)
    start.click()
    expect(page.get_by_role("button", name="Run again", exact=True)).to_be_visible(timeout=60_000)
    expect(title).to_have_text(
        re.compile("^The run completed .* 5 attempts for 6 tasks"), timeout=60_000
    )
    expect(page.locator(".st-key-monitor_end")).to_have_count(0)


def test_a_press_as_a_poll_falls_due_starts_one_run(page: Page, server: str) -> None:
    page.add_init_script(POLL_KEPT)
    slow = (
        "monitor_tasks=4&monitor_width=1&monitor_duration_seconds=5&monitor_failure_probability=0.0"
    )
    page.goto(f"{server}/orchestration?monitor_flow=daily+ETL&monitor_view=Queue&{slow}")
    start = page.get_by_role("button", name="Run", exact=True)
    expect(start).to_be_enabled(timeout=120_000)
    start.click()
    expect(page.get_by_role("button", name="Run again", exact=True)).to_be_visible(timeout=60_000)
    press_as_a_poll_falls_due(
        page, 'document.querySelector(".st-key-monitor_start button").click();'
    )
    waiting = page.get_by_role("table").first.get_by_role("row")
    expect(waiting).to_have_count(3)  # the head, and two runs
    page.wait_for_timeout(3_000)
    expect(waiting).to_have_count(3)


def _started(server: psutil.Process) -> list[psutil.Process]:
    """Return the children of ``server`` that run a program of their own by now: one stopped between
    fork and exec would hold the server's own thread.
    """
    command = server.cmdline()
    return [child for child in server.children(recursive=True) if child.cmdline() != command]


def test_ctrl_c_leaves_no_process_behind(page: Page, tmp_path: Path) -> None:
    with launch("app.py", tmp_path) as (address, process):
        page.goto(
            f"{address}/formats?formats_tab=Race&race_n_rows=50%2C000&race_formats=Avro+deflate"
        )
        expect(page.get_by_role("button", name="Cancel")).to_be_visible()
        page.goto(f"{address}/formats?formats_tab=Bytes+read&bytes_read_table=upload")
        upload = {
            "name": "endless.avro",
            "mimeType": "application/octet-stream",
            "buffer": endless_avro(),
        }
        page.locator("input[type=file]").set_input_files(upload)
        server = psutil.Process(process.pid)
        while not (children := _started(server)):
            page.wait_for_timeout(20)
        for child in children:
            child.suspend()  # so that none ends by itself
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        assert not [
            child
            for child in psutil.wait_procs(children, timeout=20)[1]
            if child.status() != psutil.STATUS_ZOMBIE
        ]
