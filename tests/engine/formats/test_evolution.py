"""Schema evolution: each outcome held against plain Python lists, each script and snippet executed,
the matrix by hand.
"""

from __future__ import annotations

import itertools
import re
from typing import Any

import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from fastavro.read import SchemaResolutionError
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, figures, scripts
from engine.formats import evolution
from engine.formats.evolution import (
    CHANGES,
    FORMATS,
    OUTCOMES,
    Cell,
    EvolutionParams,
    EvolutionResult,
    schema_changes,
)
from engine.formats.evolution import figure as evolution_figures
from engine.formats.evolution.cell_code import snippet
from engine.formats.evolution.schema_changes import Meeting
from tests.engine.printed import run_script

QUICK = settings(max_examples=20, deadline=None)
SETTINGS = [
    EvolutionParams(),
    EvolutionParams(
        csv_columns="by position", aliases=True, change="rename", format="Avro", n_rows=20
    ),
    EvolutionParams(
        direction="forward",
        aliases=True,
        change="text to number",
        format="Parquet",
        n_rows=20,
        seed=7,
    ),
    EvolutionParams(
        direction="forward",
        csv_columns="by position",
        change="drop",
        format="JSON",
        n_rows=2,
        seed=3,
    ),
]


def outcomes(result: EvolutionResult, format: str) -> str:
    short = {"same": "s", "filled": "f", "nulls": "n", "silently wrong": "W", "error": "e"}
    return "".join(short[result.cell(change, format).outcome] for change in CHANGES)


# ---- the matrix, worked out by hand
# in order: add with default, add without, drop, rename, reorder, widen, narrow, number to text,
# text to number


@pytest.mark.parametrize(
    ("params", "csv", "json_lines", "avro", "parquet"),
    [
        ({}, "nnsnsssWs", "nnsnsssee", "fesesseee", "nnsnsssss"),
        ({"csv_columns": "by position"}, "eeesWssWs", "nnsnsssee", "fesesseee", "nnsnsssss"),
        ({"aliases": True}, "nnsnsssWs", "nnsnsssee", "fesssseee", "nnsnsssss"),
        (
            {"n_rows": 20},
            "nnsnsseWs",
            "nnsnsseee",
            "fesesseee",
            "nnsnssess",
        ),  # one of 20 is more than 127 minutes late
        ({"direction": "forward"}, "ssnnssssW", "ssnnsssee", "sseesesee", "ssnnssssW"),
        (
            {"direction": "forward", "csv_columns": "by position"},
            "eeesWsssW",
            "ssnnsssee",
            "sseesesee",
            "ssnnssssW",
        ),
        (
            {"direction": "forward", "aliases": True},
            "ssnnssssW",
            "ssnnsssee",
            "sseesesee",
            "ssnnssssW",
        ),  # v1 knows no alias
    ],
)
def test_matrix(params: dict[str, Any], csv: str, json_lines: str, avro: str, parquet: str) -> None:
    result = evolution.run(EvolutionParams(**params))
    assert [outcomes(result, format) for format in FORMATS] == [csv, json_lines, avro, parquet]


def test_default_cells_say_what_happened() -> None:
    result = evolution.run(EvolutionParams())
    cell = result.cell("number to text", "CSV")
    assert cell is result.selected
    assert (cell.n_wrong, cell.n_lost, cell.error) == (1, 0, "")
    assert (
        cell.detail
        == "1 value is wrong of 60, without an error: dep_delay reads '' instead of null."
    )
    assert cell.read is not None
    assert (cell.read["dep_delay"][0].as_py(), cell.expected["dep_delay"][0].as_py()) == ("", None)
    renamed = result.cell("rename", "Parquet")
    assert (renamed.n_wrong, renamed.n_lost) == (0, 11)
    assert "departure_delay reads null in all 12 rows" in renamed.detail
    assert "11 values" in renamed.detail and "dep_delay" in renamed.detail
    assert (
        "reads 'unknown', the default, in all 12 rows"
        in result.cell("add with default", "Avro").detail
    )
    assert "cannot use the default 'unknown'" in result.cell("add with default", "CSV").detail
    assert "null in all 12 rows" in result.cell("add without default", "JSON").detail
    refused = result.cell("rename", "Avro")
    assert refused.read is None
    assert refused.error.startswith(
        "SchemaResolutionError: No default value for field departure_delay"
    )
    assert refused.detail == f"Refused: {refused.error}"


def test_forward_narrow_leaves_out_what_eight_bits_cannot_hold() -> None:
    cell = evolution.run(EvolutionParams(direction="forward", n_rows=20)).cell("narrow", "CSV")
    assert len(cell.written) == 19
    assert cell.written.schema.field("dep_delay").type == pa.int8()
    assert cell.detail.endswith("1 row could not be written: its delay needs more than 8 bits.")


# ---- rows


