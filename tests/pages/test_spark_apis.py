"""What only the tabs APIs and Partition count do, as a visitor meets it."""

from __future__ import annotations

from engine.spark.console import EXAMPLES
from tests.pages.visit import open_page, settle, texts


def test_a_query_is_answered_a_bad_one_refused_in_a_sentence() -> None:
    app = open_page("spark", spark_tab="APIs", apis_view="SQL console", apis_query="SELECT count(*) AS n FROM airlines")
    assert not app.exception and not app.error
    assert list(app.dataframe[0].value["n"]) == [16]
    settle(app.text_area(key="apis_query").set_value("DROP TABLE flights").run())
    assert not app.exception and app.error[0].value.startswith("This console answers queries")
    settle(app.pills[0].set_value("Busiest routes").run())
    assert app.text_area(key="apis_query").value == EXAMPLES["Busiest routes"] and not app.exception and not app.error
    settle(app.text_area(key="apis_query").set_value(" ").run())
    assert not app.exception and app.error[0].value.startswith("The query is empty.")


def test_accumulators_and_broadcasts_are_counted_on_the_page() -> None:
    app = open_page("spark", spark_tab="APIs", apis_view="Accumulators", apis_n_rows="1,000")
    assert not app.exception and not app.error
    assert "**3 of 8** ways to count them are wrong" in texts(app)
    settle(app.segmented_control(key="apis_view").set_value("Broadcast").run())
    assert not app.exception and not app.error and "as a broadcast variable" in texts(app)


def test_another_number_is_looked_at_without_running_again() -> None:
    app = open_page("spark", spark_tab="Partition count", tuner_view="Tasks on their cores")
    assert not app.exception and not app.error
    before = texts(app)
    app.select_slider(key="tuner_at").set_value(4).run()
    assert not app.exception and "4 (looked at)" in list(app.table[0].value["partitions"])
    assert not [button for button in app.button if button.key == "tuner_cancel"] and before.split("\n")[0] in texts(app)
