"""Partition explorer: previews against the real Spark and against brute force, words by hand, each
error.
"""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import data, scripts, workspace
from engine.errors import InputError
from engine.spark import keys, partitioning
from engine.spark.keys import Source
from engine.spark.partitioning import (
    PartitioningParams,
    coalesced,
    range_bounds,
    range_rows,
    real,
    round_robin,
    row_partitions,
    run,
    slices,
)
from engine.spark.partitioning import figure as figures
from engine.spark.partitioning.folders import Folders
from engine.spark.partitioning.order import ranks
from engine.spark.partitioning.params import STRATEGIES
from tests.engine.printed import run_script

CASES = Path(__file__).parents[2] / "cases"
ZIPF: dict[str, Any] = {"table": "zipf", "keys": ("key",), "n_rows": 10_000}


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_script_asks_spark_alone_and_gets_the_preview(strategy: Any) -> None:
    params = PartitioningParams(strategy=strategy, keys=("origin",), n_partitions=7, n_input=3)
    assert run_script(scripts.render(params)) == run(params).headline()


@pytest.mark.parametrize("strategy", [s for s in STRATEGIES if s != "range"])
def test_spark_measures_what_the_preview_shows(strategy: Any) -> None:
    params = PartitioningParams(strategy=strategy, keys=("carrier",), n_partitions=11, n_input=5)
    measured = real.run_on_spark(params)
    assert measured.rows.tolist() == run(params).rows.tolist() == measured.expected.tolist()
    assert measured.verdict.startswith("Measured by Spark: ")
    assert measured.n_other == (None if strategy == "round-robin" else 0)
    assert (measured.size_bytes is None) == (strategy == "coalesce")
    assert (measured.n_files is not None) == (strategy in ("partitionBy files", "bucketing"))
    if measured.n_files is not None:
        assert measured.n_files.max() == 5, "each of five tasks writes its own file"


def test_a_zipf_key_is_distributed_as_computed_and_a_range_is_split_by_a_sample() -> None:
    measured = real.run_on_spark(
        PartitioningParams(**ZIPF, n_input=9, n_partitions=6, strategy="round-robin")
    )
    assert measured.rows.tolist() == measured.expected.tolist()
    sampled = real.run_on_spark(PartitioningParams(**ZIPF, strategy="range", exponent=0.0))
    assert sampled.rows.sum() == 10_000 and sampled.n_other and sampled.n_other > 0
    assert "splits by a sample" in sampled.verdict and "First: " in sampled.verdict
    assert [line["rows measured"] for line in sampled.table()] == [
        f"{n:,}" for n in sorted(sampled.rows, reverse=True)[:12]
    ]


def test_too_many_folders_are_refused_before_spark_is_asked() -> None:
    with pytest.raises(
        InputError,
        match=(
            r"Key must have at most 400 values for partitionBy. Got 4,044: choose a coarser key."
        ),
    ):
        real.run_on_spark(PartitioningParams(keys=("tailnum",), strategy="partitionBy files"))


def walked(counts: list[int], n_partitions: int) -> list[int]:
    """``RangePartitioner.determineBounds``, row by row as it is written there."""
    keys_in_order = [key for key, count in enumerate(counts) for _ in range(count)]
    step = len(keys_in_order) / n_partitions
    bounds: list[int] = []
    target, so_far = step, 0.0
    for key in keys_in_order:
        if len(bounds) == n_partitions - 1:
            break
        so_far += 1
        if so_far >= target and (not bounds or key > bounds[-1]):
            bounds.append(key)
            target += step
    return bounds


@given(st.lists(st.integers(1, 30), min_size=1, max_size=20), st.integers(1, 12))
def test_range_bounds_are_those_of_the_walk(counts: list[int], n: int) -> None:
    bounds = range_bounds(np.array(counts), n)
    assert bounds.tolist() == walked(counts, n)
    rows = range_rows(np.array(counts), n)
    assert rows.sum() == sum(counts) and len(rows) == len(bounds) + 1


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 500))
def test_coalesce_and_round_robin_lose_no_row(n_input: int, n: int, n_rows: int) -> None:
    groups = coalesced(n_input, n)
    assert len(groups) == n_input and set(groups.tolist()) == set(range(min(n_input, n)))
    assert (np.diff(groups) >= 0).all(), "neighbours stay neighbours"
    sizes = np.diff(slices(n_rows, n_input))
    counts = round_robin(sizes, n)
    assert sizes.sum() == counts.sum() == n_rows and counts.max() - counts.min() <= n_input


