"""Spark's hash in NumPy: all flights to the row, values by hand, each refusal. Every type against
the real Spark: test_exactness.py.
"""

from __future__ import annotations

import decimal

import numpy as np
import pyarrow as pa
import pytest

from engine import data
from engine.errors import InputError
from engine.spark import session
from engine.spark.partitioning import hash_partition, murmur3


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
        match=r"A key must be a number, text, a date or a time. Got list<.?item: int64>: it holds",
    ):
        murmur3.hash_rows([pa.array([[1]])])
    for kind in (pa.decimal256(39, 0), pa.month_day_nano_interval(), pa.map_(pa.int8(), pa.int8())):
        with pytest.raises(InputError, match="A key must be .* Got .*: it "):
            murmur3.hash_rows([pa.nulls(1, kind)])
    with pytest.raises(InputError, match="Times must be within 292,000 years of 1970"):
        murmur3.hash_rows([pa.array([2**62]).view(pa.timestamp("s"))])
    with pytest.raises(InputError, match="Times of day must be from 00:00 to 24:00"):
        murmur3.hash_rows([pa.array([86_400], pa.int32()).view(pa.time32("s"))])
    with pytest.raises(InputError, match="columns must name at least one key. Got none."):
        murmur3.hash_rows([])
    with pytest.raises(InputError, match="n_partitions must be 1 or more. Got 0."):
        hash_partition([pa.array([1])], 0)


def test_nanoseconds_are_floored_before_1970_too() -> None:
    nanos = pa.array([-1, -999, -1000, -1001, 0, 999, None], pa.int64())
    micros = pa.array([-1, -1, -1, -2, 0, 0, None], pa.int64())
    for zone in (None, "UTC", "America/New_York"):
        found = murmur3.hash_rows([nanos.view(pa.timestamp("ns", zone))])
        assert found.tolist() == murmur3.hash_rows([micros]).tolist()


def test_wide_decimals_by_hand() -> None:
    """``hash(cast(1 as decimal(19, 0)))`` and others, as Spark 4.3 gives them."""
    wide = [decimal.Decimal(text) for text in ("1", "-9999999999999999999")]
    found = murmur3.hash_rows([pa.array([*wide, None], pa.decimal128(19, 0))])
    assert found.tolist() == [-386724586, -66784248, 42]
    assert murmur3.hash_rows([pa.array([0, 2**64 - 1, 7], pa.uint64())]).tolist() == [
        -783713497,
        -853727376,
        241752123,
    ]
