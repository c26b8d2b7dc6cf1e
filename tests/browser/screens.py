"""What a visitor's window shows of a tab and of a scene, measured in a real browser.

``python -m tests.browser.screens etl`` prints the problems of one lab: use it while a tab is
changed. ``test_screens.py`` holds every tab and scene to having none.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, sync_playwright

from pages.shell import lessons
from tests.browser.serve import FLAGS, browser_path, serve

SIZES = {"laptop": (1440, 900), "projector": (1280, 720)}
PHONE = (390, 844)
STAGES = {"projector": (1280, 720), "hall": (1920, 1080)}
LEAST_SHARE = 0.70  # of the window's height that the chart fills on stage
QUIET_MS = 100  # a page is at rest when nothing of it has changed for so long
MOST_MS = 2_000  # that one look waits for rest: then it looks at what moves
# Rules of axe-core that Streamlit or Plotly break by themselves, each with where that is known.
KNOWN: dict[str, str] = {}
WAIT_MS = 300_000  # for a run on a machine that is busy with other tests
TURNS = 12  # looks at a page that may still be moving, before its problems count
PAUSE_MS = 250  # between two of them

# Resolves once the charts have drawn what they queued, no transition runs, and two frames and
# QUIET_MS without a change have passed.
REST = """async ([quiet, most]) => {
  const start = performance.now(), frame = () => new Promise(requestAnimationFrame);
  let changed = start;
  const observer = new MutationObserver(() => { changed = performance.now(); });
  observer.observe(document, {subtree: true, childList: true, attributes: true});
  const moves = () => document.getAnimations().some((animation) =>
    animation.playState === 'running' && animation.effect.getComputedTiming().endTime < Infinity);
  await frame();
  await frame();
  await Promise.all([...document.querySelectorAll('.chart')].map((root) => root.chart?.busy));
  while ((performance.now() - changed < quiet || moves()) && performance.now() - start < most) {
    await new Promise((done) => setTimeout(done, 20));
  }
  observer.disconnect();
}"""

# Problems of the first chart and what is around it, as sentences.
LOOK = """([phone, stage, leastShare]) => {
  const problems = [];
  const charts = [...document.querySelectorAll('.chart')].filter((c) => c.offsetParent);
  const chart = stage ? charts[0] : charts.find((c) => c.classList.contains('first'));
  if (!chart) return ['there is no first chart'];
  const title = chart.querySelector('.chart-title'), plot = chart.querySelector('.chart-plot');
  const height = innerHeight, box = (element) => element.getBoundingClientRect();
  const inside = (name, element) => {
    const {top, bottom} = box(element);
    if (top < -1 || bottom > height + 1) {
      problems.push(`${name} is at ${Math.round(top)} to ${Math.round(bottom)} of ${height}`);
    }
  };
  if (!title.textContent.trim()) problems.push('the chart has no title');
  if (title.scrollWidth > title.clientWidth + 1) problems.push('the title is cut off');
  inside('the verdict', title);
  inside('the chart', chart);
  const {left, right, top, bottom} = box(plot);
  if (right > innerWidth + 1) problems.push(`the chart ends at ${Math.round(right)}`);
  const cut = [...plot.querySelectorAll('text')].filter((text) => {
    const r = box(text);
    const legend = text.closest('.scrollbox') && text.closest('.legend');
    return r.width && !legend && getComputedStyle(text).opacity !== '0'
      && (r.left < left - 3 || r.right > right + 3 || r.top < top - 3 || r.bottom > bottom + 3);
  });
  const quoted = cut.slice(0, 3).map((t) => `“${t.textContent}”`).join(', ');
  if (cut.length) problems.push(`cut off: ${quoted}`);
  const written = '.infolayer .annotation-text, .legendtext, .g-xtitle text, .g-ytitle text';
  const texts = [...plot.querySelectorAll(written)].filter((t) => box(t).width);
  const hit = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 4
    && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 5;
  for (let i = 0; i < texts.length; i++) for (let j = i + 1; j < texts.length; j++) {
    if (hit(box(texts[i]), box(texts[j]))) {
      problems.push(`“${texts[i].textContent}” overlaps “${texts[j].textContent}”`);
      i = texts.length;
      break;
    }
  }
  const drag = plot.querySelector('.nsewdrag');
  if (drag && box(drag).height < (phone ? 90 : 0.45 * Math.min(box(plot).height, 300))) {
    problems.push(`the plot itself is ${Math.round(box(drag).height)} high`);
  }
  if (stage) {
    const share = box(chart).height / height;
    if (share < leastShare) problems.push(`the chart fills ${Math.round(share * 100)}%`);
    return problems;
  }
  const main = document.querySelector('[data-testid=stMain]');
  if (main.scrollWidth > main.clientWidth + 1) problems.push('the page scrolls sideways');
  const control = document.querySelector('.st-key-controls [data-testid=stElementContainer]');
  if (!control) problems.push('there is no control');
  else if (!phone) inside('the first control', control);
  else if (box(control).top < box(chart).top) problems.push('the controls are above the chart');
  const reason = document.querySelector('.st-key-panels li');
  if (!phone && !reason) problems.push('there is no reason');
  else if (!phone) inside('the first reason', reason);
  return problems;
}"""
SCROLL = """() => {
  const controls = document.querySelectorAll('.st-key-controls [data-testid=stElementContainer]');
  controls[Math.min(3, controls.length - 1)].scrollIntoView({block: 'end'});
}"""
SCROLLED = """() => {
  const {top, bottom} = document.querySelector('.chart.first')?.getBoundingClientRect() ?? {};
  return top >= -1 && bottom <= innerHeight ? [] :
    [`with a control in view the chart is at ${Math.round(top)} to ${Math.round(bottom)}`];
}"""


def _rest(page: Page) -> None:
    """Wait until nothing on the page moves; a page that never rests is looked at as it is."""
    page.evaluate(REST, [QUIET_MS, MOST_MS])


def settled(page: Page) -> None:
    """Wait until the page has drawn its first chart, no job of it is under way and its script has
    run.
    """
    page.wait_for_selector(".chart[data-drawn]", timeout=WAIT_MS)
    page.wait_for_selector(
        "[class*='st-key-'][class*='_cancel'] button", state="detached", timeout=WAIT_MS
    )
    page.wait_for_selector(
        "[data-testid=stApp][data-test-script-state=notRunning]", timeout=WAIT_MS
    )
    _rest(page)


def look(
    page: Page, size: tuple[int, int], *, phone: bool = False, stage: bool = False
) -> list[str]:
    """Return the problems of what is on screen in a window of ``size`` once it has come to rest."""
    page.set_viewport_size({"width": size[0], "height": size[1]})
    problems: list[str] = []
    for _ in range(TURNS):
        _rest(page)
        problems = page.evaluate(LOOK, [phone, stage, LEAST_SHARE])
        if phone and not problems:
            page.evaluate(SCROLL)
            _rest(page)
            problems = page.evaluate(SCROLLED)
        if not problems:
            break
        page.wait_for_timeout(PAUSE_MS)
    return problems


def _violations(page: Page) -> list[str]:
    options = {
        "resultTypes": ["violations"],
        "rules": {rule: {"enabled": False} for rule in KNOWN},
    }
    found = Axe().run(page, options=options).response["violations"]
    return [
        f"{one['id']} at {len(one['nodes'])}: {[node['html'][:160] for node in one['nodes']][:3]}"
        for one in found
        if one["impact"] in ("serious", "critical")
    ]


def findings(page: Page) -> Iterator[str]:
    """Yield what axe-core finds serious or critical on the page at rest, in both themes."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found: list[str] = []
        for _ in range(TURNS):
            _rest(page)
            found = _violations(page)
            if not found:
                break
            page.wait_for_timeout(PAUSE_MS)  # a part that is drawn again is pale for a while
        yield from (f"{scheme}: {violation}" for violation in found)
    page.emulate_media(color_scheme="light")


