"""Point in time: a brute-force join, written plainly, agrees with the explained one and with real
Feast on both stores.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import scripts
from engine.errors import InputError
from engine.feature_store import feast_repo, flight_features, point_in_time
from engine.feature_store.explanation import OUTCOMES, Explanation, explain
from engine.feature_store.feast_repo import CREATED, EVENT, STORES, Store
from engine.feature_store.point_in_time import PointInTimeParams, figure, naive_joins, real
from engine.jobs import run_to_end
from tests.engine.printed import run_script

START = datetime(2013, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
NONE = timedelta(0)


def instant(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def features_of(rows: list[tuple[str | None, float, float]]) -> pa.Table:
    """Rows of (key, event, arrival) in minutes; their value is their place."""
    return pa.table(
        {
            "k": pa.array([row[0] for row in rows], pa.string()),
            EVENT: pa.array([instant(row[1]) for row in rows], pa.timestamp("us", "UTC")),
            CREATED: pa.array([instant(row[2]) for row in rows], pa.timestamp("us", "UTC")),
            "value": pa.array([float(i) for i in range(len(rows))], pa.float64()),
        }
    )


def labels_of(rows: list[tuple[str | None, float]]) -> pa.Table:
    return pa.table(
        {
            "k": pa.array([row[0] for row in rows], pa.string()),
            EVENT: pa.array([instant(row[1]) for row in rows], pa.timestamp("us", "UTC")),
            "label_id": pa.array(range(len(rows)), pa.int64()),
        }
    )


def feast(
    labels: pa.Table,
    features: pa.Table,
    ttl: timedelta,
    store: Store,
    folder: Path,
    filter_by_created: bool = False,
) -> dict[int, float | None]:
    """What real Feast answers to these very tables: label -> value; what is missing was dropped."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{len(list(folder.iterdir()))}.parquet"
    pq.write_table(features, path)
    repo = feast_repo.open_repo(folder / store, store)
    entity = feast_repo.entity("k")
    created = CREATED if CREATED in features.column_names else None
    repo.apply(
        [
            entity,
            feast_repo.view(
                "v",
                path,
                entities=[entity],
                features={"value": "Float64"},
                ttl=ttl,
                created=created,
            ),
        ]
    )
    answer = feast_repo.historical(
        repo, labels.to_pandas(), ["v:value"], filter_by_created=filter_by_created
    )
    return {
        int(i): None if pd.isna(v) else float(v)
        for i, v in zip(answer["label_id"], answer["value"], strict=True)
    }


def explained(e: Explanation) -> dict[int, float | None]:
    values = e.values("value")
    return {
        int(i): None if np.isnan(values[i]) else float(values[i])
        for i in np.flatnonzero(e.returned)
    }


# ---- the definition, written plainly


def brute_force(
    label: tuple[str | None, datetime],
    rows: list[tuple[str | None, datetime, datetime]],
    ttl: timedelta,
    store: Store,
    filter_by_created: bool,
) -> tuple[str, list[int]]:
    """Return how the label ends, and the rows that may win (several where event time and arrival
    are the same).
    """
    key, moment = label
    mine = [
        i for i, row in enumerate(rows) if row[0] == key and (key is not None or store == "file")
    ]
    past = [i for i in mine if rows[i][1] <= moment]
    fresh = [i for i in past if ttl == NONE or moment - rows[i][1] <= ttl]
    there = [i for i in fresh if not filter_by_created or rows[i][2] <= moment]
    if there:
        best = max((rows[i][1], rows[i][2]) for i in there)
        return "won", [i for i in there if (rows[i][1], rows[i][2]) == best]
    if fresh:
        return "arrived too late", []
    return ("expired" if past else "future" if mine else "no rows"), []


# half hours: few moments, so that ties and exact ends are common
STEPS = st.integers(0, 6).map(lambda i: 30 * i)
FEATURE_ROWS = st.lists(st.tuples(STEPS, st.integers(0, 4).map(lambda i: 30 * i)), max_size=7)
CASE = st.tuples(
    FEATURE_ROWS, st.lists(st.integers(-1, 9).map(lambda i: 30 * i), min_size=1, max_size=4)
)
TTL = st.sampled_from([0, 30, 60, 90]).map(lambda minutes: timedelta(minutes=minutes))


def joined_cases(cases: list[Any], with_nulls: bool) -> tuple[list[Any], list[Any]]:
    """Put many small cases into one pair of tables, each under a key of its own; keys without rows
    and null keys come along.
    """
    keys = [
        None if with_nulls and number == 1 else f"case {number}" for number in range(len(cases))
    ]
    rows = [
        (key, event, event + delay)
        for key, (some, _) in zip(keys, cases, strict=True)
        for event, delay in some
    ]
    labels = [(key, moment) for key, (_, some) in zip(keys, cases, strict=True) for moment in some]
    return rows[::2] + rows[1::2], labels[::-1]  # unsorted


