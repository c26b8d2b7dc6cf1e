"""The race: round trips against Python lists, every format written and read, changes found by a
brute force, the script run.
"""

from __future__ import annotations

import math
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import fastavro
import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import jobs, scripts, workspace
from engine.errors import InputError
from engine.formats import race
from engine.formats.race import (
    FORMATS,
    OPERATIONS,
    RaceParams,
    RaceResult,
    avro_files,
    contestants,
    fidelity,
)
from engine.formats.race import figure as race_figures
from engine.formats.race.contestants import Between
from engine.formats.race.params import range_of, rows_of
from engine.units import format_factor
from tests.engine.printed import run_script

ALL = tuple(FORMATS)
SMALL = RaceParams(n_rows=1_000, repeats=1, formats=ALL)
UTC_MICROS = pa.timestamp("us", tz="UTC")
SHAPE = pa.table(
    {
        "n": pa.array([3, None, -7], pa.int32()),
        "wide": pa.array([2**40, 0, None], pa.int64()),
        "x": pa.array([0.5, None, 1e300], pa.float64()),
        "flag": pa.array([True, None, False]),
        "text": ['a,\n"b"', None, "ü"],
        "day": pa.array([date(2013, 1, 1), None, date(1969, 12, 31)]),
        "at": pa.array(
            [datetime(2013, 1, 1, 5, tzinfo=UTC), None, datetime(1969, 7, 20, tzinfo=UTC)],
            UTC_MICROS,
        ),
        "price": pa.array([Decimal("1.25"), None, Decimal("-0.01")], pa.decimal128(9, 2)),
    }
)
FAITHFUL = [name for name in ALL if FORMATS[name].family in ("Avro", "Parquet", "Arrow IPC")]


def path_in(folder: Path, name: str) -> Path:
    return folder / f"file{FORMATS[name].suffix}"


# ---- every format by itself


@pytest.mark.parametrize("name", FAITHFUL)
def test_a_format_with_a_schema_returns_exactly_what_was_written(name: str, tmp_path: Path) -> None:
    path = path_in(tmp_path, name)
    contestants.write(SHAPE, FORMATS[name], path, 3)
    read = contestants.read(FORMATS[name], path)
    assert read.to_pydict() == SHAPE.to_pydict()
    assert read.schema.types == SHAPE.schema.types


@pytest.mark.parametrize("name", ALL)
def test_columns_and_range_are_what_python_lists_say(name: str, tmp_path: Path) -> None:
    path, table = (
        path_in(tmp_path, name),
        pa.table({"n": [5, 1, None, 3], "s": ["e", "a", "x", "c"]}),
    )
    contestants.write(table, FORMATS[name], path, 3)
    assert contestants.read(FORMATS[name], path, columns=["s"]).to_pydict() == {
        "s": ["e", "a", "x", "c"]
    }
    wanted = Between("n", pa.scalar(2), pa.scalar(5))
    assert contestants.read(FORMATS[name], path, wanted=wanted).to_pydict() == {
        "n": [5, 3],
        "s": ["e", "c"],
    }


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("CSV gzip", b"\x1f\x8b"),
        ("JSON Lines gzip", b"\x1f\x8b"),
        ("Avro zstd", b"Obj\x01"),
        ("Arrow IPC lz4", b"ARROW1"),
    ],
)
def test_a_file_is_what_its_name_says(name: str, start: bytes, tmp_path: Path) -> None:
    path = path_in(tmp_path, name)
    contestants.write(SHAPE, FORMATS[name], path, 3)
    assert path.read_bytes().startswith(start)


@pytest.mark.parametrize("name", [name for name in ALL if FORMATS[name].family == "Parquet"])
def test_a_parquet_file_has_the_codec_of_its_name(name: str, tmp_path: Path) -> None:
    path = path_in(tmp_path, name)
    contestants.write(SHAPE, FORMATS[name], path, 3)
    codec = pq.read_metadata(path).row_group(0).column(0).compression.lower()
    assert codec == {"none": "uncompressed"}.get(str(FORMATS[name].codec), FORMATS[name].codec)


def test_the_zstd_level_is_the_one_asked_for(tmp_path: Path) -> None:
    table, _ = rows_of(RaceParams(n_rows=20_000))
    sizes = []
    for level in (1, 15):
        path = tmp_path / f"{level}.parquet"
        contestants.write(table, FORMATS["Parquet zstd"], path, level)
        sizes.append(path.stat().st_size)
    assert sizes[1] < sizes[0]


