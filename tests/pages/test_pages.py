"""Every page, tab, scene and bad link through AppTest: the real engines run, no traceback, no error but where one is due."""

from __future__ import annotations

import time

import pytest
from streamlit.testing.v1 import AppTest

from engine import lessons
from engine.formats import bytes_read

ROUTER = "pages/router.py"
TOPICS = ("formats", "sampling")
SCENES = [(topic, number) for topic in TOPICS for number in range(len(lessons.load(topic).scenes))]
TABS = [(topic, label) for topic in TOPICS for label in lessons.load(topic).tabs.values()]


def open_page(page: str, **query: str | list[str]) -> AppTest:
    app = AppTest.from_file(f"../../{ROUTER}", default_timeout=120)
    for key, value in query.items():
        app.query_params[key] = value
    if page != "home":
        app.switch_page(f"{page}.py")
    return settle(app.run())


def settle(app: AppTest) -> AppTest:
    """Poll as the browser does until no job of this page is under way."""
    while [button for button in app.button if button.key.endswith("_cancel")]:
        time.sleep(0.05)
        app.run()
    return app


def texts(app: AppTest) -> str:
    return "\n".join(element.value for element in app.markdown)


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


def test_no_column_is_a_sentence_and_the_page_stays_usable() -> None:
    app = open_page("formats", formats_tab="Bytes read")
    app.multiselect(key="bytes_read_columns").set_value([]).run()
    assert not app.exception
    assert "columns" in app.error[0].value and "Choose one" in app.error[0].value
    app.button(key="bytes_read_reset").click().run()
    assert not app.error and len(app.get("plotly_chart")) == 2


def test_a_link_opens_the_setting_it_names() -> None:
    app = open_page("formats", formats_tab="Bytes read", bytes_read_order="shuffled", bytes_read_rows_per_group="20,000")
    assert app.session_state["bytes_read_order"] == "shuffled"
    result = bytes_read.run(bytes_read.BytesReadParams(order="shuffled", rows_per_group=20_000))
    assert result.verdict in texts(app)


def test_upload_without_a_file_says_what_to_do() -> None:
    app = open_page("formats", formats_tab="Bytes read", bytes_read_table="upload")
    assert not app.exception
    assert "choose a CSV, Parquet or Avro file" in app.error[0].value


def test_an_uploaded_file_is_read_and_a_hostile_one_is_a_sentence() -> None:
    app = open_page("formats", formats_tab="Bytes read", bytes_read_table="upload")
    rows = "\n".join(f"{i},{i * i},name {i}" for i in range(2_000))
    app.file_uploader(key="bytes_read_file").set_value(("mine.csv", f"a,b,c\n{rows}".encode(), "text/csv")).run()
    assert not app.exception and not app.error
    assert "of 3 columns" in texts(app)
    app.file_uploader(key="bytes_read_file").set_value(("cut.parquet", b"PAR1 and no more", "application/octet-stream")).run()
    assert not app.exception
    assert "damaged or cut short" in app.error[0].value


def test_more_neighbours_than_minority_points_is_a_sentence_and_k_mends_it() -> None:
    app = open_page("sampling", lineage_source="few", lineage_k_neighbors="6")
    assert not app.exception
    assert "k must be below the 6 points" in app.error[0].value and "Lower k" in app.error[0].value
    app.slider(key="lineage_k_neighbors").set_value(5).run()
    assert not app.error and len(app.get("plotly_chart")) == 2


def test_drawn_points_are_undone_and_cleared_with_a_sentence() -> None:
    app = open_page(
        "sampling", lineage_source="drawn", lineage_drawn="1,1,0;2,2,0;3,1,0;8,8,1;9,8,1;7,9,1", lineage_k_neighbors="1"
    )
    assert not app.exception and "3 minority against 3 majority" not in texts(app) and app.error, "the ratio is met already"
    app.button(key="lineage_drawn_undo").click().run()
    assert app.session_state["lineage_drawn"] == "1,1,0;2,2,0;3,1,0;8,8,1;9,8,1"
    app.slider(key="lineage_ratio").set_value(1.0).run()
    assert not app.error and "made **1** synthetic point" in texts(app)
    app.button(key="lineage_drawn_clear").click().run()
    assert not app.exception and "Click on the canvas" in app.error[0].value


def test_an_upload_is_resampled_by_its_own_columns() -> None:
    app = open_page("sampling", lineage_source="upload")
    assert "choose a CSV, Parquet or Avro file" in app.error[0].value
    rows = "\n".join(f"{i % 7},{i * i % 11},{'fraud' if i < 12 else 'fine'}" for i in range(90))
    app.file_uploader(key="lineage_file").set_value(("mine.csv", f"a,b,label\n{rows}".encode(), "text/csv")).run()
    assert not app.exception and not app.error
    assert app.selectbox(key="lineage_label").options == ["label"] and "of 12 minority points" in texts(app)


def test_a_slow_method_is_a_job_that_fills_in() -> None:
    app = open_page("sampling", lineage_method="condensed")
    assert not app.exception and not app.error
    assert app.button(key="lineage_again") and "condensed removed" in texts(app)


def test_a_prediction_shows_the_guess_beside_what_happened() -> None:
    lesson = lessons.load("formats")
    number, prediction = next((i, p) for i, p in enumerate(lesson.predictions) if p.experiment == "bytes_read")
    app = open_page("formats", formats_tab="Bytes read", bytes_read_panel="Predict")
    app.slider(key=f"formats_guess_{number}").set_value(3.0).run()
    app.button(key=f"formats_guess_{number}_reveal").click().run()
    actual = getattr(bytes_read.run(lesson.settings_of("bytes_read", prediction.params)), prediction.field)
    assert f"you said **3**, it is **{actual:,}**" in texts(app)
    assert lessons.plain(app.session_state["bytes_read_order"]) == prediction.params["bytes_read_order"]


def test_pinning_a_run_compares_it_with_the_next() -> None:
    app = open_page("formats", formats_tab="Bytes read", bytes_read_panel="A / B")
    app.button(key="bytes_read_pin").click().run()
    app.segmented_control(key="bytes_read_order").set_value("shuffled").run()
    table = app.table[0].value
    row = table[table["number"] == "row_groups_kept"].iloc[0]
    default = bytes_read.run(bytes_read.BytesReadParams()).groups_kept
    assert (row["A"], row["B (now)"], row["B − A"]) == (str(default), "20", f"+{20 - default}")
    assert "order: as is → shuffled" in "\n".join(caption.value for caption in app.caption)


@pytest.mark.parametrize("panel", ["Why", "Predict", "Challenge", "A / B", "Code", "Export", "Guide"])
@pytest.mark.parametrize("topic", TOPICS)
def test_every_panel_of_every_tab_renders(topic: str, panel: str) -> None:
    lesson = lessons.load(topic)
    for name, label in lesson.tabs.items():
        app = open_page(topic, **{lesson.tab_key: label, f"{name}_panel": panel})
        assert not app.exception and not app.error
        assert app.segmented_control(key=f"{name}_panel").value == panel
