"""What a run has left in Redis or PostgreSQL, as the store itself holds it: read with the store's
own driver, not through Feast.

Redis has one hash for each entity key: a field for each feature, named by four bytes of a hash of
``view:feature``, and one for the event time. PostgreSQL has one row for each key and feature.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.feature_store import feast_internals, serving
from engine.feature_store.online import attached
from engine.feature_store.online.attached import PROJECT, Space
from engine.units import format_bytes, format_seconds, format_time

if TYPE_CHECKING:
    from redis import Redis

N_KEYS_SHOWN = 20
HIDDEN = "…"


@dataclass(frozen=True, slots=True)
class Stored:
    """What is in the store: a sentence on how it is laid out, and its first keys as texts."""

    facts: str
    rows: tuple[dict[str, str], ...]
    n_rows: int  # hashes in Redis, rows in PostgreSQL
    size_bytes: int


def look(space: Space, view: str, features: Sequence[str]) -> Stored:
    """Return what the store holds of the run; ``features`` of ``view``, in order."""
    if space.place.store == "Redis":
        with attached.redis_client(space.place) as client:
            return _hashes(client, space, view, features)
    return _table(space, view)


def _hashes(client: Redis, space: Space, view: str, features: Sequence[str]) -> Stored:
    keys = attached.keys(client, space)
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.memory_usage(key)
        sizes = pipe.execute()
        for key in keys[:N_KEYS_SHOWN]:
            pipe.hgetall(key)  # type: ignore[arg-type]  # its types know str alone
            pipe.ttl(key)
        answers = pipe.execute()
    fields = {feast_internals.redis_field(view, name): f"{view}:{name}" for name in features}
    rows = []
    for key, held, left in zip(keys, answers[::2], answers[1::2], strict=False):
        rows += _hash_texts(key, held, left, fields, space)
    size, expire = int(sum(sizes)), format_seconds(attached.EXPIRE_SECONDS)
    facts = (
        f"{len(keys):,} hashes in {space.version}, one per key: a field for each of"
        f" {len(features)} features, named by a hash of `view:feature`, and one event time for all"
        f" of them. {format_bytes(size)} by `MEMORY USAGE`. Feast does not hand the view's TTL to"
        f" Redis: here `key_ttl_seconds` lets a key expire {expire} after its last write."
    )
    return Stored(facts, tuple(rows), len(keys), size)


def _hash_texts(
    key: bytes, held: Mapping[bytes, bytes], left: int, fields: Mapping[bytes, str], space: Space
) -> list[dict[str, str]]:
    """Return a hash as one row of texts for each field, the event time last."""
    entity = key.removesuffix(space.project.encode())
    rows = []
    for name, value in sorted(held.items(), key=lambda item: fields.get(item[0], HIDDEN)):
        is_time = name not in fields
        rows.append(
            {
                "key": serving.key_text(entity),
                "field": "event time" if is_time else fields[name],
                "value": _moment(value) if is_time else _text(feast_internals.decode_value(value)),
                "field as stored": name.decode() if is_time else name.hex(),
                "value as stored": value.hex(),
                "key as stored": f"{entity.hex()} + {space.project}",
                "expires in": format_seconds(left),
            }
        )
    return rows


def _moment(stored: bytes) -> str:
    from google.protobuf.timestamp_pb2 import Timestamp  # type: ignore[import-untyped]

    message = Timestamp()
    message.ParseFromString(stored)
    return format_time(message.ToDatetime(), seconds=True)


def _text(value: Any) -> str:
    return "null" if value is None else f"{value:,.10g}" if isinstance(value, float) else str(value)


def _table(space: Space, view: str) -> Stored:
    from psycopg import sql

    name = feast_internals.online_table(PROJECT, view)
    table = sql.Identifier(space.name, name)
    columns = "entity_key, feature_name, value, value_text, event_ts, created_ts"
    asked = sql.SQL("SELECT " + columns + " FROM {} ORDER BY 1, 2").format(table)
    with attached.connection(space.place) as connected:
        connected.execute("SET TimeZone = 'UTC'")
        found = connected.execute(asked).fetchall()
        size = sql.SQL("SELECT pg_total_relation_size({}::regclass)").format(
            sql.Literal(f"{space.name}.{name}")
        )
        (size_bytes,) = connected.execute(size).fetchone() or (0,)
    names = sorted({row[0] for row in found})[:N_KEYS_SHOWN]
    rows = [
        {
            "key": serving.key_text(key),
            "feature_name": feature,
            "value": _text(feast_internals.decode_value(value)),
            "event_ts (UTC)": format_time(event, seconds=True),
            "created_ts (UTC)": "null" if created is None else format_time(created, seconds=True),
            "value_text as stored": "null" if written is None else written,
            "value as stored": value.hex(),
            "entity_key as stored": key.hex(),
        }
        for key, feature, value, written, event, created in found
        if key in names
    ]
    facts = (
        f"{len(found):,} rows in {space.version}, one per key and feature, as in SQLite. Beside the"
        " bytes of the value is its text, which SQL can read; times have their zone."
        f" {format_bytes(size_bytes)} with its two indexes. Nothing expires."
    )
    return Stored(facts, tuple(rows), len(found), int(size_bytes))
