"""What only APIs and Partition count do, as a visitor meets it; and a Spark that dies
while a page waits.
"""

from __future__ import annotations

import threading

import pytest
from streamlit.testing.v1 import AppTest

from engine.spark import restarts
from engine.spark.apis import console
from engine.spark.session import ENGINE
from tests.engine.spark.test_restarts import kill_at_work
from tests.pages.visit import charts, open_page, settle, texts

QUERY = console.QUERIES["Busiest routes"]
CONSOLE = {"spark_tab": "APIs", "apis_view": "SQL console"}


def run_it(app: AppTest) -> AppTest:
    return settle(app.button(key="apis_own_query_approve").click().run())


def test_a_fixed_query_is_run_by_spark_and_compared_with_duckdb() -> None:
    app = open_page("spark", **CONSOLE)
    assert not app.exception and not app.error and not app.warning
    assert "DuckDB gives the same" in texts(app) and "(1) Scan" in app.code[1].value
    assert [chart["key"] for chart in charts(app)] == ["apis_answer"]
    assert app.code[0].value == QUERY and len(app.dataframe[0].value) == 20
    settle(app.selectbox(key="apis_explain").set_value("result only").run())
    assert len(app.code) == 1 and not app.exception
    app.button(key="apis_edit").click().run()
    assert (
        app.selectbox(key="apis_named").value == "Your own"
        and app.text_area(key="apis_query").value == QUERY
    )
    assert not app.dataframe, "a copy is not run by itself"


def test_own_sql_of_a_link_is_shown_and_run_only_once_a_button_says_so() -> None:
    app = open_page("spark", **CONSOLE, apis_query="SELECT count(*) AS n FROM airlines")
    assert app.text_area(key="apis_query").value == "SELECT count(*) AS n FROM airlines"
    assert (
        not app.exception
        and not app.error
        and not app.dataframe
        and console.WHY_DUCKDB in [c.value for c in app.caption]
    )
    run_it(app)
    assert list(app.dataframe[0].value["n"]) == [16] and not app.exception
    app.text_area(key="apis_query").set_value("SELECT count(*) AS n FROM planes").run()
    assert not app.dataframe, "what was approved is this very text"
    run_it(app)
    assert list(app.dataframe[0].value["n"]) == [3_322]
    app.text_area(key="apis_query").set_value("DROP TABLE flights").run()
    assert not app.error
    run_it(app)
    assert not app.exception and app.error[0].value.startswith("This console answers one query")
    app.text_area(key="apis_query").set_value(" ").run()
    assert not app.exception and app.error[0].value.startswith("The query is empty.")


@pytest.mark.parametrize(
    "link",
    [
        {"apis_explain": "codegen"},
        {"apis_explain": "twice", "apis_named": "DROP TABLE flights"},
        {
            "apis_query": "SELECT 1",
            "apis_explain": "result only",
            "apis_shown": "10",
            "apis_limit": "3",
        },
        {"apis_query": "SELECT 1", "apis_named": "Busiest routes"},
        {"apis_query": "x" * 5_000},
        {"apis_limit": "999", "apis_shown": "7", "apis_named": "Your own"},
    ],
)
def test_a_link_of_before_or_of_nonsense_opens_the_console(link: dict[str, str]) -> None:
    app = open_page("spark", **CONSOLE, **link)
    assert not app.exception and not app.warning
    own = "apis_query" in link and "apis_named" not in link
    assert (app.selectbox(key="apis_named").value == "Your own") == (
        own or link.get("apis_named") == "Your own"
    )
    assert [error.value[:24] for error in app.error] == (
        ["The query must have at m"] if len(link.get("apis_query", "")) > 4_000 else []
    )


def test_a_page_whose_spark_dies_while_it_waits_ends_with_the_result() -> None:
    before, stop = ENGINE.n_restarts, threading.Event()
    killer = threading.Thread(target=kill_at_work, args=(stop,))
    killer.start()
    try:
        app = open_page("spark", spark_tab="Lazy ledger", lazy_n_partitions="7")
    finally:
        stop.set()
        killer.join()
    assert ENGINE.n_restarts > before
    assert not app.exception and not app.error
    assert any("was started again" in caption.value for caption in app.caption)
    assert restarts.ENDED not in texts(app), "it is over"


def test_accumulators_and_broadcasts_are_counted_on_the_page() -> None:
    app = open_page("spark", spark_tab="APIs", apis_view="Accumulators", apis_n_rows="1,000")
    assert not app.exception and not app.error
    assert "**3 of 8** accumulators" in texts(app)
    settle(app.segmented_control(key="apis_view").set_value("Broadcast").run())
    assert not app.exception and not app.error and "as a broadcast variable" in texts(app)
    assert [chart["key"] for chart in charts(app)] == ["apis_shipments"]


def test_another_number_is_selected_without_running_again() -> None:
    app = open_page("spark", spark_tab="Partition count", tuner_view="Tasks on their cores")
    assert app.session_state["spark_tab"] == "Partition explorer", "where it is now"
    assert not app.exception and not app.error
    before = texts(app)
    app.select_slider(key="tuner_at").set_value(4).run()
    assert not app.exception and "4 (selected)" in list(app.table[0].value["partitions"])
    assert not [button for button in app.button if button.key == "tuner_cancel"] and before.split(
        "\n"
    )[0] in texts(app)
