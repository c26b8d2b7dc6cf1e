"""What only the Leakage lab does, as a visitor meets it: dose, moment and time splits."""

from __future__ import annotations

from engine.leakage import availability, dose, time_splits
from tests.pages.visit import charts, open_page, texts


def test_a_link_names_the_leak_and_its_neighbours() -> None:
    app = open_page(
        "leakage", dose_focus="Scaling on all rows", dose_n_rows="1200", dose_duplicates="0.5"
    )
    assert app.session_state["dose_n_rows"] == 1_200
    params = dose.DoseParams(focus="Scaling on all rows", n_rows=1_200, duplicates=0.5)
    assert dose.run(params).verdict in texts(app)
    assert (
        app.slider(key="dose_scaling").disabled and not app.slider(key="dose_duplicates").disabled
    )


def test_moving_the_moment_changes_what_is_late_and_fits_nothing_again() -> None:
    app = open_page("leakage", leakage_tab="Known when?")
    before = availability.auc_of.cache_info().misses
    app.select_slider(key="availability_moment").set_value("push-back").run()
    assert not app.exception and availability.auc_of.cache_info().misses == before
    assert availability.run(availability.AvailabilityParams(moment="push-back")).verdict in texts(
        app
    )


def test_no_column_at_all_is_a_sentence_and_reset_fixes_it() -> None:
    app = open_page("leakage", leakage_tab="Known when?")
    app.multiselect(key="availability_columns").set_value([]).run()
    assert not app.exception and "columns must name at least one. Got none." in app.error[0].value
    app.button(key="availability_reset").click().run()
    assert not app.error and len(charts(app)) >= 1


def test_a_gap_that_leaves_nothing_is_a_sentence() -> None:
    app = open_page(
        "leakage", leakage_tab="Time splits", time_splits_gap_days="60", time_splits_n_splits="10"
    )
    assert not app.exception and "Lower the gap, or take fewer folds" in app.error[0].value
    app.slider(key="time_splits_gap_days").set_value(7).run()
    assert not app.error and time_splits.run(
        time_splits.TimeSplitsParams(n_splits=10, gap_days=7)
    ).verdict in texts(app)
