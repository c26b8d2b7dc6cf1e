"""Feast's online store on a real Redis and a real PostgreSQL: equal to SQLite, tidy, no password
anywhere, a sentence where it cannot be.
"""

from __future__ import annotations

import pickle
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import mmh3
import pytest

from engine import hosted, scripts
from engine.errors import InputError
from engine.feature_store import feast_internals, online, serving
from engine.feature_store.online import OnlineParams, attached, real
from engine.feature_store.online import figure as figures
from engine.feature_store.online.beside import N_CALLS, N_ROUNDS
from engine.feature_store.online.result import Store
from engine.processes import free_port
from tests.engine.feature_store.stores import (
    PASSWORD,
    SECRET,
    STORES,
    running,
    store,
    url_of,
)
from tests.engine.feature_store.test_online import instant, tiny
from tests.engine.printed import run_script

__all__ = ["store"]
BACKFILL = OnlineParams(
    source="weather", strategy="incremental, then a backfill", every_hours=48, at_hours=105
)
MINE = b"a visitor's key*playground"


@contextmanager
def visited(place: attached.Address) -> Iterator[Any]:
    """A client of the store; ``execute`` of both drivers, by name."""
    connected = (
        attached.redis_client(place) if place.store == "Redis" else attached.connection(place)
    )
    with connected as client:
        yield client


def contents(place: attached.Address) -> list[Any]:
    """All that is in the store: keys with their values, or schemas with their tables."""
    with visited(place) as client:
        if place.store == "Redis":
            return sorted((key, client.dump(key)) for key in client.scan_iter())
        asked = "SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' ORDER BY 1"
        tables = "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = 'public'"
        return [*client.execute(asked).fetchall(), *client.execute(tables).fetchall()]


@pytest.fixture(scope="module")
def place(store: Store) -> attached.Address:
    """The store's address, with something of a visitor's own in it."""
    found = attached.address(store)
    assert found is not None
    with visited(found) as client:
        if store == "Redis":
            client.set(MINE, b"mine")
        else:
            client.execute("CREATE TABLE playground_served (a int)")
    return found


@pytest.fixture(scope="module")
def served(store: Store, place: attached.Address) -> real.ServedResult:
    """The week with a backfill, in the store and in SQLite; what else is there stays."""
    before = contents(place)
    result = real.serve(replace(BACKFILL, store=store).job)
    assert contents(place) == before, "what the run wrote is gone, and nothing else"
    return result


# ---- the same week


def test_the_store_and_sqlite_answer_the_same_cell_by_cell(
    store: Store, served: real.ServedResult
) -> None:
    found, runs = served.beside, online.runs_of(BACKFILL)
    assert found is not None and found.n_answers == 3 * len(runs) == found.n_keys * found.n_runs
    assert served.complete and served.agrees and served.n_agree == served.n_cells == 3 * len(runs)
    assert found.agrees and ":material/verified:" in found.verdict
    # Redis skips the backfill's older rows; one run later the stores are the same again
    assert found.n_answers - found.n_equal == (3 if store == "Redis" else 0)
    assert ":material/error:" in replace(found, n_equal=found.n_equal - 1).verdict
    same = ["no"] * 3 if store == "Redis" else ["yes"] * 3
    times = [row for row in found.rows if row["feature"] == "event_seconds"]
    assert [row["same"] for row in times] == same and len(found.rows) == 15
    assert all((row["SQLite"] == row[store]) == (row["same"] == "yes") for row in found.rows)
    assert (found.rows_hour, found.n_differ) == ((100, 3) if store == "Redis" else (144, 0))


def test_what_the_store_holds_is_shown_as_it_holds_it(
    store: Store, served: real.ServedResult
) -> None:
    found = served.beside
    assert found is not None and found.stored is not None
    sqlite = {(row.key, row.feature): row for row in served.rows}
    shown = {(row["key"], row.get("field", row.get("feature_name", ""))): row
             for row in found.stored.rows}  # fmt: skip
    for (key, feature), row in sqlite.items():
        name = f"served:{feature}" if store == "Redis" else feature
        held = shown[key, name]
        assert held["value as stored"] == row.stored_value, "the bytes are the same"
        if store == "Redis":
            hashed = struct.pack("<I", mmh3.hash(name, signed=False)).hex()
            assert held["field as stored"] == hashed
            assert held["key as stored"].startswith(f"{row.stored_key} + playground_")
            assert attached.EXPIRE_SECONDS > 0 and held["expires in"] == "60 min"
            time = shown[key, "event time"]
            assert time["field as stored"] == "_ts:served"
            assert time["value"] == served.row_texts()[0]["event_ts (UTC)"]
        else:
            assert held["entity_key as stored"] == row.stored_key
            assert float(held["value_text as stored"]) == row.value
    assert found.stored.n_rows == (3 if store == "Redis" else 15)
    assert len(shown) == (18 if store == "Redis" else 15) and found.stored.size_bytes > 100