@pytest.mark.parametrize(
    ("codec", "name"), [("null", "Avro"), ("deflate", "Avro deflate"), ("snappy", "Avro snappy")]
)
def test_an_avro_file_is_avro_to_fastavro_itself(codec: str, name: str, tmp_path: Path) -> None:
    path = path_in(tmp_path, name)
    contestants.write(SHAPE, FORMATS[name], path, 3)
    with path.open("rb") as file:
        reader = fastavro.reader(file)
        assert reader.codec == codec
        records: list[Any] = list(reader)
    assert records == SHAPE.to_pylist()


def test_avro_names_its_narrowest_types_and_refuses_what_it_lacks() -> None:
    assert avro_files.avro_type(pa.int8()) == "int" and avro_files.avro_type(pa.uint32()) == "long"
    assert avro_files.avro_type(pa.dictionary(pa.int8(), pa.string())) == "string"
    with pytest.raises(TypeError, match="Avro has no type for list"):
        avro_files.avro_type(pa.list_(pa.int64()))


# ---- fidelity


def kinds(before: pa.Array, after: pa.Array) -> list[tuple[str, str]]:
    return [
        (c.kind, c.detail)
        for c in fidelity.compare(pa.table({"c": before}), pa.table({"c": after}))
    ]


def test_each_kind_of_change_by_hand() -> None:
    utc, local = pa.timestamp("us", tz="UTC"), pa.timestamp("us", tz="America/New_York")
    assert kinds(pa.array([1], pa.int32()), pa.array([1], pa.int64())) == [
        ("number width", "int32 → int64")
    ]
    assert kinds(pa.array([1.0], pa.float32()), pa.array([1.0], pa.float64())) == [
        ("number width", "float → double")
    ]
    assert kinds(pa.array([7], local), pa.array([7], utc)) == [
        ("time zone", "America/New_York → UTC")
    ]
    assert kinds(pa.array([7], utc), pa.array([7000], pa.timestamp("ns", tz="UTC"))) == [
        ("time unit", "us → ns")
    ]
    assert kinds(pa.array(["a"]).dictionary_encode(), pa.array(["a"])) == [
        ("category", "category → string")
    ]
    assert kinds(pa.array([Decimal("1.5")]), pa.array([1.5])) == [
        ("decimal", "decimal128(2, 1) → double")
    ]
    assert kinds(pa.array(["x", None]), pa.array(["x", ""])) == [
        ("null → empty text", "1 nulls came back as empty text")
    ]
    assert kinds(pa.array([1, 2, None]), pa.array([1, 3, 4])) == [("values", "2 values differ")]
    assert kinds(pa.array(["", None]), pa.array([None, None], pa.string())) == [
        ("values", "1 values differ")
    ]
    assert kinds(pa.array([math.nan, None]), pa.array([math.nan, None], pa.float64())) == []
    assert kinds(pa.array([1]), pa.array(["one"]))[0] == ("type", "int64 → string")
    assert kinds(pa.array([1]), pa.array(["one"]))[1][1].startswith(
        "cannot be turned back into int64"
    )


def test_a_lost_row_and_a_lost_column_are_changes() -> None:
    table = pa.table({"a": [1, 2], "b": [3, 4]})
    assert fidelity.compare(table, table.slice(1)) == (fidelity.Change("", "rows", "1 rows of 2"),)
    assert fidelity.compare(table, table.select(["a"])) == (
        fidelity.Change("b", "column", "not there any more"),
    )
    assert fidelity.compare(table, table) == ()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.none() | st.text(max_size=2), st.none() | st.text(max_size=2)), min_size=1
    )
)
def test_text_changes_are_counted_as_a_loop_would(
    pairs: list[tuple[str | None, str | None]],
) -> None:
    before, after = (pa.array([pair[i] for pair in pairs], pa.string()) for i in (0, 1))
    emptied = sum(a is None and b == "" for a, b in pairs)
    differing = sum(a != b for a, b in pairs) - emptied
    expected = [f"{emptied:,} nulls came back as empty text"] * (emptied > 0) + [
        f"{differing:,} values differ"
    ] * (differing > 0)
    assert [detail for _, detail in kinds(before, after)] == expected


def test_summary_puts_like_with_like() -> None:
    change = fidelity.Change
    widths = tuple(change(name, "number width", "int32 → int64") for name in "abc")
    told = fidelity.summary((*widths, change("t", "time zone", "UTC → none")))
    assert told == "number width of 3 columns (int32 → int64) · t UTC → none"
    assert fidelity.summary(()) == "faithful"