def test_moved_rows_are_counted_row_by_row() -> None:
    params = PartitioningParams(keys=("dest",), n_before=10, n_partitions=15)
    columns = [keys.load(params.source)["dest"]]
    before, after = (partitioning.hash_partition(columns, n) for n in (10, 15))
    result = run(params)
    assert result.moved_share == pytest.approx((before != after).mean())
    assert result.rows.tolist() == np.bincount(after, minlength=15).tolist()
    assert (result.largest, result.non_empty) == (result.rows.max(), (result.rows > 0).sum())


def test_a_typed_key_is_followed() -> None:
    assert run(PartitioningParams(typed="LAX")).typed == run(PartitioningParams()).routes[2]
    null = run(PartitioningParams(keys=("tailnum",), typed="null")).typed
    assert (null.key, null.n_rows, null.hash, null.before, null.after) == (
        "null",
        2_512,
        42,
        42 % 12,
        42 % 16,
    )
    pair = run(PartitioningParams(keys=("carrier", "origin"), typed="UA,EWR")).typed
    assert (
        pair == run(PartitioningParams(keys=("carrier", "origin"))).routes[0]
        and pair.key == "UA, EWR"
    )
    assert run(PartitioningParams(keys=("month",), typed=" 7 ")).typed.n_rows == 29_425
    assert run(PartitioningParams(keys=("date",), typed="2013-12-25")).typed.n_rows == 719
    assert run(PartitioningParams(typed="XXX")).typed.n_rows == 0


