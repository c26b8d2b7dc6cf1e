"""Every page, tab, scene and bad link through AppTest: the real engines run, no traceback, no error
but where one is due.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from streamlit import config

from pages import startup
from pages.shell import lessons, panels, state
from tests.pages.visit import charts, open_page, problems, settle, share, texts, visitor

ROOT = Path(__file__).resolve().parents[2]
TOPICS = sorted(path.stem for path in lessons.FOLDER.glob("*.toml"))
BAD = ("nonsense", "-1", "1e999", "")
CONTROLS = (
    *("slider", "select_slider", "selectbox", "multiselect", "radio", "checkbox", "toggle"),
    *("number_input", "text_input", "segmented_control", "pills", "text_area", "date_input"),
)
SCENES = [(topic, number) for topic in TOPICS for number in range(len(lessons.load(topic).scenes))]
TABS = [(topic, label) for topic in TOPICS for label in lessons.load(topic).tabs.values()]


def controls(block: Any) -> list[Any]:
    return [control for kind in CONTROLS for control in getattr(block, kind)]


def test_home_draws_a_card_with_a_chart_for_each_lab() -> None:
    app = open_page("home")
    assert not app.exception
    assert len(charts(app)) == len(TOPICS)
    assert lessons.load("formats").question in texts(app)
    assert not any("frames" in chart or "updatemenus" in chart["layout"] for chart in charts(app))


@pytest.mark.parametrize(("topic", "label"), TABS)
def test_every_tab_opens_with_a_result_few_controls_and_all_panels(topic: str, label: str) -> None:
    lesson = lessons.load(topic)
    name = next(name for name in lesson.tabs if lesson.tabs[name] == label)
    app = open_page(topic, **{lesson.tab_key: label})
    assert problems(app) == [] and app.session_state[lesson.tab_key] == label
    assert app.header[0].value == f"{lesson.number} · {lesson.question}"
    assert len(charts(app)) >= 1
    settings = {key for key in lesson.defaults() if key.startswith(f"{name}_")} - set(lesson.views)
    drawn = [control for control in controls(app) if control.key in settings]
    assert drawn and [control.key for control in drawn if not control.help] == []
    folded = {control.key for expander in app.expander for control in controls(expander)}
    assert len([control for control in drawn if control.key not in folded]) <= 7
    assert app.button(key=f"{name}_reset").help
    shown = {}
    for panel in panels.PANELS:
        settle(app.segmented_control(key=f"{name}_panel").set_value(panel).run())
        shown[app.segmented_control(key=f"{name}_panel").value] = problems(app)
    assert shown == {panel: [] for panel in panels.PANELS}


@pytest.mark.parametrize(("topic", "number"), SCENES)
def test_every_scene_renders_with_its_settings_on_stage_and_from_its_link(
    topic: str, number: int
) -> None:
    """One visitor sees all scenes of a lab in turn; only the link is opened by somebody else."""
    app, lesson = visitor(topic), lessons.load(topic)
    app.session_state["shown"] = None
    settle(app.button(key=f"{topic}_scene_{number}").click().run())
    assert problems(app) == []
    scene = lesson.scenes[number]
    for key, value in scene.params.items():
        assert lessons.to_field(app.session_state[key]) == lessons.to_field(value), key
    assert scene.look_at in texts(app)
    drawn = [chart["key"] for chart in charts(app)]
    alone = drawn
    if scene.chart:
        settle(app.segmented_control(key="mode").set_value(state.PRESENT).run())
        alone = [chart["key"] for chart in charts(app)]
        app.segmented_control(key="mode").set_value(state.EXPLORE)
    share(app)  # the same run leaves the stage
    app.session_state["share"] = False
    assert not scene.chart or (scene.chart in drawn and alone == [scene.chart])
    # The link that Share offers opens the same again, formatted options, views and lists included.
    if app.session_state["shown"] is None:
        # a view without a run of its own, as the audit's scoreboard; that each tab has its run is
        # tested above
        return
    name = app.session_state["shown"][0]
    link = next(code.value for code in app.code if not set(code.value) & set(" \n"))
    again = open_page(topic, **parse_qs(urlsplit(link).query))
    for key in [
        lesson.tab_key,
        *(
            key
            for key in lesson.defaults()
            if key.startswith(f"{name}_") and key in again.session_state
        ),
    ]:
        assert lessons.to_field(again.session_state[key]) == lessons.to_field(
            app.session_state[key]
        ), key


def test_a_scene_sets_everything_else_back_to_its_default() -> None:
    app = open_page("formats", formats_tab="Bytes read")
    app.slider(key="bytes_read_seed").set_value(7).run()
    app.button(key="formats_scene_4").click().run()
    assert app.session_state["bytes_read_seed"] == 0


def test_presenter_mode_steps_through_the_scenes_and_leaves() -> None:
    app = open_page("formats", mode=state.PRESENT)
    first, second = lessons.load("formats").scenes[:2]
    app.button(key="presenter_next").click().run()
    assert first.title in texts(app)
    app.button(key="presenter_next").click().run()
    assert second.title in texts(app)
    app.toggle(key="presenter_note").set_value(True).run()
    assert second.note in app.info[0].value and second.look_at in app.info[0].value
    app.button(key="presenter_back").click().run()
    assert first.title in texts(app)
    app.button(key="presenter_leave").click().run()
    assert app.session_state["mode"] == state.EXPLORE and not app.exception


@pytest.mark.parametrize(("topic", "label"), TABS)
def test_a_bad_link_falls_back_or_says_what_is_wrong(topic: str, label: str) -> None:
    """All settings of a tab are bad at once, each in one of the ways. One that is taken for good is
    tried in each way by itself, and what is not drawn then as well.

    Streamlit drops a value that a widget cannot hold before the page sees it: such a page is the
    default page.
    """
    lesson = lessons.load(topic)
    defaults = lesson.defaults()
    (own,) = [name for name in lesson.tabs if lesson.tabs[name] == label]
    keys = [key for key in defaults if key.startswith(f"{own}_")]
    if own == next(iter(lesson.tabs)):
        # what belongs to no tab is asked beside the first, the tab itself included
        keys += [
            key for key in defaults if not any(key.startswith(f"{name}_") for name in lesson.tabs)
        ]
    ways = BAD * (len(keys) // len(BAD) + 2)
    bad = dict(zip(keys, ways[TABS.index((topic, label)) % len(BAD) :], strict=False))
    together = open_page(topic, **{lesson.tab_key: label, **bad})
    assert not together.exception
    assert len(charts(together)) >= 1 or together.error
    state = together.session_state
    taken = [
        key
        for key in keys
        if key in state and lessons.to_field(state[key]) != lessons.to_field(defaults[key])
    ]
    links = [(key, value) for key in taken for value in BAD]
    if taken or together.error:
        links += [(key, bad[key]) for key in keys if key not in state]
    for key, value in links:
        app = open_page(topic, **{lesson.tab_key: label, key: value})
        assert not app.exception, (key, value)
        assert len(charts(app)) >= 1 or app.error, (key, value)


def test_a_run_of_a_page_waits_for_no_collection_through_what_is_imported() -> None:
    assert config.get_option("runner.postScriptGC") is False
    kept = [[number] for number in range(1000)]  # lists are what a collector walks through
    try:
        startup.settle()
        assert not any(
            thing is kept[0] for thing in gc.get_objects()
        ) and gc.get_freeze_count() > len(kept)
    finally:
        gc.unfreeze()


STOPPED_SERVER = """
import asyncio
import duckdb
from pages import startup

def steps():
    yield duckdb.connect()

async def live():
    async with startup.lifespan(None):
        assert startup.JOBS.submit("visitor", "key", "title", steps).ended.wait(60)

startup.load, startup.warm, startup.orchestrate = startup.settle, lambda: None, lambda: None
asyncio.run(live())
"""


def test_a_server_that_stops_frees_its_connections(tmp_path: Path) -> None:
    """DuckDB prints at exit what nobody freed: what is frozen, and what a thread still holds."""
    done = subprocess.run(
        [sys.executable, "-c", STOPPED_SERVER],
        cwd=ROOT,
        env={**os.environ, "PLAYGROUND_WORKSPACE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "leaked" not in done.stderr