# ---- the whole race


@pytest.fixture(scope="module")
def everything() -> RaceResult:
    return race.run(SMALL)


def test_all_seventeen_formats_race_on_real_flights(everything: RaceResult) -> None:
    assert len(ALL) == 17 and [lane.name for lane in everything.lanes] == list(ALL)
    for lane in everything.lanes:
        assert not lane.refused and lane.file_bytes > 0
        assert [len(lane.seconds[operation]) for operation in OPERATIONS] == [1, 1, 1, 1]
        assert lane.n_matching == everything.n_matching, "every reader finds the same rows"
        assert bool(lane.changes) == (FORMATS[lane.name].family in ("CSV", "JSON Lines"))
    assert everything.complete
    kept = sum(everything_low_high(SMALL))
    assert everything.n_matching == kept


def everything_low_high(params: RaceParams) -> list[bool]:
    table, _ = rows_of(params)
    wanted = range_of(params, table)
    low, high = wanted.low.as_py(), wanted.high.as_py()
    return [
        value is not None and low <= value <= high for value in table[wanted.column].to_pylist()
    ]


def test_csv_turns_missing_tail_numbers_into_empty_text() -> None:
    result = race.run(RaceParams(formats=("CSV",), repeats=1))
    n_missing = rows_of(result.params)[0]["tailnum"].null_count
    assert n_missing > 0
    changes = {(c.column, c.kind): c.detail for c in result.lanes[0].changes or ()}
    assert changes["tailnum", "null → empty text"] == f"{n_missing:,} nulls came back as empty text"
    assert result.n_changed_by_csv == len({column for column, _ in changes})


def test_medians_factors_and_speeds_by_hand() -> None:
    lanes = (
        race.Lane("CSV", 900, {"read columns": (3.0, 1.0, 2.0)}, ()),
        race.Lane("Parquet snappy", 300, {"read columns": (0.5, 0.25)}, ()),
    )
    params = RaceParams(formats=("CSV", "Parquet snappy"))
    result = RaceResult(
        params, lanes, 10, 19, 4_000_000, 1, (), datetime(2026, 1, 1, tzinfo=UTC), 10.0, 6.75
    )
    csv, parquet = lanes
    assert (
        csv.median_seconds("read columns") == 2.0
        and parquet.median_seconds("read columns") == 0.375
    )
    assert csv.median_seconds("write") is None
    assert result.factor(csv, "read columns") == pytest.approx(2 / 0.375)
    assert result.megabytes_per_second(csv, "read columns") == 2.0
    assert result.csv_over_parquet_bytes == 3.0 and result.smallest_family == "Parquet"
    assert result.overhead_share == pytest.approx(0.325)
    assert result.verdict.startswith(
        "Parquet snappy reads 2 of 19 columns **5.3× faster** than CSV, from a file **3.0×"
    )
    assert "Parquet snappy took" not in result.verdict
    slow = race.Lane(
        "Parquet snappy",
        1_800,
        {"read columns": (4.0,)},
        (fidelity.Change("a", "time zone", ""), fidelity.Change("a", "values", "")),
    )
    worse = replace(result, lanes=(csv, slow))
    assert "columns **2.0× slower** than CSV, from a file **2.0× larger**" in worse.verdict
    assert (
        worse.round_trip(slow) == "1 of 19 changed: time zone, values"
        and worse.round_trip(csv) == "faithful"
    )


def test_overlapping_runs_are_too_close_to_call() -> None:
    lanes = (
        race.Lane("CSV", 9, {"write": (1.0, 4.0)}, ()),
        race.Lane("Avro", 9, {"write": (3.0, 5.0)}, ()),
    )
    result = RaceResult(
        RaceParams(formats=("CSV", "Avro")), lanes, 1, 1, 1, 1, (), datetime(2026, 1, 1, tzinfo=UTC)
    )
    assert "the runs of the two fastest overlap: write (CSV, Avro)" in " ".join(result.why)


def test_a_race_fills_in_and_cleans_up() -> None:
    params = RaceParams(n_rows=1_000, repeats=2, formats=("CSV", "Parquet snappy"))
    seen = list(race.steps(params))
    assert [step.share for step in seen] == sorted(step.share for step in seen)
    counts = [
        sum(len(runs) for lane in step.partial.lanes for runs in lane.seconds.values())
        for step in seen
    ]
    assert counts[0] == 0 and counts[-1] == 15 and not seen[-1].partial.complete
    assert not list((workspace.server() / "scratch").glob("race-*"))