def check_against_brute_force(e: Explanation, rows: list[Any], labels: list[Any]) -> None:
    times = [(key, instant(event), instant(created)) for key, event, created in rows]
    for number, (key, moment) in enumerate(labels):
        outcome, winners = brute_force(
            (key, instant(moment)), times, e.ttl, e.store, e.filter_by_created
        )
        assert OUTCOMES[e.outcome[number]] == outcome
        assert (e.winner[number] in winners) if winners else e.winner[number] == -1
        candidates, verdicts = e.candidates(number)
        mine = [
            i
            for i, row in enumerate(rows)
            if row[0] == key and (key is not None or e.store == "file")
        ]
        assert sorted(candidates) == mine
        for row, verdict in zip(candidates, verdicts, strict=True):
            event, created = rows[row][1:]
            age = moment - event
            expected = (
                "future" if age < 0
                else "expired" if e.ttl and age > e.ttl / timedelta(minutes=1)
                else "arrived too late" if e.filter_by_created and created > moment
                else "won" if row == e.winner[number]
                else "lost the tie" if event == rows[e.winner[number]][1]
                else "older"
            )  # fmt: skip
            assert verdict == expected


@settings(max_examples=150, deadline=None)
@given(st.lists(CASE, min_size=1, max_size=4), TTL, st.sampled_from(STORES), st.booleans())
def test_explained_join_is_the_definition_with_every_candidates_verdict(
    cases: list[Any], ttl: timedelta, store: Store, filter_by_created: bool
) -> None:
    rows, labels = joined_cases(cases, with_nulls=True)
    arguments: dict[str, Any] = {
        "keys": ["k"],
        "ttl": ttl,
        "store": store,
        "filter_by_created": filter_by_created,
    }
    check_against_brute_force(
        explain(labels_of(labels), features_of(rows), **arguments), rows, labels
    )


@pytest.mark.parametrize("filter_by_created", [False, True])
@pytest.mark.parametrize("store", STORES)
def test_real_feast_agrees_cell_by_cell(
    store: Store, filter_by_created: bool, tmp_path: Path
) -> None:
    """Forty cases a call, each under its own key, so that one call of Feast answers some hundred
    labels.
    """

    @settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(CASE, min_size=40, max_size=40), TTL, st.booleans())
    def agree(cases: list[Any], ttl: timedelta, naive: bool) -> None:
        rows, labels = joined_cases(cases, with_nulls=True)
        asked, known = labels_of(labels), features_of(rows)
        if naive:
            asked = asked.set_column(1, EVENT, asked[EVENT].cast(pa.timestamp("us")))
            known = known.set_column(1, EVENT, known[EVENT].cast(pa.timestamp("us")))
        e = explain(
            asked, known, keys=["k"], ttl=ttl, store=store, filter_by_created=filter_by_created
        )
        answer = feast(asked, known, ttl, store, tmp_path, filter_by_created)
        value, returned = np.full(len(labels), np.nan), np.zeros(len(labels), bool)
        for label, got in answer.items():
            place = e.group[label] if store == "file" else label
            value[place], returned[place] = np.nan if got is None else got, True
        check = real.compare(e, "value", 0.0, value, returned)
        assert check.n_disagreements == 0 and len(answer) == e.returned.sum()
        times = [(key, instant(event), instant(created)) for key, event, created in rows]
        for label in np.flatnonzero(returned & ~check.tie_lost):
            _, winners = brute_force(
                (labels[label][0], instant(labels[label][1])), times, ttl, store, filter_by_created
            )
            assert value[label] in winners if winners else np.isnan(value[label])

    agree()


# ---- differences that users meet unawares, on the real stores


def both(
    labels: pa.Table, features: pa.Table, ttl: timedelta, folder: Path, **more: Any
) -> list[dict[int, float | None]]:
    """Both stores' real answers, each the same as the explained one."""
    answers = []
    for store in STORES:
        answers.append(feast(labels, features, ttl, store, folder, **more))
        assert answers[-1] == explained(
            explain(labels, features, keys=["k"], ttl=ttl, store=store, **more)
        ), store
    return answers


