"""``make bench``: what a tweak costs in a real Chromium, as milliseconds and as a ratio to a bare page in the same run.

Printed: cold start of the server to Home's first chart; key press on a control to repainted chart for the bare page and for
each lab tab, interleaved, median of ``N_TWEAKS`` with the range; server compute a tweak; figure payload bytes; the race
harness's own share of the default race.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from imblearn.over_sampling import SMOTE
from playwright.sync_api import Page, sync_playwright

from engine.formats import anatomy, bytes_read, codecs, evolution, race, terabyte
from engine.formats.figures import anatomy as anatomy_figures
from engine.formats.figures import bytes_read as bytes_read_figures
from engine.formats.figures import codecs as codecs_figures
from engine.formats.figures import evolution as evolution_figures
from engine.formats.figures import race as race_figures
from engine.formats.figures import terabyte as terabyte_figures
from engine.jobs import timed
from engine.sampling import arena, focal, lineage, splits, survey
from engine.sampling.figures import lineage as lineage_figures
from engine.sampling.points import Points
from tests.browser.serve import FLAGS, browser_path, serve

N_TWEAKS = 15
N_BLOCKS = 3  # bare page and tab take turns


@dataclass(frozen=True)
class Tab:
    """A tab, the control that is tweaked with the arrow keys, and the chart that answers."""

    name: str
    path: str
    control: str  # CSS, the element that takes the arrow keys, or the choices that are clicked in turn
    chart: str  # widget key


def slider(key: str) -> str:
    return f".st-key-{key} input[type=range]"


BEFORE_SPLIT, SURVEY = (f".st-key-{key} [role=radio]" for key in ("before_split_score", "survey_view"))
BARE = Tab("bare page", "", slider("bare_n"), "bare_chart")
TABS = (
    Tab("Race (measured, another time shown)", "formats?formats_tab=Race", ".st-key-race_operation [role=radio]", "race_chart"),
    Tab("Bytes read (range)", "formats?formats_tab=Bytes+read", slider("bytes_read_window"), "bytes_read_strip"),
    Tab("Anatomy (distinct values)", "formats?formats_tab=Anatomy", slider("anatomy_cardinality"), "anatomy_fallback"),
    Tab(
        "Codecs (measured, other speed)", "formats?formats_tab=Codecs", ".st-key-codecs_against [role=radio]", "codecs_tradeoff"
    ),
    Tab("Schema evolution (rows)", "formats?formats_tab=Schema+evolution", slider("evolution_n_rows"), "evolution_matrix"),
    Tab("One terabyte (weight)", "formats?formats_tab=One+terabyte", slider("terabyte_storage_weight"), "terabyte_chart"),
    Tab("Arena (measured, threshold)", "sampling?sampling_tab=Arena", slider("arena_threshold"), "arena_precision_recall"),
    Tab("Before-split (measured, other score)", "sampling?sampling_tab=Before-split+trap", BEFORE_SPLIT, "before_split_chart"),
    Tab("Focal loss (γ)", "sampling?sampling_tab=Focal+loss", slider("focal_gamma"), "focal_loss"),
    Tab("Survey (measured, look closer)", "sampling?sampling_tab=Survey+arena", SURVEY, "survey_estimates"),
    Tab("Splits (folds)", "sampling?sampling_tab=Splits&splits_view=Empty+folds", slider("splits_n_splits"), "splits_bands"),
    Tab("SMOTE, step by step (k, 2,000 rows)", "sampling?lineage_n_rows=2,000", slider("lineage_k_neighbors"), "lineage_plane"),
)
QUIET_MILLISECONDS = 400  # the page counts as repainted at its last change before such a silence
WATCH = """quiet => {
  window.painted = new Promise(resolve => {
    let start = null, last = null, timer = null;
    const begin = () => { start ??= performance.now(); };
    for (const event of ['keydown', 'pointerdown']) addEventListener(event, begin, {once: true, capture: true});
    const settle = () => { observer.disconnect(); resolve(last === null ? null : last - start); };
    const observer = new MutationObserver(() => {
      if (start === null) return;
      last = performance.now();
      clearTimeout(timer);
      timer = setTimeout(settle, quiet);
    });
    observer.observe(document.querySelector('[data-testid=stMain]'),
      {childList: true, subtree: true, attributes: true, characterData: true});
    setTimeout(settle, 5000);
  });
}"""


def tweak(page: Page, tab: Tab, turn: int) -> float | None:
    """Press an arrow key on the control, or click its next choice; return the milliseconds until the page stood still again."""
    control = page.locator(tab.control)
    if tab.control.endswith("[role=radio]"):
        page.evaluate(WATCH, QUIET_MILLISECONDS)
        control.nth(turn % control.count()).click()
    else:
        control.last.focus()
        page.evaluate(WATCH, QUIET_MILLISECONDS)
        page.keyboard.press("ArrowRight" if turn % 3 else "ArrowLeft")
    milliseconds: float | None = page.evaluate("window.painted")
    return milliseconds


def spread(values: list[float]) -> str:
    return f"median {statistics.median(values):6.0f}  ({min(values):.0f} … {max(values):.0f}, n = {len(values)})"


def latencies(page: Page, address: str, bare: str) -> None:
    for tab in TABS:
        times: dict[str, list[float]] = {BARE.name: [], tab.name: []}
        for _ in range(N_BLOCKS):
            for place, url in ((BARE, bare), (tab, f"{address}/{tab.path}")):
                page.goto(url)
                page.wait_for_selector(f".st-key-{place.chart} .main-svg", timeout=120_000)
                page.get_by_role("button", name="Cancel").wait_for(state="detached", timeout=120_000)
                page.wait_for_timeout(1500)
                tweak(page, place, 0)  # not counted: first paint after a load
                for i in range(N_TWEAKS // N_BLOCKS):
                    took = tweak(page, place, i + 1)
                    times[place.name] += [] if took is None else [took]
        ratio = statistics.median(times[tab.name]) / statistics.median(times[BARE.name])
        print(f"  {tab.name}: {ratio:.2f} × the bare page (goal ≤ 1.5)")
        for label, values in times.items():
            print(f"    {label:36}{spread(values)} ms")


def measure(name: str, run: Callable[[int], Any]) -> Any:
    """Print what ``run(i)`` takes for ``N_TWEAKS`` different settings, and return the last answer."""
    run(0)
    seconds = []
    for i in range(N_TWEAKS):
        start = time.perf_counter()
        answer = run(i)
        seconds.append(time.perf_counter() - start)
    print(f"  {name:36}{spread([s * 1000 for s in seconds])} ms (goal ≤ 50)")
    return answer


def compute() -> None:
    asked = bytes_read.BytesReadParams()
    result = measure("Bytes read", lambda i: bytes_read.run(replace(asked, window=(0.1 + i / 50, 0.2 + i / 50))))
    asked_anatomy = anatomy.AnatomyParams(cardinality=10)
    pieces = measure("Anatomy", lambda i: anatomy.run(replace(asked_anatomy, cardinality=10 + 1_000 * i)))
    matrix = measure("Schema evolution", lambda i: evolution.run(evolution.EvolutionParams(n_rows=2 + i)))
    measured = race.run(race.RaceParams())
    terms = terabyte.TerabyteParams()
    projected = measure("One terabyte", lambda i: terabyte.project(replace(terms, price=float(i)), measured))
    print(f"  Race: the harness took {measured.overhead_share:.2%} of {measured.wall_seconds:.1f} s (goal ≤ 2 %)")
    packed = codecs.run(codecs.CodecsParams(n_rows=10_000, repeats=1))
    figures = {
        "Race": race_figures.chart(measured, "read all"),
        "Bytes read, strip": bytes_read_figures.strip(result),
        "Bytes read, statistics": bytes_read_figures.statistics(result),
        "Bytes read, layout": bytes_read_figures.layout(result),
        "Anatomy, map": anatomy_figures.byte_map(pieces),
        "Anatomy, curve": anatomy_figures.fallback(pieces),
        "Codecs": codecs_figures.tradeoff(packed, "write"),
        "Codecs, sorting": codecs_figures.sorting(packed),
        "SMOTE, step by step": lineage_figures.plane(lineage.run(lineage.LineageParams(n_rows=2_000))),
        "Schema evolution": evolution_figures.matrix(matrix),
        "One terabyte": terabyte_figures.chart(projected),
    }
    for name, figure in figures.items():
        print(f"  {name:36}{len(figure.to_json()):8,} bytes (goal ≤ 300,000)")


def resampling() -> None:
    """Print what lineage adds to SMOTE alone on 100,000 rows, and what dragging k costs in each method at 2,000."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [90_000, 10_000])
    for n_features in (2, 10):
        rows = Points(rng.normal(size=(len(y), n_features)) + y[:, np.newaxis], y, np.full(len(y), "a"))
        library = SMOTE(sampling_strategy=1.0, random_state=0)
        runs: dict[str, list[float]] = {"library": [], "lineage": []}
        for _ in range(N_TWEAKS):
            runs["library"].append(timed(lambda: library.fit_resample(rows.X, rows.y))[0])  # noqa: B023
            runs["lineage"].append(timed(lambda: lineage.resample(rows, lineage.LineageParams(ratio=1.0)))[0])  # noqa: B023
        ratio = statistics.median(runs["lineage"]) / statistics.median(runs["library"])
        print(f"  100,000-row SMOTE with lineage, {n_features} features: {ratio:.2f} × the library alone (goal ≤ 1.3)")
    survey.population("dep_delay", "carrier")
    asked = survey.SurveyParams()
    schemes = [timed(lambda: survey.run(replace(asked, seed=i)))[0] for i in range(5)]  # noqa: B023
    print(f"  Survey, {len(survey.SCHEMES)} schemes × 500 samples of 1,000: {spread(schemes)} s (goal ≤ 3)")
    met = arena.run(arena.ArenaParams(n_rows=3_000, repeats=2))
    measure("Arena, threshold (never refits)", lambda i: met.rows(i / N_TWEAKS, 10, 1))
    measure("Focal loss, γ", lambda i: focal.run(focal.FocalParams(gamma=i / 5)))
    measure("Splits, folds", lambda i: splits.run(splits.SplitsParams(n_splits=2 + i % 9, seed=i)))
    for method in lineage.METHODS:
        points = lineage.LineageParams(method=method, source="overlap", n_rows=2_000)
        measure(f"{method}, k", lambda i: lineage.run(replace(points, k_neighbors=1 + i)))  # noqa: B023


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        start = time.perf_counter()
        with serve("app.py", Path(folder)) as address, serve("tests/bench/bare_page.py", Path(folder)) as bare:
            page.goto(address)
            page.wait_for_selector(".st-key-home_formats .main-svg")
            print(f"Cold start to Home's first chart: {time.perf_counter() - start:.1f} s (two servers starting)")
            print("Key press to repainted chart")
            latencies(page, address, bare)
        browser.close()
    print("Server compute and payload")
    compute()
    resampling()


if __name__ == "__main__":
    main()