def test_reads_are_timed_in_turns_and_drawn(store: Store, served: real.ServedResult) -> None:
    found = served.beside
    assert found is not None
    asked = [(name, n) for n in (1, 3) for name in ("SQLite", store)]
    assert list(found.reads) == asked
    assert all(seconds.shape == (N_ROUNDS, N_CALLS) for seconds in found.reads.values())
    drawn = figures.store_latency(found)
    assert [box.name for box in drawn.data] == [
        f"{name}, {n} key{'s' * (n > 1)}" for name, n in reversed(asked)
    ]
    assert sum(len(box.x) for box in drawn.data) == 4 * N_ROUNDS * N_CALLS
    assert [row["calls"] for row in found.latency_rows()] == ["300"] * 4


def test_the_script_runs_on_the_store(store: Store, place: attached.Address) -> None:
    params = replace(BACKFILL, store=store, at_hours=100)
    before = contents(place)
    numbers = online.run(params).headline()
    assert run_script(scripts.render(params)) == numbers
    assert contents(place) == before
    assert numbers["n_stale"] == 3  # a run every 48 h; what the stores hold differs all the same
    drawn = figures.life(online.run(params), sqlite=online.run(replace(params, store="SQLite")))
    named = [trace.name for trace in drawn.data]
    assert f"serving ({store})" in named and ("serving (SQLite)" in named) == (store == "Redis")
    every_hour = [replace(params, store=one, every_hours=1) for one in ("SQLite", store)]
    assert [online.run(one).n_stale for one in every_hour] == [3, 0 if store == "Redis" else 3]


def test_a_key_without_a_row_and_an_older_row(store: Store, tmp_path: Path) -> None:
    """On a repository made by hand, without the experiment."""
    rows = [("a", 1, 10.0), ("a", 9, 90.0), ("b", 2, None)]
    with attached.opened(store) as space:
        made = tiny(tmp_path, rows, **attached.repository(space))
        serving.materialize(made, instant(0), instant(12), ["v"])
        answer = made.get_online_features(["v:x"], [{"k": "a"}, {"k": "b"}, {"k": "c"}])
        assert answer.to_dict()["x"] == [90.0, None, None]
        unknown = "PRESENT" if store == "Redis" else "NOT_FOUND"
        assert feast_internals.statuses_of(answer, "x") == ["PRESENT", "PRESENT", unknown]
        serving.materialize(made, instant(0), instant(5), ["v"])
        kept = made.get_online_features(["v:x"], [{"k": "a"}]).to_dict()["x"]
        assert kept == [90.0 if store == "Redis" else 10.0]
        feast_internals.close_online_store(made)


def test_the_settings_that_are_shown_are_read_by_feast(
    store: Store, place: attached.Address, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = attached.settings_text(store)
    assert SECRET not in text
    given = {"PGHOST": place.host, "PGDATABASE": place.database, "PGUSER": place.user}
    given |= {"REDIS_HOST": place.host, "REDIS_PASSWORD": "x", "PGPASSWORD": "x"}
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "feature_store.yaml").write_text(text)
    from feast import FeatureStore

    config = FeatureStore(repo_path=str(tmp_path)).config.online_store
    assert config.type == {"Redis": "redis", "PostgreSQL": "postgres"}[store]
    if store == "Redis":
        parsed = feast_internals.redis_settings(config.connection_string)
        assert parsed == ({"host": place.host, "port": "6379"},
                          {"db": 0, "ssl": True, "password": "x"})  # fmt: skip
    else:
        assert (config.host, config.user, config.db_schema) == (place.host, "tester", "features")


def test_a_cancelled_run_leaves_nothing(store: Store, place: attached.Address) -> None:
    before = contents(place)
    steps = real.steps(replace(BACKFILL, store=store))
    for _ in range(3):
        next(steps)
    assert contents(place) != before
    steps.close()
    assert contents(place) == before


def test_a_schema_that_a_killed_server_left_goes_after_a_day(
    store: Store, place: attached.Address
) -> None:
    if store == "Redis":
        return  # its keys expire
    young = f"playground_{4_000_000_000}_0123abcd"
    before = contents(place)
    with visited(place) as client:
        for name in ("playground_1700000000_0123abcd", young, "playground_1700000000_mine"):
            client.execute(f"CREATE SCHEMA {name}")
    attached.checked(place)
    left = [row[0] for row in contents(place) if row not in before]
    assert left == ["playground_1700000000_mine", young]
    with visited(place) as client:
        for name in left:
            client.execute(f"DROP SCHEMA {name}")


