"""Links from before the Spark lab's tabs and remedies had their names of today."""

from __future__ import annotations

from tests.pages.visit import charts, open_page


def test_partition_count_is_a_subject_of_the_explorer() -> None:
    app = open_page("spark", spark_tab="Partition count")
    assert not app.exception and charts(app)[0]["key"] == "tuner_curve"
    app.segmented_control(key="partitioning_subject").set_value("Where rows go").run()
    assert not app.exception and charts(app)[0]["key"] == "partitioning_rows"


def test_a_link_to_a_setting_of_partition_count_opens_it() -> None:
    app = open_page("spark", tuner_workload="group-by", tuner_max_partitions="4")
    assert not app.exception and charts(app)[0]["key"] == "tuner_curve"
    assert app.segmented_control(key="tuner_workload").value == "group-by"


def test_remedies_are_found_by_their_older_names() -> None:
    cures = ["nothing", "hot key apart"]
    app = open_page("spark", spark_tab="Skew clinic", skew_clinic_cures=cures)
    assert not app.exception and not app.warning
    assert app.multiselect(key="skew_clinic_cures").value == ["plain join", "isolate hot key"]
