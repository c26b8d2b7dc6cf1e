"""Parquet uploads: Apache's parquet-testing file by file, and inputs of the same kinds made here.

The folder of a checkout of apache/parquet-testing in ``PLAYGROUND_PARQUET_TESTING`` adds all of its
files to the few of ``tests/cases``.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import io
import os
import tomllib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.parquet.encryption as pe
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, scripts, workspace
from engine.errors import InputError
from engine.formats import anatomy
from engine.formats.anatomy import figure as anatomy_figures
from engine.formats.parquet import pieces
from engine.formats.parquet.footer import footer_place, read_footer
from engine.leakage import audit
from engine.upload_reader.columns import normalize
from engine.upload_reader.limits import check_kind
from engine.upload_reader.parquet_file import read_parquet
from tests.engine.printed import run_script

CASES = Path(__file__).parents[1] / "cases"
ELSEWHERE = Path(os.environ.get("PLAYGROUND_PARQUET_TESTING", CASES))
OUTCOMES: dict[str, list[str]] = tomllib.loads(
    Path(__file__).with_name("parquet_testing.toml").read_text(encoding="utf-8")
)
KEPT = {path.name: path for path in CASES.iterdir()}
FILES = {
    name: path
    for name in OUTCOMES
    if (path := ELSEWHERE / name).is_file()
    or (name.count("/") == 1 and (path := KEPT.get(Path(name).name)))
}
NOT_IN_DUCKDB = {
    "data/byte_stream_split_extended.gzip.parquet": "float16 and decimals in that encoding",
    "data/map_no_value.parquet": "a map without values",
    "bad_data/ARROW-GH-41317.parquet": "its GeoParquet note is wrong",
    "bad_data/ARROW-GH-41321.parquet": "its GeoParquet note is wrong",
}


def read(path: Path) -> pa.Table:
    return normalize(read_parquet(path))


def of_bytes(content: bytes, folder: Path) -> pa.Table:
    path = folder / "mine.parquet"
    path.write_bytes(content)
    check_kind(path)
    return read(path)


def written(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink, **options)
    return sink.getvalue()


def outcome(use: Callable[[], str], expected: str) -> str:
    """What ``use`` gives, or the part of its sentence that is expected."""
    try:
        return use()
    except InputError as error:
        sentence = str(error)
        kind, _, part = expected.rpartition("damaged: ")
        del kind
        assert ("damaged" in sentence) == expected.startswith("damaged: "), sentence
        return expected if part in sentence else sentence


# ---- Apache's files


def test_files_of_every_outcome_are_kept() -> None:
    kept = [OUTCOMES[name] for name in FILES]
    for part in ("encrypted", "damaged", "nested", "at least one row", "outside them", " x "):
        assert any(part in entry for entries in kept for entry in entries), part
    all_of_them = {
        path.relative_to(ELSEWHERE).as_posix()
        for place in ("data", "bad_data")
        for path in (ELSEWHERE / place).rglob("*.parquet*")
        if path.suffix in (".parquet", ".encrypted")
    }
    assert all_of_them <= OUTCOMES.keys(), "every file that is there has its outcome"


@pytest.mark.parametrize("name", FILES)
def test_each_file_of_parquet_testing_is_what_it_is(name: str) -> None:
    path, (as_table, as_pieces) = FILES[name], OUTCOMES[name]

    def shape() -> str:
        table = read(path)
        table.validate(full=True)
        return f"{table.num_rows} x {table.num_columns}"

    def dissected() -> str:
        found = pieces.dissect(path.read_bytes())
        assert sum(piece.size_bytes for piece in found.pieces) == path.stat().st_size
        metadata = pq.read_metadata(path) if "map_schema" not in name else None
        if metadata is not None:
            assert (found.n_rows, len(found.columns), found.n_row_groups) == (
                metadata.num_rows,
                metadata.num_columns,
                metadata.num_row_groups,
            )
        return f"{found.n_rows} x {len(found.columns)}"

    assert outcome(shape, as_table) == as_table
    assert outcome(dissected, as_pieces) == as_pieces


@pytest.mark.parametrize(
    "name", [name for name in FILES if " x " in OUTCOMES[name][0] and name not in NOT_IN_DUCKDB]
)
def test_values_are_those_that_duckdb_reads(name: str) -> None:
    due = duckdb.sql("from read_parquet($p)", params={"p": str(FILES[name])}).fetchall()
    table = read(FILES[name])
    got = zip(*(column.to_pylist() for column in table.columns), strict=True)
    for ours, theirs in zip(got, due, strict=True):
        assert all(a == b or (a != a and b != b) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(
    "name", [n for n in FILES if "is nested" in OUTCOMES[n][0] and n not in NOT_IN_DUCKDB]
)
def test_what_is_refused_as_nested_is_nested_for_duckdb(name: str) -> None:
    named = OUTCOMES[name][0].removesuffix(" is nested").split(", ")
    described = duckdb.sql("describe from read_parquet($p)", params={"p": str(FILES[name])})
    types = {row[0]: row[1] for row in described.fetchall()}
    assert all(types[column].startswith(("STRUCT", "MAP")) or "[" in types[column]
               for column in named)  # fmt: skip


# ---- times


MICROS = st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999)  # the years 1 to 9999


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | MICROS, min_size=1, max_size=9))
def test_int96_is_read_in_microseconds(values: list[int | None]) -> None:
    due = pa.chunked_array([pa.array(values, pa.timestamp("us"))])
    with folder() as place:
        got = of_bytes(written(pa.table({"t": due}), use_deprecated_int96_timestamps=True), place)
    assert got["t"].equals(due) and got["t"].type == pa.timestamp("us")


@contextlib.contextmanager
def folder() -> Any:
    """A new folder for one example."""
    yield workspace.session(workspace.new_session_id())


NANOS = st.integers(-(2**63) + 1_000, 2**63 - 1_000)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | NANOS, min_size=1, max_size=9))
def test_int96_keeps_nanoseconds_where_a_value_has_them(values: list[int | None]) -> None:
    due = pa.array(values, pa.timestamp("ns"))
    with folder() as place:
        got = of_bytes(written(pa.table({"t": due}), use_deprecated_int96_timestamps=True), place)
    assert got["t"].cast(pa.timestamp("ns")).combine_chunks().equals(due)


def test_int96_of_spark_says_which_row_no_calendar_has(tmp_path: Path) -> None:
    path = CASES / "int96_from_spark.parquet"
    table = read_parquet_rows(path, 5)
    assert table["a"][2].as_py() == dt.datetime(9999, 12, 31, 3), "row 3 counted from 1"
    with pytest.raises(InputError, match="a has a value outside them, in row 6: correct or drop"):
        read(path)
    wraps = 1_704_067_200 + 2**64 // 10**6  # in microseconds it comes round to January 2024
    made = pa.table({"ok": [1, 2], "t": pa.array([0, wraps]).cast(pa.timestamp("s"))})
    with pytest.raises(InputError, match="t has a value outside them, in row 2"):
        of_bytes(written(made, use_deprecated_int96_timestamps=True), tmp_path)


def read_parquet_rows(path: Path, n_rows: int) -> pa.Table:
    """The first rows as the reader reads them, before a look at the last."""
    return pq.ParquetFile(path, coerce_int96_timestamp_unit="us").read().slice(0, n_rows)


@pytest.mark.parametrize("zone", [None, "UTC", "Europe/Rome"])
def test_times_that_pandas_writes_in_nanoseconds_are_audited(zone: str | None) -> None:
    rng = np.random.default_rng(5)
    n, start = 400, pd.Timestamp("1969-06-01").value
    made = pd.DataFrame({"x": rng.normal(size=n), "late": rng.integers(0, 2, n)})
    made["at"] = pd.to_datetime(start + rng.integers(0, 10**17, n), utc=zone is not None)
    if zone is not None:
        made["at"] = made["at"].dt.tz_convert(zone)
    assert (made["at"].dt.nanosecond % 10).any(), "fractions below a microsecond"
    with folder() as place:
        path = data.save_upload(made_bytes(made), "pandas.parquet", place)
        table = data.read_upload(path)
        assert table["at"].type == pa.timestamp("ns", zone)
        for roles in ({}, {"time": "at"}, {"group": "at"}, {"target": "at"}):
            result = audit.audit_table(table, **{"target": "late", **roles})
            assert result.table() is not None and result.why
        with_time = audit.AuditParams(
            source="upload", upload=str(path), target="late", time_column="at"
        )
        assert run_script(scripts.render(with_time)) == audit.run(with_time).headline()


def made_bytes(frame: pd.DataFrame) -> bytes:
    sink = io.BytesIO()
    frame.to_parquet(sink, index=False)
    return sink.getvalue()


# ---- checksums


TWO = pa.table({"a": np.arange(4_000), "b": [f"word {i * i % 997}" for i in range(4_000)]})
CHECKED = written(
    TWO, write_page_checksum=True, data_page_size=1_000, row_group_size=2_000, compression="none"
)


@settings(max_examples=40, deadline=None)
@given(place=st.integers(4, len(CHECKED) - 1), bit=st.integers(0, 7))
def test_a_flipped_bit_in_a_page_is_found_and_the_page_named(place: int, bit: int) -> None:
    broken = bytearray(CHECKED)
    broken[place] ^= 1 << bit
    page = next(
        (
            piece
            for piece in pieces.dissect(CHECKED).pieces
            if piece.page >= 0
            and piece.offset + piece.header_bytes <= place < piece.offset + piece.size_bytes
        ),
        None,
    )
    if page is None:
        return  # in a header or in the footer, where Parquet has no checksum
    named = f"Page {page.page} of column {page.column} in row group {page.row_group} does not match"
    with folder() as where, pytest.raises(InputError, match=named):
        of_bytes(bytes(broken), where)
    with pytest.raises(InputError, match=named):
        pieces.dissect(bytes(broken))


def test_a_column_that_cannot_be_decoded_is_named(tmp_path: Path) -> None:
    plain = written(TWO, compression="zstd", use_dictionary=False)
    chunk = pq.read_metadata(io.BytesIO(plain)).row_group(0).column(1)
    middle = chunk.data_page_offset + chunk.total_compressed_size // 2
    broken = plain[:middle] + bytes(60) + plain[middle + 60 :]
    with pytest.raises(InputError, match="damaged or cut short in column b"):
        of_bytes(broken, tmp_path)


def test_a_damaged_footer_is_no_columns_fault(tmp_path: Path) -> None:
    content = written(TWO)
    place = content.index(b"ARROW:schema") + 40
    with pytest.raises(InputError, match="damaged or cut short: "):
        of_bytes(content[:place] + b"\x01" + content[place + 1 :], tmp_path)


# ---- encryption


class KeysInMemory(pe.KmsClient):  # type: ignore[misc]
    """Wraps keys by no more than text: what the file holds is encrypted all the same."""

    def wrap_key(self, key_bytes: bytes, master_key_identifier: str) -> bytes:
        return base64.b64encode(master_key_identifier.encode() + b":" + key_bytes)

    def unwrap_key(self, wrapped_key: bytes, master_key_identifier: str) -> bytes:
        return base64.b64decode(wrapped_key).partition(b":")[2]


def encrypted(**settings_: Any) -> bytes:
    config = pe.EncryptionConfiguration(
        footer_key="foot", double_wrapping=False, data_key_length_bits=128, **settings_
    )
    factory = pe.CryptoFactory(lambda _: KeysInMemory())
    properties = factory.file_encryption_properties(pe.KmsConnectionConfig(), config)
    sink = io.BytesIO()
    with pq.ParquetWriter(sink, TWO.schema, encryption_properties=properties) as writer:
        writer.write_table(TWO)
    return sink.getvalue()


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ({"uniform_encryption": True}, "is encrypted, and there is no key"),
        ({"column_keys": {"k": ["b"]}}, "is encrypted, and there is no key"),
        (
            {"column_keys": {"k": ["b"]}, "plaintext_footer": True},
            r"is encrypted \(column b\), and there is no key",
        ),
        (
            {"column_keys": {"k": ["a", "b"]}, "plaintext_footer": True},
            r"is encrypted \(columns a, b\), and there is no key",
        ),
    ],
)
def test_an_encrypted_file_is_called_encrypted_everywhere(
    how: dict[str, Any], sentence: str
) -> None:
    with folder() as place:
        path = data.save_upload(encrypted(**how), "mine.parquet", place)
        with pytest.raises(InputError, match=sentence):
            data.read_upload(path)
        with pytest.raises(InputError, match=sentence):
            anatomy.run(anatomy.AnatomyParams(source="upload", upload=str(path)))


# ---- zero rows, nested, foreign


def no_row_groups() -> bytes:
    sink = io.BytesIO()
    pq.ParquetWriter(sink, TWO.schema).close()
    return sink.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        (CASES / "column_chunk_key_value_metadata.parquet").read_bytes(),
        written(TWO.slice(0, 0)),
        written(TWO.slice(0, 0), use_dictionary=False, write_page_index=True),
        no_row_groups(),
    ],
    ids=["reported", "empty table", "plain, indexed", "no row groups"],
)
def test_a_file_without_rows_has_an_anatomy_and_no_rows(content: bytes) -> None:
    metadata = pq.read_metadata(io.BytesIO(content))
    with folder() as place:
        path = data.save_upload(content, "none.parquet", place)
        with pytest.raises(InputError, match="must have at least one row. Got columns without"):
            data.read_upload(path)
        result = anatomy.run(anatomy.AnatomyParams(source="upload", upload=str(path)))
        assert (result.file.n_rows, len(result.columns)) == (0, metadata.num_columns)
        assert result.n_row_groups == metadata.num_row_groups
        assert "**0 rows** and 2 columns" in result.verdict and result.why
        assert result.file_bytes == len(content) and result.table().num_rows == len(result.pieces)
        anatomy_figures.byte_map(result)
        assert run_script(scripts.render(result.params)) == result.headline()


def in_footer(content: bytes, old: bytes, new: bytes) -> bytes:
    """The file with some bytes of its footer replaced, once."""
    offset, length = footer_place(content)
    footer = content[offset : offset + length]
    assert footer.count(old) == 1 and len(old) == len(new)
    return content[:offset] + footer.replace(old, new) + content[offset + length :]


def test_a_legacy_map_is_nested_and_has_an_anatomy(tmp_path: Path) -> None:
    """Its key is optional, as Presto wrote it: in the schema 0 (required) becomes 1, zigzag 2."""
    table = pa.table({"x": [1], "m": pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int64()))})
    legacy = in_footer(
        written(table, store_schema=False), b"\x25\x00\x18\x03key", b"\x25\x02\x18\x03key"
    )
    with pytest.raises(pa.ArrowInvalid, match="Map keys must be"):
        pq.read_schema(io.BytesIO(legacy))
    with pytest.raises(InputError, match=r"one value a cell. m is nested"):
        of_bytes(legacy, tmp_path)
    assert pieces.dissect(legacy).columns == ("x", "m.key_value.key", "m.key_value.value")


def test_a_codec_that_is_not_read_is_named_and_not_called_damaged(tmp_path: Path) -> None:
    plain = written(pa.table({"a": [1, 2, 3]}), compression="snappy", store_schema=False)
    for number, name in ((3, "LZO"), (40, "codec 40")):
        other = in_footer(plain, b"\x01a\x15\x02", b"\x01a\x15" + bytes([2 * number]))
        with pytest.raises(InputError, match=f"cannot read this file: {name}. Write") as caught:
            of_bytes(other, tmp_path)
        assert "damaged" not in str(caught.value)


def test_text_that_is_not_utf8_is_refused_by_column(tmp_path: Path) -> None:
    latin = pa.array([b"caf\xe9", None], pa.binary()).view(pa.string())
    with pytest.raises(InputError, match="in UTF-8. place is declared as text, and holds other"):
        of_bytes(written(pa.table({"n": [1, 2], "place": latin})), tmp_path)


# ---- types


def whole(low: int, high: int) -> st.SearchStrategy[int]:
    return st.integers(low, high)


def decimal(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    bound = 10**digits - 1
    return st.integers(-bound, bound).map(lambda n: Decimal((n < 0, digits_of(n), -scale)))


def digits_of(number: int) -> tuple[int, ...]:
    return tuple(int(digit) for digit in str(abs(number)))


TEXT, SHORT = st.text(max_size=9), st.binary(max_size=9)
TYPES: list[tuple[pa.DataType, st.SearchStrategy[Any], pa.DataType]] = [
    (pa.bool_(), st.booleans(), pa.bool_()),
    *(
        (type_, whole(-(2 ** (bits - 1)), 2 ** (bits - 1) - 1), type_)
        for bits, type_ in ((8, pa.int8()), (16, pa.int16()), (32, pa.int32()), (64, pa.int64()))
    ),
    *(
        (type_, whole(0, 2**bits - 1), type_)
        for bits, type_ in (
            (8, pa.uint8()),
            (16, pa.uint16()),
            (32, pa.uint32()),
            (64, pa.uint64()),
        )
    ),
    (pa.float16(), st.floats(width=16, allow_nan=False), pa.float32()),
    (pa.float32(), st.floats(width=32, allow_nan=False), pa.float32()),
    (pa.float64(), st.floats(allow_nan=False), pa.float64()),
    (pa.decimal32(7, 3), decimal(7, 3), pa.decimal128(7, 3)),
    (pa.decimal64(18, 0), decimal(18, 0), pa.decimal128(18, 0)),
    (pa.decimal128(38, 10), decimal(38, 10), pa.decimal128(38, 10)),
    (pa.decimal256(60, 4), decimal(30, 4), pa.decimal128(38, 4)),
    (pa.string(), TEXT, pa.string()),
    (pa.large_string(), TEXT, pa.large_string()),
    (pa.string_view(), TEXT, pa.string()),
    (pa.binary(), SHORT, pa.binary()),
    (pa.large_binary(), SHORT, pa.large_binary()),
    (pa.binary(3), st.binary(min_size=3, max_size=3), pa.binary(3)),
    (pa.dictionary(pa.int8(), pa.string()), st.sampled_from("abc"), pa.string()),
    (pa.json_(), st.sampled_from(["{}", "[1]"]), pa.string()),
    (pa.uuid(), st.binary(min_size=16, max_size=16), pa.binary(16)),
    (pa.date32(), st.dates(), pa.date32()),
    (pa.date64(), st.dates(), pa.date64()),
    (pa.time64("us"), st.times(), pa.time64("us")),
    (pa.timestamp("us"), st.datetimes(), pa.timestamp("us")),
    (
        pa.timestamp("us", "UTC"),
        st.datetimes(timezones=st.just(dt.UTC)),
        pa.timestamp("us", "UTC"),
    ),
]


@settings(max_examples=120, deadline=None)
@given(st.data())
def test_every_type_comes_back_with_its_values(given_: st.DataObject) -> None:
    type_, values, due = given_.draw(st.sampled_from(TYPES))
    rows = given_.draw(st.lists(st.none() | values, min_size=1, max_size=9))
    storage = type_.storage_type if isinstance(type_, pa.BaseExtensionType) else type_
    column = pa.array(rows, storage)
    if storage is not type_:
        column = pa.ExtensionArray.from_storage(type_, column)
    compression = given_.draw(st.sampled_from(["none", "snappy", "zstd", "gzip", "brotli"]))
    made = written(
        pa.table({"v": column}),
        compression=compression,
        data_page_version=given_.draw(st.sampled_from(["1.0", "2.0"])),
        write_page_checksum=given_.draw(st.booleans()),
    )
    with folder() as place:
        got = of_bytes(made, place)["v"]
    assert got.to_pylist() == rows
    assert got.type == due or pa.types.is_date(due)


def test_a_decimal_of_more_than_38_digits_is_exact_text(tmp_path: Path) -> None:
    values = [Decimal("9" * 50 + ".5"), None, Decimal("-0.5")]
    got = of_bytes(written(pa.table({"v": pa.array(values, pa.decimal256(60, 1))})), tmp_path)
    assert got["v"].to_pylist() == ["9" * 50 + ".5", None, "-0.5"]


@pytest.mark.parametrize(
    "type_",
    [pa.list_(pa.int64()), pa.large_list(pa.int64()), pa.list_(pa.int64(), 2)]
    + [pa.list_view(pa.int64()), pa.large_list_view(pa.int64())],
    ids=str,
)
def test_lists_of_every_kind_are_nested(type_: pa.DataType, tmp_path: Path) -> None:
    column = pa.array([[1, 2]], type_)
    with pytest.raises(InputError, match="tags is nested"):
        of_bytes(written(pa.table({"tags": column})), tmp_path)


@pytest.mark.parametrize(
    ("column", "low", "high"),
    [
        (pa.array([1, 2**32 - 1], pa.uint32()), "1", "4294967295"),
        (pa.array([1, 2**64 - 1], pa.uint64()), "1", "18446744073709551615"),
        (pa.array([Decimal("-1.25"), Decimal("2.50")], pa.decimal128(5, 2)), "-1.25", "2.50"),
        (pa.array([Decimal("-1.25"), Decimal("2.50")], pa.decimal128(30, 2)), "-1.25", "2.50"),
        (pa.array([np.float16(-2), np.float16(1.5)]), "-2.0", "1.5"),
        (pa.array([dt.date(2013, 1, 1)], pa.date64()), "2013-01-01", "2013-01-01"),
    ],
    ids=lambda value: str(value.type) if isinstance(value, pa.Array) else "",
)
def test_anatomy_shows_bounds_as_the_values_they_are(column: pa.Array, low: str, high: str) -> None:
    found = pieces.dissect(written(pa.table({"v": column}), write_page_index=True)).pieces
    page = next(piece for piece in found if piece.kind == "data page")
    assert (page.minimum, page.maximum) == (low, high)


def test_a_zone_that_nobody_knows_is_refused_and_has_an_anatomy(tmp_path: Path) -> None:
    content = written(pa.table({"v": pa.array([0], pa.timestamp("us", "Mars/Olympus"))}))
    assert pieces.dissect(content).n_rows == 1
    with pytest.raises(InputError, match="known time zone. v has"):
        of_bytes(content, tmp_path)


def test_a_name_that_is_not_utf8_is_refused_and_has_an_anatomy(tmp_path: Path) -> None:
    content = written(pa.table({"naive": [1]}), store_schema=False)
    content = content.replace(b"naive", b"na\xefve")
    assert pieces.dissect(content).columns == ("na\ufffdve",)
    with pytest.raises(InputError, match="names must be in UTF-8. na.ve holds other bytes"):
        of_bytes(content, tmp_path)


def test_the_footer_is_what_pyarrow_reads() -> None:
    table = TWO.append_column("l", pa.array([[1]] * len(TWO)))
    content = written(table, row_group_size=1_500, write_page_index=True)
    footer, metadata = read_footer(content), pq.read_metadata(io.BytesIO(content))
    assert (footer.n_rows, footer.nested, footer.encrypted) == (len(TWO), ("l",), ())
    names = ("path_in_schema", "physical_type", "compression", "num_values")
    places = ("data_page_offset", "dictionary_page_offset", "total_compressed_size")
    for group, chunk in footer.chunks:
        theirs = metadata.row_group(group).column(footer.columns.index(chunk.path_in_schema))
        for name in names + places:
            assert getattr(chunk, name) == getattr(theirs, name), name
