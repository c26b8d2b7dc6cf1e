"""What only the Sampling lab does, as a visitor meets it."""

from __future__ import annotations

from pathlib import Path

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


def test_an_upload_of_three_classes_lets_the_minority_be_chosen() -> None:
    app = open_page("sampling", lineage_source="upload")
    content = (Path(__file__).resolve().parents[2] / "cases" / "smote_multi.csv").read_bytes()
    app.file_uploader(key="lineage_file").set_value(("three.csv", content, "text/csv")).run()
    assert not app.exception and not app.error
    minority = app.selectbox(key="lineage_minority")
    assert minority.options == ["virginica (20)", "versicolor (30)", "setosa (100)"]
    assert "virginica 20 → 50" in texts(app) and "Only virginica gets points" in texts(app)
    minority.set_value("versicolor").run()
    assert not app.error and "versicolor 30 → 50" in texts(app)
    app.selectbox(key="lineage_method").set_value("NearMiss 1").run()
    assert not app.error and "one against the rest" in texts(app)
    app.selectbox(key="lineage_minority").set_value("setosa").run()
    assert "fewer rows than all others together" in app.error[0].value
    rows = "\n".join(f"{i % 7},{i * i % 11},{i % 5 < 1}" for i in range(90))
    two = ("two.csv", f"c,d,late\n{rows}".encode(), "text/csv")
    app.selectbox(key="lineage_method").set_value("SMOTE").run()
    app.file_uploader(key="lineage_file").set_value(two).run()
    assert not app.exception and not app.error and "minority 18 →" in texts(app)
    assert "lineage_minority" not in [box.key for box in app.selectbox]


def test_smote_nc_votes_on_a_visitors_category() -> None:
    app = open_page("sampling", lineage_source="upload", lineage_method="SMOTE-NC")
    rows = [
        f"{i % 7},{i * i % 11},{'uvw'[i // 3 % 3]},{'fraud' if i < 12 else 'fine'}"
        for i in range(90)
    ]
    text = "\n".join(["a,b,shop,label", *rows])
    lacking = "\n,1,u,fine\n1,1,,fine\n1,1,u,"
    app.file_uploader(key="lineage_file").set_value(
        ("shops.csv", (text + lacking).encode(), "text/csv")
    ).run()
    assert not app.exception and not app.error
    assert app.selectbox(key="lineage_category").options == ["shop"]
    assert "3 rows of the file are left out" in texts(app)
    assert "The neighbours vote for shop" in texts(app)
    assert [chart["key"] for chart in charts(app)] == ["lineage_plane", "lineage_vote"]
    app.slider(key="lineage_made").set_value(3).run()
    assert "Synthetic point 3" in texts(app)
    app.button_group(key="lineage_view").set_value("Kinds").run()
    assert [chart["key"] for chart in charts(app)] == ["lineage_plane", "lineage_origins"]


def test_smote_nc_has_a_bundled_category() -> None:
    app = open_page(
        "sampling",
        lineage_source="flights",
        lineage_method="SMOTE-NC",
        lineage_category="carrier",
    )
    assert not app.exception and not app.error
    assert "The neighbours vote for carrier" in texts(app)
    app.selectbox(key="lineage_method").set_value("SMOTE").run()
    assert "lineage_category" not in [box.key for box in app.selectbox]
    assert [chart["key"] for chart in charts(app)] == ["lineage_plane", "lineage_origins"]


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


def test_the_arena_opens_on_the_question_and_older_links_on_the_strategies() -> None:
    app = open_page("sampling", sampling_tab="Arena")
    assert not app.exception and not app.error
    assert [chart["key"] for chart in charts(app)] == ["budget_recall", "budget_days"]
    assert (
        "200 alarms a day" in texts(app)
        and app.button_group(key="budget_positives").value == "0.1%"
    )
    older = open_page("sampling", sampling_tab="Arena", arena_view="Cost")
    assert [chart["key"] for chart in charts(older)] == ["arena_lanes", "arena_costs"]
    assert older.session_state["arena_subject"] == "Strategies"