def test_words_by_hand() -> None:
    result = run(PartitioningParams(keys=("origin",), n_partitions=8))
    assert (
        result.verdict
        == "The largest of 8 partitions has **2.9×** the mean number of rows (hash by origin)."
        " 5 are empty."
    )
    assert "EWR, 120,835 rows, 2.9× the mean" in result.why[1] and len(result.why) == 5
    fitting = run(PartitioningParams())
    assert fitting.hottest_rows < fitting.rows.mean() and len(fitting.why) == 4, (
        "a key below the mean partition is no problem"
    )
    by_range = run(PartitioningParams(keys=("origin",), n_partitions=8, strategy="range"))
    assert len(by_range.rows) == 4 and "EWR" in by_range.why[1]
    folders = run(PartitioningParams(keys=("origin",), strategy="partitionBy files"))
    assert folders.labels == ("EWR", "JFK", "LGA") and folders.verdict.startswith(
        "partitionBy(origin) makes **3 folders**"
    )
    assert "4 came out" in run(PartitioningParams(strategy="coalesce")).why[1]
    assert run(PartitioningParams(strategy="round-robin")).table().num_rows == 16


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"keys": ()}, "Key must name at least one column. Got none. Choose one."),
        ({"keys": ("price",)}, "keys must be one of carrier"),
        (
            {"keys": ("origin", "dest"), "strategy": "range"},
            "Key must be one column for range. Got 2.",
        ),
    ],
)
def test_each_setting_says_its_rule(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        PartitioningParams(**setting)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("keys_", "typed", "message"),
    [
        (("month",), "May", "month must be a value of type int32. Got 'May'."),
        (("date",), "yesterday", r"date must be a value of type date32\[day\]. Got 'yesterday'."),
        (
            ("carrier", "origin"),
            "UA",
            r"The key to follow must be 2 values with commas between \(carrier, origin\). Got",
        ),
    ],
)
def test_a_typed_key_of_the_wrong_kind_is_a_sentence(
    keys_: tuple[str, ...], typed: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        run(PartitioningParams(keys=keys_, typed=typed))


def test_figures_show_every_partition_and_the_followed_key() -> None:
    params = PartitioningParams(keys=("origin",), n_partitions=8, typed="JFK")
    result = run(params)
    figure = figures.partitions(result, real.run_on_spark(params), run(PartitioningParams()))
    computed, followed, measured = figure.data[:3]
    rows = dict(zip([*computed.x, *followed.x], [*computed.y, *followed.y], strict=True))
    assert [rows[i] for i in range(8)] == result.rows.tolist() == list(measured.y)
    assert list(followed.x) == [result.typed.after] and followed.name == "with JFK"
    lines = figures.routes(result)
    assert lines.data[2].name.startswith("JFK: hash ")
    many = figures.partitions(
        run(PartitioningParams(keys=("tailnum",), strategy="partitionBy files"))
    )
    assert (
        sum(len(bars.x) for bars in many.data if bars.type == "bar") == 400
        and "the 400 largest of 4,044 folders" in many.layout.xaxis.title.text
    )


def test_zipf_rows_follow_their_exponent() -> None:
    flat, steep = (
        keys.distinct(Source("zipf", exponent, 50_000), ("key",)) for exponent in (0.0, 2.0)
    )
    assert flat["n_rows"][0].as_py() < 100
    share = steep["n_rows"][0].as_py() / 50_000
    assert share == pytest.approx(1 / sum(r**-2 for r in range(1, 1001)), abs=0.01)


@pytest.fixture(scope="module")
def uploads() -> Path:
    return workspace.session(workspace.new_session_id()) / "uploads"


def of_upload(folder: Path, content: bytes | pa.Table, **settings: Any) -> PartitioningParams:
    if isinstance(content, pa.Table):
        sink = io.BytesIO()
        pq.write_table(content, sink)
        content = sink.getvalue()
    path = data.save_upload(content, "mine.parquet", folder)
    return PartitioningParams(table="upload", upload=str(path), **settings)


def case(folder: Path, name: str, **settings: Any) -> PartitioningParams:
    """A file of tests/cases as an upload."""
    return of_upload(folder, (CASES / f"{name}.parquet").read_bytes(), **settings)


NUMBERS = ("i8", "i16", "u8", "u16", "u32", "u64", "b", "f16", "dec9", "dec38", "bin", "ls", "t64")
TIMES = ("ns_utc", "us_ny", "us_frac", "us_naive", "ms", "s", "date", "date64")


@pytest.mark.parametrize(
    ("name", "names", "strategy", "n"),
    [
        ("spark_times", ("ns",), "hash", 7),
        ("spark_times", TIMES, "hash", 16),
        ("spark_times", ("us_frac", "ns", "date"), "partitionBy files", None),
        ("spark_nums", NUMBERS, "hash", 16),
        ("spark_nums", ("u64", "dec38", "t64"), "bucketing", 5),
        ("spark_nums", ("b", "f16", "dec9", "t64"), "partitionBy files", None),
        ("int32_decimal", ("value",), "partitionBy files", 24),
        ("spark_empty", ("s",), "partitionBy files", 3),
        ("spark_null_word", ("s",), "partitionBy files", None),
    ],
)
def test_reported_keys_are_where_spark_puts_them(
    uploads: Path, name: str, names: tuple[str, ...], strategy: Any, n: int | None
) -> None:
    params = case(uploads, name, keys=names, strategy=strategy, n_partitions=n or 16)
    measured = real.run_on_spark(params)
    assert measured.n_other == 0, measured.verdict
    assert measured.rows.tolist() == measured.expected.tolist()
    assert n is None or len(measured.rows) == n


def test_reported_folders_by_hand(uploads: Path) -> None:
    folders: dict[str, Any] = {"strategy": "partitionBy files"}
    empty = run(case(uploads, "spark_empty", keys=("s",), **folders))
    assert set(empty.labels) == {"__HIVE_DEFAULT_PARTITION__", "b", "c"} and empty.n_distinct == 4
    assert any(note.startswith("**Shared folder:** ") for note in empty.why)
    words = run(case(uploads, "spark_null_word", keys=("s",), **folders))
    assert "annullato" in words.labels and "spedito" in words.labels
    nanos = run(case(uploads, "spark_times", keys=("ns",), **folders))
    assert "1969-12-31 23%3A59%3A59.999998" in nanos.labels
    assert any("floored to microseconds" in note for note in nanos.notes)
    u64 = run(case(uploads, "spark_nums", keys=("u64",)))
    assert u64.notes == ("**u64:** Spark reads uint64 as decimal(20,0).",)
    assert u64.routes[0].key in ("0", "18446744073709551615")


ODD_NAMES = pa.table(
    {
        "row": [1, 1, 2, None] * 5,
        "n_rows": ["01", "1", "", None] * 5,
        "a.b": [0.0, 1.0, float("nan"), -0.0] * 5,
        "Key": [True, False, None, True] * 5,
        "key": [b"x", b"y", b"\xff", b""] * 5,
        "`k`": pa.array([1, 2, 3, None] * 5, pa.uint8()),
    }
)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_names_that_spark_takes_for_something_else_and_the_script_for_them(
    uploads: Path, strategy: Any
) -> None:
    """``key`` and ``Key`` are one name to Spark, ``a.b`` is a field, the folder 01 is not 1."""
    names = ("n_rows",) if strategy == "range" else tuple(ODD_NAMES.column_names)
    params = of_upload(uploads, ODD_NAMES, keys=names, strategy=strategy, n_partitions=3, n_input=2)
    if strategy != "range":
        assert not real.run_on_spark(params).n_other
    assert run_script(scripts.render(params)) == run(params).headline()


@pytest.mark.parametrize(("name", "fits"), [("ab", True), ("a/", False)])
def test_the_name_of_a_column_is_escaped_in_a_folder_too(name: str, fits: bool) -> None:
    """As ``getPartitionPathString`` has it: a slash is three bytes."""
    found, rows = pa.table({name: ["x" * 252]}), np.array([0])
    problem = Folders.of(found, np.array([1])).problem(found, [rows])
    assert (problem == "") == fits and (fits or "would have 257" in problem)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (["__HIVE_DEFAULT_PARTITION__", None], "`__HIVE_DEFAULT_PARTITION__` and `null` are diff"),
        ([b"", None, b"a"], "`X''` and `null` are different keys"),
        ([0.0, -0.0, 0.0], "Spark sorts as equal"),
        (["a\0b"], "the character NUL"),
        (["ä" * 127], r"can have 255 bytes. The name of `ä+…` would have 256."),
    ],
)
def test_folders_that_spark_cannot_write_are_refused_with_the_reason(
    uploads: Path, values: list[Any], message: str
) -> None:
    params = of_upload(
        uploads, pa.table({"k": values}), keys=("k",), strategy="partitionBy files", n_input=1
    )
    with pytest.raises(InputError, match=f"Spark cannot write these folders.*({message})"):
        real.run_on_spark(params)