def test_a_cancelled_race_leaves_nothing_behind() -> None:
    steps = race.steps(RaceParams(n_rows=1_000))
    next(steps)
    assert list((workspace.server() / "scratch").glob("race-*"))
    steps.close()
    assert not list((workspace.server() / "scratch").glob("race-*"))


def test_a_slow_call_still_gives_signs_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "SIGN_OF_LIFE_SECONDS", 0.01)
    real = contestants.write
    monkeypatch.setattr(contestants, "write", lambda *args: (time.sleep(0.1), real(*args)))
    seen = list(race.steps(RaceParams(n_rows=1_000, repeats=1, formats=("CSV",))))
    assert len(seen) > 4


def test_a_format_that_refuses_is_out_with_its_reason_and_the_race_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(avro_files, "write", _refuse)
    avro, csv = race.run(RaceParams(n_rows=1_000, repeats=2, formats=("Avro", "CSV"))).lanes
    assert avro.refused == "refuses to write: ValueError: a b is no Avro name" and not avro.seconds
    assert len(csv.seconds["write"]) == 2


def _refuse(*_: Any) -> None:
    raise ValueError("a b is no Avro name")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"columns": ()}, "columns must name at least one column"),
        ({"columns": ("wings",)}, "columns must be one of"),
        ({"predicate_column": "carrier"}, "predicate_column must be one of"),
        (
            {"table": "upload", "upload": "/etc/passwd"},
            "upload must be a file that you uploaded here",
        ),
    ],
)
def test_columns_must_be_the_tables_own(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(").replace(".", r"\.")):
        RaceParams(**setting)


PACKED = ("CSV gzip", "JSON Lines gzip", "Avro snappy", "Parquet zstd")
QUICK: dict[str, Any] = {"n_rows": 1_000, "repeats": 1}
SCRIPTS = [
    SMALL,
    RaceParams(**QUICK, types="rich", formats=PACKED, zstd_level=9),
    RaceParams(**QUICK, types="rich", table="weather", columns=("temp",)),
    RaceParams(
        **QUICK,
        types="rich",
        table="synthetic",
        columns=("amount",),
        predicate_column="id",
        null_share=0.5,
    ),
]


@pytest.mark.parametrize("params", SCRIPTS, ids=lambda p: f"{p.table}-{len(p.formats)}")
def test_the_script_prints_the_headline(params: RaceParams) -> None:
    assert run_script(scripts.render(params)) == race.run(params).headline()


def test_the_table_holds_every_single_run(everything: RaceResult) -> None:
    table = everything.table()
    assert table.num_rows == 17 * 4
    first = table.to_pylist()[0]
    assert float(first["runs_seconds"]) == pytest.approx(first["median_seconds"], abs=1e-6)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_the_figure_shows_each_run_and_each_size(everything: RaceResult, operation: Any) -> None:
    figure = race_figures.chart(everything, operation)
    bars = next(trace for trace in figure.data if isinstance(trace, go.Bar))
    assert list(bars.x) == [lane.file_bytes for lane in everything.lanes]
    (dots,) = (
        trace for trace in figure.data if trace.hovertemplate and "one run" in trace.hovertemplate
    )
    runs = [
        (lane.name, seconds) for lane in everything.lanes for seconds in lane.seconds[operation]
    ]
    assert list(zip(dots.y, dots.x, strict=True)) == runs
    (medians,) = (
        trace for trace in figure.data if trace.hovertext and "median of" in trace.hovertext[0]
    )
    assert list(medians.x) == [lane.median_seconds(operation) for lane in everything.lanes]
    factors = [format_factor(everything.factor(lane, operation) or 0) for lane in everything.lanes]
    assert [note.text.strip("</b>") for note in figure.layout.annotations] == [*factors, "× best"]
    assert len(figure.to_json()) < 300_000
    both = race_figures.chart(everything, operation, everything)
    assert len(both.data) > len(figure.data)
    assert race_figures.chart(
        race.RaceResult(SMALL, (), 0, 0, 0, 0, (), datetime.now(UTC)), operation
    ).layout.title.text


def test_a_preview_measures_few_rows_once_and_says_so() -> None:
    few = race.preview(RaceParams(formats=("CSV", "Parquet snappy")))
    assert few.n_rows == race.PREVIEW_ROWS and few.best("read columns") and not few.complete
    assert few.verdict.startswith("Preview on 1,000 rows: ") and few.params.n_rows == 20_000
