"""Every type that a Parquet, Avro or CSV file can hold, in every place that takes uploads: a result
or a sentence.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import io
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastavro
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine import data, scripts, workspace
from engine.errors import InputError
from engine.formats import anatomy, bytes_read, race
from engine.formats.anatomy import figure as anatomy_figures
from engine.formats.bytes_read import figure as bytes_read_figures
from engine.formats.bytes_read.layout import figure as layout_figures
from engine.formats.race import figure as race_figures
from engine.leakage import audit
from engine.leakage.audit import figure as audit_figures
from engine.leakage.audit import info_sheet, sources
from engine.sampling import lineage, points
from engine.sampling.lineage import figure as lineage_figures
from engine.spark import partitioning
from engine.spark.partitioning import figure as partitioning_figures
from engine.spark.partitioning.params import STRATEGIES
from engine.upload_reader.avro_file import read_avro
from engine.upload_reader.columns import normalize

N = 60
DAY = dt.datetime(2013, 1, 1)
BEFORE_1970 = dt.datetime(1677, 9, 22)


def mixed(values: list[Any], type_: pa.DataType) -> pa.Array:
    """Sixty rows of the values in turn and nulls between them."""
    return pa.array(
        [None if row % 7 == 3 else values[row % len(values)] for row in range(N)], type_
    )


def whole(type_: pa.DataType) -> pa.Array:
    bits, signed = type_.bit_width, pa.types.is_signed_integer(type_)
    return mixed([0, 1, 2 ** (bits - signed) - 1, -(2 ** (bits - 1)) if signed else 5], type_)


def times(type_: pa.DataType, *, extreme: bool = False) -> pa.Array:
    """Times of every day; with ``extreme`` the first and the last that the type has, of which most
    lie in no calendar.
    """
    bits = type_.bit_width
    values = [0, 1, 3_600]
    if extreme:
        seconds = (
            2_000 if str(type_).startswith("timestamp[s") else 1
        )  # Parquet has none: pyarrow writes milliseconds
        values = [0, (1 - 2 ** (bits - 1)) // seconds, (2 ** (bits - 1) - 1) // seconds]
    return mixed(values, pa.int64() if bits == 64 else pa.int32()).view(type_)


def calendar_ends(zone: str | None) -> pa.Array:
    return mixed([dt.datetime.min, dt.datetime.max], pa.timestamp("us")).cast(
        pa.timestamp("us", zone)
    )


def extension(type_: pa.DataType, storage: pa.Array) -> pa.Array:
    return pa.ExtensionArray.from_storage(type_, storage)


def own_extension() -> pa.Array:
    """An extension type of somebody's library, which the reader does not know."""

    class Degrees(pa.ExtensionType):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__(pa.float64(), "somebody.degrees")

        def __arrow_ext_serialize__(self) -> bytes:
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage: pa.DataType, _: bytes) -> Degrees:
            return cls()

    return extension(Degrees(), mixed([1.5, -2.0], pa.float64()))


