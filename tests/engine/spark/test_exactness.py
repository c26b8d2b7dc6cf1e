"""Keys of every type that Parquet can hold: hash, partition, order and folder as the real Spark
gives them, row by row.

Spark reads the Parquet file itself; the playground reads the same bytes as an upload. So both ways
into the explorer are compared: the values, and the types that Spark gives them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine import data, workspace
from engine.spark import java, keys, session
from engine.spark.column_types import TIME_SETTING, as_spark, spark_name
from engine.spark.java_floats import java_text
from engine.spark.keys import Source
from engine.spark.partitioning import hash_partition, murmur3, order, range_bounds
from engine.spark.partitioning.spelling import folder_names, key_texts, parse_key
from tests.engine.spark.every_type import N_ROWS, READ, REFUSED, table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

N_PARTITIONS = 13
COLUMNS = {name: f"c{i}" for i, name in enumerate(READ)}
ORDERED = ("bool", "float64", "float32", "string", "binary", "decimal(38,10)", "timestamp us UTC")


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    yield workspace.session(workspace.new_session_id())


@pytest.fixture(scope="module")
def live() -> SparkSession:
    own = session.session().newSession()
    own.conf.set("spark.sql.session.timeZone", "UTC")
    own.conf.set(TIME_SETTING, "true")
    own.conf.set("spark.sql.execution.rangeExchange.sampleSizePerPartition", 10**9)
    return own


@pytest.fixture(scope="module")
def written() -> pa.Table:
    return table(READ)


@pytest.fixture(scope="module")
def frame(live: SparkSession, written: pa.Table, folder: Path) -> DataFrame:
    """What Spark reads from the Parquet file."""
    pq.write_table(written, folder / "all.parquet")
    return live.read.parquet(str(folder / "all.parquet"))


def groups(names: list[str]) -> list[list[str]]:
    """Each column alone, and twelve drawn groups of two to six."""
    rng = np.random.default_rng(1)
    drawn = [rng.choice(names, size, replace=False).tolist() for size in (2, 2, 2, 3, 3, 4, 5, 6)]
    return [*([name] for name in names), *drawn, names, names[::-1]]


def hashes(frame: DataFrame, of: list[list[str]]) -> pa.Table:
    """Spark's own hash of each group of columns and its partition, in the order of the rows."""
    from pyspark.sql import functions as sf

    found = [sf.hash(*names).alias(f"h{i}") for i, names in enumerate(of)]
    parts = [sf.expr(f"pmod(h{i}, {N_PARTITIONS})").alias(f"p{i}") for i in range(len(of))]
    return frame.select("row", *found).select("*", *parts).toArrow().sort_by("row")


def test_spark_reads_every_type_and_hashes_each_row_as_computed(
    frame: DataFrame, written: pa.Table
) -> None:
    types = {
        field.name: re.sub(r"^time\(\d\)$", "time", field.dataType.simpleString())
        for field in frame.schema.fields
    }
    expected = {name: spark_name(as_spark(written[name]).type) for name in COLUMNS.values()}
    assert types == {**expected, "row": "int"}
    asked = groups(list(COLUMNS.values()))
    found = hashes(frame, asked)
    for i, names in enumerate(asked):
        columns = [written[name] for name in names]
        assert murmur3.hash_rows(columns).tolist() == found[f"h{i}"].to_pylist(), names
        assert hash_partition(columns, N_PARTITIONS).tolist() == found[f"p{i}"].to_pylist(), names


def test_an_upload_of_the_same_file_gives_the_same_keys(
    frame: DataFrame, written: pa.Table, folder: Path
) -> None:
    """Through the reader of uploads, of the file as pyarrow wrote it and as Spark wrote it."""
    frame.coalesce(1).write.parquet(str(folder / "by-spark"))
    (by_spark,) = (folder / "by-spark").glob("*.parquet")
    for content in ((folder / "all.parquet").read_bytes(), by_spark.read_bytes()):
        path = data.save_upload(content, "mine.parquet", folder / "uploads")
        read = keys.load(Source("upload", upload=str(path)))
        assert read.column_names == written.column_names
        for kind, name in COLUMNS.items():
            expected = murmur3.hash_rows([written[name]])
            assert murmur3.hash_rows([read[name]]).tolist() == expected.tolist(), kind


def test_folders_are_named_as_spark_names_them(
    frame: DataFrame, written: pa.Table, folder: Path
) -> None:
    """One write by all columns at once: each file's path spells one row."""
    binary = [name for name in COLUMNS.values() if pa.types.is_binary(as_spark(written[name]).type)]
    rows = [
        i for i in range(N_ROWS) if not any(b"\0" in (written[n][i].as_py() or b"") for n in binary)
    ]
    out = folder / "folders"
    frame.filter(frame["row"].isin(rows[:90])).coalesce(1).write.partitionBy(
        *COLUMNS.values()
    ).parquet(str(out))
    expected = {
        name: folder_names([as_spark(written[name]).take(pa.array(rows))])
        for name in COLUMNS.values()
    }
    seen = 0
    for path in out.rglob("part-*"):
        (row,) = pq.ParquetFile(path).read(columns=["row"])["row"].to_pylist()
        parts = dict(part.split("=", 1) for part in path.parent.relative_to(out).parts)
        assert parts == {name: texts[rows.index(row)] for name, texts in expected.items()}
        seen += 1
    assert seen == 90