def test_sample_is_real_seeded_and_starts_with_a_cancelled_flight() -> None:
    rows = schema_changes.sample(50, 3)
    assert rows.equals(schema_changes.sample(50, 3))
    assert not rows.equals(schema_changes.sample(50, 4))
    assert rows.column_names == list(schema_changes.COLUMNS)
    first, *others = rows.to_pylist()
    assert first["dep_delay"] is None
    flights = data.load("flights")
    united = flights.select(schema_changes.COLUMNS).filter(pc.equal(flights["carrier"], "UA"))
    real = {tuple(row.values()) for row in united.to_pylist()}
    ours = [row for row in others if row["carrier"] == "UA"]
    assert ours
    for row in ours:
        assert re.fullmatch(r"\d{4}", row["sched_dep_time"])
        assert tuple((row | {"sched_dep_time": int(row["sched_dep_time"])}).values()) in real


# ---- judging: against plain lists


def plainly(cell: Cell, *, default: str | None, added: bool) -> str:
    """The outcome by its definition, from Python lists."""
    if cell.read is None:
        return "error"
    read, expected = cell.read.to_pydict(), cell.expected.to_pydict()
    names = list(expected)
    if sorted(read) != sorted(names) or any(
        len(read[name]) != len(expected[name]) for name in names
    ):
        return "silently wrong"
    pairs = [pair for name in names for pair in zip(read[name], expected[name], strict=True)]
    if any(got is not None and (got != due or type(got) is not type(due)) for got, due in pairs):
        return "silently wrong"
    if any(got is None and due is not None for got, due in pairs):
        return "nulls"
    return "same" if not added else "filled" if default else "nulls"


@QUICK
@given(
    st.sampled_from(schema_changes.DIRECTIONS),
    st.sampled_from(schema_changes.CSV_COLUMNS),
    st.booleans(),
    st.integers(2, 50),
    st.integers(0, 10_000),
)
def test_outcomes_equal_their_definition(
    direction: Any, csv_columns: Any, aliases: bool, n_rows: int, seed: int
) -> None:
    params = EvolutionParams(
        direction=direction, csv_columns=csv_columns, aliases=aliases, n_rows=n_rows, seed=seed
    )
    result = evolution.run(params)
    assert [(c.change, c.format) for c in result.cells] == list(itertools.product(CHANGES, FORMATS))
    for cell in result.cells:
        adds = cell.change.startswith("add") if direction == "backward" else cell.change == "drop"
        default = "unknown" if cell.change == "add with default" else None
        assert cell.outcome == plainly(cell, default=default, added=adds), (
            cell.change,
            cell.format,
        )
        assert (cell.outcome == "error") == bool(cell.error) == (cell.read is None)
    assert sum(result.count(outcome) for outcome in OUTCOMES) == len(CHANGES) * len(FORMATS)
    assert sum(result.n_silent.values()) == result.n_silently_wrong
    assert result.headline()["outcome"] == result.outcome


@pytest.mark.parametrize("direction", schema_changes.DIRECTIONS)
def test_expected_is_the_rows_under_the_change(direction: Any) -> None:
    rows = schema_changes.sample(12, 0)
    plain = rows.drop_columns("origin").to_pydict()
    for change in CHANGES:
        expected = schema_changes.meet(change, direction, rows).expected.to_pydict()
        due = dict(plain)
        if direction == "forward":
            due |= {"dep_delay": [None] * 12} if change == "drop" else {}
        elif change == "add with default":
            due["origin"] = ["unknown"] * 12
        elif change == "add without default":
            due["origin"] = [None] * 12
        elif change == "drop":
            del due["dep_delay"]
        elif change == "rename":
            due["departure_delay"] = due.pop("dep_delay")
        elif change == "number to text":
            due["dep_delay"] = [None if delay is None else str(delay) for delay in due["dep_delay"]]
        elif change == "text to number":
            due["sched_dep_time"] = [int(text) for text in due["sched_dep_time"]]
        assert expected == due, change


def test_compare_tells_wrong_from_lost() -> None:
    read = pa.chunked_array([pa.array([1, None, 3, None, 5], pa.int8())])
    expected = pa.chunked_array([pa.array([1, 2, None, None, 6], pa.int64())])
    wrong, lost = evolution.compare(read, expected)
    assert wrong.to_pylist() == [False, False, True, False, True]
    assert lost.to_pylist() == [False, True, False, False, False]


def test_a_missing_row_is_silently_wrong() -> None:
    table = pa.table({"flight": [1, 2, 3]})
    meeting = Meeting(table, table.schema, table)
    assert evolution.judge(meeting, table.slice(1)) == (
        "silently wrong",
        1,
        0,
        "2 rows came back of 3.",
    )
    assert evolution.judge(meeting, table)[:3] == ("same", 0, 0)


def test_fastavro_resolves_a_union_value_by_value() -> None:
    """A null fits both unions; the first number does not: that is why v1's sample holds both a null
    and numbers.
    """
    rows = schema_changes.sample(2, 0)
    for change in ("narrow", "number to text"):
        cancelled, both = (
            schema_changes.meet(change, "backward", part) for part in (rows.slice(0, 1), rows)
        )
        nulls = schema_changes.write(cancelled.written, "Avro")
        read = schema_changes.read(nulls, "Avro", cancelled, csv_columns="by header", aliases=False)
        assert read["dep_delay"].to_pylist() == [None]
        numbers = schema_changes.write(both.written, "Avro")
        with pytest.raises(SchemaResolutionError, match="schema mismatch"):
            schema_changes.read(numbers, "Avro", both, csv_columns="by header", aliases=False)