FLOATS = [0.0, -1.5, float("nan"), float("inf"), float("-inf")]
UUIDS = [uuid.UUID(int=number).bytes for number in (0, 1, 2**128 - 1)]
UNITS = ("s", "ms", "us", "ns")
TIMES = (
    pa.date32(),
    pa.time32("s"),
    pa.time32("ms"),
    pa.time64("us"),
    pa.time64("ns"),
    *map(pa.duration, UNITS),
    *(
        pa.timestamp(unit, zone)
        for unit in UNITS
        for zone in (None, "UTC", "America/New_York", "+05:30")
    ),
)
ARRAYS: dict[str, Callable[[], pa.Array]] = {
    "null": lambda: pa.nulls(N),
    "all null text": lambda: pa.nulls(N, pa.string()),
    "all null number": lambda: pa.nulls(N, pa.float64()),
    "all null time": lambda: pa.nulls(N, pa.timestamp("ns", "UTC")),
    "bool": lambda: mixed([True, False], pa.bool_()),
    **{
        str(type_): (lambda type_=type_: whole(type_))
        for type_ in (
            pa.int8(),
            pa.int16(),
            pa.int32(),
            pa.int64(),
            pa.uint8(),
            pa.uint16(),
            pa.uint32(),
            pa.uint64(),
        )
    },
    "float16": lambda: mixed([np.float16(value) for value in FLOATS], pa.float16()),
    "float32": lambda: mixed(FLOATS, pa.float32()),
    "float64": lambda: mixed(FLOATS, pa.float64()),
    "decimal32": lambda: mixed(
        [decimal.Decimal("1.25"), decimal.Decimal("-9.99")], pa.decimal32(5, 2)
    ),
    "decimal64": lambda: mixed(
        [decimal.Decimal("1.25"), decimal.Decimal("-9.99")], pa.decimal64(12, 2)
    ),
    "decimal128": lambda: mixed(
        [decimal.Decimal("1.25"), decimal.Decimal("9" * 36 + ".99")], pa.decimal128(38, 2)
    ),
    "decimal256": lambda: mixed(
        [decimal.Decimal("1"), decimal.Decimal("-" + "9" * 76)], pa.decimal256(76, 0)
    ),
    "string": lambda: mixed(["", "a", "\x00", "ü 🛫\n\"'", "x" * 300], pa.string()),
    "large_string": lambda: mixed(["a", "b"], pa.large_string()),
    "string_view": lambda: mixed(["a", "longer than twelve bytes"], pa.string_view()),
    "binary": lambda: mixed([b"", b"\xff\x00"], pa.binary()),
    "large_binary": lambda: mixed([b"a", b"\xff"], pa.large_binary()),
    "binary_view": lambda: mixed([b"a", b"\xff" * 20], pa.binary_view()),
    "fixed_size_binary": lambda: mixed([b"abc", b"\xff\xfe\x00"], pa.binary(3)),
    "date64": lambda: mixed([0, 86_400_000], pa.int64()).view(pa.date64()),
    **{
        f"{type_}{' extreme' * extreme}": (
            lambda type_=type_, extreme=extreme: times(type_, extreme=extreme)
        )
        for extreme in (False, True)
        for type_ in TIMES
    },
    "calendar ends": lambda: calendar_ends(None),
    "calendar ends, UTC": lambda: calendar_ends("UTC"),
    "calendar ends, New York": lambda: calendar_ends("America/New_York"),
    "timestamp in use": lambda: mixed([DAY, BEFORE_1970, None], pa.timestamp("us")),
    "timestamp, unknown zone": lambda: mixed([DAY], pa.timestamp("us", "Mars/Olympus")),
    "interval": lambda: mixed([pa.MonthDayNano([1, 2, 3])], pa.month_day_nano_interval()),
    "dictionary": lambda: mixed(["a", "b"], pa.string()).dictionary_encode(),
    "dictionary of times": lambda: mixed([DAY], pa.timestamp("ns")).dictionary_encode(),
    "run-end encoded": lambda: pa.RunEndEncodedArray.from_arrays([20, N], pa.array(["a", None])),
    "uuid": lambda: extension(pa.uuid(), mixed(UUIDS, pa.binary(16))),
    "json": lambda: extension(pa.json_(), mixed(["{}", "[1]", "null"], pa.string())),
    "bool8": lambda: extension(pa.bool8(), mixed([0, 1, -1], pa.int8())),
    "opaque": lambda: extension(
        pa.opaque(pa.binary(), "geometry", "PostGIS"), mixed([b"a"], pa.binary())
    ),
    "fixed_shape_tensor": lambda: extension(
        pa.fixed_shape_tensor(pa.float32(), [2]), pa.array([[1, 2]] * N, pa.list_(pa.float32(), 2))
    ),
    "own extension": own_extension,
    "list": lambda: mixed([[1], []], pa.list_(pa.int64())),
    "struct": lambda: mixed([{"a": 1}], pa.struct({"a": pa.int64()})),
    "map": lambda: mixed([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
}
WRITABLE = ARRAYS.keys() - {
    "interval",
    "run-end encoded",
}  # pyarrow writes those to no Parquet file
IN_CALENDAR = (
    "duration[us]",
    "duration[ns]",
    "timestamp[ns] ",
    "timestamp[ns, tz=UTC]",
)
REFUSED = {
    *(name for name in ARRAYS if name.endswith(" extreme") and not name.startswith(IN_CALENDAR)),
    "calendar ends, New York",
    "timestamp, unknown zone",
    "interval",
    "fixed_shape_tensor",
    "list",
    "struct",
    "map",
}
# two columns of numbers, a label and a time: all that a lab needs but for the column itself
BESIDE = {
    "x": pa.array(np.linspace(-1, 1, N)),
    "y": pa.array(np.linspace(0, 1, N) ** 2),
    "label": pa.array(["no", "no", "no", "yes"] * 15),
    "time": pa.array([DAY + dt.timedelta(hours=row) for row in range(N)], pa.timestamp("us")),
}
AVRO_FIELDS: dict[str, tuple[Any, list[Any]]] = {
    "boolean": ("boolean", [True, False]),
    "int": ("int", [0, -(2**31)]),
    "long": ("long", [0, 2**63 - 1]),
    "float": ("float", [0.5, float("nan")]),
    "double": ("double", [0.5, float("inf")]),
    "bytes": ("bytes", [b"", b"\xff"]),
    "string": ("string", ["", "ü"]),
    "fixed": ({"type": "fixed", "name": "f3", "size": 3}, [b"abc", b"\xff\x00\x01"]),
    "enum": ({"type": "enum", "name": "e", "symbols": ["A", "B"]}, ["A", "B"]),
    "decimal": (
        {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 2},
        [decimal.Decimal("1.25")],
    ),
    "uuid": ({"type": "string", "logicalType": "uuid"}, [uuid.UUID(int=1), uuid.UUID(int=2)]),
    "date": ({"type": "int", "logicalType": "date"}, [dt.date.min, dt.date.max]),
    "time_millis": ({"type": "int", "logicalType": "time-millis"}, [dt.time(1, 2, 3)]),
    "time_micros": ({"type": "long", "logicalType": "time-micros"}, [dt.time(1, 2, 3, 4)]),
    **{
        f"{kind.replace('-', '_')}_{unit}": (
            {"type": "long", "logicalType": f"{kind}-{unit}"},
            [DAY.replace(tzinfo=zone)],
        )
        for kind, zone in (("timestamp", dt.UTC), ("local-timestamp", None))
        for unit in ("millis", "micros")
    },
    "x": ("double", [1.0, 2.5]),
    "y": ("double", [3.0, 2.5, 7.0]),
}
CSV = """empty,whole,float,boolean,date,time,stamp,offset,nanos,text,odd,label,x,y
,1,0.5,true,2013-01-01,01:02:03,2013-01-01 01:02:03,2013-01-01T01:02:03+05:30,2013-01-01 01:02:03.123456789,a,\xff,no,1,2
,-9223372036854775808,nan,false,0001-01-01,23:59:59,9999-12-31 23:59:59,2013-07-01T01:02:03Z,,,\xfe,yes,2,1
"""  # noqa: E501 - lines of CSV
for row in range(N):
    label, x, y = "yes" if row % 4 == 0 else "no", row % 7, row % 3
    CSV += (
        ",2,inf,true,2013-01-01,01:02:03,2013-01-01 01:02:03,2013-01-01T01:02:03Z,2013-01-01"
        f" 01:02:03.1,b,c,{label},{x},{y}\n"
    )


def parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def avro(fields: dict[str, tuple[Any, list[Any]]]) -> bytes:
    optional = [{"name": name, "type": ["null", type_]} for name, (type_, _) in fields.items()]
    columns = [{"name": "nothing", "type": "null"}, {"name": "label", "type": "string"}, *optional]
    rows = [
        {
            name: None if row % 7 == 3 and name not in "xy" else values[row % len(values)]
            for name, (_, values) in fields.items()
        }
        | {"nothing": None, "label": "yes" if row % 4 == 0 else "no"}
        for row in range(N)
    ]
    sink = io.BytesIO()
    fastavro.writer(
        sink, fastavro.parse_schema({"type": "record", "name": "r", "fields": columns}), rows
    )
    return sink.getvalue()


CONTENT: dict[str, Callable[[], bytes]] = {
    ".parquet": lambda: parquet(
        pa.table({name: ARRAYS[name]() for name in sorted(WRITABLE - REFUSED)} | BESIDE)
    ),
    ".avro": lambda: avro(AVRO_FIELDS),
    ".csv": lambda: CSV.encode("latin-1"),
}


@pytest.fixture(scope="module", params=CONTENT)
def path(request: pytest.FixtureRequest) -> str:
    """A file with a column of every type that is not refused."""
    folder = workspace.session(workspace.new_session_id()) / "uploads"
    return str(data.save_upload(CONTENT[request.param](), f"mine{request.param}", folder))


def take_everything(result: Any) -> None:
    """What the page and its panels take from any result."""
    assert isinstance(result.verdict, str) and all(isinstance(reason, str) for reason in result.why)
    assert result.headline() is not None and result.table() is not None


def use_bytes_read(path: str, name: str) -> None:
    columns = tuple(dict.fromkeys(("x", name)))
    for order in ("as is", "by predicate column"):
        params = bytes_read.BytesReadParams(
            table="upload",
            upload=path,
            columns=columns,
            predicate_column=name,
            order=order,  # type: ignore[arg-type]
        )
        result = bytes_read.run(params)
        take_everything(result)
        result.groups_table()
        bytes_read_figures.strip(result, None)
        bytes_read_figures.statistics(result, None)
        layout_figures.layout(result, None)
        scripts.render(params)


def use_race(path: str, name: str) -> None:
    formats = (
        tuple(race.FORMATS) if name == "x" else ("Parquet snappy",)
    )  # once all, then each column as the filter
    result = race.run(
        race.RaceParams(
            table="upload",
            upload=path,
            n_rows=1_000,
            repeats=1,
            predicate_column=name,
            columns=(name,),
            formats=formats,
        )
    )
    take_everything(result)
    race_figures.chart(result, "read columns", None)
    scripts.render(result.params)


def use_anatomy(path: str, name: str) -> None:
    result = anatomy.run(anatomy.AnatomyParams(source="upload", upload=path, column=name))
    take_everything(result)
    assert result.chunk
    anatomy_figures.byte_map(result, None)


def use_lineage(path: str, name: str) -> None:
    _, labels = points.upload_columns(path)
    assert "label" in labels
    roles = (
        [("x", "label")] if name == "x" else [(name, "label"), ("x", name)]
    )  # an axis or the label, as a link may ask
    for x, label in roles:
        with contextlib.nullcontext() if name == "x" else contextlib.suppress(InputError):
            params = lineage.LineageParams(
                source="upload", upload=path, x_column=x, y_column="y", label=label, k_neighbors=1
            )
            result = lineage.run(params)
            take_everything(result)
            lineage_figures.plane(result, None)
            lineage_figures.origins(result, None)


def use_audit(path: str, name: str) -> None:
    assert name in sources.upload_columns(path)
    if name == "x":
        result = audit.run(audit.AuditParams(source="upload", upload=path, target="label"))
        take_everything(result)
        audit_figures.columns(result, None)
        assert info_sheet.as_html(result) and info_sheet.as_json(result)
    table = data.read_upload(Path(path)).select(list(dict.fromkeys((name, "x", "label"))))
    for role in ("target", "time", "group", "split"):
        with contextlib.suppress(InputError):
            take_everything(audit.audit_table(table, **{"target": "label", role: name}))


def use_partitioning(path: str, name: str) -> None:
    for strategy in STRATEGIES:
        for names in [(name,)] if name == "x" or strategy != "hash" else [(name,), (name, "x")]:
            with contextlib.nullcontext() if name == "x" else contextlib.suppress(InputError):
                params = partitioning.PartitioningParams(
                    table="upload", upload=path, keys=names, strategy=strategy
                )
                result = partitioning.run(params)
                take_everything(result)
                partitioning_figures.partitions(result, None, None)
                partitioning_figures.routes(result)
                scripts.render(params)
                partitioning.run(replace(params, typed=result.routes[0].key))


USES = (use_bytes_read, use_race, use_anatomy, use_lineage, use_audit, use_partitioning)


@pytest.mark.parametrize("use", USES)
def test_a_column_of_any_type_gives_a_result_or_a_sentence(
    use: Callable[[str, str], None], path: str
) -> None:
    if use is use_anatomy and not path.endswith(".parquet"):
        with pytest.raises(InputError, match="Anatomy needs a Parquet file"):
            use(path, "x")
        return
    used = []
    for name in data.read_upload(Path(path)).column_names:
        try:
            use(path, name)
            used.append(name)
        except InputError as error:
            assert len(str(error)) < 1_000
    assert "x" in used


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_a_type_that_no_lab_can_take_is_refused_with_what_to_do(name: str) -> None:
    with pytest.raises(InputError, match=r"(drop|flatten|correct).*then upload again"):
        normalize(pa.table({name: ARRAYS[name]()}))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("null", pa.nulls(N, pa.string())),
        ("uuid", mixed(UUIDS, pa.binary(16))),
        ("json", mixed(["{}", "[1]", "null"], pa.string())),
        ("bool8", mixed([0, 1, -1], pa.int8())),
        ("own extension", mixed([1.5, -2.0], pa.float64())),
        ("run-end encoded", pa.array(["a"] * 20 + [None] * (N - 20))),
        ("dictionary", mixed(["a", "b"], pa.string())),
        ("string_view", mixed(["a", "longer than twelve bytes"], pa.string())),
        (
            "decimal32",
            mixed([decimal.Decimal("1.25"), decimal.Decimal("-9.99")], pa.decimal128(5, 2)),
        ),
        ("float16", mixed(FLOATS, pa.float32())),
    ],
)
def test_a_type_of_a_librarys_own_gives_what_it_stores(name: str, expected: pa.Array) -> None:
    read = normalize(pa.table({"v": ARRAYS[name]()})).column("v").combine_chunks()
    assert read.type == expected.type and str(read.to_pylist()) == str(expected.to_pylist())


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (["int", "string"], "a"),
        ({"type": "array", "items": "int"}, [1]),
        ({"type": "map", "values": "int"}, {"a": 1}),
        (
            {"type": "bytes", "logicalType": "decimal", "precision": 90, "scale": 0},
            decimal.Decimal("9" * 80),
        ),
    ],
)
def test_avro_that_is_no_table_is_a_sentence(type_: Any, value: Any, tmp_path: Path) -> None:
    file = tmp_path / "mine.avro"
    schema = {"type": "record", "name": "r", "fields": [{"name": "v", "type": type_}]}
    with file.open("wb") as sink:
        fastavro.writer(
            sink,
            fastavro.parse_schema(schema),
            [{"v": 1}, {"v": value}] if isinstance(type_, list) else [{"v": value}],
        )
    with pytest.raises(InputError, match=r"(nested|union of|digits).*then upload again"):
        normalize(read_avro(file))
