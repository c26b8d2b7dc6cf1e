"""One column of every type that a Parquet file can hold, filled from a seed: extremes first, then
random values, then some nulls.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Context, Decimal

import numpy as np
import pyarrow as pa

N_ROWS = 400
SEED = 20
WIDE = Context(prec=38)
TEXTS = [
    "", "null", "NULL", "annullato", "__HIVE_DEFAULT_PARTITION__", "a ", " a", "A", "a", "ä",
    "a\u0308", "01", "1", "a=b/c:d%e\"#'*?\\{}[]^\x7f\x01\n <>|~", "😀\u2028", ".", "..", "X'00'",
    "%41", "x" * 60,
]  # fmt: skip
LETTERS = "abAB01 _-.,/%=:'\"éß漢😀{}[]\t"
DOUBLES = [
    0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, -1.5, 0.1, 1e10, 1e7, 9999999.0, 1e-3, 9.99e-4, 5e-324,
    2e23, 8.41e21, 1e23, 123456792.0, 1.7976931348623157e308, 2.2250738585072014e-308,
]  # fmt: skip
MICROS = [0, 1, -1, -1_000_000, 999_999, 120_000, -62_135_596_800_000_000, 253_402_300_799_999_999]
BYTES = [
    b"", b"a", b"\x00", b"\x80", b"\xff\xfe", b"\xed\xa0\x80", b"\xed\xa0", b"\xf0\x9f\x98",
    b"\xe2\x82", b"\xc0\xaf", b"\xf4\x90\x80\x80", b"\xc3(", "ä/b".encode(),
    b"__HIVE_DEFAULT_PARTITION__",
]  # fmt: skip

Make = Callable[[np.random.Generator], pa.Array]


def _filled(values: list[object], kind: pa.DataType, rng: np.random.Generator) -> pa.Array:
    """The first ``N_ROWS`` values, in random order, a tenth of them null."""
    chosen = [values[i] for i in rng.permutation(N_ROWS)]
    nulls = rng.random(N_ROWS) < 0.1
    return pa.array([None if null else v for v, null in zip(chosen, nulls, strict=True)], kind)


def _whole(kind: pa.DataType, low: int, high: int, edges: list[int] | None = None) -> Make:
    def make(rng: np.random.Generator) -> pa.Array:
        drawn = rng.integers(low, high, N_ROWS, dtype=np.uint64 if high > 2**63 else np.int64)
        values = [*(edges or (low, high - 1, 0, 1)), *drawn.tolist()]
        small = kind.bit_width == 32 and not pa.types.is_integer(kind)
        if pa.types.is_integer(kind):
            return _filled(values, kind, rng)
        return _filled(values, pa.int32() if small else pa.int64(), rng).view(kind)

    return make


def _floats(kind: pa.DataType) -> Make:
    def make(rng: np.random.Generator) -> pa.Array:
        numpy = np.float32 if kind == pa.float32() else np.float64
        raw = np.frombuffer(rng.bytes(N_ROWS * numpy().itemsize), numpy)
        usual = np.round(rng.normal(0, 1000, N_ROWS), 2)
        with np.errstate(over="ignore"):
            values = np.array([*DOUBLES, *usual[: N_ROWS // 2], *raw], numpy)
        return _filled(list(values), kind, rng)

    return make


def _decimals(kind: pa.DataType) -> Make:
    def make(rng: np.random.Generator) -> pa.Array:
        most = 10**kind.precision - 1
        edges = [
            0,
            1,
            -1,
            127,
            128,
            -128,
            -129,
            255,
            256,
            2**63,
            -(2**63),
            -(2**63) - 1,
            most,
            -most,
        ]
        sizes = rng.integers(1, kind.precision + 1, N_ROWS)
        drawn = [
            int.from_bytes(rng.bytes(16), "big") % 10**size * int(rng.choice([-1, 1]))
            for size in sizes.tolist()
        ]
        values = [
            Decimal(value).scaleb(-kind.scale, WIDE)
            for value in [*edges, *drawn]
            if abs(value) <= most
        ]
        return _filled((values * N_ROWS)[:N_ROWS], kind, rng)

    return make


def _texts(kind: pa.DataType) -> Make:
    def make(rng: np.random.Generator) -> pa.Array:
        drawn = [
            "".join(rng.choice(list(LETTERS), size))
            for size in rng.integers(0, 12, N_ROWS).tolist()
        ]
        return _filled([*TEXTS, *drawn], kind, rng)

    return make


def _bytes(kind: pa.DataType, size: int | None = None) -> Make:
    def make(rng: np.random.Generator) -> pa.Array:
        sizes = np.full(N_ROWS, size) if size else rng.integers(0, 12, N_ROWS)
        drawn = [rng.bytes(n) for n in sizes.tolist()]
        clean = [value.replace(b"\x00", b"\x01") for value in drawn]  # no folder name has NUL
        return _filled([*([] if size else BYTES), *clean], kind, rng)

    return make


def _times(unit: str, zone: str | None) -> Make:
    by = {"s": 10**6, "ms": 1000, "us": 1}[unit]
    low, high = MICROS[-2] // by, MICROS[-1] // by
    inside = [value // by for value in MICROS]
    if zone not in (None, "UTC"):  # the reader takes local times of the years 1 to 9999
        low, high, inside = low // 2, high // 2, inside[:-2]
    return _whole(pa.timestamp(unit, zone), low, high, inside)


I64, DAY = 2**63, 86_400
PRECISIONS = ((1, 0), (9, 2), (18, 0), (18, 18), (19, 0), (20, 4), (38, 0), (38, 10), (38, 38))
READ: dict[str, Make] = {  # what Spark 4.3 reads from Parquet
    "bool": lambda rng: _filled([True, False] * N_ROWS, pa.bool_(), rng),
    "null": lambda _: pa.nulls(N_ROWS),
    **{
        f"int{bits}": _whole(pa.type_for_alias(f"int{bits}"), -(2 ** (bits - 1)), 2 ** (bits - 1))
        for bits in (8, 16, 32)
    },
    "int64": _whole(pa.int64(), -I64, I64 - 1, [-I64, I64 - 1, 0, 1]),
    **{
        f"uint{bits}": _whole(pa.type_for_alias(f"uint{bits}"), 0, 2**bits - (bits == 64))
        for bits in (8, 16, 32, 64)
    },
    "float32": _floats(pa.float32()),
    "float64": _floats(pa.float64()),
    **{
        f"decimal({p},{s})": _decimals(pa.decimal128(p, s))
        for p, s in PRECISIONS
    },
    "decimal32": _decimals(pa.decimal32(5, 2)),
    "decimal64": _decimals(pa.decimal64(12, 2)),
    "decimal256 narrow": _decimals(pa.decimal256(12, 4)),
    "decimal256": _decimals(pa.decimal256(38, 4)),
    **{
        str(kind): _texts(kind) for kind in (pa.string(), pa.large_string(), pa.string_view())
    },
    "dictionary": lambda rng: _texts(pa.string())(rng).dictionary_encode(),
    "json": lambda rng: pa.ExtensionArray.from_storage(pa.json_(), _texts(pa.string())(rng)),
    **{
        str(kind): _bytes(kind) for kind in (pa.binary(), pa.large_binary(), pa.binary_view())
    },
    "fixed": _bytes(pa.binary(5), 5),
    "date32": _whole(pa.date32(), -719_162, 2_932_897, [0, -1, -141_428, -719_162, 2_932_896]),
    "date64": lambda rng: _whole(pa.date32(), -719_162, 2_932_897)(rng).cast(pa.date64()),
    **{
        f"timestamp {unit} {zone}": _times(unit, zone)
        for unit in ("s", "ms", "us")
        for zone in (None, "UTC", "America/New_York", "+05:30")
    },
    "duration s": _whole(pa.duration("s"), -(10**13), 10**13),
    "duration ns": _whole(pa.duration("ns"), -I64, I64 - 1, [-I64, 0, -1]),
    "time64 us": _whole(pa.time64("us"), 0, DAY * 10**6, [0, 1, 1_200_000, DAY * 10**6 - 1]),
    "time64 ns": _whole(pa.time64("ns"), 0, DAY * 10**9, [0, 1, 1_500, DAY * 10**9 - 1]),
}  # fmt: skip
NANOS = [0, 1, -1, 999, -999, 1_000, -1_000, -1_001, 1_500_000_000_123_456_789]
REFUSED: dict[str, Make] = {  # what it refuses, in the sentence of column_types.note
    "timestamp ns": _whole(pa.timestamp("ns"), -I64 // 2, I64 // 2, NANOS),
    "timestamp ns UTC": _whole(pa.timestamp("ns", "UTC"), -I64 // 2, I64 // 2, NANOS),
    "float16": lambda rng: _filled(
        [
            *map(np.float16, (0.0, -0.0, np.nan, np.inf, 1.5)),
            *rng.normal(0, 9, N_ROWS).astype("f2"),
        ],
        pa.float16(),
        rng,
    ),
    "time32 s": _whole(pa.time32("s"), 0, DAY),
    "time32 ms": _whole(pa.time32("ms"), 0, DAY * 1000),
}


def table(makers: dict[str, Make]) -> pa.Table:
    """The columns ``c0``, ``c1`` … in the order of ``makers``, and ``row``."""
    columns = {
        f"c{i}": make(np.random.default_rng((SEED, i))) for i, make in enumerate(makers.values())
    }
    return pa.table({**columns, "row": pa.array(range(N_ROWS), pa.int32())})