def test_the_file_store_drops_rows_that_duckdb_keeps_as_nulls(tmp_path: Path) -> None:
    labels = labels_of(
        [("a", 30), ("a", 300), ("a", -5), ("nobody", 30)]
    )  # value, expired, only later rows, no rows
    duckdb, file = both(labels, features_of([("a", 0, 0), ("a", 30, 30)]), HOUR, tmp_path)
    assert duckdb == {0: 1.0, 1: None, 2: None, 3: None}
    assert file == {0: 1.0, 3: None}, "the key without rows stays, the other two are gone"


def test_a_late_correction_is_joined_into_an_earlier_label_unless_filtered(tmp_path: Path) -> None:
    labels, rows = labels_of([("a", 30), ("a", 200)]), features_of([("a", 0, 0), ("a", 0, 120)])
    assert both(labels, rows, NONE, tmp_path) == [{0: 1.0, 1: 1.0}] * 2, (
        "label 0 asked 90 minutes before it arrived"
    )
    e = explain(labels, rows, keys=["k"], ttl=NONE)
    assert e.leaked.tolist() == [
        True,
        False,
    ] and "though it arrived 90 min later" in e.explain_verdict(0, 1, "won")
    assert both(labels, rows, NONE, tmp_path, filter_by_created=True) == [{0: 0.0, 1: 1.0}] * 2
    assert not explain(labels, rows, keys=["k"], ttl=NONE, filter_by_created=True).leaked.any()


def test_equal_labels_are_one_row_in_the_file_store(tmp_path: Path) -> None:
    duckdb, file = both(
        labels_of([("a", 5), ("a", 5), ("a", 6)]), features_of([("a", 0, 0)]), NONE, tmp_path
    )
    assert (duckdb, file) == ({0: 0.0, 1: 0.0, 2: 0.0}, {1: 0.0, 2: 0.0})


def test_null_keys_match_in_the_file_store_only(tmp_path: Path) -> None:
    duckdb, file = both(
        labels_of([(None, 5), ("a", 5)]), features_of([("a", 0, 0), (None, 0, 0)]), NONE, tmp_path
    )
    assert (duckdb, file) == ({0: None, 1: 0.0}, {0: 1.0, 1: 0.0})


def test_the_file_store_loses_ties_beyond_sixteen_pairs_and_the_badge_says_so(
    tmp_path: Path,
) -> None:
    rows = [("a", 10 * i, 10 * i + j) for i in range(20) for j in (2, 0, 3, 1)]
    labels, features = labels_of([("a", 10 * i + 5) for i in range(20)]), features_of(rows)
    arguments: dict[str, Any] = {"keys": ["k"], "ttl": NONE}
    assert feast(labels, features, NONE, "duckdb", tmp_path) == explained(
        explain(labels, features, **arguments)
    )
    check = real.check(explain(labels, features, store="file", **arguments), "value", "k")
    assert check.n_ties_lost > 0 and check.n_disagreements == 0
    assert f"its store breaks {check.n_ties_lost} tie" in check.badge
    few = features_of(
        rows[:4]
    )  # four joined pairs: pandas sorts so few by insertion, which is stable
    assert both(labels_of([("a", 5)]), few, NONE, tmp_path) == [{0: 2.0}] * 2


def test_the_badge_goes_red_when_the_explanation_is_wrong() -> None:
    labels, rows = labels_of([("a", 30), ("a", 90)]), features_of([("a", 0, 0), ("a", 60, 60)])
    e = explain(labels, rows, keys=["k"], ttl=HOUR)
    assert real.check(e, "value", "k").badge == "Feast confirms all 2 labels"
    wrong = real.check(replace(e, winner=np.array([0, 0])), "value", "k")
    assert wrong.n_disagreements == 1 and wrong.badge == "Feast disagrees on 1 of 2 labels"
    lost = real.check(replace(e, store="file", outcome=np.array([2, 0])), "value", "k")
    assert lost.n_disagreements == 1, "a row that should have been dropped is there"


# ---- bad input: Feast's own rule


def test_both_ends_of_the_ttl_count_and_zero_never_expires(tmp_path: Path) -> None:
    rows = features_of([("a", 0, 0)])
    labels = labels_of([("a", 0), ("a", 60), ("a", 61), ("a", 99_999)])
    duckdb, file = both(labels, rows, HOUR, tmp_path)
    assert (duckdb, file) == ({0: 0.0, 1: 0.0, 2: None, 3: None}, {0: 0.0, 1: 0.0})
    assert both(labels, rows, NONE, tmp_path) == [dict.fromkeys(range(4), 0.0)] * 2


