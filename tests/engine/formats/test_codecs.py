"""Codecs: sizes against pyarrow's own files, the Pareto front against its definition, the sort
story on all flights.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import scripts
from engine.errors import InputError
from engine.formats import codecs
from engine.formats.codecs import CodecsParams, CodecsResult, Trial
from engine.formats.codecs import figure as codec_figures
from engine.formats.codecs.params import LEVELS, ORDERS, WHOLE
from engine.formats.codecs.result import pareto
from tests.engine.printed import run_script

QUICK: dict[str, Any] = {"n_rows": 2_000, "repeats": 1}


@pytest.fixture(scope="module")
def result() -> CodecsResult:
    return codecs.run(CodecsParams(n_rows=2_000, repeats=2))


def test_every_codec_and_level_is_tried_and_timed_each_round(result: CodecsResult) -> None:
    assert [(t.codec, t.level) for t in result.trials] == [
        (name, level) for name, levels in LEVELS.items() for level in levels
    ]
    assert (
        all(len(t.write_seconds) == len(t.read_seconds) == 2 for t in result.trials)
        and result.complete
    )


def test_files_have_the_codec_and_the_dictionary_of_their_name() -> None:
    table = codecs.rows_of(CodecsParams(**QUICK))["as is"]
    for codec, dictionary in (("gzip", True), ("zstd", False)):
        chunk = (
            pq.read_metadata(pa.BufferReader(codecs.write(table, codec, None, dictionary)))
            .row_group(0)
            .column(0)
        )
        assert chunk.compression == codec.upper()
        assert ("RLE_DICTIONARY" in chunk.encodings) is dictionary


def test_orders_hold_the_same_rows() -> None:
    orders = codecs.rows_of(CodecsParams(**QUICK))
    rows = {order: table.to_pylist() for order, table in orders.items()}
    assert list(orders) == list(ORDERS)
    assert rows["sorted"] == sorted(
        rows["as is"], key=lambda r: (r["carrier"], r["flight"], r["time_hour"])
    )
    assert rows["shuffled"] != rows["as is"]
    keys = {order: sorted(map(str, some)) for order, some in rows.items()}
    assert keys["as is"] == keys["sorted"] == keys["shuffled"]


def test_one_column_is_packed_by_itself_in_the_order_of_the_whole_table() -> None:
    whole, alone = (
        codecs.rows_of(CodecsParams(**QUICK, column=name))["sorted"] for name in (WHOLE, "dest")
    )
    assert alone.column_names == ["dest"] and alone["dest"].to_pylist() == whole["dest"].to_pylist()


def test_packed_bytes_add_up_all_row_groups() -> None:
    table = codecs.rows_of(CodecsParams(**QUICK))["as is"].select(["dest", "distance"])
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, row_group_size=500)
    file = sink.getvalue()
    metadata = pq.read_metadata(pa.BufferReader(file))
    expected = [
        sum(metadata.row_group(g).column(c).total_compressed_size for g in range(4))
        for c in range(2)
    ]
    assert list(codecs.packed_bytes(file).values()) == expected
    assert sum(expected) < file.size


def test_pareto_by_hand() -> None:
    assert pareto([(1, 9), (2, 8), (2, 7), (0, 9), (3, 1)]) == [
        True,
        True,
        False,
        False,
        True,
    ]
    assert pareto([(1, 1), (1, 1)]) == [True, True], "equals do not beat each other"
    assert pareto([]) == []


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=12))
def test_the_front_is_what_its_definition_says(points: list[tuple[int, int]]) -> None:
    kept = pareto([(float(x), float(y)) for x, y in points])
    front = [point for point, keep in zip(points, kept, strict=True) if keep]
    for (x, y), keep in zip(points, kept, strict=True):
        beaten = [(a, b) for a, b in front if (a > x and b >= y) or (a >= x and b > y)]
        assert bool(beaten) is not keep, "what is off the front is beaten by something on it"


def by_hand(**sizes: tuple[int, float]) -> CodecsResult:
    trials = tuple(
        Trial(
            name.split("_")[0],
            int(name.split("_")[1]) if "_" in name else None,
            size,
            {"as is": size, "sorted": size // 2, "shuffled": size * 2},
            {"a": size - 10, "b": 10},
            {"a": size // 2 - 10, "b": 10},
            (seconds,),
            (seconds, seconds * 3),
        )
        for name, (size, seconds) in sizes.items()
    )
    return CodecsResult(
        CodecsParams(), trials, 10, 4_000_000, datetime(2026, 1, 1, tzinfo=UTC), True
    )


def test_ratio_speed_front_and_words_by_hand() -> None:
    result = by_hand(
        none=(2_000_000, 0.5),
        snappy=(1_000_000, 1.0),
        gzip_6=(800_000, 4.0),
        brotli_8=(900_000, 5.0),
    )
    none, snappy, gzip, brotli = result.trials
    assert (result.ratio(none), result.speed(none, "write"), result.speed(none, "read")) == (
        2.0,
        8.0,
        4.0,
    )
    assert result.front("write") == [none, snappy, gzip] and brotli not in result.front("read")
    assert result.verdict == (
        "gzip files are **20%** smaller than Snappy's, but writing takes **4.0×** as long. "
        "Sorting the rows saves 50%."
    )
    assert "500 kB with snappy, against 800 kB unsorted with gzip 6" in result.why[3]
    assert "a 800 kB → 400 kB" in result.why[3]
    assert result.why[2].endswith("gzip 6 saves another 60%.")
    assert result.codec_saving_share == 0.6


@pytest.mark.parametrize(
    ("sorted_bytes", "said"),
    [
        ((50, 50), "saves 50%"),
        ((50, 80), "saves 20%–50% (by codec)"),
        ((100, 100), "changes nothing with any codec"),
        ((100, 103), "adds 0%–3% (by codec)"),
        ((90, 100.1), "saves 0%–10% (by codec)"),
        ((105, 110), "adds 5%–10% (by codec)"),
        ((90, 120), "adds up to 20% or saves up to 10%"),
    ],
)
def test_what_sorting_does_counts_every_codec(sorted_bytes: tuple[float, float], said: str) -> None:
    trials = tuple(
        Trial(
            name,
            None,
            100,
            {"as is": 100, "sorted": size, "shuffled": 100},
            {"a": 100},
            {"a": 1},
            (1.0,),
            (1.0,),
        )
        for name, size in zip(("snappy", "lz4"), sorted_bytes, strict=True)
    )
    assert (
        CodecsResult(CodecsParams(), trials, 10, 100, datetime(2026, 1, 1, tzinfo=UTC)).sorting
        == said
    )


def test_without_snappy_and_gzip_the_verdict_names_the_tightest() -> None:
    assert by_hand(none=(2_000_000, 1.0)).verdict.startswith(
        "none gives the smallest file: **2.0×** smaller than in memory"
    )
    empty = CodecsResult(
        CodecsParams(), (Trial("none", None),), 10, 100, datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert empty.verdict == "The first files are being written." and len(empty.why) == 1
    assert codec_figures.sorting(empty).layout.title.text


def test_a_preview_measures_few_rows_once_and_says_so() -> None:
    few = codecs.preview(CodecsParams(codecs=("snappy", "gzip"), n_rows=20_000))
    assert few.n_rows == codecs.PREVIEW_ROWS and few.ready and not few.complete
    assert all(len(trial.write_seconds) == 1 for trial in few.trials)
    assert few.verdict.startswith("Preview on 1,000 rows: ") and few.params.n_rows == 20_000


def test_all_flights_sorted_shrink_from_five_megabytes_to_three_and_a_half() -> None:
    """The figure of ../shared/data.md: zstd 19, about 5.0 → 3.6 MB."""
    orders = codecs.rows_of(CodecsParams(n_rows=336_776))
    sizes = {
        order: codecs.write(orders[order], "zstd", 19, True).size for order in ("as is", "sorted")
    }
    assert 4.9e6 < sizes["as is"] < 5.2e6 and 3.4e6 < sizes["sorted"] < 3.7e6


def test_a_run_fills_in_trial_by_trial() -> None:
    params = CodecsParams(**QUICK, codecs=("none", "snappy"))
    seen = list(codecs.steps(params))
    assert len(seen[0].partial.ready) == 0 and len(seen[-1].partial.ready) == 1
    assert not seen[-1].partial.complete


def test_the_column_must_be_the_tables_own() -> None:
    with pytest.raises(InputError, match=r"^column must be one of all columns, year, .*'wings'"):
        CodecsParams(column="wings")


@pytest.mark.parametrize(
    "params",
    [
        CodecsParams(**QUICK),
        CodecsParams(**QUICK, table="weather", levels="default", dictionary=False, order="sorted"),
        CodecsParams(
            **QUICK, table="synthetic", column="payload", codecs=("zstd",), order="shuffled", seed=4
        ),
    ],
    ids=lambda p: p.table,
)
def test_the_script_prints_the_headline(params: CodecsParams) -> None:
    assert run_script(scripts.render(params)) == codecs.run(params).headline()


def test_figures_show_each_trial(result: CodecsResult) -> None:
    for against in ("write", "read"):
        figure = codec_figures.tradeoff(result, against, result)  # type: ignore[arg-type]
        marks = {trace.name: len(trace.x) for trace in figure.data if trace.name}
        assert (
            marks["worse in both"] + marks["Pareto front"] == len(result.trials) == marks["run A"]
        )
        assert len(figure.to_json()) < 300_000
    sorting = codec_figures.sorting(result, result)
    assert {trace.name for trace in sorting.data} >= set(ORDERS)
    assert list(sorting.layout.yaxis.categoryarray)[-4:] == ["gzip 1", "lz4", "snappy", "none"]
    columns = codec_figures.columns(result, result)
    assert len(columns.data[0].y) == 19 and len(columns.data) == 3
    assert result.table().num_rows == len(result.trials)


def test_names_that_would_overlap_stand_apart_or_are_left_out() -> None:
    placed = codec_figures._placed
    assert placed([], [], []) == []
    names = ["snappy", "lz4", "zstd 19"]
    assert placed(names, [100.0, 95.0, 10.0], [4.9, 4.93, 5.7]) == [
        ("snappy", "bottom center"),
        ("lz4", "top center"),
        ("zstd 19", "top center"),
    ]
    crowd = placed([f"zstd {i}" for i in range(12)], [100.0] * 11 + [1.0], [5.0] * 11 + [6.0])
    assert [name for name, _ in crowd if name][-1] == "zstd 11" and "" in [
        name for name, _ in crowd
    ]
