"""Anatomy: every page held against pyarrow's metadata, every min and max against the rows, every
byte accounted for.
"""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, scripts, workspace
from engine.errors import InputError
from engine.formats import anatomy
from engine.formats.anatomy import CARDINALITIES, N_ROWS, TEXT, AnatomyParams
from engine.formats.anatomy import figure as anatomy_figures
from engine.formats.parquet import pages as parquet_pages
from engine.formats.parquet import pieces as parquet_pieces
from engine.formats.parquet import thrift
from engine.formats.parquet.footer import Footer, read_footer
from engine.formats.parquet.pieces import Piece
from engine.units import format_share
from tests.engine.printed import run_script

ROWS = 5_000
NUMBERS = [None if i % 7 == 0 else (i * 37) % 1_000 - 500 for i in range(ROWS)]
WORDS = [None if i % 11 == 0 else f"word {i * i % 301:03d}" for i in range(ROWS)]
START = datetime(2013, 1, 1, tzinfo=UTC)
TABLE = pa.table(
    {
        "number": pa.array(NUMBERS, pa.int32()),
        "word": pa.array(WORDS, pa.string()),
        "real": pa.array(np.sin(np.arange(ROWS))),
        "flag": pa.array([i % 3 == 0 for i in range(ROWS)]),
        "at": pa.array(
            [START + timedelta(hours=i) for i in range(ROWS)], pa.timestamp("us", tz="UTC")
        ),
        "nothing": pa.nulls(ROWS, pa.int64()),
        "list": pa.array([[i] * (i % 4) for i in range(ROWS)], pa.list_(pa.int64())),
    }
)


