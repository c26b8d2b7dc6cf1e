"""Bytes read: the traced handle, the min/max rule held against pyarrow's, the layouts held against
Python's csv module.
"""

from __future__ import annotations

import csv
import io
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import get_args

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, scripts, workspace
from engine.errors import InputError
from engine.formats import byte_files, bytes_read, row_groups, tables, trace
from engine.formats.bytes_read import BytesReadParams
from engine.formats.bytes_read import figure as figures
from engine.formats.bytes_read import layout as byte_layout
from engine.formats.bytes_read.layout import figure as layout_figures
from engine.units import format_share
from tests.engine.printed import run_script

QUICK = settings(max_examples=50, deadline=None)
SMALL = {
    "table": "synthetic",
    "columns": ("amount",),
    "predicate_column": "id",
    "n_rows": 4_000,
    "rows_per_group": 1_000,
}


# ---- the traced handle


def test_merge_joins_overlaps_repeats_and_neighbours() -> None:
    ranges = trace.merge([(50, 10), (0, 10), (10, 5), (12, 10), (50, 10), (70, 0)])
    assert ranges.offsets.tolist() == [0, 50]
    assert ranges.lengths.tolist() == [22, 10]
    assert ranges.ends.tolist() == [22, 60]
    assert ranges.n_bytes == 32
    assert len(ranges) == 2


def test_merge_closes_holes_up_to_the_gap() -> None:
    assert trace.merge([(0, 10), (13, 7)], gap_bytes=3).lengths.tolist() == [20]
    assert trace.merge([(0, 10), (13, 7)], gap_bytes=2).lengths.tolist() == [10, 7]


def test_merge_of_nothing_is_empty() -> None:
    ranges = trace.merge([])
    assert (len(ranges), ranges.n_bytes) == (0, 0)
    assert ranges.cover(np.array([0, 5])).tolist() == [False, False]
    assert ranges.before(np.array([0, 5])).tolist() == [0, 0]


@QUICK
@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=12))
def test_ranges_equal_a_bitmap_of_touched_bytes(reads: list[tuple[int, int]]) -> None:
    bitmap = np.zeros(100, dtype=bool)
    for offset, length in reads:
        bitmap[offset : offset + length] = True
    ranges = trace.merge(reads)
    assert ranges.n_bytes == bitmap.sum()
    assert np.array_equal(ranges.cover(np.arange(100)), bitmap)
    assert ranges.before(np.arange(100)).tolist() == [int(bitmap[:i].sum()) for i in range(100)]
    assert (ranges.offsets[1:] > ranges.ends[:-1]).all()


def test_traced_file_records_reads_but_not_moves(tmp_path: Path) -> None:
    path = tmp_path / "letters"
    path.write_bytes(b"abcdefghij")
    for source in (b"abcdefghij", path):
        file = trace.TracedFile(source)
        assert (file.readable(), file.seekable(), file.closed, file.size()) == (
            True,
            True,
            False,
            10,
        )
        assert file.read(3) == b"abc"
        assert file.seek(-2, io.SEEK_END) == 8
        assert file.tell() == 8
        assert file.read(5) == b"ij"
        assert file.read(5) == b""
        file.seek(5)
        assert file.read() == b"fghij"
        file.close()
        assert file.closed
        assert file.reads == [(0, 3), (8, 2), (5, 5)]
        assert file.touched().n_bytes == 8


# ---- real readers


@pytest.fixture(scope="module")
def weather() -> pa.Table:
    return tables.thin(tables.to_stored_types(data.load("weather")), 5_000)


def test_csv_reads_do_not_depend_on_the_columns(weather: pa.Table) -> None:
    content = byte_files.write_csv(weather)
    reads = []
    for names in (["origin"], ["temp", "time_hour"], weather.column_names):
        table, file = byte_files.read_csv(
            content, pa.schema([weather.schema.field(name) for name in names])
        )
        assert table.equals(weather.select(names))
        reads.append(file.reads)
    assert reads[0] == reads[1] == reads[2]
    assert trace.merge(reads[0]).n_bytes == len(content)


