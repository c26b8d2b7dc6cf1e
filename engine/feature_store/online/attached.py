"""A Redis or a PostgreSQL of one's own as Feast's online store: which one a variable names, whether
it answers, and a place of a run's own in it.

``PLAYGROUND_FEAST_REDIS=redis://user:password@host:6379/0`` (``rediss`` with TLS) and
``PLAYGROUND_FEAST_POSTGRES=postgresql://user:password@host:5432/database?sslmode=require``. The
password goes to the drivers alone: no sentence, file, repr or page has it. What a run writes has a
name of its own (``Space``), in Redis at the end of each key, in PostgreSQL as a schema, and goes
when the run ends. What a killed server leaves expires in Redis after an hour; in PostgreSQL the
first run after a day drops it.
"""

from __future__ import annotations

import json
import os
import re
import time
import uuid
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

from engine import hosted
from engine.errors import InputError
from engine.feature_store.online.result import Store

if TYPE_CHECKING:
    from psycopg import Connection
    from redis import Redis

VARIABLES: dict[Store, str] = {
    "Redis": "PLAYGROUND_FEAST_REDIS",
    "PostgreSQL": "PLAYGROUND_FEAST_POSTGRES",
}
FORMS: dict[Store, str] = {
    "Redis": "redis://host:6379/0",
    "PostgreSQL": "postgresql://user@host:5432/database",
}
SCHEMES = {
    "redis": "Redis",
    "rediss": "Redis",
    "postgresql": "PostgreSQL",
    "postgres": "PostgreSQL",
}
PORTS: dict[Store, int] = {"Redis": 6379, "PostgreSQL": 5432}
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
REACH_SECONDS = 2  # to connect
ANSWER_SECONDS = 10  # to any call
EXPIRE_SECONDS = 3_600  # of the lab's keys in Redis, after the last write of each
LEFT_SECONDS = 86_400  # a schema of this age belongs to a server that was killed
PREFIX, PROJECT = "playground", "playground"
SPACE = re.compile(rf"{PREFIX}_(\d+)_[0-9a-f]{{8}}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a store is, as its variable says."""

    store: Store
    host: str
    port: int
    user: str
    database: str
    tls: str  # of PostgreSQL its sslmode; of Redis "require" or ""
    password: str = field(repr=False)

    @property
    def where(self) -> str:
        """Host and port: all of the address that is ever shown."""
        return f"{self.host}:{self.port}"


def _malformed(store: Store) -> InputError:
    return InputError(
        f"{VARIABLES[store]} must be like {FORMS[store]}, with user:password@ before the host if"
        " the store asks for them. Its value is not shown here, for it may hold a password. Write"
        " special characters of a password as %2F and the like, then start the playground again."
    )


def address(store: Store) -> Address | None:
    """Return the address of the store that its variable names, ``None`` without one.

    Raises
    ------
    InputError
        The variable has another form.
    """
    text = os.environ.get(VARIABLES.get(store, ""), "").strip()
    if not text:
        return None
    try:
        parts = urlsplit(text)
        port, query = parts.port, dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise _malformed(store) from None  # the cause would quote a part of the password
    database, ssl_mode = unquote(parts.path[1:]), query.pop("sslmode", "prefer")
    rest = parts.path + parts.query + parts.fragment
    # A password with "/" ends the host too soon: what is left of it would be shown as host and port
    fits = SCHEMES.get(parts.scheme) == store and not query and not re.search("[@#]", rest)
    fits = fits and not parts.fragment and ssl_mode in SSL_MODES
    fits = fits and re.fullmatch(r"[A-Za-z0-9._-]+", parts.hostname or "") is not None
    if store == "Redis":
        fits = fits and not parts.query and re.fullmatch(r"\d{0,4}", database) is not None
        ssl_mode = "require" if parts.scheme == "rediss" else ""
    else:
        fits = fits and bool(database and parts.username)
    if not fits:
        raise _malformed(store)
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    named = (user, database, ssl_mode, password)
    return Address(store, str(parts.hostname), port or PORTS[store], *named)


def missing(store: Store) -> str:
    """Return the sentence that says how to name the store, ``""`` where one is named."""
    variable = VARIABLES.get(store, "")
    if not variable or os.environ.get(variable, "").strip():
        return ""
    if hosted.on():
        return f"Predicted, not run: the operator of this server has named no {store} ({variable})."
    return (
        f"Predicted, not run: no {store} is named. Start the playground with"
        f" `{variable}={FORMS[store]}` and Feast runs the same week on it, beside SQLite."
    )


def drivers() -> tuple[type[Exception], ...]:
    """Return what the two drivers raise."""
    import psycopg
    import redis

    return (redis.RedisError, psycopg.Error)


REASONS = {  # part of a driver's message, which itself is not shown -> what it means
    "auth": "it refuses this user or password",
    "password": "it refuses this user or password",
    "wrongpass": "it refuses this user or password",
    "permission": "this user may not do that; on PostgreSQL it must be allowed to create a schema",
    "does not exist": "it has no such user or database",
    "db index": "it has no such database",
    "name or service": "no such host",
    "resolve": "no such host",
    "ssl": "it takes no encrypted connection, or another one",
    "timeout": "no answer in time",
    "timed out": "no answer in time",
    "refused": "nobody listens there",
}


def unreachable(place: Address, error: Exception) -> InputError:
    """Return the sentence for a driver's error: what failed and what to do, nothing of its text."""
    said = f"{type(error).__name__} {error}".lower()
    reason = next((meant for part, meant in REASONS.items() if part in said), "no connection")
    return InputError(
        f"{place.store} at {place.where} must answer. Got: {reason}. Start it and press Run again,"
        f" or correct {VARIABLES[place.store]} and start the playground again."
    )


def redis_client(place: Address) -> Redis:
    """Return a client that neither waits nor asks twice."""
    from redis import Redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    return Redis(
        host=place.host,
        port=place.port,
        db=int(place.database or 0),
        username=place.user or None,
        password=place.password or None,
        ssl=bool(place.tls),
        socket_connect_timeout=REACH_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def connection(place: Address) -> Connection[Any]:
    """Return a connection on which every statement counts at once and none waits for long."""
    import psycopg

    return psycopg.connect(
        host=place.host,
        port=place.port,
        user=place.user,
        password=place.password or None,
        dbname=place.database,
        sslmode=place.tls,
        connect_timeout=REACH_SECONDS,
        options=f"-c statement_timeout={ANSWER_SECONDS}s",
        autocommit=True,
    )


@dataclass(frozen=True, slots=True)
class Space:
    """A place of one run's own in a store, with the version that the server says of itself."""

    place: Address
    name: str
    version: str

    @property
    def project(self) -> str:
        """Feast's project: in Redis it ends every key, in PostgreSQL the schema is enough."""
        return self.name if self.place.store == "Redis" else PROJECT

    def settings(self) -> dict[str, Any]:
        """Return Feast's settings of the online store, with the password: for Feast alone."""
        place = self.place
        if place.store == "PostgreSQL":
            return {
                "type": "postgres",
                "host": place.host,
                "port": place.port,
                "database": place.database,
                "db_schema": self.name,
                "user": place.user,
                "password": place.password,
                "sslmode": place.tls,
            }
        parts = {
            "db": place.database or "0",
            "username": _quoted(place.user),
            "password": _quoted(place.password),
            "ssl": "true" if place.tls else "",
            "socket_connect_timeout": str(REACH_SECONDS),
            "socket_timeout": str(ANSWER_SECONDS),
            "retry": "null",  # the driver's own waits seconds before it says that nobody answers
        }
        given = [f"{name}={value}" for name, value in parts.items() if value]
        return {
            "type": "redis",
            "connection_string": ",".join([place.where, *given]),
            "key_ttl_seconds": EXPIRE_SECONDS,
        }


def _quoted(text: str) -> str:
    """Return a text as Feast reads it from a connection string, whose parts are JSON."""
    return json.dumps(text).replace(",", "\\u002c") if text else ""


def checked(place: Address) -> str:
    """Return what the server is; raise a driver's error where it does not answer."""
    if place.store == "Redis":
        with redis_client(place) as client:
            return f"Redis {client.info('server')['redis_version']}"
    with connection(place) as connected:
        number = connected.info.server_version
        for (schema,) in connected.execute(
            "SELECT nspname FROM pg_namespace WHERE nspowner = current_user::regrole"
        ).fetchall():
            found = SPACE.fullmatch(schema)
            if found and time.time() - int(found[1]) > LEFT_SECONDS:
                connected.execute(f"DROP SCHEMA {schema} CASCADE")  # letters, digits and _
        return f"PostgreSQL {number // 10_000}.{number % 10_000}"


def _clear(space: Space) -> None:
    """Remove what the run wrote, and nothing else."""
    if space.place.store == "Redis":
        with redis_client(space.place) as client:
            for key in keys(client, space):
                client.unlink(key)
    else:
        with connection(space.place) as connected:
            connected.execute(f"DROP SCHEMA IF EXISTS {space.name} CASCADE")


def keys(client: Redis, space: Space) -> list[bytes]:
    """Return the keys of a run in Redis, in order: Feast's entity key, then the project."""
    return sorted(client.scan_iter(match=f"*{space.project}", count=5_000))


SETTINGS: dict[Store, str] = {
    "SQLite": "  type: sqlite\n  path: online.db",
    "Redis": """  type: redis
  connection_string: ${REDIS_HOST}:6379,db=0,ssl=true,password=${REDIS_PASSWORD}
  key_ttl_seconds: 604800  # a week after its last write a key is gone""",
    "PostgreSQL": """  type: postgres
  host: ${PGHOST}
  port: 5432
  database: ${PGDATABASE}
  db_schema: features
  user: ${PGUSER}
  password: ${PGPASSWORD}
  sslmode: require""",
}


def settings_text(store: Store) -> str:
    """Return a feature_store.yaml with this online store; Feast fills in what the environment has,
    so that the file holds no password.
    """
    return f"""project: flights
provider: local
registry: registry.db
offline_store:
  type: duckdb
online_store:
{SETTINGS[store]}
entity_key_serialization_version: 3
"""


def chosen(store: Store) -> AbstractContextManager[Space | None]:
    """Open a place of this run's own in the store; SQLite needs none."""
    return nullcontext() if store == "SQLite" else opened(store)


def repository(space: Space | None) -> dict[str, Any]:
    """Return what ``feast_repo.open_repo`` needs to serve from the place."""
    return {} if space is None else {"project": space.project, "online": space.settings()}


@contextmanager
def opened(store: Store) -> Iterator[Space]:
    """Open a place of this run's own in the store; it is removed when the block ends.

    Raises
    ------
    InputError
        None is named, its address has another form, or it does not answer: in a sentence.
    """
    place = address(store)
    if place is None:
        raise InputError(missing(store))
    try:
        space = Space(place, f"{PREFIX}_{int(time.time())}_{uuid.uuid4().hex[:8]}", checked(place))
    except drivers() as error:
        raise unreachable(place, error) from None
    try:
        yield space
    except drivers() as error:
        raise unreachable(place, error) from None
    finally:
        with suppress(*drivers()):
            _clear(space)