def test_a_negative_ttl_loses_every_label_in_file_and_is_refused_by_duckdb(tmp_path: Path) -> None:
    labels, rows = labels_of([("a", 30), ("nobody", 30)]), features_of([("a", 0, 0)])
    e = explain(labels, rows, keys=["k"], ttl=-HOUR, store="file")
    assert feast(labels, rows, -HOUR, "file", tmp_path) == explained(e) == {1: None}
    with pytest.raises(ValueError, match="interval"):
        feast(labels, rows, -HOUR, "duckdb", tmp_path)
    with pytest.raises(
        InputError, match="ttl must be zero .never expires. or more. Got -1 day, 23:00:00"
    ):
        explain(labels, rows, keys=["k"], ttl=-HOUR)


def test_an_empty_view_gives_nulls_and_no_labels_give_no_rows(tmp_path: Path) -> None:
    rows = features_of([("a", 0, 0)])
    assert (
        both(labels_of([("a", 5), ("b", 5)]), rows.slice(0, 0), HOUR, tmp_path)
        == [{0: None, 1: None}] * 2
    )
    assert both(labels_of([("a", 5)]).slice(0, 0), rows, HOUR, tmp_path) == [{}] * 2


def test_naive_timestamps_are_utc_and_order_does_not_matter(tmp_path: Path) -> None:
    rows, labels = features_of([("a", 60, 60), ("a", 0, 0)]), labels_of([("a", 70), ("a", 5)])
    naive = rows.set_column(1, EVENT, rows[EVENT].cast(pa.timestamp("us")))
    asked = labels.set_column(1, EVENT, labels[EVENT].cast(pa.timestamp("us", "America/New_York")))
    assert both(asked, naive, HOUR, tmp_path) == [{0: 0.0, 1: 1.0}] * 2


def test_nanoseconds_count_in_file_and_duckdb_rounds_those_of_features_and_refuses_those_of_labels(
    tmp_path: Path,
) -> None:
    nanos = 1_356_998_400_000_000_000
    rows = features_of([("a", 0, 0), ("a", 0, 0)])
    rows = rows.set_column(1, EVENT, pa.array([nanos, nanos + 600], pa.timestamp("ns", "UTC")))
    labels = labels_of([("a", 0), ("a", 0)])
    fine = labels.set_column(
        1, EVENT, pa.array([nanos + 599, nanos + 600], pa.timestamp("ns", "UTC"))
    )
    e = explain(fine, rows, keys=["k"], ttl=HOUR, store="file")
    assert feast(fine, rows, HOUR, "file", tmp_path) == explained(e) == {0: 0.0, 1: 1.0}
    with pytest.raises(pa.ArrowInvalid, match="would lose data"):
        feast(fine, rows, HOUR, "duckdb", tmp_path)
    with pytest.raises(
        InputError, match="'event_timestamp' of labels must have whole microseconds"
    ):
        explain(fine, rows, keys=["k"], ttl=HOUR)
    one = labels.slice(0, 1)
    # up to 499 ns of the future are rounded into the past
    for nanos_later, seen in ((499, True), (500, False)):
        later = rows.slice(1).set_column(
            1, EVENT, pa.array([nanos + nanos_later], pa.timestamp("ns", "UTC"))
        )
        answer = feast(one, later, HOUR, "duckdb", tmp_path)
        assert (
            answer
            == explained(explain(one, later, keys=["k"], ttl=HOUR))
            == {0: 1.0 if seen else None}
        )


def test_without_arrival_the_filter_does_nothing(tmp_path: Path) -> None:
    rows = features_of([("a", 0, 500)]).drop_columns([CREATED])
    assert (
        both(labels_of([("a", 5)]), rows, HOUR, tmp_path, filter_by_created=True) == [{0: 0.0}] * 2
    )


@pytest.mark.parametrize(
    ("labels", "features", "message"),
    [
        (
            labels_of([("a", 5)]).drop_columns(["k"]),
            features_of([]),
            "labels must have the join key 'k'. Got columns event_t",
        ),
        (
            labels_of([("a", 5)]),
            features_of([]).drop_columns(["k"]),
            "features must have the join key 'k'",
        ),
        (
            labels_of([("a", 5)]).drop_columns([EVENT]),
            features_of([]),
            "labels must have a column 'event_timestamp'",
        ),
        (
            labels_of([("a", 5)]).set_column(0, "k", pa.array([1])),
            features_of([]),
            "must have one type. Got numbers in labels",
        ),
        (
            labels_of([("a", 5)]).set_column(1, EVENT, pa.array(["x"])),
            features_of([]),
            "must be a timestamp. Got string",
        ),
        (
            labels_of([("a", 5)]),
            features_of([("a", 0, 0)]).set_column(1, EVENT, pa.nulls(1, pa.timestamp("us", "UTC"))),
            (
                "must be there in every row of features. Got 1 rows without. Feast's stores differ"
                " on them"
            ),
        ),
    ],
)
def test_what_cannot_be_joined_is_said_in_words(
    labels: pa.Table, features: pa.Table, message: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=message):
        explain(labels, features, keys=["k"], ttl=HOUR)


