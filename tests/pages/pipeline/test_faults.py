"""The tabs Break it and Find the cause."""

from __future__ import annotations

from engine.pipeline.faults.kinds import FAULTS
from engine.pipeline.game.cases import CLUES, UNDECIDED
from tests.pages.visit import charts, open_page, problems, settle, texts


def test_a_fault_is_executed_and_each_view_shows_it() -> None:
    app = open_page("pipeline", pipeline_tab="Break it", faults_fault="Schema change")
    assert problems(app) == []
    (gates,) = [chart for chart in charts(app) if chart["key"] == "faults_gates"]
    assert len(gates["layout"]["yaxis"]["categoryarray"]) == len(FAULTS)
    assert "Missing: dep_delay" in texts(app)
    for view in (
        "Stages",
        "Alert rules",
        "Score",
        "False alarms",
        "Online detectors",
        "All faults",
    ):
        settle(app.segmented_control(key="faults_view").set_value(view).run())
        assert problems(app) == []
    shown = {chart["key"] for chart in charts(app)}
    assert shown == {"faults_gates"}


def test_a_case_is_played_and_the_next_one_starts_blind() -> None:
    app = open_page("pipeline", pipeline_tab="Find the cause", game_case="4")
    assert problems(app) == [] and "The run has stopped" in texts(app)
    assert "Late file" not in texts(app)
    settle(app.multiselect(key="game_clues").set_value(["log"]).run())
    assert problems(app) == [] and any("message" in table.value for table in app.dataframe)
    settle(app.selectbox(key="game_answer").set_value("Late file").run())
    assert "Correct: Late file" in texts(app) and f"{CLUES['log'].minutes} min" in texts(app)
    settle(app.slider(key="game_case").set_value(1).run())
    assert problems(app) == []
    assert app.session_state["game_answer"] == UNDECIDED
    assert list(app.session_state["game_clues"]) == []