def test_avro_blocks_are_read_as_its_row_reader_reads_them(weather: pa.Table) -> None:
    content = byte_files.write_avro(weather)
    n_rows, file = byte_files.read_avro(content)
    row_file = trace.TracedFile(content)
    rows = list(fastavro.reader(row_file))
    assert pa.Table.from_pylist(rows, schema=weather.schema).equals(weather)
    assert n_rows == 5_000
    assert file.reads == row_file.reads
    assert file.touched().n_bytes == len(content)


def test_parquet_reader_touches_chunks_of_read_columns_and_the_footer_only() -> None:
    table = tables.to_stored_types(data.load("flights")).slice(0, 20_000)
    content = byte_files.write_parquet(table, 2_000)
    low, high = pa.scalar(5_000, pa.int32()), pa.scalar(6_000, pa.int32())  # no flight is that long
    read, file = byte_files.read_parquet(content, ["dest"], "distance", low, high)
    assert read.num_rows == 0
    assert [offset for offset, _ in file.reads] == [len(content) - 65_536]


def test_parquet_chunk_between_two_wanted_ones_is_not_touched() -> None:
    noise = np.random.default_rng(0).bytes(400_000)
    table = pa.table(
        {
            "a": list(range(100)),
            "b": list(range(100)),
            "c": list(range(100)),
            "pad": [noise[i : i + 4_000] for i in range(0, 400_000, 4_000)],
        }
    )
    content = byte_files.write_parquet(table, 100)
    places = row_groups.chunks(pq.read_metadata(io.BytesIO(content)))
    _, file = byte_files.read_parquet(content, ["c"], "a", pa.scalar(0), pa.scalar(9))
    touched = file.touched()
    assert len(touched) == 3  # a, c, footer: pyarrow's pre-buffering would join a, b and c
    assert touched.cover(places.offset).tolist() == [True, False, True, False]


def test_sort_values_leaves_out_null_and_nan() -> None:
    assert tables.sort_values(pa.chunked_array([[2.0, None], [float("nan"), 1.0]])).to_pylist() == [
        1.0,
        2.0,
    ]


def test_a_row_too_long_for_the_csv_reader_is_said_so() -> None:
    table = pa.table({"text": ["x" * 3_000_000, "y"]})
    with pytest.raises(
        InputError,
        match=r"pyarrow cannot read this table back from CSV: .* Choose a table with shorter cells",
    ):
        byte_files.read_csv(byte_files.write_csv(table), table.schema)


def test_plain_narrows_types_and_leaves_out_what_cannot_be_stored() -> None:
    table = pa.table(
        {
            "small": pa.array([1, None], pa.int8()),
            "unsigned": pa.array([1, 2**32 - 1], pa.uint32()),
            "huge": pa.array([1, 2**63], pa.uint64()),
            "half": pa.array([0.5, 1.5], pa.float16()),
            "money": pa.array([Decimal("1.25"), None], pa.decimal128(10, 2)),
            "zoned": pa.array([datetime(2020, 1, 1, 12), None], pa.timestamp("ns", tz="UTC")),
            "day": pa.array([date(2020, 1, 2), None], pa.date64()),
            "text": pa.array(["a", None], pa.large_string()),
            "clock": pa.array([0, 61], pa.time32("s")),
            "raw": pa.array([b"\xff", None], pa.binary()),
            "void": pa.nulls(2),
        }
    )
    plain = tables.to_stored_types(table)
    assert plain.to_pylist()[0] == {
        "small": 1,
        "unsigned": 1,
        "huge": 1.0,
        "half": 0.5,
        "money": 1.25,
        "zoned": datetime(2020, 1, 1, 12),
        "day": date(2020, 1, 2),
        "text": "a",
        "clock": "00:00:00",
    }
    assert byte_files.read_avro(byte_files.write_avro(plain))[0] == 2
    assert byte_files.read_csv(byte_files.write_csv(plain), plain.schema)[0].num_rows == 2
    with pytest.raises(
        InputError,
        match=r"The table must have a column of numbers, text, dates or times\. Got none\.",
    ):
        tables.to_stored_types(table.select(["raw"]))