# ---- what must not be seen, and what cannot be


def test_the_password_is_in_nothing_that_is_kept_or_shown(
    store: Store, place: attached.Address, served: real.ServedResult
) -> None:
    assert place.password == PASSWORD
    with attached.opened(store) as space:
        shown = [repr(place), repr(space), str(space), place.where, repr(served.beside)]
        assert SECRET in str(space.settings())  # Feast needs it
    assert not [text for text in shown if SECRET in text]
    assert SECRET.encode() not in pickle.dumps(served)


@pytest.mark.parametrize("asked", STORES)
def test_who_is_not_there_is_a_sentence(asked: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv(attached.VARIABLES[asked], url_of(asked, port))
    with pytest.raises(InputError, match=f"{asked} at 127.0.0.1:{port} must answer") as caught:
        real.serve(OnlineParams(store=asked))
    assert "nobody listens there" in str(caught.value) and SECRET not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_wrong_password_is_a_sentence(
    store: Store, place: attached.Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = url_of(store, place.port, f"{SECRET}-wrong")
    monkeypatch.setenv(attached.VARIABLES[store], wrong)
    with pytest.raises(InputError, match="it refuses this user or password") as caught:
        real.serve(OnlineParams(store=store))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("asked", STORES)
def test_a_server_that_ends_in_mid_run_is_a_sentence(
    asked: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running(asked) as url:
        monkeypatch.setenv(attached.VARIABLES[asked], url)
        steps = real.steps(replace(BACKFILL, store=asked))
        assert [next(steps).share, next(steps).share] == [0, 0]
    with pytest.raises(InputError, match="must answer") as caught:
        list(steps)
    assert SECRET not in str(caught.value)


BAD = (
    f"{SECRET}",
    f"http://:{SECRET}@host:6379",
    f"redis://:{SECRET}",
    f"redis://:{SECRET}/x@host:6379",
    f"redis://user:1{SECRET}#x@host:6379",
    f"redis://user:6379/{SECRET}@host:6379",
    f"redis://:x@host:6379/{SECRET}",
    f"redis://:x@host:6379/0?password={SECRET}",
    f"redis://:{SECRET}@[::1]:6379",
    f"redis://:{SECRET}@[broken:6379",
    f"redis://:{SECRET}@host:99999",
    f"postgresql://user:{SECRET}@host",
    f"postgresql://:{SECRET}@host/db",
    f"postgresql://user:{SECRET}@host/db?sslmode=odd",
    f"postgresql://user@host/db?options={SECRET}",
    f"postgresql://user:12/{SECRET}@host/db",
)


@pytest.mark.parametrize("text", BAD)
def test_an_address_of_another_form_is_a_sentence_without_it(
    text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: Store = "PostgreSQL" if text.startswith("postgres") else "Redis"
    monkeypatch.setenv(attached.VARIABLES[asked], text)
    with pytest.raises(InputError, match=f"{attached.VARIABLES[asked]} must be like") as caught:
        attached.address(asked)
    assert SECRET not in str(caught.value) and "host:99999" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_addresses_are_read_as_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_FEAST_REDIS", " rediss://me:1e5@cache.example.com ")
    redis = attached.address("Redis")
    assert redis == attached.Address("Redis", "cache.example.com", 6379, "me", "", "require", "1e5")
    settings = attached.Space(redis, "s", "").settings()
    place, options = feast_internals.redis_settings(settings["connection_string"])
    assert place == {"host": "cache.example.com", "port": "6379"}
    assert options["password"] == "1e5" and options["ssl"] is True and options["username"] == "me"
    monkeypatch.setenv("PLAYGROUND_FEAST_POSTGRES", "postgres://me@db/x%20y?sslmode=require")
    postgres = attached.address("PostgreSQL")
    assert postgres == attached.Address("PostgreSQL", "db", 5432, "me", "x y", "require", "")


def test_none_is_named_and_a_shared_server_takes_its_operators(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for asked in STORES:
        monkeypatch.delenv(attached.VARIABLES[asked], raising=False)
        sentence = attached.missing(asked)
        assert f"`{attached.VARIABLES[asked]}={attached.FORMS[asked]}`" in sentence
        with pytest.raises(InputError, match="no .* is named"):
            real.serve(OnlineParams(store=asked))
        monkeypatch.setenv(hosted.VARIABLE, "1")
        assert "the operator of this server" in attached.missing(asked)
        monkeypatch.setenv(attached.VARIABLES[asked], url_of(asked, 1))
        assert attached.missing(asked) == "" and attached.address(asked) is not None
        monkeypatch.delenv(hosted.VARIABLE)
    assert attached.missing("SQLite") == "" and attached.address("SQLite") is None
