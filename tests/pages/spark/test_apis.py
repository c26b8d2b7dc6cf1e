"""What only APIs and Partition count do, as a visitor meets it; and a Spark that dies while a page
waits.
"""

from __future__ import annotations

import threading

from engine.spark import restarts
from engine.spark.session import ENGINE
from tests.engine.spark.test_restarts import kill_at_work
from tests.pages.visit import charts, open_page, settle, texts


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
