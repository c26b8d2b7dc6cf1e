"""What only the Audit, Fix it and Spot the leak tabs do, as a visitor meets them."""

from __future__ import annotations

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engine.leakage.rounds import deal
from engine.leakage.rounds.cases import CASES
from tests.engine.leakage.test_order import patients
from tests.pages.visit import open_page, settle, texts


def csv(n: int = 200) -> bytes:
    rows = [
        f"{i},c{i // 4},{i % 7},{'test' if i >= 150 else 'train'},{'gone' if i % 3 else 'here'}"
        for i in range(n)
    ]
    return ("day,customer,x,side,state\n" + "\n".join(rows)).encode()


def test_an_upload_is_audited_by_the_columns_that_its_owner_names() -> None:
    app = open_page("leakage", leakage_tab="Audit", audit_source="upload")
    assert "No file yet" in app.error[0].value
    app.file_uploader(key="audit_file").set_value(("mine.csv", csv(), "text/csv"))
    settle(app.run())
    assert (
        not app.exception and not app.error and app.selectbox(key="audit_target").value == "state"
    )
    settle(app.selectbox(key="audit_split_column").set_value("side").run())
    settle(app.selectbox(key="audit_group_column").set_value("customer").run())
    assert not app.exception and not app.error and "200 rows × 5 columns" in texts(app)
    settle(app.selectbox(key="audit_target").set_value("customer").run())
    assert (
        not app.exception
        and "The target must have two classes, or be a number" in app.error[0].value
    )


def test_an_uploaded_id_and_an_uploaded_order_that_tell_are_named() -> None:
    rng = np.random.default_rng(0)
    ids, y = patients(rng, share=1.0)
    ids, y = ids[np.argsort(y, kind="stable")], np.sort(y)
    at = pa.array(np.arange(len(y)) * 777_777 + 1_700_000_000_000_000_001, pa.timestamp("ns"))
    columns = {
        "patient_id": ids,
        "x": rng.normal(size=len(y)),
        "at": at.take(pa.array(rng.permutation(len(y)))),
        "ill": y,
    }
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink)
    app = open_page("leakage", leakage_tab="Audit", audit_source="upload")
    app.file_uploader(key="audit_file").set_value(("mine.parquet", sink.getvalue(), ""))
    settle(app.run())
    assert not app.exception and not app.error
    shown = app.table[0].value.to_string()
    assert "patient_id" in shown and "the row order" in shown
    assert "That does not make it legitimate" in texts(app)


def test_the_scoreboard_is_a_job_that_says_what_is_caught_and_what_is_not() -> None:
    app = open_page("leakage", leakage_tab="Audit", audit_view="Scoreboard", audit_plants="1")
    assert not app.exception and not app.error
    assert "injected leaks" in texts(app) and "clean columns" in texts(app)


def test_coverage_lists_every_type_and_what_no_table_shows() -> None:
    app = open_page("leakage", leakage_tab="Audit", audit_view="Coverage")
    assert not app.exception
    shown = app.table[0].value
    assert {kind.split()[0] for kind in shown["kind"]} == {
        "L1.1",
        "L1.2",
        "L1.3",
        "L1.4",
        "L2",
        "L3.1",
        "L3.2",
        "L3.3",
    }
    assert (shown["seen by"] == "no table shows it").sum() == 6


def test_the_rows_of_a_finding_are_shown_with_its_fix() -> None:
    app = open_page(
        "leakage", leakage_tab="Audit", audit_n_rows="2,000", audit_detail="Rows and fix"
    )
    label = next(
        option for option in app.selectbox(key="audit_finding").options if "time overlap" in option
    )
    settle(app.selectbox(key="audit_finding").set_value(label).run())
    assert "**Fix.** Split by time" in texts(app) and "time_hour" in app.dataframe[0].value.columns
    assert app.button(key="audit_again")


def test_a_round_is_answered_revealed_and_counted_once() -> None:
    app = open_page("leakage", leakage_tab="Spot the leak")
    answer = CASES[deal("all", 1, 0)].answer
    assert answer not in texts(app)
    app.selectbox(key="rounds_guess").set_value(answer).run()
    app.toggle(key="rounds_revealed").set_value(True).run()
    assert (
        not app.exception
        and f"Correct: it is **{answer}**" in texts(app)
        and app.metric[0].value == "1 of 1"
    )
    app.toggle(key="rounds_revealed").set_value(False).run()
    app.selectbox(key="rounds_guess").set_value("identifier").run()
    app.toggle(key="rounds_revealed").set_value(True).run()
    assert app.metric[0].value == "1 of 1", "the first answer counts"
    app.button(key="rounds_next").click().run()
    assert app.session_state["rounds_number"] == 2 and app.session_state["rounds_revealed"] is False
    app.toggle(key="rounds_revealed").set_value(True).run()
    assert app.metric[0].value == "1 of 1", "no answer, no count"


def test_the_test_file_is_made_of_the_visitors_own_names() -> None:
    app = open_page(
        "leakage",
        leakage_tab="Fix it",
        repairs_mechanism="an id that knows",
        repairs_repeats="1",
    )
    app.text_input(key="repairs_own_target").set_value("churned").run()
    assert not app.exception and "TARGET = 'churned'" in app.code[-1].value
    app.text_input(key="repairs_own_known_at").set_value("x").run()
    assert "known_at must be made of column: hours" in app.error[0].value
