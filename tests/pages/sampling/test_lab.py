"""What only the Sampling lab does, as a visitor meets it."""

from __future__ import annotations

from tests.pages.visit import charts, open_page, settle, texts


def test_more_neighbours_than_minority_points_is_a_sentence_until_k_is_lower() -> None:
    app = open_page("sampling", lineage_source="few", lineage_k_neighbors="6")
    assert not app.exception
    assert (
        "k must be below the 6 points" in app.error[0].value
        and "Lower Neighbours k" in app.error[0].value
    )
    app.slider(key="lineage_k_neighbors").set_value(5).run()
    assert not app.error and len(charts(app)) == 2


def test_drawn_points_are_undone_and_cleared_with_a_sentence() -> None:
    app = open_page(
        "sampling",
        lineage_source="drawn",
        lineage_drawn="1,1,0;2,2,0;3,1,0;8,8,1;9,8,1;7,9,1",
        lineage_k_neighbors="1",
    )
    assert not app.exception and app.error, "the ratio is met already"
    app.button(key="lineage_drawn_undo").click().run()
    assert app.session_state["lineage_drawn"] == "1,1,0;2,2,0;3,1,0;8,8,1;9,8,1"
    app.slider(key="lineage_ratio").set_value(1.0).run()
    assert not app.error and "adds **1** synthetic point" in texts(app)
    app.button(key="lineage_drawn_clear").click().run()
    assert not app.exception and "Click on the canvas" in app.error[0].value


def test_an_upload_is_resampled_by_its_own_columns() -> None:
    app = open_page("sampling", lineage_source="upload")
    assert "No file yet" in app.error[0].value
    rows = "\n".join(f"{i % 7},{i * i % 11},{'fraud' if i < 12 else 'fine'}" for i in range(90))
    app.file_uploader(key="lineage_file").set_value(
        ("mine.csv", f"a,b,label\n{rows}".encode(), "text/csv")
    ).run()
    assert not app.exception and not app.error
    assert app.selectbox(key="lineage_label").options == ["label"] and "minority 12 →" in texts(app)


def test_a_slow_method_is_a_job_that_fills_in() -> None:
    app = open_page("sampling", lineage_method="condensed")
    assert not app.exception and not app.error
    assert app.button(key="lineage_again") and "condensed removes" in texts(app)


def test_one_in_a_thousand_takes_enough_rows_by_itself_and_says_so() -> None:
    app = open_page("sampling", sampling_tab="Focal loss")
    assert app.select_slider(key="focal_n_rows").value == 5_000
    app.button_group(key="focal_positives").set_value("0.1%").run()
    assert not app.exception and not app.error
    assert (
        app.select_slider(key="focal_n_rows").value == 10_000
        and "3,000" not in app.select_slider(key="focal_n_rows").options
    )
    cold = open_page(
        "sampling",
        sampling_tab="Focal loss",
        focal_positives="thinned to 0.1%",  # as older links name it
        focal_n_rows="5,000",
    )
    assert (
        not cold.exception
        and not cold.error
        and cold.select_slider(key="focal_n_rows").value == 10_000
    )


def test_another_scheme_asks_for_no_new_scores_and_a_pinned_run_is_beside_them() -> None:
    app = open_page("sampling", sampling_tab="Splits", splits_n_rows="1,000")
    job = app.session_state["splits_job"]
    app.selectbox(key="splits_scheme").set_value("by day").run()
    assert app.session_state["splits_job"] == job, "scores are of all schemes, whichever is drawn"
    app.session_state["splits_panel"] = "A/B"
    app.run().button(key="splits_pin").click().run()
    settle(app.segmented_control(key="splits_model").set_value("logistic").run())
    assert app.session_state["splits_job"] != job and not app.exception
    assert any(
        trace.get("name") == "mean, run A" for chart in charts(app) for trace in chart["data"]
    )