def test_numbers_that_floating_point_would_round_are_kept_as_text() -> None:
    ids = [2**63 + 1, 2**64 - 1]
    cents = [Decimal("12345678901234567.01"), Decimal("-0.05")]
    money, ids_of_20 = pa.decimal128(19, 2), [Decimal(10**19 + 1), None]
    table = pa.table(
        {
            "id": pa.array(ids, pa.uint64()),
            "money": pa.array(cents, money),
            "text id": pa.array(ids_of_20, pa.decimal128(20, 0)),
            "small": pa.array([Decimal("0.05"), Decimal("1.10")], money),
            "count": pa.array([1, 2**53], pa.uint64()),
        }
    )
    plain = tables.to_stored_types(table)
    assert plain.select(["id", "money", "text id"]).to_pydict() == {
        "id": [str(value) for value in ids],
        "money": [str(value) for value in cents],
        "text id": ["10000000000000000001", None],
    }
    assert plain.select(["small", "count"]).to_pydict() == {
        "small": [0.05, 1.1],
        "count": [1, 2**53],
    }
    assert tables.stored_schema(table) == plain.schema


def test_thin_takes_evenly_spaced_rows_and_bounds_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"n": list(range(10))})
    assert tables.thin(table, 5)["n"].to_pylist() == [0, 2, 4, 6, 8]
    assert tables.thin(table, 20) is table
    monkeypatch.setattr(tables, "MAX_TABLE_BYTES", 24)  # three of 8 bytes
    assert tables.thin(table, 5)["n"].to_pylist() == [0, 3, 6]


def test_orders() -> None:
    def ids(order: tables.Order, column: str = "", seed: int = 0) -> list[float]:
        key = bytes_read.RowsKey("synthetic", 1_000, order, column, seed, "")
        return tables.ordered_rows(key)["amount" if column else "id"].to_pylist()

    assert ids("as is") == list(range(1_000))
    assert ids("shuffled") != ids("as is")
    assert sorted(ids("shuffled")) == ids("as is")
    assert ids("shuffled", seed=1) != ids("shuffled")
    by_amount = ids("by predicate column", "amount")
    assert by_amount == sorted(by_amount)


# ---- the min/max rule


@pytest.mark.parametrize(
    ("minimum", "maximum", "n_nulls", "possible", "finding"),
    [
        (100, 330, 0, False, "max 330 < 1,000"),
        (2_001, 9_000, 3, False, "min 2,001 > 2,000"),
        (330, 1_000, 0, True, "330 to 1,000 meets 1,000 to 2,000"),
        (2_000, 2_000, 0, True, "2,000 to 2,000 meets 1,000 to 2,000"),
        (None, None, 10, False, "all 10 values are null, and null is in no range"),
        (None, None, 9, True, "no min/max in the footer, so nothing can be ruled out"),
    ],
)
def test_decide(
    minimum: int | None, maximum: int | None, n_nulls: int, possible: bool, finding: str
) -> None:
    assert row_groups.decide(minimum, maximum, n_nulls, 10, 1_000, 2_000) == (possible, finding)


def test_explain_says_when_pyarrow_reads_what_is_ruled_out() -> None:
    assert (
        row_groups.explain("max 3 < 5", possible=False, kept=False, n_nulls=0)
        == "max 3 < 5: skipped"
    )
    assert (
        row_groups.explain("3 to 7 meets 5 to 6", possible=True, kept=True, n_nulls=0)
        == "3 to 7 meets 5 to 6: kept"
    )
    expected = "max 3 < 5, but pyarrow reads a group with nulls all the same (1,200 nulls): kept"
    assert row_groups.explain("max 3 < 5", possible=False, kept=True, n_nulls=1_200) == expected
    assert row_groups.explain("max 3 < 5", possible=False, kept=True, n_nulls=None).endswith(
        "same (nulls): kept"
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1400, "1,400"),
        (0.25, "0.25"),
        (12345.678, "12,345.7"),
        (7.0, "7"),
        (datetime(2013, 6, 1, 10), "1 Jun 2013 10:00"),
        (datetime(2013, 6, 1, 10, 0, 5), "1 Jun 2013 10:00:05"),
        (date(2013, 6, 1), "2013-06-01"),
        (float("inf"), "inf"),
    ],
)
def test_format_value(value: object, text: str) -> None:
    assert row_groups.format_value(value) == text