def test_ranges_are_cut_in_sparks_order(frame: DataFrame, written: pa.Table) -> None:
    from pyspark.sql import functions as sf

    parts = [
        frame.repartitionByRange(4, COLUMNS[kind]).select(
            sf.lit(kind).alias("kind"), sf.spark_partition_id().alias("part"), "row"
        )
        for kind in ORDERED
    ]
    found = reduce(lambda one, other: one.unionAll(other), parts).toArrow().to_pandas()
    for kind in ORDERED:
        mine = found[found["kind"] == kind].sort_values("row")["part"]
        place = np.unique(order.ranks(written[COLUMNS[kind]]), return_inverse=True)[1]
        expected = np.searchsorted(range_bounds(np.bincount(place), 4), place)
        # a union numbers the partitions of its parts one after the other
        assert (mine - mine.min()).tolist() == expected.tolist(), kind


def test_what_spark_refuses_in_parquet_is_computed_as_create_data_frame_reads_it(
    live: SparkSession, folder: Path
) -> None:
    from pyspark.errors import AnalysisException

    refused = table(REFUSED)
    names = refused.column_names[:-1]
    for name in names:
        pq.write_table(refused.select([name]), folder / f"{name}.parquet")
        with pytest.raises(AnalysisException, match="PARQUET_TYPE_ILLEGAL"):
            live.read.parquet(str(folder / f"{name}.parquet"))
    given = refused  # nanoseconds as they are: Spark floors them; of the rest, what it takes
    for place, kind in enumerate(refused.schema.types):
        if pa.types.is_float16(kind):
            given = given.set_column(place, names[place], given.column(place).cast(pa.float32()))
        if pa.types.is_time32(kind):
            given = given.set_column(place, names[place], given.column(place).cast(pa.time64("us")))
    found = hashes(live.createDataFrame(given), [[name] for name in names])
    for i, name in enumerate(names):
        assert murmur3.hash_rows([refused[name]]).tolist() == found[f"h{i}"].to_pylist(), name


def test_floats_are_written_as_java_writes_them(live: SparkSession) -> None:
    """Thousands more, of all sizes: Java up to 18 writes one digit too many here and there."""
    from pyspark.sql import functions as sf

    rng = np.random.default_rng(5)
    doubles = np.concatenate(
        (
            np.frombuffer(rng.bytes(8 * 20_000)),
            10 ** rng.uniform(-4, 18, 20_000),
            2.0 ** np.arange(-1074, 1024),
        )
    )
    with np.errstate(over="ignore", invalid="ignore"):
        singles = doubles.astype(np.float32)
    given = pa.table({"d": doubles, "f": singles, "row": np.arange(len(doubles), dtype=np.int32)})
    asked = live.createDataFrame(given)
    found = (
        asked.select("row", *(sf.col(n).cast("string").alias(n) for n in "df"))
        .toArrow()
        .sort_by("row")
    )
    version = java.find().version
    for name, values in (("d", doubles), ("f", singles)):
        assert [java_text(v, version) for v in values] == found[name].to_pylist()


def test_floats_of_java_19_and_later_by_hand() -> None:
    """``Double.toString`` since JDK-4511638: the shortest, but of two digits the nearest."""
    by_hand = {
        2e23: "2.0E23",
        5e-324: "4.9E-324",
        8.41e21: "8.41E21",
        1e-5: "1.0E-5",
        2e-323: "2.0E-323",
    }
    assert {v: java_text(np.float64(v), 25) for v in by_hand} == by_hand
    assert java_text(np.float32(123456792), 25) == "1.2345679E8"
    assert java_text(np.float32(1e-45), 25) == "1.4E-45"


@pytest.mark.parametrize("several", [False, True])
def test_a_key_as_shown_can_be_typed(several: bool) -> None:
    for makers in (READ, REFUSED):
        columns = table(makers).columns[:-1]
        for name, column in zip(makers, columns, strict=True):
            key = [as_spark(column)] * (2 if several else 1)
            schema: Any = pa.schema([(f"k{i}", part.type) for i, part in enumerate(key)])
            shown = key_texts(key)
            for i in range(0, N_ROWS, 7):
                texts = key_texts(parse_key(shown[i], schema))
                typed = [part[0].as_py() for part in parse_key(shown[i], schema)]
                assert texts == [shown[i]], name
                assert typed == [key[0][i].as_py()] * len(key) or "NaN" in shown[i], name
