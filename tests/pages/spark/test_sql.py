"""Spark SQL as a visitor meets it: fixed queries with their plan, own SQL after a press, links from
when it was a view of APIs.
"""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from engine.spark.sql import console, queries
from tests.pages.visit import charts, open_page, settle, texts

QUERY = queries.QUERIES["Busiest routes"]
SQL = {"spark_tab": "Spark SQL"}
BEFORE = {"spark_tab": "APIs", "apis_view": "SQL console"}  # where it was


def run_it(app: AppTest) -> AppTest:
    return settle(app.button(key="sql_own_approve").click().run())


def test_a_fixed_query_is_beside_its_plan_and_compared_with_duckdb() -> None:
    app = open_page("spark", **SQL)
    assert not app.exception and not app.error and not app.warning
    assert "DuckDB gives the same" in texts(app)
    (plan,) = charts(app)
    assert plan["key"] == "sql_plan"
    names = {trace.get("name", ""): trace for trace in plan["data"]}
    wide = next(trace for name, trace in names.items() if name.startswith("wide"))
    assert len(wide["x"]) == 2  # GROUP BY and ORDER BY
    assert app.code[0].value == QUERY and "(1) Scan" in app.code[1].value
    assert len(app.dataframe[0].value) == 20
    settle(app.segmented_control(key="sql_view").set_value("Answer").run())
    assert [chart["key"] for chart in charts(app)] == ["sql_answer"]
    settle(app.selectbox(key="sql_explain").set_value("result only").run())
    assert len(app.code) == 1 and not app.exception
    app.button(key="sql_edit").click().run()
    assert (
        app.selectbox(key="sql_name").value == "Your own"
        and app.text_area(key="sql_query").value == QUERY
    )
    assert not app.dataframe, "a copy is not run by itself"


def test_own_sql_of_a_link_is_shown_and_run_only_once_a_button_says_so() -> None:
    app = open_page("spark", **BEFORE, apis_query="SELECT count(*) AS n FROM airlines")
    assert app.text_area(key="sql_query").value == "SELECT count(*) AS n FROM airlines"
    assert (
        not app.exception
        and not app.error
        and not app.dataframe
        and console.WHY_DUCKDB in [c.value for c in app.caption]
    )
    run_it(app)
    assert list(app.dataframe[0].value["n"]) == [16] and not app.exception
    app.text_area(key="sql_query").set_value("SELECT count(*) AS n FROM planes").run()
    assert not app.dataframe, "what was approved is this very text"
    run_it(app)
    assert list(app.dataframe[0].value["n"]) == [3_322]
    app.text_area(key="sql_query").set_value("DROP TABLE flights").run()
    assert not app.error
    run_it(app)
    assert not app.exception and app.error[0].value.startswith("This console answers one query")
    app.text_area(key="sql_query").set_value(" ").run()
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
    app = open_page("spark", **BEFORE, **link)
    assert not app.exception and not app.warning
    assert app.session_state["spark_tab"] == "Spark SQL", "where it is now"
    own = "apis_query" in link and "apis_named" not in link
    assert (app.selectbox(key="sql_name").value == "Your own") == (
        own or link.get("apis_named") == "Your own"
    )
    assert [error.value[:24] for error in app.error] == (
        ["The query must have at m"] if len(link.get("apis_query", "")) > 4_000 else []
    )


def test_settings_of_an_older_link_are_taken_over() -> None:
    link = {"apis_named": "CTE: wind and delay", "apis_explain": "cost", "apis_shown": "100"}
    app = open_page("spark", **BEFORE, **link)
    assert not app.exception and not app.error
    assert app.selectbox(key="sql_name").value == link["apis_named"]
    assert app.selectbox(key="sql_explain").value == "cost"
    assert app.select_slider(key="sql_n_rows").value == 100