# ---- words and numbers


def test_verdict_and_why_are_computed() -> None:
    result = evolution.run(EvolutionParams())
    assert (
        result.verdict
        == "Old files, new schema: CSV is silently wrong in **1 of 9** changes; Avro refuses 5 with"
        " an error and is never silently wrong."
    )
    assert result.why[0].endswith(result.selected.detail)
    assert (
        "rows in 16 of 18 cells: nulls instead of values in 4, wrong values in 1." in result.why[1]
    )
    assert result.why[1].endswith("so it refuses: number to text, text to number.")
    assert result.why[2].endswith(
        "It refuses: add without default, rename, narrow, number to text, text to number."
    )
    assert result.why[3].endswith("nulls in 3, silently wrong in 0, errors in 0 of 9.")
    forward = evolution.run(EvolutionParams(direction="forward", csv_columns="by position"))
    assert forward.verdict.startswith(
        "New files, old schema: CSV is silently wrong in **2 of 9** changes (Parquet in 1); Avro"
    )
    both = evolution.run(EvolutionParams(direction="forward"))
    assert "CSV and Parquet are silently wrong in **1 of 9** changes" in both.verdict
    late = next(
        s
        for s in range(200)
        if min(schema_changes.sample(2, s)["sched_dep_time"].to_pylist()) >= "1000"
    )
    none = evolution.run(EvolutionParams(direction="forward", n_rows=2, seed=late))
    assert "no format is silently wrong in any of **9** changes" in none.verdict


def test_table_has_a_row_for_each_cell() -> None:
    table = evolution.run(EvolutionParams()).table()
    assert table.num_rows == 36
    assert table.column_names == [
        "change",
        "format",
        "outcome",
        "n_values_wrong",
        "n_values_lost",
        "detail",
        "error",
    ]


def test_selecting_a_cell_computes_nothing() -> None:
    first = evolution.run(EvolutionParams(seed=11))
    second = evolution.run(EvolutionParams(seed=11, change="drop", format="Avro"))
    assert second.cells is first.cells
    assert second.selected is first.cell("drop", "Avro")


# ---- scripts


@pytest.mark.parametrize("params", SETTINGS)
def test_script_prints_the_headline(params: EvolutionParams) -> None:
    assert run_script(scripts.render(params)) == evolution.run(params).headline()


@pytest.mark.parametrize("params", SETTINGS)
def test_every_snippet_prints_what_its_cell_shows(params: EvolutionParams) -> None:
    names = ("direction", "csv_columns", "aliases", "n_rows", "seed")
    shared = {name: getattr(params, name) for name in names}
    for cell in evolution.run(params).cells:
        code = snippet(EvolutionParams(**shared, change=cell.change, format=cell.format))
        shown = {"error": cell.error} if cell.read is None else {"read": cell.read.to_pydict()}
        assert run_script(code) == shown, (cell.change, cell.format)
        assert "engine" not in code


# ---- figure


@pytest.mark.parametrize("params", SETTINGS)
@pytest.mark.parametrize("pinned", [None, EvolutionParams(csv_columns="by position", n_rows=20)])
def test_matrix_figure(params: EvolutionParams, pinned: EvolutionParams | None) -> None:
    result = evolution.run(params)
    before = None if pinned is None else evolution.run(pinned)
    figure = evolution_figures.matrix(result, before)
    assert len(figure.to_json()) < 300_000
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == (
        "format of the file",
        "change from v1 to v2",
    )
    marks = {tuple(place): bar.name for bar in figure.data for place in bar.customdata}
    assert marks == {(c.change, c.format): c.outcome for c in result.cells}
    texts = written_in(figure)
    for cell in result.cells:
        before_outcome = (
            cell.outcome if before is None else before.cell(cell.change, cell.format).outcome
        )
        text = texts[CHANGES.index(cell.change), FORMATS.index(cell.format)]
        assert cell.outcome.removeprefix("silently ") in text
        assert ("A " in text) == (before_outcome != cell.outcome)


def written_in(figure: go.Figure) -> dict[tuple[int, int], str]:
    """The text in each cell (row, column), whether a bar's own or an annotation."""
    texts = {(int(note.y), int(note.x)): note.text for note in figure.layout.annotations}
    for bar in figure.data:
        if bar.text is not None:
            texts |= {
                (round(b + h / 2), x): t
                for b, h, x, t in zip(bar.base, bar.y, bar.x, bar.text, strict=True)
            }
    return texts


def test_silently_wrong_is_the_only_solid_vermilion() -> None:
    figure = evolution_figures.matrix(evolution.run(EvolutionParams()))
    solid = [bar for bar in figure.data if bar.marker.opacity == 1]
    assert [(bar.name, bar.marker.color) for bar in solid] == [("silently wrong", figures.LEAKED)]
    colors = {bar.name: bar.marker.color for bar in figure.data}
    assert len(set(colors.values())) == len(OUTCOMES)
