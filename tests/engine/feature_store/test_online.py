"""Online: the explained schedule against Feast's own SQLite store cell by cell, a plain loop, and
the script on Feast.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pyarrow as pa
import pytest

from engine import scripts, workspace
from engine.errors import InputError
from engine.feature_store import feast_internals, feast_repo, online, serving
from engine.feature_store.online import OnlineParams, real
from engine.feature_store.online import figure as figures
from engine.feature_store.online.result import NONE, WEEK_HOURS, Strategy
from engine.feature_store.own import online as own_online
from engine.feature_store.own import repo
from engine.jobs import run_to_end
from engine.units import format_share
from tests.engine.printed import run_script

LATE = OnlineParams(
    strategy="incremental, then a backfill",
    every_hours=12,
    delay_hours=7,
    ttl_hours=48,
    at_hours=103,
)


# ---- against Feast


@pytest.mark.parametrize(
    "params",
    [
        OnlineParams(source="weather", strategy="full", every_hours=24, delay_hours=5, ttl_hours=3),
        OnlineParams(source="weather", strategy="incremental", every_hours=12, delay_hours=12),
        OnlineParams(strategy="incremental", every_hours=48, ttl_hours=0),
        LATE,
    ],
)
def test_feasts_store_holds_the_explained_rows_after_every_run(params: OnlineParams) -> None:
    served = real.serve(params.job)
    explained = online.run(params)
    assert served.complete and served.agrees, served.verdict
    assert served.n_agree == served.n_cells == len(explained.rows.names) * len(explained.runs)
    assert served.first_incremental_rows == 0, (
        "an incremental run on an empty store starts at now - TTL"
    )
    n_null = int(
        explained.expired(WEEK_HOURS).sum() + (explained.offline[WEEK_HOURS] == NONE).sum()
    )
    assert served.n_null_offline == n_null and (params.ttl_hours > 0 or n_null == 0)
    assert served.n_null_present == served.n_expected and served.statuses is not None
    late = {
        (row.created_time - row.event_time).total_seconds() / 3600
        for row in served.rows
        if row.created_time
    }
    assert late == {params.delay_hours} and all(
        b"\x00" in bytes.fromhex(row.stored_key) for row in served.rows
    )
    assert served.statuses.get("PRESENT", 0) == int((explained.online[WEEK_HOURS] != NONE).sum())
    assert set(served.statuses) <= {
        "PRESENT",
        "NOT_FOUND",
    }, "no OUTSIDE_MAX_AGE: reads ignore the TTL"


@pytest.mark.parametrize(
    "params",
    [OnlineParams(), replace(LATE, at_hours=60), OnlineParams(source="weather", at_hours=7)],
)
def test_the_script_is_feast_itself(params: OnlineParams) -> None:
    assert run_script(scripts.render(params)) == online.run(params).headline()


def test_a_disagreement_turns_the_badge() -> None:
    served = real.serve(OnlineParams(source="weather", every_hours=48).job)
    assert served.agrees and ":material/verified:" in served.verdict
    assert ":material/error:" in replace(served, n_agree=served.n_agree - 1).verdict
    assert ":material/error:" in replace(served, n_expected=served.n_expected + 1).verdict


def tiny(
    folder: Path, rows: list[tuple[str, int, float | None]], ttl_hours: int = 2, **repository: Any
) -> Any:
    """A repository with one view ``v`` over (key, hour of 1 July 2013, value)."""
    moments = [online.START + timedelta(hours=hour) for _, hour, _ in rows]
    table = pa.table(
        {
            "k": [key for key, _, _ in rows],
            "event_timestamp": moments,
            "x": [value for _, _, value in rows],
        }
    )
    path = feast_repo.write(table, folder / "rows.parquet")
    key = feast_repo.entity("k")
    with serving.feast_alone():
        store = feast_repo.open_repo(folder, **{"project": "tiny", **repository})
        ttl = timedelta(hours=ttl_hours)
        store.apply(
            [
                key,
                feast_repo.view(
                    "v", path, entities=[key], features={"x": "Float64"}, ttl=ttl, created=None
                ),
            ]
        )
    return store


def instant(hour: int) -> datetime:
    return online.START + timedelta(hours=hour)


def test_an_older_window_overwrites_newer_values(tmp_path: Path) -> None:
    store = tiny(tmp_path, [("a", 1, 10.0), ("a", 9, 90.0), ("b", 2, None)])
    serving.materialize(store, instant(0), instant(12), ["v"])
    database = tmp_path / "online.db"
    assert [
        (r.key, r.value, r.event_time)
        for r in serving.online_rows(database, "tiny_v", project="tiny")
    ] == [
        ("a", 90.0, instant(9)),
        ("b", None, instant(2)),
    ]
    serving.materialize(store, instant(0), instant(5), ["v"])
    assert [row.value for row in serving.online_rows(database, "tiny_v", project="tiny")] == [
        10.0,
        None,
    ]
    serving.materialize_incremental(store, instant(20), ["v"])
    assert serving.online_rows(database, "tiny_v")[0].value == 10.0, (
        "no newer row in the window: it stays in the past"
    )
    answer = store.get_online_features(["v:x"], [{"k": "a"}, {"k": "b"}, {"k": "c"}])
    assert feast_internals.statuses_of(answer, "x") == [
        "PRESENT",
        "PRESENT",
        "NOT_FOUND",
    ], "a stored null is PRESENT too, not NULL_VALUE"
    assert serving.event_seconds(database, "tiny_v", "x") == {
        "a": instant(1).timestamp(),
        "b": instant(2).timestamp(),
    }


def test_stored_times_are_right_in_any_zone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        store = tiny(tmp_path, [("a", 3, 1.0)])
        serving.materialize(store, instant(0), instant(12), ["v"])
        ((_, _, _, stored, _),) = serving.raw_rows(tmp_path / "online.db", "tiny_v")
        assert stored == instant(3).timestamp() + 4 * 3600, (
            "Feast takes the UTC reading for local time"
        )
        assert serving.online_rows(tmp_path / "online.db", "tiny_v")[0].event_time == instant(3)
    finally:
        monkeypatch.undo()
        time.tzset()


def test_two_visitors_never_share_a_registry() -> None:
    """Two jobs step by step in turns: two folders, both right, both gone afterwards; a cancelled
    one cleans up as well.
    """
    scratch = workspace.server() / "scratch"
    before = set(scratch.glob("feast-online-*"))
    first, second = (
        real.steps(OnlineParams(source="weather", every_hours=48, ttl_hours=ttl)) for ttl in (1, 3)
    )
    seen: set[Path] = set()
    results = {}
    waiting = {"first": first, "second": second}
    while waiting:
        for name, steps in list(waiting.items()):
            try:
                next(steps)
                seen |= set(scratch.glob("feast-online-*")) - before
            except StopIteration as stop:
                results[name] = stop.value
                del waiting[name]
    assert len(seen) == 2 and results["first"].agrees and results["second"].agrees
    third = real.steps(OnlineParams(source="weather"))
    next(third)
    assert len(set(scratch.glob("feast-online-*")) - before) == 1
    third.close()
    assert set(scratch.glob("feast-online-*")) == before


# ---- by a plain loop, and by hand


@pytest.mark.parametrize("strategy", get_args(Strategy))
@pytest.mark.parametrize("delay", [0, 5, 30])
def test_the_week_by_a_plain_loop(strategy: Any, delay: int) -> None:
    params = OnlineParams(strategy=strategy, every_hours=12, delay_hours=delay)
    result = online.run(params)
    rows = result.rows
    for key in (0, 7, 299):
        mine = [place for place in range(len(rows.key)) if rows.key[place] == key]
        held, runs = NONE, list(result.runs)
        for hour in range(WEEK_HOURS + 1):
            while runs and runs[0].hour <= hour:
                run = runs.pop(0)
                inside = [
                    p for p in mine if run.start <= rows.hour[p] <= min(run.end, run.hour - delay)
                ]
                held = inside[-1] if inside else held
            latest = [p for p in mine if rows.hour[p] <= hour]
            assert result.online[hour, key] == held and result.offline[hour, key] == (
                latest[-1] if latest else NONE
            )


def test_more_often_is_fresher_and_late_feeds_lose_rows() -> None:
    hourly, daily = (
        online.run(OnlineParams(source="weather", every_hours=every)) for every in (1, 24)
    )
    assert hourly.stale_share == 0 and hourly.worst_lag_hours == 0
    assert daily.stale_share > 0.9 and daily.worst_lag_hours == 23
    late = online.run(OnlineParams(source="weather", every_hours=1, delay_hours=2))
    full = online.run(OnlineParams(source="weather", every_hours=1, delay_hours=2, strategy="full"))
    assert (
        late.n_online == 3
        and late.mean_lag_hours > 80
        and full.mean_lag_hours == pytest.approx(2, abs=0.1)
    )
    assert "Incremental runs never bring it" in " ".join(late.why)


def test_the_words_and_the_table_say_the_numbers() -> None:
    result = online.run(LATE)
    assert (
        f"**{format_share(result.stale_share)}**" in result.verdict
        and f"**{result.n_expired_present:,}** of 300" in result.verdict
    )
    assert any("overwrite newer" in reason for reason in result.why)
    table = result.table()
    assert table.num_rows == WEEK_HOURS + 1 and table["serving_event_hour"][
        103
    ].as_py() == pytest.approx(float(result.rows.hour[result.online[103, 0]]))
    texts = result.keys_at(103)
    assert len(texts) == 3 and {text["status"] for text in texts} <= {"PRESENT", "NOT_FOUND"}


def test_another_hour_asks_for_no_new_job() -> None:
    assert OnlineParams(at_hours=3, key_number=2, feature="visib").job == OnlineParams().job
    assert OnlineParams(every_hours=6).job != OnlineParams().job


# ---- figures


def test_figures_show_the_results_numbers() -> None:
    result = online.run(LATE)
    life = figures.life(result, online.run(OnlineParams()))
    values = result.values("mean_delay")
    assert (
        life.data[1].y[103] == pytest.approx(values[result.online[103, 0]], abs=1e-3)
        and len(life.data) == 4
    )
    share = figures.keys_by_hour(result, result)
    assert share.data[0].y[103] == pytest.approx(100 * result.n_stale / 300, abs=0.01)
    assert share.data[1].y[103] == pytest.approx(100 * result.n_expired_present / 300, abs=0.01)
    served = real.serve(OnlineParams(source="weather", every_hours=48).job)
    latency = figures.latency(served)
    assert sum(latency.data[0].y) == real.N_READS and "p99" in latency.data[0].name
    assert (
        figures.latency(real.ServedResult(OnlineParams())).layout.title.text
        == "The reads have not been timed yet"
    )
    assert all(len(figure.to_json()) < 300_000 for figure in (life, share, latency))


# ---- a repository of one's own


def hashes(folder: Path) -> dict[str, str]:
    return {
        str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in folder.rglob("*")
        if p.is_file()
    }


def test_an_own_store_is_read_and_nothing_in_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tiny(tmp_path, [("a", 1, 10.0), ("a", 9, 90.0), ("b", 2, None)])
    serving.materialize(store, instant(0), instant(12), ["v"])
    before = hashes(tmp_path)
    monkeypatch.setenv(repo.VARIABLE, f" {tmp_path} ")
    result = run_to_end(own_online.steps(repo.own_repo()))
    assert hashes(tmp_path) == before
    (table,) = result.tables
    assert (table.view, table.n_rows, table.n_keys, table.n_null) == ("v", 2, 2, 1)
    assert table.newest == instant(9) and len(table.seconds) == own_online.N_READS
    assert "Project **tiny** serves **2** rows of 1 feature view from sqlite" in result.verdict
    assert [row["value"] for row in result.row_texts()] == ["90.0", "null"]
    assert figures.own_latency(result).layout.title.text.startswith("v is slowest to read")


def test_an_own_store_without_rows_says_what_to_do(tmp_path: Path) -> None:
    tiny(tmp_path, [("a", 1, 10.0)])
    result = run_to_end(own_online.steps(str(tmp_path)))
    assert result.empty == ("v",) and "run `feast materialize`" in result.verdict
    assert figures.own_latency(result).layout.title.text == "No rows are served yet"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "has none"),
        ("project: [", "must be YAML"),
        ("just words", "must hold settings such as project and registry"),
        ("project: p\nprovider: local\nregistry: r.db\n", "must exist: run `feast apply`"),
    ],
)
def test_a_bad_own_repository_is_a_sentence(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "feature_store.yaml").write_text(text)
    with pytest.raises(InputError, match=message):
        run_to_end(own_online.steps(str(tmp_path)))


def test_a_folder_that_is_not_there_and_settings_that_feast_refuses(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"PLAYGROUND_FEAST_REPO must name a folder. Got .*nowhere"
    ):
        run_to_end(own_online.steps(str(tmp_path / "nowhere")))
    (tmp_path / "registry.db").write_bytes(b"")
    (tmp_path / "online.db").write_bytes(b"")
    yaml = (
        "project: p p\nprovider: local\nregistry: registry.db\nonline_store: {type: sqlite, path:"
        " online.db}\n"
    )
    (tmp_path / "feature_store.yaml").write_text(yaml)
    with pytest.raises(InputError, match="must be a repository that Feast can open"):
        run_to_end(own_online.steps(str(tmp_path)))
    assert datetime.now(UTC) > online.START and np.isfinite(online.run(OnlineParams()).stale_share)
