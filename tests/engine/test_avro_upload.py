"""Avro uploads have the types of their writer's schema, and the values that fastavro reads."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from decimal import Context, Decimal
from pathlib import Path
from typing import Any

import fastavro
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import InputError
from engine.upload_reader.avro_file import AVRO_BATCH_ROWS, read_avro
from engine.upload_reader.columns import normalize

CASES = Path(__file__).parents[1] / "cases"
UTC = dt.UTC
LONG = st.integers(-(2**63), 2**63 - 1)
INT = st.integers(-(2**31), 2**31 - 1)
MOMENT = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30))


def millis(value: dt.datetime) -> dt.datetime:
    return value.replace(microsecond=value.microsecond // 1_000 * 1_000)


@st.composite
def decimals(draw: st.DrawFn, n_bytes: int | None) -> tuple[Any, Any, Any]:
    """A decimal schema of bytes, or of a fixed size, its values, and its Arrow type."""
    most = 38 if n_bytes is None else [0, 2, 4, 6, 9, 11, 14, 16, 18][n_bytes]
    digits = draw(st.integers(1, most))
    scale = draw(st.integers(0, digits))
    base = "bytes" if n_bytes is None else "fixed"
    schema = {"type": base, "logicalType": "decimal", "precision": digits, "scale": scale}
    if n_bytes is not None:
        schema |= {"name": "named", "size": n_bytes}
    bound = 10**digits - 1
    values = st.integers(-bound, bound).map(
        lambda number: Decimal(number).scaleb(-scale, Context(prec=digits))
    )
    return schema, values, pa.decimal128(digits, scale)


@st.composite
def fixed(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    size = draw(st.integers(1, 20))
    schema = {"type": "fixed", "name": "named", "size": size}
    return schema, st.binary(min_size=size, max_size=size), pa.binary(size)


@st.composite
def enum(draw: st.DrawFn) -> tuple[Any, Any, Any]:
    symbols = draw(st.lists(st.sampled_from("ABCDEFG"), min_size=1, unique=True))
    schema = {"type": "enum", "name": "named", "symbols": symbols}
    return schema, st.sampled_from(symbols), pa.string()


def logical(base: str, name: str) -> dict[str, str]:
    return {"type": base, "logicalType": name}


FLOAT = st.floats(width=32, allow_nan=False)
TYPES = st.one_of(
    *(
        st.just(kind)
        for kind in (
            ("boolean", st.booleans(), pa.bool_()),
            ("int", INT, pa.int32()),
            ("long", LONG, pa.int64()),
            ("float", FLOAT, pa.float32()),
            ("double", st.floats(allow_nan=False), pa.float64()),
            ("bytes", st.binary(max_size=9), pa.binary()),
            ("string", st.text(max_size=9), pa.string()),
            (logical("int", "date"), st.dates(), pa.date32()),
            (
                logical("int", "time-millis"),
                st.times().map(lambda t: t.replace(microsecond=t.microsecond // 1_000 * 1_000)),
                pa.time32("ms"),
            ),
            (logical("long", "time-micros"), st.times(), pa.time64("us")),
            (
                logical("long", "timestamp-millis"),
                MOMENT.map(lambda t: millis(t).replace(tzinfo=UTC)),
                pa.timestamp("ms", "UTC"),
            ),
            (
                logical("long", "timestamp-micros"),
                MOMENT.map(lambda t: t.replace(tzinfo=UTC)),
                pa.timestamp("us", "UTC"),
            ),
            (logical("long", "timestamp-nanos"), LONG, pa.timestamp("ns", "UTC")),
            (logical("long", "local-timestamp-millis"), MOMENT.map(millis), pa.timestamp("ms")),
            (logical("long", "local-timestamp-micros"), MOMENT, pa.timestamp("us")),
            (logical("long", "local-timestamp-nanos"), LONG, pa.timestamp("ns")),
            (logical("string", "uuid"), st.uuids(), pa.string()),
            (logical("string", "of-somebody"), st.text(max_size=9), pa.string()),
        )
    ),
    decimals(None),
    st.integers(1, 8).flatmap(decimals),
    fixed(),
    enum(),
)


@st.composite
def files(draw: st.DrawFn) -> tuple[list[Any], list[dict[str, Any]], dict[str, pa.DataType]]:
    """One to five fields, each plain or a union with null in either order, rows, Arrow types."""
    fields, makers, types = [], {}, {}
    for number, (schema, values, type_) in enumerate(draw(st.lists(TYPES, min_size=1, max_size=5))):
        name = f"c{number}"
        if isinstance(schema, dict) and "name" in schema:
            schema = schema | {"name": f"t{number}"}
        order = draw(st.sampled_from(["plain", "null first", "null last"]))
        union = {"null first": ["null", schema], "null last": [schema, "null"]}
        fields.append({"name": name, "type": union.get(order, schema)})
        makers[name] = values if order == "plain" else st.none() | values
        types[name] = type_
    rows = draw(st.lists(st.fixed_dictionaries(makers), min_size=1, max_size=12))
    return fields, rows, types


def written(fields: list[Any], rows: list[dict[str, Any]], **options: Any) -> bytes:
    sink = io.BytesIO()
    schema = fastavro.parse_schema({"type": "record", "name": "r", "fields": fields})
    fastavro.writer(sink, schema, rows, **options)
    return sink.getvalue()


def read(content: bytes, folder: Path) -> pa.Table:
    path = folder / "mine.avro"
    path.write_bytes(content)
    return read_avro(path)


def stored(value: Any, type_: pa.DataType) -> Any:
    """A value of fastavro's as the column has it: text for a UUID; a long counts nanoseconds."""
    if isinstance(value, uuid.UUID):
        return str(value)
    if value is not None and pa.types.is_timestamp(type_) and type_.unit == "ns":
        return pa.scalar(value, pa.int64()).cast(type_)
    return value


