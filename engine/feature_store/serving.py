"""What serving needs of Feast beyond its API: quiet runs, the SQLite online store decoded row by
row, read latencies.

Real: Feast's own ``materialize``, its SQLite file, its own key and value encodings. The online
store keeps one row for each key and feature: the value of the latest run that brought one, whatever
its event time (``INSERT … ON CONFLICT DO UPDATE``).
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.feature_store.feast_internals import decode_key, decode_value
from engine.feature_store.feast_repo import LOCK

if TYPE_CHECKING:
    from feast import FeatureStore


@dataclass(frozen=True, slots=True)
class OnlineRow:
    """One row of a SQLite online store, decoded."""

    view: str
    key: str
    feature: str
    value: Any  # None: a null
    event_time: datetime  # of the feature row that it came from
    created_time: datetime | None
    stored_key: str = ""  # the bytes as hex
    stored_value: str = ""


@contextlib.contextmanager
def feast_alone() -> Iterator[None]:
    """Take the turn for calls of Feast, and keep its progress bars and warnings off the server's
    console.
    """
    with LOCK, Path(os.devnull).open("w", encoding="utf-8") as sink, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with contextlib.redirect_stdout(sink), contextlib.redirect_stderr(sink):
            yield


def materialize(store: FeatureStore, start: datetime, end: datetime, views: list[str]) -> None:
    """Bring the latest row of each key in [start, end] into the online store."""
    with feast_alone():
        store.materialize(start, end, feature_views=views)


def materialize_incremental(store: FeatureStore, end: datetime, views: list[str]) -> None:
    """Bring the latest row of each key since the end of the last run, up to ``end``."""
    with feast_alone():
        store.materialize_incremental(end, feature_views=views)


def _moment(stored: int | None) -> datetime | None:
    """Return a stored time as UTC: Feast takes the UTC clock's reading for local time when it makes
    seconds of it.
    """
    return None if stored is None else datetime.fromtimestamp(stored).replace(tzinfo=UTC)


def tables(path: Path) -> list[str]:
    """Return the names of the online tables in a SQLite online store, in order."""
    with contextlib.closing(
        sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    ) as connection:
        names = [
            name
            for (name,) in connection.execute(
                "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name"
            )
        ]
        return [name for name in names if _is_online(connection, name)]


def _is_online(connection: sqlite3.Connection, table: str) -> bool:
    columns = {row[1] for row in connection.execute(f"PRAGMA table_info({quote_name(table)})")}
    return {"entity_key", "feature_name", "value", "event_ts"} <= columns


def quote_name(name: str) -> str:
    """Return a table's name as SQL."""
    return '"' + name.replace('"', '""') + '"'


def n_rows(path: Path) -> int:
    """Return the rows of all online tables, one per key and feature; 0 before there is a file."""
    return sum(len(raw_rows(path, table)) for table in tables(path)) if path.exists() else 0


def raw_rows(
    path: Path, table: str, feature: str | None = None, limit: int = 1_000_000
) -> list[tuple[Any, ...]]:
    """Return (entity key, feature, value, event seconds, created seconds) as SQLite holds them, in
    order of key and feature.
    """
    asked = "" if feature is None else "WHERE feature_name = ?"
    sql = (
        "SELECT entity_key, feature_name, value, event_ts, created_ts"
        f" FROM {quote_name(table)} {asked} ORDER BY 1, 2 LIMIT ?"
    )
    with contextlib.closing(
        sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    ) as connection:
        return connection.execute(sql, (limit,) if feature is None else (feature, limit)).fetchall()


def key_text(key: bytes) -> str:
    """Return an entity key of the online store as text: its values, joined."""
    return ", ".join(map(str, decode_key(key).values()))


def online_rows(path: Path, table: str, *, project: str = "", limit: int = 200) -> list[OnlineRow]:
    """Return the first rows of an online table, decoded."""
    view = table.removeprefix(f"{project}_")
    rows = []
    for key, feature, value, event, created in raw_rows(path, table, limit=limit):
        moment = _moment(event) or datetime.fromtimestamp(0, UTC)
        text, python = key_text(key), decode_value(value)
        rows.append(
            OnlineRow(view, text, feature, python, moment, _moment(created), key.hex(), value.hex())
        )
    return rows


def event_seconds(path: Path, table: str, feature: str) -> dict[str, float]:
    """Return key -> UTC seconds of the event time that the online store holds for a feature."""
    found = {}
    for key, _, _, event, _ in raw_rows(path, table, feature):
        moment = _moment(event)
        found[key_text(key)] = moment.timestamp() if moment else np.nan
    return found


def latencies(
    store: FeatureStore, features: Any, entity_rows: list[dict[str, Any]], n: int
) -> np.ndarray:
    """Return the seconds of ``n`` calls of ``get_online_features``, after one not counted."""
    seconds = np.empty(n)
    with feast_alone():
        store.get_online_features(features=features, entity_rows=entity_rows)
        for i in range(n):
            start = time.perf_counter()
            store.get_online_features(features=features, entity_rows=entity_rows)
            seconds[i] = time.perf_counter() - start
    return seconds
