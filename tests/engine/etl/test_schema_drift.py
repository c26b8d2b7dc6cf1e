"""Schema changes: all sixteen outcomes by hand, and the words of the engines that refuse."""

from __future__ import annotations

import pyarrow as pa
import pytest

from engine.errors import InputError
from engine.etl.quality import figure, schema_drift
from engine.etl.quality.schema_drift import CHANGES, OUTCOMES, POLICIES

EXPECTED = {
    "new column": ("held back", "right, column lost", "right", "right"),
    "dropped": ("held back", "silently empty", "silently empty", "held back"),
    "renamed": ("held back", "silently empty", "silently empty", "held back"),
    "retyped": ("held back", "silently empty", "downstream breaks", "held back"),
}


def test_all_sixteen_outcomes() -> None:
    found = {
        change: tuple(schema_drift.cell(change, policy).outcome for policy in POLICIES)
        for change in CHANGES
    }
    assert found == EXPECTED and {outcome for row in found.values() for outcome in row} == set(
        OUTCOMES
    )


def test_a_refused_batch_leaves_the_target_whole() -> None:
    plain = schema_drift.cell("new column", "fail").columns
    for cell in schema_drift.cells():
        if cell.outcome == "held back":
            assert (
                cell.columns == plain
                and cell.error
                and "INSERT INTO target FROM batch" not in cell.statements
            )


def test_the_words_are_the_engines_own() -> None:
    assert "field names are not matching" in schema_drift.cell("renamed", "fail").error
    assert schema_drift.cell("retyped", "fail").error.startswith(
        "ArrowInvalid: Failed to parse string"
    )
    assert "SchemaErrors: column_in_dataframe" in schema_drift.cell("dropped", "contract").error
    assert "coerce_dtype('Int64'), 944 times" in schema_drift.cell("retyped", "contract").error
    assert "avg(VARCHAR)" in schema_drift.cell("retyped", "evolve").error


def test_evolving_changes_the_table() -> None:
    assert "terminal VARCHAR" in schema_drift.cell("new column", "evolve").columns
    assert "departure_delay INTEGER" in schema_drift.cell("renamed", "evolve").columns
    assert "dep_delay VARCHAR" in schema_drift.cell("retyped", "evolve").columns
    assert "terminal VARCHAR" in schema_drift.cell("new column", "contract").columns


def test_the_changed_files() -> None:
    rows = schema_drift.rows_of(60)
    assert rows.num_rows == 958
    names = {change: schema_drift.changed(change, rows).column_names for change in CHANGES}
    assert names["new column"][-1] == "terminal" and "dep_delay" not in names["dropped"]
    assert names["renamed"][-1] == "departure_delay"
    assert schema_drift.changed("retyped", rows)["dep_delay"].type == pa.string()


def test_unknown_names_and_the_figure() -> None:
    with pytest.raises(InputError, match="change must be one of"):
        schema_drift.cell("burnt", "fail")  # type: ignore[arg-type]
    chart = figure.schema_matrix(schema_drift.cell("renamed", "ignore"))
    assert sum(len(trace.x) for trace in chart.data) == 16