def parquet_bytes(**options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(TABLE, sink, data_page_size=2_000, **options)
    return sink.getvalue()


CHOICES = itertools.product(
    ("none", "snappy", "zstd"), ("1.0", "2.0"), (True, False), (True, False)
)
OPTIONS: list[dict[str, Any]] = [
    {
        "compression": codec,
        "data_page_version": version,
        "use_dictionary": dictionary,
        "write_page_index": index,
    }
    for codec, version, dictionary, index in CHOICES
]


# ---- pages and indexes against pyarrow


@pytest.mark.parametrize("options", OPTIONS, ids=lambda o: "-".join(str(v) for v in o.values()))
def test_pages_end_where_their_chunk_ends_and_hold_all_its_values(options: dict[str, Any]) -> None:
    file = parquet_bytes(row_group_size=2_000, **options)
    metadata = pq.read_metadata(io.BytesIO(file))
    footer = read_footer(file)
    assert metadata.num_row_groups == 3
    for group, column in itertools.product(range(3), range(metadata.num_columns)):
        chunk = metadata.row_group(group).column(column)
        pages = parquet_pages.pages(file, chunk)
        start, end = parquet_pages.chunk_range(chunk)
        assert [page.offset for page in pages] == [
            start,
            *(page.end for page in pages[:-1]),
        ] and pages[-1].end == end
        data_pages = [page for page in pages if page.is_data]
        assert sum(page.n_values for page in data_pages) == chunk.num_values
        assert (pages[0].kind == "dictionary") is chunk.has_dictionary_page
        assert {page.encoding for page in pages} <= {*chunk.encodings, "PLAIN"}
        unpacked = sum(page.header_bytes + page.uncompressed_bytes for page in pages)
        assert unpacked == chunk.total_uncompressed_size
        index = footer.row_groups[group][column]
        assert (index.offset_index is not None) is options["write_page_index"]
        if index.offset_index:
            located = parquet_pages.offset_index(file, index.offset_index)
            assert [(p.offset, p.size_bytes) for p in located] == [
                (p.offset, p.end - p.offset) for p in data_pages
            ]


def test_min_max_and_nulls_of_each_page_are_those_of_its_rows() -> None:
    file = parquet_bytes(write_page_index=True, use_dictionary=False)
    pieces = parquet_pieces.dissect(file).pieces
    index = read_footer(file).row_groups[0]
    for number, (name, values) in enumerate((("number", NUMBERS), ("word", WORDS))):
        pages = [piece for piece in pieces if piece.column == name and piece.kind == "data page"]
        firsts = [
            p.first_row
            for p in parquet_pages.offset_index(file, index[number].offset_index or (0, 0))
        ]
        assert len(pages) > 1
        for page, first in zip(pages, firsts, strict=True):
            rows = [value for value in values[first : first + page.n_values] if value is not None]
            assert (page.minimum, page.maximum) == (str(min(rows)), str(max(rows)))
            assert page.n_nulls == page.n_values - len(rows)


def test_times_flags_and_nothing_are_readable() -> None:
    found = {
        p.column: p
        for p in reversed(parquet_pieces.dissect(parquet_bytes(write_page_index=True)).pieces)
        if p.kind == "data page"
    }
    assert found["at"].minimum == "2013-01-01 00:00:00+00:00"
    assert (found["flag"].minimum, found["flag"].maximum) == ("False", "True")
    assert (found["nothing"].minimum, found["nothing"].n_nulls) == ("", ROWS)
    assert float(found["real"].minimum) == pytest.approx(-1, abs=1e-3)


@pytest.mark.parametrize(
    ("value", "physical", "type_", "text"),
    [
        (None, "INT32", pa.int32(), ""),
        (b"\xff\xff\xff\xff", "INT32", pa.int32(), "-1"),
        (b"\x01\x00\x00\x00", "INT32", pa.date32(), "1970-01-02"),
        (b"\x00\x00\x80\x3f", "FLOAT", None, "1.0"),
        (b"\x01", "INT32", None, "01"),
        (b"\xff\xfe", "BYTE_ARRAY", pa.string(), "fffe"),
        (b"a\x00b", "BYTE_ARRAY", pa.binary(), "610062"),
        (b"x" * 100, "BYTE_ARRAY", pa.string(), "x" * 40),
        (b"\xff" * 8, "INT64", pa.timestamp("ns", tz="UTC"), "1969-12-31 23:59:59.999999999+00:00"),
    ],
)
def test_a_bound_is_written_as_what_it_means(
    value: bytes | None, physical: str, type_: Any, text: str
) -> None:
    assert parquet_pieces.readable(value, physical, type_) == text


# ---- every byte


@pytest.mark.parametrize("name", data.TABLES)
def test_the_pieces_of_a_bundled_file_cover_it_without_gap(name: str) -> None:
    file = data.path_of(name).read_bytes()
    assert uncovered(parquet_pieces.dissect(file).pieces, file) == []


@pytest.mark.parametrize(
    "options", [*OPTIONS[:4], {"write_page_index": True, "row_group_size": 500}]
)
def test_the_pieces_of_a_written_file_cover_it_without_gap(options: dict[str, Any]) -> None:
    file = parquet_bytes(**options)
    assert uncovered(parquet_pieces.dissect(file).pieces, file) == []
    assert parquet_pieces.dissect(pa.py_buffer(file)) == parquet_pieces.dissect(file)


def uncovered(pieces: Sequence[Piece], file: bytes) -> list[str]:
    """Return what is wrong with the way in which the pieces cover the file."""
    ends = [0, *(piece.offset + piece.size_bytes for piece in pieces)]
    starts = [*(piece.offset for piece in pieces), len(file)]
    wrong = [
        f"gap {end} … {start}" for end, start in zip(ends, starts, strict=True) if end != start
    ]
    return wrong + [
        f"{piece.kind} at {piece.offset}"
        for piece in pieces
        if piece.kind == "other" or piece.size_bytes <= 0
    ]


def test_bytes_between_the_parts_are_shown_as_other() -> None:
    found = [Piece("magic", 0, 4), Piece("footer", 10, 5)]
    assert [p.kind for p in parquet_pieces._without_gaps(found, 20)] == [
        "magic",
        "other",
        "footer",
        "other",
    ]
    with pytest.raises(InputError, match="must not overlap another part"):
        list(parquet_pieces._without_gaps([Piece("magic", 0, 8), Piece("footer", 4, 2)], 20))


# ---- damaged files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1", "A Parquet file must have at least 12 bytes. Got 4."),
        (b"PAR1" + bytes(8) + b"PARX", "A Parquet file must start and end in PAR1."),
        (b"PAR1\xff\xff\xff\x7fPAR1", "The footer must be shorter than the file of 12 bytes."),
        (
            b"PAR1" + b"\x15" * 20 + b"\x14\x00\x00\x00PAR1",
            "A structure must end before its part of the file.",
        ),
    ],
)
def test_what_is_no_parquet_file_is_a_sentence(content: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parquet_pieces.dissect(content)
    assert str(caught.value).startswith(message)


SMALL = parquet_bytes(row_group_size=ROWS, write_page_index=True)


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(SMALL)), st.binary(min_size=1, max_size=8))
def test_thrift_reads_damaged_bytes_or_says_so(place: int, noise: bytes) -> None:
    """Only our own readers: what pyarrow does with a damaged footer is a child process's matter."""
    damaged = SMALL[:place] + noise + SMALL[place + len(noise) :]
    chunk = pq.read_metadata(io.BytesIO(SMALL)).row_group(0).column(1)
    for read in (
        lambda: parquet_pages.pages(damaged, chunk),
        lambda: read_footer(damaged),
    ):
        assert isinstance(or_error(read), list | Footer | InputError)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_a_structure_or_a_sentence(content: bytes) -> None:
    assert isinstance(
        or_error(thrift.Compact(memoryview(content), 0, len(content)).struct), dict | InputError
    )


