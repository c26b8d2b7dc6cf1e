"""Every page, tab, scene and bad link through AppTest: the real engines run, no traceback, no error but where one is due."""

from __future__ import annotations

import pytest

from engine import lessons
from tests.pages.visit import open_page, settle, texts

TOPICS = sorted(path.stem for path in lessons.FOLDER.glob("*.toml"))
SCENES = [(topic, number) for topic in TOPICS for number in range(len(lessons.load(topic).scenes))]
TABS = [(topic, label) for topic in TOPICS for label in lessons.load(topic).tabs.values()]


def test_home_draws_a_card_with_a_chart_for_each_lab() -> None:
    app = open_page("home")
    assert not app.exception
    assert len(app.get("plotly_chart")) == len(TOPICS)
    assert lessons.load("formats").question in texts(app)


@pytest.mark.parametrize(("topic", "label"), TABS)
def test_every_tab_opens_with_a_result(topic: str, label: str) -> None:
    app = open_page(topic, **{f"{topic}_tab": label})
    assert not app.exception and not app.error
    assert app.session_state[f"{topic}_tab"] == label
    assert app.header[0].value == f"“{lessons.load(topic).question}”"
    assert len(app.get("plotly_chart")) >= 1


@pytest.mark.parametrize(("topic", "number"), SCENES)
def test_every_scene_renders_with_its_settings(topic: str, number: int) -> None:
    app = open_page(topic)
    settle(app.button(key=f"{topic}_scene_{number}").click().run())
    assert not app.exception and not app.error
    scene = lessons.load(topic).scenes[number]
    for key, value in scene.params.items():
        assert lessons.plain(app.session_state[key]) == lessons.plain(value), key
    assert scene.look_at in texts(app)


@pytest.mark.parametrize(("topic", "number"), [(t, n) for t, n in SCENES if lessons.load(t).scenes[n].chart])
def test_a_scene_with_a_chart_of_its_own_shows_it_alone_on_stage(topic: str, number: int) -> None:
    app = open_page(topic)
    settle(app.button(key=f"{topic}_scene_{number}").click().run())
    assert len(app.get("plotly_chart")) > 1
    settle(app.toggle(key="present").set_value(True).run())
    (chart,) = app.get("plotly_chart")
    assert lessons.load(topic).scenes[number].chart in chart.proto.id


def test_a_scene_sets_everything_else_back_to_its_default() -> None:
    app = open_page("formats", formats_tab="Bytes read")
    app.slider(key="bytes_read_seed").set_value(7).run()
    app.button(key="formats_scene_4").click().run()
    assert app.session_state["bytes_read_seed"] == 0


def test_presenter_mode_steps_through_the_scenes_and_leaves() -> None:
    app = open_page("formats", present="true")
    first, second = lessons.load("formats").scenes[:2]
    app.button(key="presenter_next").click().run()
    assert first.look_at in texts(app)
    app.button(key="presenter_next").click().run()
    assert second.look_at in texts(app)
    app.toggle(key="presenter_note").set_value(True).run()
    assert second.note in [info.value for info in app.info]
    app.button(key="presenter_back").click().run()
    assert first.look_at in texts(app)
    app.button(key="presenter_leave").click().run()
    assert app.session_state["present"] is False and not app.exception


@pytest.mark.parametrize(("topic", "query"), [(topic, key) for topic in TOPICS for key in lessons.load(topic).defaults()])
@pytest.mark.parametrize("value", ["nonsense", "-1", "1e999", ""])
def test_a_bad_link_falls_back_or_says_what_is_wrong(topic: str, query: str, value: str) -> None:
    lesson = lessons.load(topic)
    label = next((lesson.tabs[name] for name in lesson.tabs if query.startswith(f"{name}_")), next(iter(lesson.tabs.values())))
    app = open_page(topic, **{lesson.tab_key: label, query: value})
    assert not app.exception
    assert len(app.get("plotly_chart")) >= 1 or app.error


@pytest.mark.parametrize("panel", ["Why", "Predict", "Challenge", "A / B", "Code", "Export", "Guide"])
@pytest.mark.parametrize("topic", TOPICS)
def test_every_panel_of_every_tab_renders(topic: str, panel: str) -> None:
    lesson = lessons.load(topic)
    for name, label in lesson.tabs.items():
        app = open_page(topic, **{lesson.tab_key: label, f"{name}_panel": panel})
        assert not app.exception and not app.error
        assert app.segmented_control(key=f"{name}_panel").value == panel