@settings(max_examples=150, deadline=None)
@given(
    made=files(),
    codec=st.sampled_from(["null", "deflate", "snappy", "zstandard", "xz", "bzip2"]),
)
def test_types_are_the_schemas_and_values_are_fastavros(
    made: tuple[list[Any], list[dict[str, Any]], dict[str, pa.DataType]],
    codec: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    fields, rows, types = made
    content = written(fields, rows, codec=codec)
    table = read(content, tmp_path_factory.mktemp("avro"))
    assert dict(zip(table.column_names, table.schema.types, strict=True)) == types
    table.validate(full=True)
    for row, record in enumerate(fastavro.reader(io.BytesIO(content))):
        for name, type_ in types.items():
            due, got = stored(record[name], type_), table[name][row]
            assert (got if isinstance(due, pa.Scalar) else got.as_py()) == due


def test_the_reported_file_has_its_last_value() -> None:
    table = normalize(read_avro(CASES / "null_first.avro"))
    assert table.num_rows == 10_500 and table["value"].type == pa.string()
    assert table["value"][-1].as_py() == "v10499" and table["value"].null_count >= AVRO_BATCH_ROWS


@pytest.mark.parametrize(
    ("schema", "value", "type_"),
    [
        ("string", "last", pa.string()),
        ("double", 0.5, pa.float64()),
        (logical("long", "timestamp-micros"), dt.datetime(2024, 1, 1, tzinfo=UTC), None),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 9, "scale": 2},
            Decimal("1.25"),
            pa.decimal128(9, 2),
        ),
    ],
)
def test_a_column_that_begins_with_more_nulls_than_a_batch_keeps_its_type(
    schema: Any, value: Any, type_: pa.DataType | None, tmp_path: Path
) -> None:
    rows = [{"v": None}] * (AVRO_BATCH_ROWS + 5) + [{"v": value}]
    table = normalize(read(written([{"name": "v", "type": ["null", schema]}], rows), tmp_path))
    assert table["v"].type == (type_ or pa.timestamp("us", "UTC"))
    assert table["v"][-1].as_py() == value