def or_error(read: Callable[[], Any]) -> Any:
    """Return what ``read()`` gives, or the InputError that it raises."""
    try:
        return read()
    except InputError as error:
        return error


def test_a_structure_by_hand() -> None:
    """Field 1: i32 150 (zigzag 300); field 3: text "ab"; field 4: true; field 20: list of two i32;
    nested field 21.
    """
    content = (
        bytes([0x15, 0xAC, 0x02, 0x28, 0x02])
        + b"ab"
        + bytes([0x11, 0x09, 0x28, 0x25, 0x02, 0x03, 0x1C, 0x15, 0x02, 0x00, 0x00])
    )
    reader = thrift.Compact(memoryview(content), 0, len(content))
    assert reader.struct() == {1: 150, 3: b"ab", 4: True, 20: [1, -2], 21: {1: 1}}
    assert reader.position == len(content)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes([0x18, 0x7F]), "A text at byte 2 must end before byte 2"),
        (bytes([0x19, 0xF5, 0x7F]), "A list at byte 3 must end before byte 3"),
        (bytes([0x1C] * 40), "Structures must be nested at most 12 deep"),
        (bytes([0x15] + [0xFF] * 12), "A number must have at most 10 bytes"),
        (bytes([0x1E]), "The type at byte 1 must be one of Thrift's"),
        (b"", "A structure must end before its part of the file"),
    ],
)
def test_each_broken_rule_of_thrift_is_named(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        thrift.Compact(memoryview(content), 0, len(content)).struct()


def test_an_upload_is_taken_apart_in_a_child_and_a_damaged_one_is_a_sentence() -> None:
    folder = workspace.session(workspace.new_session_id())
    good = data.save_upload(SMALL, "mine.parquet", folder)
    result = anatomy.run(AnatomyParams(source="upload", upload=str(good), column="word"))
    assert (
        result.file == parquet_pieces.dissect(SMALL)
        and result.column == "word"
        and not result.curve
    )
    assert run_script(scripts.render(result.params)) == result.headline()
    cut = data.save_upload(SMALL[: len(SMALL) // 2], "cut.parquet", folder)
    with pytest.raises(InputError, match="must start and end in PAR1"):
        anatomy.run(AnatomyParams(source="upload", upload=str(cut)))
    text = data.save_upload(b"a,b\n1,2\n", "mine.csv", folder)
    with pytest.raises(
        InputError, match=r"Anatomy needs a Parquet file. Got one that ends in '.csv'"
    ):
        anatomy.run(AnatomyParams(source="upload", upload=str(text)))


# ---- the dictionary


def test_a_small_dictionary_holds_and_a_large_one_gives_up_in_the_same_chunk() -> None:
    small, large = (anatomy.run(AnatomyParams(cardinality=n)) for n in (100, 20_000))
    assert small.n_fallen_pages == 0 < large.n_fallen_pages
    encodings = [page.encoding for page in large.chunk if page.kind == "data page"]
    assert encodings == sorted(encodings, reverse=True) and set(encodings) == {
        "RLE_DICTIONARY",
        "PLAIN",
    }
    dictionary = next(page for page in small.chunk if page.kind == "dictionary page")
    first_group = anatomy.texts(N_ROWS, 100, 0).slice(0, 50_000)
    assert dictionary.n_values == len(first_group.unique()) == 100
    assert dictionary.uncompressed_bytes == 100 * (4 + 13), (
        "PLAIN: four bytes of length, thirteen of text"
    )


def test_the_curve_is_what_each_file_shows_and_jumps_where_pages_fall() -> None:
    base = AnatomyParams()
    points = {point.cardinality: point for point in anatomy.run(base).curve}
    assert tuple(points) == CARDINALITIES
    for cardinality in (10, 20_000, 100_000):
        result = anatomy.run(AnatomyParams(cardinality=cardinality))
        point = points[cardinality]
        assert (point.size_bytes, point.n_plain_pages) == (result.text_bytes, result.n_fallen_pages)
    falls = [point.n_plain_pages > 0 for point in points.values()]
    assert falls == sorted(falls) and points[20_000].size_bytes > 2 * points[10_000].size_bytes
    assert len({point.plain_size_bytes for point in points.values()}) == 1


def test_the_prediction_of_the_lesson_holds() -> None:
    params = AnatomyParams(cardinality=50_000, dictionary_limit=1_048_576, rows_per_group=100_000)
    assert anatomy.run(params).n_fallen_pages == 0


def test_words_follow_the_numbers() -> None:
    result = anatomy.run(AnatomyParams())
    n_data = sum(page.kind == "data page" for page in result.pages(TEXT))
    assert result.verdict.startswith(
        f"With 20,000 distinct values, **{result.n_fallen_pages} of {n_data}** pages of the text"
    )
    assert "This happens first at 20,000 distinct values: from 513 kB to 1.31 MB." in result.why[1]
    bundled = anatomy.run(AnatomyParams(source="flights", row_group=99, column="dest"))
    largest = anatomy.run(AnatomyParams(source="flights"))
    sizes = {name: largest.column_bytes(name) for name in largest.columns}
    assert largest.column == max(sizes, key=lambda name: sizes[name]) != largest.columns[0]
    assert (bundled.row_group, bundled.column) == (bundled.n_row_groups - 1, "dest")
    share = bundled.column_bytes(bundled.largest_column) / 5_134_769
    assert bundled.verdict.startswith(
        f"**{format_share(share)}** of this 5.13 MB file is the column {bundled.largest_column}"
    )


def test_an_upload_must_be_ones_own() -> None:
    with pytest.raises(InputError, match=r"^upload must be a file that you uploaded here\."):
        anatomy.run(AnatomyParams(source="upload", upload="/etc/p.parquet"))


@pytest.mark.parametrize(
    "params",
    [
        AnatomyParams(),
        AnatomyParams(codec="zstd", cardinality=100_000, seed=3),
        AnatomyParams(source="weather"),
    ],
    ids=lambda p: f"{p.source}-{p.codec}",
)
def test_the_script_prints_the_headline(params: AnatomyParams) -> None:
    assert run_script(scripts.render(params)) == anatomy.run(params).headline()


def test_the_map_nests_bytes_exactly() -> None:
    for params in (AnatomyParams(), AnatomyParams(source="flights")):
        result = anatomy.run(params)
        figure = anatomy_figures.byte_map(result, result)
        (icicle,) = (trace for trace in figure.data if trace.type == "icicle")
        values = dict(zip(icicle.ids, icicle.values, strict=True))
        for parent in set(icicle.parents) - {""}:
            inside = [
                values[i] for i, p in zip(icicle.ids, icicle.parents, strict=True) if p == parent
            ]
            assert sum(inside) == values[parent]
        assert values["file"] == result.file_bytes and len(figure.to_json()) < 300_000


def test_a_file_of_very_many_pages_is_drawn_down_to_its_chunks() -> None:
    sink = io.BytesIO()
    pq.write_table(
        pa.table({"n": np.arange(20_000), "m": np.arange(20_000)}),
        sink,
        row_group_size=20,
        use_dictionary=False,
    )
    file = parquet_pieces.dissect(sink.getvalue())
    result = anatomy.AnatomyResult(AnatomyParams(source="flights"), file, ())
    assert len(file.pieces) > anatomy_figures.MAX_BLOCKS
    (icicle,) = (trace for trace in anatomy_figures.byte_map(result).data if trace.type == "icicle")
    assert not [i for i in icicle.ids if i.count("/") == 2]


def test_the_curve_figure_marks_this_file() -> None:
    result = anatomy.run(AnatomyParams())
    figure = anatomy_figures.fallback(result, result)
    mark = figure.data[-1]
    assert (mark.x[0], mark.y[0]) == (20_000, result.text_bytes / 1e3)
    assert result.table().num_rows == len(result.pieces)
