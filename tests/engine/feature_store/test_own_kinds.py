"""Views of every kind that Feast answers, in repositories that ``feast apply`` makes: its answer
against the explained join, and against Feast asked apart from the viewer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from engine import workspace
from engine.errors import InputError
from engine.feature_store import feast_internals, feast_repo, serving
from engine.feature_store.explanation import explain
from engine.feature_store.own import figure as figures
from engine.feature_store.own import viewer
from engine.feature_store.own.asked import plain, plain_value, same
from engine.feature_store.own.viewer import OwnView, OwnViewer
from engine.jobs import run_to_end

DAY = datetime(2024, 3, 1, tzinfo=UTC)
UTC_TIME = pa.timestamp("us", "UTC")
HOURS = [0, 5, 5, 20, 3]
TIMES = pa.array([DAY + timedelta(hours=h) for h in HOURS], UTC_TIME)
ARRIVED = pa.array([DAY + timedelta(hours=h + k) for k, h in enumerate(HOURS)], UTC_TIME)
TEXTS, X = pa.array(list("aaaab")), pa.array([1.0, 2.0, 2.5, None, 7.0])
LISTS = {
    "Float64": pa.array([[1.0, 2.0], None, [], [float("nan"), 1.0], [3.0]]),
    "Float32": pa.array([[1.5], None, [], [2.25], [3.0]], pa.list_(pa.float32())),
    "Int64": pa.array([[1, 2], None, [], [2**60 + 1], [3]]),
    "Int32": pa.array([[1], None, [], [2], [3]], pa.list_(pa.int32())),
    "String": pa.array([["a"], None, [], ["b", None], ["c"]]),
    "Bool": pa.array([[True], None, [], [False, True], [True]]),
    "Bytes": pa.array([[b"a"], None, [], [b"\xff"], [b"c"]]),
    "UnixTimestamp": pa.array([[DAY], None, [], [DAY, DAY], [DAY]], pa.list_(UTC_TIME)),
}


@dataclass
class Made:
    """A view to be made: its file, and how it is defined."""

    columns: dict[str, pa.Array]
    keys: tuple[str, ...] = ("k",)
    dtype: Any = "Float64"
    feature: str = "x"
    mapped: dict[str, str] | None = None
    time: str = "event_timestamp"
    created: str = ""
    ttl: timedelta = timedelta(hours=6)


def of(key: pa.Array | None = None, x: pa.Array = X, time: pa.Array = TIMES, **more: Any) -> Made:
    """A view with one join key and the times in view; ``more`` are its other columns."""
    columns = {"k": TEXTS if key is None else key, "event_timestamp": time, "x": x, **more}
    return Made(columns, created="made" if "made" in more else "")


def value_type(made: Made, key: str) -> Any:
    """The type that the entity declares, as the file has it."""
    from feast import ValueType

    stored = {new: old for old, new in (made.mapped or {}).items()}
    kind = made.columns[stored.get(key, key)].type
    names = {"string": "STRING", "int64": "INT64", "double": "DOUBLE", "bool": "BOOL"}
    return ValueType[names[str(kind)]]


def repository(folder: Path, offline: Any, views: dict[str, Made], services: Any = None) -> Any:
    """Apply a repository with the views; ``services(views)`` gives its feature services."""
    from feast import Entity, FeatureView, Field, FileSource, types

    entities = {
        (name, key): Entity(name=f"{name}_{key}", join_keys=[key], value_type=value_type(made, key))
        for name, made in views.items()
        for key in made.keys
    }
    found = {}
    for name, made in views.items():
        pq.write_table(pa.table(made.columns), folder / f"{name}.parquet")
        source = FileSource(
            name=f"{name}_source",
            path=str(folder / f"{name}.parquet"),
            timestamp_field=made.time,
            created_timestamp_column=made.created,
            field_mapping=made.mapped,
        )
        dtype = getattr(types, made.dtype) if isinstance(made.dtype, str) else made.dtype
        found[name] = FeatureView(
            name=name,
            entities=[entities[name, key] for key in made.keys],
            ttl=made.ttl,
            schema=[Field(name=made.feature, dtype=dtype)],
            source=source,
        )
    with serving.feast_alone():
        store = feast_repo.open_repo(folder, offline=offline, project="theirs")
        store.apply([*entities.values(), *found.values(), *(services(found) if services else [])])
    return store


def looked_at(folder: Path) -> dict[str, OwnView]:
    result: OwnViewer = run_to_end(viewer.steps(str(folder)))
    assert result.verdict
    return {view.name: view for view in result.views}


def check(view: OwnView, store: Any = None) -> None:
    """Feast and the explained join agree on every label but those of rows that tie; asked apart,
    with full names, Feast says the same again.
    """
    assert not view.refusal, (view.name, view.refusal)
    assert view.n_agree + view.n_tied == len(view.answers) > 0, view.name
    for key in range(len(view.keys)):
        figures.life(view, key)
        assert view.candidates(int(view.labels(key)[-1])) is not None
    if store is None or view.explanation is None:
        return
    labels = view.explanation.labels
    frame = labels.drop_columns(set(labels.column_names) & {feast_internals.DUMMY_KEY}).to_pandas()
    frame["number"] = np.arange(len(frame))
    with serving.feast_alone():
        job = store.get_historical_features(
            frame, [f"{view.name}:{view.feature}"], full_feature_names=True
        )
        answer = job.to_df()
    found = dict(zip(answer["number"], answer[f"{view.name}__{view.feature}"], strict=True))
    for label, given_ in enumerate(view.answers):
        if same(view.explained_value(label), given_):  # elsewhere rows tie: any may come back
            other = plain_value(found.get(label))
            assert same(other, given_) or view.n_tied or view.explanation.store == "file"


def kinds() -> dict[str, Made]:
    from feast import types

    naive = TIMES.cast(pa.timestamp("us"))
    texts = pa.array(["a", None, None, "b", "b"])
    ints = pa.array([1, 1, None, None, 2])
    views = {
        "mapped_key": Made(
            {"driver": TEXTS, "event_timestamp": TIMES, "val": X},
            mapped={"driver": "k", "val": "x"},
        ),
        "mapped_times": Made(
            {"k": TEXTS, "ts": TIMES, "arr": ARRIVED, "x": X},
            mapped={"ts": "happened", "arr": "known"},
            time="happened",
            created="known",
        ),
        "null_ints": of(ints),
        "null_doubles": of(ints.cast(pa.float64())),
        "null_texts": of(texts),
        "flags": of(pa.array([True, True, False, None, False])),
        "ids": of(pa.array([2**53, 2**53 + 1, 2**53 + 1, 2, 2])),
        "two_keys": Made(
            {"k": TEXTS, "n": ints, "event_timestamp": TIMES, "x": X}, keys=("k", "n")
        ),
        "no_entity": Made({"event_timestamp": TIMES, "x": X}, keys=()),
        "one_row": of(pa.array(["a"]), X[:1], TIMES[:1]),
        "naive": of(time=naive),
        "zoned": of(time=TIMES.cast(pa.timestamp("us", "America/New_York")), made=ARRIVED),
        "nanoseconds": of(time=TIMES.cast(pa.timestamp("ns", "UTC"))),
        "before_1970": of(time=pc_minus(TIMES, 60 * 365), made=ARRIVED),
        "no_time": of(time=pa.array([*TIMES.to_pylist()[:4], None], UTC_TIME)),
        "arrivals": of(made=ARRIVED),
        "null_arrival": of(made=pa.array([*ARRIVED.to_pylist()[:4], None], UTC_TIME)),
        "moments": of(x=TIMES),
        "bytes": of(x=pa.array([b"a", None, b"", b"\xff", b"d"])),
    }
    views["moments"].dtype, views["bytes"].dtype = "UnixTimestamp", "Bytes"
    created = of()
    created.columns["created"] = created.columns.pop("x")
    views["called_created"] = Made(created.columns, feature="created")
    for name, values in LISTS.items():
        array = types.Array(getattr(types, name))
        views[f"lists_of_{name.lower()}"] = of(x=values)
        views[f"lists_of_{name.lower()}"].dtype = array
    return views


def pc_minus(times: pa.Array, days: int) -> pa.Array:
    return pa.array([time - timedelta(days=days) for time in times.to_pylist()], UTC_TIME)


@pytest.mark.parametrize("offline", ["duckdb", "file"])
def test_what_feast_answers_is_shown(tmp_path: Path, offline: Any) -> None:
    views = kinds()
    empty = of(TEXTS[:0], X[:0], TIMES[:0])
    store = repository(tmp_path, offline, {**views, "empty": empty})
    shown = looked_at(tmp_path)
    assert shown["empty"].refusal == "its source has no rows"
    for name in views:
        check(shown[name], store)
    assert shown["mapped_key"].keys == ("a", "b") and 7.0 in shown["mapped_key"].answers
    assert shown["null_ints"].keys[:2] == (
        ("1", "null") if offline == "duckdb" else ("1.0", "null")
    )
    at_null = [shown["null_ints"].answers[label] for label in shown["null_ints"].labels(1)]
    assert any(value is not None for value in at_null) == (offline == "file"), (
        "null keys match in the file store alone"
    )
    lists = shown["lists_of_string"].answers
    assert ["a"] in lists and None in lists and ["c"] in lists
    assert shown["no_time"].n_without_time == 1 and shown["no_entity"].keys == ("(no join key)",)


@pytest.mark.parametrize("offline", ["duckdb", "file"])
def test_projections_of_a_service_are_shown_by_their_names_and_keys(
    tmp_path: Path, offline: Any
) -> None:
    from feast import FeatureService

    def services(views: dict[str, Any]) -> list[Any]:
        one, two = views["one"], views["two"]
        ends = [one.with_name(end).with_join_key_map({"k": f"{end}_k"}) for end in ("from", "to")]
        part = two.with_name("part").with_join_key_map({"k": "origin"})
        return [FeatureService(name="trips", features=[*ends, part])]

    keys = pa.array([1, 1, 3, 4, 2])
    two = Made({"k": TEXTS, "n": keys, "event_timestamp": TIMES, "x": X}, keys=("k", "n"))
    repository(tmp_path, offline, {"one": of(made=ARRIVED), "two": two}, services)
    shown = looked_at(tmp_path)
    assert {"one", "two", "trips: from", "trips: to", "trips: part"} == set(shown)
    for view in shown.values():
        check(view)
    assert shown["trips: to"].answers.count(7.0) == shown["one"].answers.count(7.0) > 0
    # the duckdb store joins only on the keys that the projection maps
    assert len(shown["trips: part"].keys) == (2 if offline == "duckdb" else 4)


def test_where_feast_itself_stops_its_own_words_are_shown(tmp_path: Path) -> None:
    views = {"half_days": of(), "right": of(), "lost": of()}
    views["half_days"].ttl = timedelta(hours=36)
    store = repository(tmp_path, "duckdb", views)
    (tmp_path / "lost.parquet").unlink()
    shown = looked_at(tmp_path)
    assert shown["half_days"].refusal.startswith("Feast itself stops: ")
    assert "mixed units" in shown["half_days"].refusal
    assert shown["lost"].refusal.startswith("Feast itself stops: ")
    check(shown["right"], store)


def test_text_from_a_dictionary_and_moments_of_any_zone_are_made_plain() -> None:
    words = pa.chunked_array([TEXTS.dictionary_encode()])
    assert plain(words).to_pylist() == TEXTS.to_pylist()
    local = pa.chunked_array([TIMES.cast(pa.timestamp("us", "Asia/Tokyo"))])
    assert plain(local).type == UTC_TIME and plain(local).to_pylist() == TIMES.to_pylist()
    assert plain_value(np.datetime64("2024-03-01T00:00:00")) == DAY
    assert plain_value([np.nan, np.float32(1.5), pd.NaT]) == [None, 1.5, None]
    assert same([1.0, None], [1, None]) and not same(None, 1.0) and not same([1], [1, 2])


MIXED: dict[str, list[Any]] = {
    "ints": [1, 2, 3],
    "doubles": [1.0, 2.5, None],
    "texts": ["1", "2", "2.5"],
    "big": [2**53, 2**53 + 1, 2],
    "big doubles": [float(2**53), 2.0, 2.0],
}


@pytest.mark.parametrize("offline", ["duckdb", "file"])
def test_join_keys_of_two_types_are_compared_as_feast_compares_them(
    tmp_path: Path, offline: Any
) -> None:
    """Labels of each type against files of each type: the explained join answers as Feast, or
    refuses where Feast does.
    """
    files = {name.replace(" ", "_"): values for name, values in MIXED.items()}
    times = TIMES[:1].to_pylist() * 3
    made = {name: of(pa.array(v), X[:3], pa.array(times, UTC_TIME)) for name, v in files.items()}
    store = repository(tmp_path, offline, made)
    for name, in_file in made.items():
        features = pa.table(in_file.columns)
        for values in MIXED.values():
            moments = pd.to_datetime([DAY + timedelta(hours=n + 1) for n in range(3)])
            frame = pd.DataFrame({"k": values, "event_timestamp": moments, "place": range(3)})
            labels = pa.Table.from_pandas(frame, preserve_index=False)
            try:
                with serving.feast_alone():
                    job = store.get_historical_features(frame.copy(), [f"{name}:x"])
                    answer = job.to_df().set_index("place")["x"]
            except Exception:  # Ibis and pandas each refuse in their own way
                with pytest.raises(InputError, match="must have one type"):
                    explain(labels, features, keys=["k"], ttl=timedelta(hours=6), store=offline)
                continue
            told = explain(labels, features, keys=["k"], ttl=timedelta(hours=6), store=offline)
            theirs = [plain_value(answer.get(n)) for n in range(3)]
            ours = [plain_value(value) for value in told.values("x")]
            tied = {values.index(v) for v in values if v in (2**53, 2**53 + 1)}
            assert all(
                same(a, b)
                for n, (a, b) in enumerate(zip(ours, theirs, strict=True))
                if n not in tied
            )
            assert all((ours[n] is None) == (theirs[n] is None) for n in tied)


# ---- generated repositories


@some.composite
def a_view(draw: some.DrawFn) -> Made:
    n = draw(some.integers(1, 14))

    def column(values: some.SearchStrategy[Any], kind: pa.DataType) -> pa.Array:
        return pa.array(draw(some.lists(values, min_size=n, max_size=n)), kind)

    hours = some.sampled_from([0, 1, 1, 5, 24, 30])  # duplicates are likely
    moments = hours.map(lambda h: DAY + timedelta(hours=h))
    kind = draw(
        some.sampled_from([("us", "UTC"), ("us", None), ("us", "Asia/Tokyo"), ("ns", "UTC")])
    )
    time = column(moments, UTC_TIME).cast(pa.timestamp("us", kind[1])).cast(pa.timestamp(*kind))
    nullable = some.none() if draw(some.booleans()) else some.nothing()
    keys: dict[str, tuple[some.SearchStrategy[Any], pa.DataType]] = {
        "k": (some.sampled_from(["a", "b", "ü"]), pa.string()),
        "n": (some.integers(-1, 2), pa.int64()),
        "d": (some.sampled_from([0.5, 1.0]), pa.float64()),
    }
    names = tuple(draw(some.sets(some.sampled_from(sorted(keys)), min_size=1, max_size=2)))
    columns = {name: column(keys[name][0] | nullable, keys[name][1]) for name in names}
    mapped = {f"their_{name}": name for name in names if draw(some.booleans())}
    stored = {new: old for old, new in mapped.items()}
    columns = {stored.get(name, name): values for name, values in columns.items()}
    numbers = some.floats(-9, 9) | some.none()
    is_list = draw(some.booleans())
    values = some.lists(some.integers(0, 9), max_size=3) | some.none() if is_list else numbers
    columns["x"] = column(values, pa.list_(pa.int64()) if is_list else pa.float64())
    columns["event_timestamp"] = time
    created = draw(some.booleans())
    if created:
        columns["made"] = column(moments, UTC_TIME)
    ttl = timedelta(hours=draw(some.sampled_from([0, 2, 24])))
    from feast import types

    dtype = types.Array(types.Int64) if is_list else "Float64"
    return Made(columns, names, dtype, "x", mapped or None, created="made" * created, ttl=ttl)


@pytest.mark.parametrize("offline", ["duckdb", "file"])
@settings(max_examples=6, deadline=None)
@given(some.lists(a_view(), min_size=3, max_size=5))
def test_generated_repositories_are_answered_as_by_feast(offline: Any, views: list[Made]) -> None:
    folder = workspace.scratch("generated-repo")
    try:
        named = {f"view_{number}": made for number, made in enumerate(views)}
        store = repository(folder, offline, named)
        for view in looked_at(folder).values():
            check(view, store)
    finally:
        workspace.remove(folder)
