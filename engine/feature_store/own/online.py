"""The online store of a visitor's own repository, read and never written: tables, rows, ages,
latencies.

Real: a copy of the repository's SQLite file is decoded with Feast's own encodings, and
``get_online_features`` is timed against it. An online store that is a server is read through
``get_online_features`` alone: its rows cannot be listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import InputError
from engine.feature_store import feast_internals, serving
from engine.feature_store.own.repo import opened
from engine.feature_store.serving import OnlineRow
from engine.jobs import Progress, Steps
from engine.units import format_time

if TYPE_CHECKING:
    from feast import FeatureStore

N_READS = 200
MAX_ROWS = 2_000


@dataclass(frozen=True, slots=True, eq=False)
class OnlineTable:
    """One feature view in the online store."""

    view: str
    n_rows: int
    n_keys: int
    n_null: int
    oldest: datetime
    newest: datetime
    rows: tuple[OnlineRow, ...]  # the first ones, decoded
    seconds: np.ndarray  # (N_READS,) of get_online_features for one key


@dataclass(frozen=True, slots=True, eq=False)
class OwnOnlineResult:
    """What the repository at ``folder`` serves; ``empty`` names the views without an online row."""

    folder: str
    project: str
    store: str
    tables: tuple[OnlineTable, ...]
    empty: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """Rows that the online store serves, and the time of the newest value."""
        if not self.tables:
            return (
                f"Project **{self.project}** ({self.store}) has no online row: run `feast"
                " materialize` in the repository first."
            )
        rows = sum(table.n_rows for table in self.tables)
        newest = max(table.newest for table in self.tables)
        return (
            f"Project **{self.project}** serves **{rows:,}** rows of {len(self.tables)} feature"
            f" view{'s' * (len(self.tables) > 1)} from {self.store}; the newest value is of"
            f" {format_time(newest)} UTC."
        )

    def table_texts(self) -> list[dict[str, str]]:
        """Return one row for each view, as texts."""
        found = [
            {
                "feature view": table.view,
                "keys": f"{table.n_keys:,}",
                "rows": f"{table.n_rows:,}",
                "nulls": f"{table.n_null:,}",
                "event times (UTC)": (
                    f"{format_time(table.oldest)} to {format_time(table.newest)}"
                ),
                "one key, p50 / p99": (
                    f"{1e3 * np.median(table.seconds):.2f} /"
                    f" {1e3 * np.percentile(table.seconds, 99):.2f} ms"
                ),
            }
            for table in self.tables
        ]
        return found + [{"feature view": view, "keys": "0", "rows": "0"} for view in self.empty]

    def row_texts(self) -> list[dict[str, str]]:
        """Return the first decoded rows of every view, as texts."""
        return [
            {
                "feature view": row.view,
                "key": row.key,
                "feature": row.feature,
                "value": "null" if row.value is None else str(row.value),
                "event_ts (UTC)": format_time(row.event_time, seconds=True),
            }
            for table in self.tables
            for row in table.rows[:20]
        ]


def _read(store: FeatureStore, view: Any, path: Path, table: str) -> OnlineTable | None:
    project = store.project
    raw = serving.raw_rows(path, table)
    if not raw:
        return None
    rows = serving.online_rows(path, table, project=project, limit=MAX_ROWS)
    asked = feast_internals.decode_key(raw[0][0])
    features = [f"{view.name}:{field.name}" for field in view.features]
    times = [row.event_time for row in rows]
    return OnlineTable(
        view=view.name,
        n_rows=len(raw),
        n_keys=len({row[0] for row in raw}),
        n_null=sum(row.value is None for row in rows),
        oldest=min(times),
        newest=max(times),
        rows=tuple(rows),
        seconds=serving.latencies(store, features, [asked], N_READS),
    )


def steps(folder: str, views: Sequence[str] = ()) -> Steps:
    """Read the online store of the repository in ``folder``; ``views`` limits it.

    Returns
    -------
    OwnOnlineResult

    Raises
    ------
    InputError
        The repository cannot be opened, or its online store is not SQLite.
    """
    yield Progress(0.0, "opening the repository")
    with opened(folder) as store:
        config = store.config.online_store
        if config.type != "sqlite":
            raise InputError(
                f"The online store must be sqlite for its rows to be listed. {folder} has"
                f" {config.type}."
            )
        path = Path(config.path)
        names = set(serving.tables(path))
        found, empty = [], []
        listed = [view for view in store.list_feature_views() if not views or view.name in views]
        for number, view in enumerate(listed):
            yield Progress(number / len(listed), view.name)
            table = feast_internals.online_table(store.project, view.name)
            read = _read(store, view, path, table) if table in names else None
            if read is None:
                empty.append(view.name)
            else:
                found.append(read)
        return OwnOnlineResult(folder, store.project, config.type, tuple(found), tuple(empty))