def test_what_is_refused_is_what_spark_fails_at(
    uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"keys": ("k",), "strategy": "partitionBy files", "n_input": 1}
    fine = of_upload(uploads, pa.table({"k": ["", None, "ä" * 126]}), **settings)
    assert real.run_on_spark(fine).n_other == 0
    once = of_upload(uploads, pa.table({"k": [-0.0, 0.0, 0.0]}), **settings)
    assert real.run_on_spark(once).n_other == 0
    between = of_upload(uploads, pa.table({"k": [0.0, -0.0, 0.0]}), **settings)
    monkeypatch.setattr(real, "write_problem", lambda _: "")
    with pytest.raises(Exception, match="FileAlreadyExistsException"):
        real.run_on_spark(between)


@pytest.mark.parametrize("strategy", ["hash", "bucketing", "partitionBy files", "coalesce"])
def test_each_row_elsewhere_is_counted_and_the_first_is_named(
    uploads: Path, strategy: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The expected partitions are changed here: Spark cannot be."""
    params = case(uploads, "spark_null_word", keys=("s",), strategy=strategy, n_partitions=4)
    right = row_partitions(params)
    assert right is not None
    wrong = right.copy()
    wrong[[3, 100]] = (wrong[[3, 100]] + 1) % len(run(params).rows)
    monkeypatch.setattr(real, "row_partitions", lambda _: wrong)
    measured = real.run_on_spark(params)
    labels = [
        f"`{name}`" if strategy == "partitionBy files" else f"partition {name}"
        for name in measured.labels
    ]
    assert measured.n_other == 2
    assert measured.verdict == (
        "Measured by Spark: **2** of 240 rows are in another partition than shown."
        f" First: `annullato` is in {labels[right[3]]}, shown in {labels[wrong[3]]}."
    )


def test_a_folder_that_only_spark_has_is_a_difference(
    uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    params = case(uploads, "spark_null_word", keys=("s",), strategy="partitionBy files")
    preview = run(params)
    at = preview.labels.index("annullato")
    labels = tuple("ANNULLATO" if i == at else name for i, name in enumerate(preview.labels))
    monkeypatch.setattr(real, "run", lambda _: replace(preview, labels=labels))
    measured = real.run_on_spark(params)
    assert measured.n_other == preview.rows[at]
    assert "First: `annullato` is in `annullato`, shown in `ANNULLATO`." in measured.verdict
    drawn = figures.partitions(measured.preview, measured)
    assert "annullato" in [x for trace in drawn.data for x in trace.x]


def test_counts_that_differ_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    params = PartitioningParams(strategy="round-robin", keys=("origin",), n_partitions=3)
    preview = run(params)
    moved = replace(preview, rows=preview.rows + np.array([1, -1, 0]))
    monkeypatch.setattr(real, "run", lambda _: moved)
    assert (
        "**2** of 3 partitions have another number of rows than shown. First: partition 0 has"
        in real.run_on_spark(params).verdict
    )


def test_a_range_is_followed_by_its_key_and_ordered_as_spark_does() -> None:
    by_month = run(
        PartitioningParams(strategy="range", keys=("month",), n_partitions=4, typed="12")
    )
    assert by_month.followed == 3
    assert run(PartitioningParams(strategy="range", typed="XXX")).followed is None
    assert run(PartitioningParams(strategy="round-robin")).followed is None
    values = pa.chunked_array([[float("nan"), 0.0, -0.0, None, float("inf"), -1.0]])
    assert ranks(values).tolist() == [4, 2, 2, 0, 3, 1]
