"""What only the Feature store lab does, as a visitor meets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.feature_store import lab_repo, registry, serving
from engine.feature_store.online.attached import FORMS, VARIABLES
from engine.feature_store.own.repo import VARIABLE
from engine.processes import free_port
from tests.engine.feature_store.stores import SECRET, running, url_of
from tests.engine.feature_store.test_own_kinds import kinds, repository
from tests.pages.visit import charts, open_page, settle, texts


def test_an_own_repository_is_shown_instead_of_the_labs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    weather, planes, _ = registry.tables()
    store = lab_repo.applied(lab_repo.write(tmp_path, weather, planes, project="mine"))
    serving.materialize(store, registry.SINCE, registry.UNTIL, ["weather"])
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    app = open_page("feature_store", feature_store_tab="Registry")
    assert not app.exception and not app.error and "Project **mine**: 3 sources" in texts(app)
    settle(app.selectbox(key="registry_own_focus").set_value("source · weather_hourly").run())
    assert not app.exception and len(charts(app)) == 1
    app = open_page("feature_store", feature_store_tab="Online")
    assert not app.exception and not app.error
    assert "Project **mine** serves **15** rows of 1 feature view from sqlite" in texts(app)
    viewer = open_page("feature_store")
    assert (
        not viewer.exception
        and not viewer.error
        and "agree on **216 of 216** labels" in texts(viewer)
    )
    settle(viewer.selectbox(key="own_viewer_view").set_value("weather").run())
    assert not viewer.exception and "Feast answers **" in texts(viewer) and len(charts(viewer)) == 1
    assert any("plane_history" in str(table.value.to_dict()) for table in app.table), (
        "a view without rows is named as well"
    )


def test_lists_null_keys_and_mapped_columns_of_an_own_repository_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {name: kinds()[name] for name in ("lists_of_string", "null_ints", "mapped_key")}
    repository(tmp_path, "duckdb", made)
    (tmp_path / "online.db").touch()
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    app = open_page("feature_store")
    for name in made:
        settle(app.selectbox(key="own_viewer_view").set_value(name).run())
        assert not app.exception and not app.error and len(charts(app)) == 1, name
        assert "Feast answers **" in texts(app)


@pytest.mark.parametrize("label", ["Point in time", "Online", "Registry"])
def test_a_bad_own_repository_is_a_sentence(
    label: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "nowhere"))
    app = open_page("feature_store", feature_store_tab=label)
    assert not app.exception
    assert f"{VARIABLE} must name a folder." in app.error[0].value


def test_another_hour_keeps_what_feast_has_said() -> None:
    app = open_page("feature_store", feature_store_tab="Online")
    confirmed = next(
        text for text in texts(app).splitlines() if "Feast's SQLite store agrees" in text
    )
    app.slider(key="online_at_hours").set_value(150).run()
    assert not app.exception and confirmed in texts(app) and "At hour 150" in texts(app)
    assert not [button for button in app.button if button.key == "online_cancel"], (
        "no job was asked for"
    )


def test_the_definitions_and_the_commands_are_on_the_page() -> None:
    app = open_page("feature_store", feature_store_tab="Registry", registry_view="Definitions")
    assert any(
        "def model_inputs(inputs" in code.value and "FeatureService(" in code.value
        for code in app.code
    )
    app.segmented_control(key="registry_view").set_value("Commands").run()
    assert any("feast apply" in code.value for code in settle(app).code)


def test_feast_confirms_what_is_shown_and_the_candidates_follow_the_label() -> None:
    app = open_page("feature_store")
    assert not app.exception and "Feast confirms all 12 labels" in texts(app)
    settle(app.segmented_control(key="point_in_time_view").set_value("Candidates").run())
    captions = [caption.value for caption in app.caption]
    assert any("All 48 candidates of label 6" in caption for caption in captions)
    settle(app.slider(key="point_in_time_label").set_value(3).run())
    assert any("candidates of label 3" in caption.value for caption in app.caption)
    assert app.dataframe[0].value["verdict"].tolist()[0] == "won"


def test_the_file_store_says_how_many_labels_it_lost() -> None:
    app = open_page("feature_store", point_in_time_store="file", point_in_time_ttl="30 min")
    assert not app.exception and "Feast confirms all 12 labels" in texts(app)
    assert "7 of 12 labels are missing from the answer" in texts(app)


def test_a_negative_ttl_is_feasts_own_refusal_and_the_file_store_takes_it() -> None:
    app = open_page("feature_store", point_in_time_ttl="−1 h")
    assert not app.exception and "Feast's duckdb store refuses it as well" in app.error[0].value
    settle(app.segmented_control(key="point_in_time_store").set_value("file").run())
    assert (
        not app.error
        and "Feast confirms all 12 labels" in texts(app)
        and "No label gets a value." in texts(app)
    )


def test_one_label_needs_no_picking() -> None:
    app = open_page("feature_store", point_in_time_n_labels="1")
    assert not app.exception and "Feast confirms all 1 label" in texts(app)


def test_what_would_not_fit_is_said_on_the_page() -> None:
    large = {
        "growth_n_labels": "300000",
        "growth_n_rows": "50000",
        "growth_repeats": "1",
        "growth_contestants": "Feast file",
    }
    app = open_page("feature_store", feature_store_tab="Cost as it grows", **large)
    assert (
        not app.exception and "Feast file is left out from 37,500 labels on" in app.warning[0].value
    )
    assert "Every selected join is too large" in texts(app)


def test_the_calls_of_feast_are_stepped_through() -> None:
    link = {"feature_store_tab": "Registry", "registry_part": "Architecture"}
    app = open_page("feature_store", **link)
    assert not app.exception and not app.error and len(charts(app)) == 2
    assert "**materialize** passes the registry" in texts(app)
    settle(app.select_slider(key="calls_call").set_value("train again").run())
    assert "sees the pushed row" in texts(app)
    assert any("get_historical_features" in code.value for code in app.code)
    assert not [button for button in app.button if button.key == "calls_cancel"], "no new job"
    settle(app.segmented_control(key="calls_view").set_value("Evidence").run())
    assert "offline store" in app.dataframe[0].value["component"].tolist()
    settle(app.segmented_control(key="registry_part").set_value("Lineage").run())
    assert "plane_history feeds **2 of 3** models" in texts(app)
    settle(app.segmented_control(key="registry_view").set_value("Reuse").run())
    assert not app.exception and len(charts(app)) == 2


def test_a_view_is_defined_on_the_page_and_a_link_cannot_name_it() -> None:
    link = {"feature_store_tab": "Registry", "registry_part": "Define", "define_name": "linked"}
    app = open_page("feature_store", **link)
    assert not app.exception and not app.error and "`my_delays` is registered" in texts(app)
    settle(app.text_input(key="define_name").set_value("delays:v2").run())
    assert "**Refused** by `store.apply`" in texts(app) and "must not contain ':'" in texts(app)
    settle(app.text_input(key="define_name").set_value("x'y").run())
    assert "name must be of letters" in app.error[0].value


@pytest.fixture(scope="module")
def redis() -> Iterator[None]:
    """A Redis that runs, and that its variable names."""
    with running("Redis") as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLES["Redis"], url)
        yield


def test_the_online_store_is_a_redis_of_ones_own(redis: None) -> None:
    link = {"online_source": "weather", "online_every_hours": "48", "online_view": "Inside SQLite"}
    app = open_page("feature_store", feature_store_tab="Online", online_store="Redis", **link)
    assert not app.exception and not app.error
    seen = texts(app)
    assert "Feast's Redis store agrees" in seen and "and SQLite give the same answer in" in seen
    assert "as stored" in str(list(app.dataframe[0].value)) and "type: " in app.code[0].value
    for view, chart in (("Cell by cell", ""), ("Read latency", "online_store_latency")):
        settle(app.segmented_control(key="online_view").set_value(view).run())
        assert not app.exception and chart in {"", *(one["key"] for one in charts(app))}, view
        seen += texts(app) + str([one.value.to_dict() for one in (*app.dataframe, *app.table)])
    assert SECRET not in seen


def test_without_a_store_the_week_is_predicted_and_the_page_says_how_to_name_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLES["Redis"], raising=False)
    link = {"feature_store_tab": "Online", "online_store": "Redis"}
    app = open_page("feature_store", **link)
    assert not app.exception and not app.error and len(charts(app)) == 2
    assert f"`{VARIABLES['Redis']}={FORMS['Redis']}`" in app.info[0].value
    monkeypatch.setenv(VARIABLES["Redis"], url_of("Redis", free_port()))
    app = open_page("feature_store", **link)
    assert not app.exception and "Redis at 127.0.0.1" in app.error[0].value
    assert "nobody listens there" in app.error[0].value and SECRET not in texts(app)
    assert "Feast is starting" not in texts(app)