@pytest.mark.parametrize(
    ("union", "values", "type_"),
    [
        (["int", "long"], [1, 2**40], pa.int64()),
        (["null", "float", "double"], [0.5, None, 0.25], pa.float64()),
        (["int", "double"], [3, 0.25], pa.float64()),
        (["null"], [None, None], pa.string()),
        (["string"], ["a"], pa.string()),
        (["string", {"type": "enum", "name": "e", "symbols": ["A"]}], ["a", "A"], pa.string()),
    ],
)
def test_a_union_that_one_type_holds_is_that_type(
    union: list[Any], values: list[Any], type_: pa.DataType, tmp_path: Path
) -> None:
    content = written([{"name": "v", "type": union}], [{"v": value} for value in values])
    table = normalize(read(content, tmp_path))
    assert table["v"].type == type_ and table["v"].to_pylist() == values


@pytest.mark.parametrize(
    ("union", "values", "named"),
    [
        (["string", "long"], ["a", 1], "string, long"),
        (["null", "boolean", "string"], [True, "a"], "null, boolean, string"),
        (["int", logical("long", "timestamp-micros")], [1], "int, timestamp-micros"),
    ],
)
def test_a_union_of_several_types_is_refused_by_name(
    union: list[Any], values: list[Any], named: str, tmp_path: Path
) -> None:
    content = written([{"name": "v", "type": union}], [{"v": value} for value in values])
    with pytest.raises(InputError, match=f"v is a union of {named}: write it as one"):
        read(content, tmp_path)


def test_a_long_that_a_double_would_round_is_refused(tmp_path: Path) -> None:
    content = written([{"name": "v", "type": ["long", "double"]}], [{"v": 2**60 + 1}, {"v": 0.5}])
    with pytest.raises(InputError, match="v has a value that its type, double, cannot hold"):
        read(content, tmp_path)


def test_a_type_is_named_once_and_used_again(tmp_path: Path) -> None:
    enum_ = {"type": "enum", "name": "side", "symbols": ["L", "R"]}
    hash_ = {"type": "fixed", "name": "hash", "size": 2}
    fields = [
        {"name": "a", "type": enum_},
        {"name": "b", "type": ["null", "side"]},
        {"name": "c", "type": hash_},
        {"name": "d", "type": "hash"},
    ]
    row = {"a": "L", "b": "R", "c": b"ab", "d": b"cd"}
    table = read(written(fields, [row]), tmp_path)
    assert table.to_pylist() == [row] and table["d"].type == pa.binary(2)
    inner = {"type": "record", "name": "in", "fields": [{"name": "x", "type": "int"}]}
    fields = [{"name": "x", "type": "int"}, {"name": "more", "type": ["null", inner]}]
    with pytest.raises(InputError, match="more is nested"):
        read(written(fields, [{"x": 1, "more": None}]), tmp_path)


def disguised(kind: dict[str, Any], values: list[Any]) -> bytes:
    """A file whose header gives stored values a logical type that fastavro would not write."""
    given, hidden = kind["logicalType"], "x" * len(kind["logicalType"])
    field = {"name": "v", "type": kind | {"logicalType": hidden}}
    content = written([field], [{"v": value} for value in values])
    assert content.count(hidden.encode()) == 1
    return content.replace(hidden.encode(), given.encode())


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (logical("long", "timestamp-millis"), 9_089_380_393_200_000),
        (logical("long", "local-timestamp-micros"), -(2**62)),
        (logical("int", "date"), 2**31 - 1),
    ],
)
def test_times_out_of_the_calendar_are_said_by_column_and_row(
    kind: dict[str, str], value: int, tmp_path: Path
) -> None:
    table = read(disguised(kind, [0, value, value]), tmp_path)
    with pytest.raises(InputError, match="v has 2 values outside them, the first in row 2"):
        normalize(table)


@pytest.mark.parametrize("value", [-1, 86_400_000])
def test_times_of_no_day_are_refused(value: int, tmp_path: Path) -> None:
    """pyarrow would let them wrap around: −1 is a millisecond before midnight."""
    table = read(disguised(logical("int", "time-millis"), [0, value]), tmp_path)
    with pytest.raises(InputError, match="v has others"):
        normalize(table)


def decimal_of(digits: int) -> dict[str, Any]:
    return {"type": "bytes", "logicalType": "decimal", "precision": digits, "scale": 2}


