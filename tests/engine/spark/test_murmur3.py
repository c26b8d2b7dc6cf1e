"""Spark's hash in NumPy against the real Spark: every type, nulls, several columns, and all flights
to the row.
"""

from __future__ import annotations

import datetime as dt
import decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import data
from engine.errors import InputError
from engine.spark import session
from engine.spark.partitioning import hash_partition, murmur3

MOMENTS = st.datetimes(dt.datetime(1700, 1, 1), dt.datetime(2200, 1, 1), timezones=st.just(dt.UTC))
VALUES: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int8(): st.integers(-(2**7), 2**7 - 1),
    pa.int16(): st.integers(-(2**15), 2**15 - 1),
    pa.int32(): st.integers(-(2**31), 2**31 - 1),
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.float32(): st.floats(width=32),
    pa.float64(): st.floats(),
    pa.bool_(): st.booleans(),
    pa.string(): st.text(max_size=40),
    pa.binary(): st.binary(max_size=40),
    pa.date32(): st.dates(dt.date(1700, 1, 1), dt.date(2200, 1, 1)),
    pa.timestamp("us", tz="UTC"): MOMENTS,
    pa.decimal128(12, 3): st.decimals(-(10**8), 10**8, places=3),
}
ROWS = st.lists(
    st.tuples(*(st.none() | values for values in VALUES.values())), min_size=1, max_size=60
)


def table_of(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = [
        pa.array(column, kind) for column, kind in zip(zip(*rows, strict=True), VALUES, strict=True)
    ]
    return pa.table(columns, names=[f"c{i}" for i in range(len(VALUES))])


def by_spark(table: pa.Table, groups: list[list[str]]) -> list[np.ndarray]:
    """Spark SQL's own ``hash`` of each group of columns."""
    from pyspark.sql import functions as sf

    frame = session.session().createDataFrame(table)
    found = frame.select(
        *[sf.hash(*names).alias(f"h{i}") for i, names in enumerate(groups)]
    ).toArrow()
    return [found[f"h{i}"].to_numpy() for i in range(len(groups))]


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(ROWS)
def test_every_type_alone_and_all_together_hash_as_in_spark(rows: list[tuple[Any, ...]]) -> None:
    table = table_of(rows)
    groups = [[name] for name in table.column_names] + [
        table.column_names,
        table.column_names[::-1],
    ]
    for names, expected in zip(groups, by_spark(table, groups), strict=True):
        mine = murmur3.hash_rows([table[name] for name in names])
        assert mine.tolist() == expected.tolist(), (names, table.select(names).to_pydict())


@pytest.mark.parametrize(
    "names", [["carrier"], ["tailnum"], ["time_hour"], ["origin", "dest", "flight"]]
)
def test_all_flights_lie_in_the_partition_that_spark_gives_them(names: list[str]) -> None:
    from pyspark.sql import functions as sf

    table = (
        data.load("flights")
        .select(names)
        .append_column("row", pa.array(np.arange(336_776, dtype=np.int32)))
    )
    frame = session.session().createDataFrame(table)
    found = (
        frame.repartition(13, *names).select(sf.spark_partition_id().alias("p"), "row").toArrow()
    )
    mine = hash_partition([table[name] for name in names], 13)
    assert np.array_equal(mine[found["row"].to_numpy()], found["p"].to_numpy())


def test_values_by_hand() -> None:
    """Spark's documentation: ``SELECT hash('Spark', array(123), 2)`` uses seed 42; a null leaves it
    alone.
    """
    assert murmur3.hash_rows([pa.array([None], pa.int32())]).tolist() == [42]
    assert murmur3.hash_rows([pa.array(["", None])]).tolist() == [142593372, 42]
    assert murmur3.hash_rows([pa.array([0, 1], pa.int32())]).tolist() == [933211791, -559580957]
    assert (
        murmur3.hash_rows([pa.array([True])]).tolist()
        == murmur3.hash_rows([pa.array([1], pa.int32())]).tolist()
    )


def test_slices_and_dictionaries_hash_as_their_values() -> None:
    words = pa.array(["one", None, "three", "four", "three"])
    whole = murmur3.hash_rows([words])
    assert murmur3.hash_rows([words.slice(2)]).tolist() == whole[2:].tolist()
    assert murmur3.hash_rows([words.dictionary_encode()]).tolist() == whole.tolist()
    assert (
        murmur3.hash_rows([pa.chunked_array([words.slice(0, 2), words.slice(2)])]).tolist()
        == whole.tolist()
    )
    amounts = pa.array(
        [decimal.Decimal("1.10"), decimal.Decimal("-2.20"), decimal.Decimal("3.30")],
        pa.decimal128(9, 2),
    )
    assert (
        murmur3.hash_rows([amounts.slice(1)]).tolist() == murmur3.hash_rows([amounts]).tolist()[1:]
    )


def test_what_cannot_be_hashed_is_a_sentence() -> None:
    with pytest.raises(
        InputError,
        match=r"A key must be a number, text, a date or a time. Got list<.?item: int64>. Choose",
    ):
        murmur3.hash_rows([pa.array([[1]])])
    with pytest.raises(InputError, match="columns must name at least one key. Got none."):
        murmur3.hash_rows([])
    with pytest.raises(InputError, match="n_partitions must be 1 or more. Got 0."):
        hash_partition([pa.array([1])], 0)