CELLS = {
    pa.int32(): st.integers(-5, 5),
    pa.float64(): st.floats(-5, 5, width=16) | st.just(float("nan")) | st.just(-0.0),
    pa.date32(): st.integers(0, 9).map(lambda n: date(2020, 1, 1 + n)),
    pa.timestamp("us"): st.integers(0, 9).map(lambda n: datetime(2020, 1, 1, n)),
}


@st.composite
def columns_with_ranges(draw: st.DrawFn) -> tuple[pa.Array, pa.Scalar, pa.Scalar]:
    """A column of 30 values in groups of five, some groups all null or all NaN, and a range of its
    type.
    """
    type_ = draw(st.sampled_from(list(CELLS)))
    cell = CELLS[type_]
    low, high = sorted(
        draw(st.tuples(cell, cell).filter(lambda pair: pair[0] == pair[0] and pair[1] == pair[1]))
    )
    rest = st.sampled_from([None, float("nan")]) if type_ == pa.float64() else st.none()
    groups = st.lists(cell | st.none(), min_size=5, max_size=5) | rest.map(
        lambda value: [value] * 5
    )
    values = [value for _ in range(6) for value in draw(groups)]
    return pa.array(values, type_, from_pandas=False), pa.scalar(low, type_), pa.scalar(high, type_)


@QUICK
@given(columns_with_ranges())
def test_row_groups_agree_with_pyarrow_the_trace_and_brute_force(
    case: tuple[pa.Array, pa.Scalar, pa.Scalar],
) -> None:
    values, low, high = case
    noise = np.random.default_rng(0).bytes(
        30 * 8_000
    )  # 8 kB a row: the tail that is read first holds the last group only
    pad = pa.array([noise[i : i + 8_000] for i in range(0, len(noise), 8_000)], pa.binary())
    table = pa.table({"row": pa.array(np.arange(30)), "x": values, "pad": pad})
    content = byte_files.write_parquet(table, 5)
    metadata = pq.read_metadata(io.BytesIO(content))
    places = row_groups.chunks(metadata)
    inside = [v is not None and low.as_py() <= v <= high.as_py() for v in values.to_pylist()]

    matching = row_groups.count_matching(table["x"], low, high, 5)
    assert matching.tolist() == [sum(inside[i : i + 5]) for i in range(0, 30, 5)]
    fragment = ds.ParquetFileFormat().make_fragment(pa.BufferReader(content))
    kept = byte_files.kept_groups(fragment, byte_files.in_range("x", low, high))
    groups = row_groups.row_groups(
        metadata, places, "x", low.as_py(), high.as_py(), kept=kept, n_matching=matching
    )
    for group in groups:
        assert group.kept == (group.index in kept)
        assert group.possible or group.n_matching == 0
        # The one case in which pyarrow 26 keeps what the rule excludes; should this fail, drop the
        # case from `explain`.
        nulls_beside_values = (
            bool(group.n_nulls) and group.minimum is not None and group.minimum != group.maximum
        )
        assert group.kept == (group.possible or nulls_beside_values)

    read, file = byte_files.read_parquet(content, ["row"], "x", low, high)
    assert read["row"].to_pylist() == [row for row, holds in enumerate(inside) if holds]
    tail = len(content) - 65_536
    touched = file.touched()
    for group, column, offset, size in zip(
        places.group, places.column, places.offset, places.size_bytes, strict=True
    ):
        share = touched.cover(np.arange(offset, offset + size))
        if group in kept and column < 2:
            assert share.all()
        else:
            assert not share[: max(0, tail - offset)].any()


def test_chunks_tile_the_row_groups() -> None:
    table = pa.table({"a": [1, 2, 3, 4], "b": ["x", "y", "x", "y"]})
    content = byte_files.write_parquet(table, 2)
    metadata = pq.read_metadata(io.BytesIO(content))
    places = row_groups.chunks(metadata)
    assert places.group.tolist() == [0, 0, 1, 1]
    assert places.column.tolist() == [0, 1, 0, 1]
    assert places.offset[0] == 4  # right after the magic
    assert (places.offset[1:] == (places.offset + places.size_bytes)[:-1]).all()
    assert places.offset[-1] + places.size_bytes[-1] == len(content) - metadata.serialized_size - 8
    groups = row_groups.row_groups(
        metadata, places, "a", 1, 2, kept={0}, n_matching=np.array([2, 0])
    )
    assert [(g.offset, g.size_bytes) for g in groups] == [
        (4, places.size_bytes[:2].sum()),
        (places.offset[2], places.size_bytes[2:].sum()),
    ]


