"""Partition explorer on its page: a file of one's own, from its folders to the rows that Spark
wrote.
"""

from __future__ import annotations

from pathlib import Path

from tests.pages.visit import charts, open_page, settle, texts

FILE = Path(__file__).parents[2] / "cases" / "spark_empty.parquet"


def test_empty_text_and_null_share_a_folder_and_spark_agrees_row_by_row() -> None:
    app = open_page("spark", partitioning_table="upload")
    app.file_uploader(key="partitioning_file").set_value(
        (FILE.name, FILE.read_bytes(), "application/octet-stream")
    ).run()
    app.selectbox(key="partitioning_strategy").set_value("partitionBy files").run()
    (shown, _) = charts(app)
    names = {name for trace in shown["data"] if trace["type"] == "bar" for name in trace["x"]}
    assert names == {"__HIVE_DEFAULT_PARTITION__", "b", "c"}
    app.button(key="partitioning_run").click().run()
    settle(app)
    assert not app.exception and not app.error
    assert "each of 240 rows is in the partition shown (3 partitions)" in texts(app)