def test_feast_refuses_labels_without_their_key_as_well(tmp_path: Path) -> None:
    for store in STORES:
        with pytest.raises(Exception, match="k"):
            feast(
                labels_of([("a", 5)]).drop_columns(["k"]),
                features_of([("a", 0, 0)]),
                HOUR,
                store,
                tmp_path,
            )


def test_a_row_without_event_time_is_joined_to_anyone_by_file(tmp_path: Path) -> None:
    rows = features_of([("a", 0, 0)]).set_column(1, EVENT, pa.nulls(1, pa.timestamp("us", "UTC")))
    labels = labels_of([("a", -999)])
    assert feast(labels, rows, HOUR, "file", tmp_path) == {0: 0.0}, "why explain refuses such rows"
    assert feast(labels, rows, HOUR, "duckdb", tmp_path) == {0: None}


# ---- at scale, and on the page's own data


def test_thousands_of_flights_against_all_weather_agree_with_feasts_duckdb_store(
    tmp_path: Path,
) -> None:
    rows = flight_features.arriving(
        flight_features.feature_rows("weather"), "temp", delay_minutes=30, correct=True, seed=0
    )
    labels = flight_features.label_rows("weather").rename_columns(
        ["origin", EVENT, "match_time", "flight_name", "arr_delay"]
    )
    labels = labels.take(pa.array(range(0, labels.num_rows, 23)))
    e = explain(labels, rows, keys=["origin"], ttl=timedelta(hours=1), filter_by_created=True)
    check = real.check(e, "temp", "origin")
    assert (
        check.badge == f"Feast confirms all {labels.num_rows:,} labels" and labels.num_rows > 14_000
    )
    assert e.count("expired") > 0 and e.count("arrived too late") > 0


@pytest.mark.parametrize(
    "params",
    [
        PointInTimeParams(),
        PointInTimeParams(store="file", correct=True, ttl="30 min"),
        PointInTimeParams(source="planes", ttl="1 day", delay="1 h", filter_by_created=True),
    ],
)
def test_the_script_prints_the_headline_and_feast_confirms(params: PointInTimeParams) -> None:
    result = run_to_end(point_in_time.steps(params))
    assert result.check.n_disagreements == 0 and result.complete
    assert run_script(scripts.render(params)) == result.headline()


def test_naive_joins_hand_out_the_future() -> None:
    labels = labels_of([("a", 30), ("a", 90), ("b", 30)]).append_column(
        "match_time", pa.array([instant(60), instant(0), instant(0)], pa.timestamp("us", "UTC"))
    )
    rows = features_of([("a", 0, 0), ("a", 60, 120)])
    rows = rows.append_column("match_time", rows[EVENT])
    latest = naive_joins.latest_value(labels, rows, "value", "k")
    assert latest.row.tolist() == [1, 1, -1] and latest.future.tolist() == [True, True, False]
    equi = naive_joins.equi_join(labels, rows, "value", "k")
    assert equi.row.tolist() == [1, 0, -1] and equi.future.tolist() == [True, False, False]
    assert np.isnan(equi.value[2])


def test_every_outcome_has_its_words_and_its_figure() -> None:
    for params in (
        PointInTimeParams(),
        PointInTimeParams(store="file", ttl="30 min"),
        PointInTimeParams(ttl="30 min", delay="6 h", filter_by_created=True),
        PointInTimeParams(store="file", ttl="−1 h"),
        PointInTimeParams(source="planes", ttl="0", offset="0", n_rows=500, n_labels=500),
    ):
        result = point_in_time.run(params)
        counts = [result.explanation.count(outcome) for outcome in OUTCOMES]
        assert sum(counts) == result.n_labels and all(
            str(n) in " ".join(result.why) for n in counts if n
        )
        for label in {0, result.n_labels // 2, result.n_labels - 1}:
            for arrival in (False, True):
                assert len(figure.life(result, label=label, arrival=arrival).to_json()) < 300_000
            assert result.candidate_table(label).num_rows == result.explanation.features.num_rows
        assert len(figure.cells(result).to_json()) < 300_000


def test_a_plane_that_the_lab_does_not_show_is_refused() -> None:
    with pytest.raises(InputError, match="plane must be one of N725MQ, .* Got 'N1'"):
        PointInTimeParams(plane="N1")