def test_cut_splits_touched_bytes_at_chunk_borders() -> None:
    places = row_groups.Chunks(
        np.array([0, 0]), np.array([0, 1]), np.array([4, 10]), np.array([6, 20])
    )
    pieces = row_groups.cut(trace.merge([(2, 10), (25, 15)]), places)
    found = list(
        zip(pieces.offset.tolist(), pieces.length.tolist(), pieces.chunk.tolist(), strict=True)
    )
    assert found == [(2, 2, -1), (4, 6, 0), (10, 2, 1), (25, 5, 1), (30, 10, -1)]


# ---- the layouts


def test_csv_cells_by_hand() -> None:
    row, column = byte_layout.csv_cells(b'a,"b,\n"\n1,2')
    assert row.tolist() == [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]
    assert column.tolist() == [0, 0, 1, 1, 1, 1, 1, -1, 0, 0, 1]
    assert byte_layout.csv_cells(b"")[0].tolist() == []


TEXT = st.text('ab,"\n', max_size=5)


@QUICK
@given(st.lists(st.tuples(TEXT, TEXT, TEXT), min_size=1, max_size=6))
def test_csv_cells_agree_with_the_csv_module(rows: list[tuple[str, str, str]]) -> None:
    table = pa.table({name: [row[i] for row in rows] for i, name in enumerate("xyz")})
    content = byte_files.write_csv(table)
    row, column = byte_layout.csv_cells(content)
    expected = list(csv.reader(io.StringIO(content.decode(), newline="")))
    assert expected[1:] == [list(r) for r in rows]
    places = np.arange(len(content))
    for r, cells in enumerate(expected):
        for c, cell in enumerate(cells):
            found = (
                bytes(content[i] for i in places[(row == r) & (column == c)])
                .decode()
                .removesuffix(",")
            )
            assert found == '"' + cell.replace('"', '""') + '"'


def test_csv_layout_starts_after_the_header_and_counts_pieces() -> None:
    head = b'"x","y"\n' + b"1,22\n" * 3
    layout = byte_layout.csv_layout(head)
    assert layout.column.tolist() == [0, 0, 1, 1, -1] * 3
    assert layout.first_row.tolist() == [0] * 5 + [1] * 5 + [2] * 5
    assert layout.offset.tolist() == list(range(8, 23))
    assert layout.step_bytes == 1
    assert (layout.share({0}), layout.n_pieces({0})) == (0.4, 3)
    assert (layout.share({0, 1}), layout.n_pieces({0, 1})) == (0.8, 3)


def test_csv_layout_samples_wide_rows() -> None:
    head = b"x\n" + (b"y" * 299 + b"\n") * 10
    layout = byte_layout.csv_layout(head)
    assert layout.step_bytes == 3  # six rows of 300 bytes onto 768 squares
    assert layout.offset[:3].tolist() == [2, 5, 8]
    assert layout.first_row[-1] >= 5