def test_decimals_are_exact_and_too_many_digits_are_said(tmp_path: Path) -> None:
    wide = Decimal("9" * 60 + ".25")
    content = written([{"name": "v", "type": decimal_of(70)}], [{"v": wide}, {"v": Decimal(1)}])
    table = normalize(read(content, tmp_path))
    assert table["v"].to_pylist() == [str(wide), "1.00"], "as text, to the last digit"
    with pytest.raises(InputError, match="Decimals must have at most 76 digits. v has 90"):
        read(written([{"name": "v", "type": decimal_of(90)}], [{"v": Decimal(1)}]), tmp_path)
    with pytest.raises(InputError, match="v has a value that its type, .* more than 3 digits"):
        read(disguised(decimal_of(3), [(1_000).to_bytes(2, "big")]), tmp_path)


@pytest.mark.parametrize(
    "kind",
    [
        logical("bytes", "decimal"),  # of no precision
        logical("bytes", "date"),
        logical("bytes", "of-somebody"),
    ],
)
def test_a_logical_type_that_is_none_counts_for_nothing(
    kind: dict[str, Any], tmp_path: Path
) -> None:
    """As the specification has it; fastavro itself fails at some."""
    table = read(disguised(kind, [b"\x01\xff"]), tmp_path)
    assert table["v"].type == pa.binary() and table["v"].to_pylist() == [b"\x01\xff"]


def test_what_is_not_damaged_is_not_called_damaged(tmp_path: Path) -> None:
    fields = [{"name": "v", "type": "int"}]
    good = written(fields, [{"v": 1}])
    with pytest.raises(InputError, match="has no rows"):
        read(written(fields, []), tmp_path)
    with pytest.raises(InputError, match="must have at least one column"):
        read(written([], [{}]), tmp_path)
    head, _, tail = good.partition(b"\x08null")
    for codec in (b"\x06lz4", b"\x0cbrotli"):
        with pytest.raises(InputError, match=f"compressed with {codec[1:].decode()}, which is not"):
            read(head + codec + tail, tmp_path)
    for cut in range(4, len(good) - 1):
        with pytest.raises(InputError, match="damaged or cut short|has no rows"):
            read(good[:cut], tmp_path)


def test_a_block_of_snappy_is_held_against_its_checksum(tmp_path: Path) -> None:
    """A changed letter decompresses well; only the checksum, which fastavro skips, tells."""
    rows = [{"v": str(uuid.UUID(int=number * 3**78 % 2**128))} for number in range(1, 200)]
    options = {"codec": "snappy", "sync_interval": 500}
    good = written([{"name": "v", "type": "string"}], rows, **options)
    assert read(good, tmp_path).to_pylist() == rows
    first = rows[0]["v"][:8].encode()
    broken = good.replace(first, first[::-1])
    assert list(fastavro.reader(io.BytesIO(broken))) != rows
    with pytest.raises(
        InputError, match=r"Block \d+ of this Avro file does not match its checksum"
    ):
        read(broken, tmp_path)


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy"])
def test_a_block_that_holds_more_than_it_says_is_damaged(codec: str, tmp_path: Path) -> None:
    """fastavro reads the number of records that the block gives, and leaves the rest out."""
    good = written([{"name": "v", "type": "int"}], [{"v": 1}] * 60, codec=codec)
    place = good.index(good[-16:]) + 16  # after the header's sync marker
    assert good[place] == 120 and read(good, tmp_path).num_rows == 60
    with pytest.raises(InputError, match="more than its 59 records"):
        read(good[:place] + bytes([118]) + good[place + 1 :], tmp_path)


@pytest.mark.parametrize(
    ("name", "replaced", "message"),
    [
        (b'"b2"', b'"a1"', "a1 appears more than once"),
        (b'"int"', b'"odd"', "odd is no type"),
    ],
)
def test_a_schema_that_breaks_a_rule_is_not_called_damaged(
    name: bytes, replaced: bytes, message: str, tmp_path: Path
) -> None:
    fields = [{"name": "a1", "type": "int"}, {"name": "b2", "type": "string"}]
    good = written(fields, [{"a1": 1, "b2": "x"}])
    assert good.count(name) == 1
    with pytest.raises(InputError, match=message):
        read(good.replace(name, replaced), tmp_path)