def tab_problems(page: Page, address: str, topic: str) -> Iterator[tuple[str, str, str]]:
    """Yield tab, window and problem for every tab of a lab on its defaults."""
    lesson = lessons.load(topic)
    page.goto(f"{address}/{topic}")
    for tab, label in lesson.tabs.items():
        page.set_viewport_size({"width": 1440, "height": 900})
        page.get_by_role("tab", name=label, exact=True).click()
        page.locator(f".st-key-{tab}_reset").wait_for(timeout=WAIT_MS)
        settled(page)
        for name, size in SIZES.items():
            yield from ((label, name, problem) for problem in look(page, size))
        yield from ((label, "phone", problem) for problem in look(page, PHONE, phone=True))
        page.set_viewport_size({"width": 1440, "height": 900})
        yield from ((label, "axe", finding) for finding in findings(page))


def wait_for_the_bar(page: Page) -> None:
    """Until the speaker's buttons are there and the browser has done what their coming asks for."""
    page.locator(".st-key-presenter_next button").wait_for(state="attached")
    page.evaluate("() => new Promise((resolve) => requestIdleCallback(resolve))")


def scene_problems(page: Page, address: str, topic: str) -> Iterator[tuple[str, str, str]]:
    """Yield scene, window and problem for every scene of a lab in presenter mode."""
    page.set_viewport_size({"width": 1280, "height": 720})
    page.goto(f"{address}/{topic}?mode=Present")
    settled(page)
    wait_for_the_bar(page)
    for number, scene in enumerate(lessons.load(topic).scenes):
        page.keyboard.press("PageDown")
        page.locator(".st-key-stage_line").get_by_text(f"{number + 1} of ").wait_for()
        settled(page)
        for name, size in STAGES.items():
            for problem in look(page, size, stage=True):
                yield f"{number + 1} {scene.title}", name, problem


def main(topics: list[str]) -> None:
    """Print every problem of the labs named."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = browser.new_page()
        with serve("app.py", Path(folder)) as address:
            for topic in topics or lessons.topics():
                for problems in (tab_problems, scene_problems):
                    for what, window, problem in problems(page, address, topic):
                        print(f"{topic} · {what} · {window}: {problem}", flush=True)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