def test_parquet_layout_by_hand() -> None:
    size = byte_layout.N_SQUARES
    places = row_groups.Chunks(
        np.array([0, 0, 1, 1]),
        np.array([0, 1, 0, 1]),
        np.array([4, 4 + size, 9_000, 9_100]),
        np.array([size, size, 100, 100]),
    )
    layout = byte_layout.parquet_layout(places)
    assert layout.step_bytes == 2
    assert layout.column.tolist() == [0] * (size // 2) + [1] * (size // 2)
    assert layout.offset[:2].tolist() == [5, 7]
    assert (layout.share({1}), layout.n_pieces({1})) == (0.5, 1)


# ---- the experiment


def test_run_by_hand() -> None:
    result = bytes_read.run(BytesReadParams(**SMALL, window=(0.25, 0.5)))
    assert (result.low, result.high) == (1_000, 2_000)  # of 0 … 3,999
    assert [group.reason for group in result.groups] == [
        "max 999 < 1,000: skipped",
        "1,000 to 1,999 meets 1,000 to 2,000: kept",
        "2,000 to 2,999 meets 1,000 to 2,000: kept",
        "min 3,000 > 2,000: skipped",
    ]
    assert [group.n_matching for group in result.groups] == [0, 1_000, 1, 0]
    assert (
        result.groups_kept,
        result.groups_ruled_out,
        result.groups_total,
        result.groups_in_vain,
    ) == (2, 2, 4, 0)
    assert (result.n_matching, result.n_decoded, result.n_rows) == (1_001, 2_000, 4_000)
    assert result.read_columns == ("id", "amount")
    assert result.csv.n_rows_decoded == result.avro.n_rows_decoded == 4_000
    assert result.csv.read_share == result.avro.read_share == 1
    assert result.footer_bytes < result.tail_read_bytes == 65_536
    assert result.read_share == result.parquet.touched_bytes / result.parquet.file_bytes
    assert result.csv_over_parquet_bytes == result.csv.file_bytes / result.parquet.touched_bytes
    chunks = result.chunks
    sizes = {c: int(chunks.size_bytes[chunks.column == c].sum()) for c in range(5)}
    assert result.columns_share == pytest.approx((sizes[0] + sizes[3]) / result.parquet.file_bytes)
    assert result.note == ""


def test_order_decides_what_min_max_can_skip() -> None:
    runs = {
        order: bytes_read.run(BytesReadParams(predicate_column="distance", order=order))
        for order in get_args(tables.Order)
    }
    assert runs["as is"].groups_kept == runs["shuffled"].groups_kept == 20
    assert runs["by predicate column"].groups_kept <= 3
    assert len({run.n_matching for run in runs.values()}) == 1
    assert runs["by predicate column"].read_share < runs["as is"].read_share / 2


def test_defaults_explain_themselves_with_their_numbers() -> None:
    result = bytes_read.run(BytesReadParams())
    assert f"**{format_share(result.read_share)}**" in result.verdict
    assert "For 3 of 19 columns" in result.verdict
    columns, groups, tail, rows = result.why
    assert "the 16 other columns" in columns
    assert f"exclude {20 - result.groups_kept} of 20 for time_hour from 28 May 2013" in groups
    assert (
        f"{result.groups_in_vain} of the {result.groups_kept} kept have no matching row" in groups
    )
    assert "65.5 kB" in tail
    assert f"in {result.csv_layout.n_pieces({8, 12, 18})} pieces" in rows
    assert result.groups_in_vain > 0
    assert result.note == "100,000 of 336,776 rows, evenly spaced."
    assert result.parquet_layout.n_pieces({8, 12, 18}) == 3


def test_groups_with_nulls_are_read_by_pyarrow_all_the_same() -> None:
    result = bytes_read.run(
        BytesReadParams(
            predicate_column="arr_delay", order="by predicate column", columns=("dest",)
        )
    )
    last = result.groups[-1]  # nulls are sorted last, beside the longest delays
    assert (last.possible, last.kept, last.in_vain) == (False, True, True)
    assert last.reason.startswith("min ")
    assert "but pyarrow reads a group with nulls all the same" in last.reason
    assert result.groups_kept == result.groups_total - result.groups_ruled_out + 1
    assert result.n_decoded == 5_000 * result.groups_kept
    assert ", but pyarrow reads 1 of those, because they have nulls" in result.why[1]


def test_tables_for_export() -> None:
    result = bytes_read.run(BytesReadParams(**SMALL))
    table = result.table()
    for trace_ in result.traces:
        rows = table.filter(pa.compute.equal(table["format"], trace_.format))
        assert sum(rows["length_bytes"].to_pylist()) == trace_.touched_bytes
        assert set(rows["file_bytes"].to_pylist()) == {trace_.file_bytes}
    groups = result.groups_table()
    assert groups["maximum"].to_pylist() == [999, 1_999, 2_999, 3_999]
    assert sum(groups["n_matching"].to_pylist()) == result.n_matching


def test_settings_without_influence_share_the_files() -> None:
    base = BytesReadParams().rows_key
    assert (
        BytesReadParams(columns=("dest",), window=(0, 1), seed=3, rows_per_group=1_000).rows_key
        == base
    )
    assert (
        BytesReadParams(order="shuffled", seed=3).rows_key
        != BytesReadParams(order="shuffled").rows_key
    )
    assert BytesReadParams(order="shuffled", seed=3).rows_key.as_is == base
    assert BytesReadParams(**SMALL, seed=1).rows_key != BytesReadParams(**SMALL).rows_key


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"columns": ()}, "columns must name at least one column. Got none. Choose one."),
        (
            {"table": "synthetic", "columns": ("dest",)},
            "columns must be one of id, event_time, category, amount, payload. Got 'dest'.",
        ),
        ({"predicate_column": "origin"}, "Got 'origin'."),
        (
            {"table": "upload"},
            "upload must be a file that you uploaded here. Got ''. Upload it again.",
        ),
        ({"table": "upload", "upload": "/etc/passwd"}, "Got 'passwd'. Upload it again."),
    ],
)
def test_columns_must_be_the_tables_own(settings_: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        BytesReadParams(**settings_)  # type: ignore[arg-type]
    assert str(caught.value).endswith(message)


@pytest.mark.parametrize("table", ["flights", "weather", "synthetic"])
def test_defaults_of_each_table_are_valid(table: tables.TableName) -> None:
    columns, predicate = bytes_read.defaults(table)
    assert BytesReadParams(table=table, columns=columns, predicate_column=predicate).table == table
    assert set(bytes_read.predicate_columns(table)) <= set(bytes_read.column_names(table))


def upload(table: pa.Table) -> str:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return str(
        data.save_upload(
            sink.getvalue(), "mine.parquet", workspace.session(workspace.new_session_id())
        )
    )


def test_upload() -> None:
    table = pa.table(
        {
            "my name": ["a", 'b "c"\nd', None] * 500,
            "score": pa.array([1.0, float("nan"), None] * 500, from_pandas=False),
            "empty": pa.array([None] * 1_500, pa.int64()),
            "raw": pa.array([b"x"] * 1_500),
        }
    )
    path = upload(table)
    columns, predicate = bytes_read.defaults("upload", path)
    assert (columns, predicate) == (("my name", "score"), "score")
    params = BytesReadParams(
        table="upload",
        upload=path,
        columns=columns,
        predicate_column=predicate,
        rows_per_group=1_000,
    )
    result = bytes_read.run(params)
    assert (result.n_matching, result.low, result.high) == (500, 1.0, 1.0)
    assert result.csv.n_rows_decoded == 1_500
    assert result.note == "Without raw: not all three formats can store them."
    assert run_script(scripts.render(params)) == result.headline()
    params = BytesReadParams(table="upload", upload=path, columns=columns, predicate_column="empty")
    with pytest.raises(
        InputError,
        match=r"predicate_column must hold values\. 'empty' holds none\. Choose another column\.",
    ):
        bytes_read.run(params)


def test_upload_without_a_column_to_filter_by() -> None:
    path = upload(pa.table({"name": ["a", "b"]}))
    with pytest.raises(
        InputError,
        match=r"The table must have a column of numbers, dates or times to filter by\. Got none\.",
    ):
        BytesReadParams(table="upload", upload=path, columns=("name",), predicate_column="name")


VARIANTS: tuple[dict[str, object], ...] = (
    {},
    {
        "table": "weather",
        "columns": ("temp",),
        "predicate_column": "humid",
        "order": "by predicate column",
        "rows_per_group": 1_000,
    },
    {**SMALL, "predicate_column": "amount", "order": "shuffled", "seed": 5, "window": (0.9, 1.0)},
)


@pytest.mark.parametrize("variant", VARIANTS)
def test_script_prints_the_headline(variant: dict[str, object]) -> None:
    params = BytesReadParams(**variant)  # type: ignore[arg-type]
    assert run_script(scripts.render(params)) == bytes_read.run(params).headline()


MANY = {"rows_per_group": 1_000, "order": "shuffled"}


@pytest.mark.parametrize("pin", [None, {}, VARIANTS[1]])
@pytest.mark.parametrize("variant", [*VARIANTS, MANY])
def test_figures(variant: dict[str, object], pin: dict[str, object] | None) -> None:
    result = bytes_read.run(BytesReadParams(**variant))  # type: ignore[arg-type]
    pinned = None if pin is None else bytes_read.run(BytesReadParams(**pin))  # type: ignore[arg-type]
    strip, statistics, layout = (
        draw(result, pinned) for draw in (figures.strip, figures.statistics, layout_figures.layout)
    )
    for figure in (strip, statistics, layout):
        assert len(figure.to_json()) <= 300_000
        assert 0 < len(figure.layout.title.text) <= 190
        for name in figure.layout:
            if name.startswith("xaxis"):
                assert figure.layout[name].title.text
    assert statistics.layout.yaxis.title.text == "row in the file, thousands"
    assert sum(trace_.type == "heatmap" for trace_ in layout.data) == (2 if pin is None else 4)
    assert any(note.text.startswith("<b>Parquet A</b>") for note in strip.layout.annotations) == (
        pin is not None
    )
    assert any(note.text.startswith("<b>A CSV</b>") for note in layout.layout.annotations) == (
        pin is not None
    )
    assert any(re.match("A$|A[:,]", trace_.name) for trace_ in statistics.data) == (pin is not None)


def painted_percent(figure: object, lane: float) -> float:
    """Sum what is painted in full blue on one lane of the strip, in percent of the file."""
    total = 0.0
    for bar in figure.data:  # type: ignore[attr-defined]
        if bar.type == "bar" and bar.y[0] == lane:
            if isinstance(bar.marker.color, str) and bar.marker.color == figures.figures.KNOWN:
                total += float(np.sum(bar.x))
            elif bar.marker.opacity is None and not isinstance(bar.marker.color, str):
                total += sum(
                    x * float(color.split(",")[3][:-1])
                    for x, color in zip(bar.x, bar.marker.color, strict=True)
                )
    return total


@pytest.mark.parametrize("variant", [{}, MANY])
def test_strip_paints_what_was_touched(variant: dict[str, object]) -> None:
    result = bytes_read.run(BytesReadParams(**variant))  # type: ignore[arg-type]
    figure = figures.strip(result)
    assert painted_percent(figure, 0) == pytest.approx(100 * result.read_share, abs=0.3)
    assert painted_percent(figure, 1) == painted_percent(figure, 2) == pytest.approx(100)


def test_statistics_bars_are_the_groups() -> None:
    figure = figures.statistics(bytes_read.run(BytesReadParams(**SMALL, window=(0.25, 0.5))))
    bars = {bar.name: bar for bar in figure.data}
    assert set(bars) == {"read", "skipped"}
    assert list(bars["read"].base) == [1_000, 2_000]
    assert list(bars["read"].x) == [999, 999]
    assert list(bars["read"].y) == [1.5, 2.5]
    assert list(bars["skipped"].base) == [0, 3_000]
    (band,) = figure.layout.shapes
    assert (band.x0, band.x1) == (1_000, 2_000)


def test_statistics_on_a_time_axis() -> None:
    result = bytes_read.run(BytesReadParams())
    figure = figures.statistics(result)
    assert figure.layout.xaxis.type == "date"
    group = next(group for group in result.groups if not group.kept)
    bar = next(bar for bar in figure.data if bar.name == "skipped")
    assert bar.x[0] == (group.maximum - group.minimum).total_seconds() * 1000


def test_groups_without_min_max_are_marked() -> None:
    path = upload(pa.table({"x": pa.array([None] * 1_000 + [1, 2] * 500)}))
    settings_ = {
        "table": "upload",
        "upload": path,
        "columns": ("x",),
        "predicate_column": "x",
        "rows_per_group": 1_000,
    }
    result = bytes_read.run(BytesReadParams(**settings_, window=(0.0, 1.0)))  # type: ignore[arg-type]
    assert result.csv.n_rows_decoded == 2_000  # a null alone on its line is an empty line
    figure = figures.statistics(result, result)
    crosses = [marks for marks in figure.data if marks.type == "scatter"]
    assert [marks.name for marks in crosses] == ["skipped, B, no min/max", "A, no min/max"]
    assert (
        crosses[0]
        .hovertext[0]
        .startswith("<b>row group 0</b>: 1,000 rows, 1,000 null<br>all 1,000 values are null")
    )
