"""A real Redis and a real PostgreSQL for the tests of Feast's online stores: each on a free port of
loopback, with a password, in a temporary folder, and ended at the end.

``python -m tests.engine.feature_store.stores`` says which of them is missing here.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from engine.feature_store.online import attached
from engine.feature_store.online.result import Store
from engine.processes import free_port

SECRET = "zebra-7"  # in no text, file or log
PASSWORD = f'{SECRET},a="b@/:# 1e5'
STORES: tuple[Store, ...] = ("Redis", "PostgreSQL")
START_SECONDS = 60


def program(store: Store) -> str:
    """Return the path of the server's program, ``""`` where it is not installed."""
    name = "redis-server" if store == "Redis" else "postgres"
    found = shutil.which(name) or ""
    if not found and store == "PostgreSQL":  # Debian keeps it off the PATH
        installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")
        found = max(map(str, installed), default="")
    return found


def unprivileged() -> dict[str, Any]:
    """Return whose process a server must be: PostgreSQL refuses to run as root."""
    root = os.name == "posix" and os.getuid() == 0
    return {"user": "nobody", "group": "nogroup", "extra_groups": []} if root else {}


def redis_command(folder: Path, port: int) -> list[str]:
    lines = (
        *(f"port {port}", "bind 127.0.0.1", f"dir {folder}", 'save ""', "appendonly no"),
        f"requirepass {json.dumps(PASSWORD)}",
    )
    (folder / "redis.conf").write_text("\n".join(lines))
    return [program("Redis"), str(folder / "redis.conf")]


def postgres_command(folder: Path, port: int) -> list[str]:
    postgres, data = program("PostgreSQL"), folder / "data"
    (folder / "password").write_text(PASSWORD)
    made = ("--username=tester", "--no-sync", "--no-locale", "--encoding=UTF8")
    asked = ("--auth=scram-sha-256", f"--pwfile={folder / 'password'}")
    subprocess.run(
        [str(Path(postgres).with_name("initdb")), str(data), *made, *asked],
        check=True, stdout=subprocess.DEVNULL, cwd=folder, **unprivileged(),
    )  # fmt: skip
    settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off")
    options = [part for setting in settings for part in ("-c", setting)]
    return [postgres, "-D", str(data), "-p", str(port), *options]


def url_of(store: Store, port: int, password: str = PASSWORD) -> str:
    quoted = quote(password, safe="")
    if store == "Redis":
        return f"redis://:{quoted}@127.0.0.1:{port}/3"
    return f"postgresql://tester:{quoted}@127.0.0.1:{port}/postgres"


@contextmanager
def running(store: Store) -> Iterator[str]:
    """Start the server and give its URL."""
    if not program(store):
        pytest.skip(f"no {store} is installed here")  # in CI a skipped test has failed
    folder = Path(tempfile.mkdtemp(prefix="store-", dir="/tmp"))
    if who := unprivileged():
        shutil.chown(folder, who["user"], who["group"])
    port = free_port()
    command = (redis_command if store == "Redis" else postgres_command)(folder, port)
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder, **unprivileged())
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(attached.VARIABLES[store], url_of(store, port))
            _wait(server, store, folder / "log")
        yield url_of(store, port)
    finally:
        server.send_signal(signal.SIGINT)  # of PostgreSQL: without waiting for its clients
        server.wait(timeout=60)
        shutil.rmtree(folder)


def _wait(server: subprocess.Popen[bytes], store: Store, log: Path) -> None:
    place = attached.address(store)
    assert place is not None
    end = time.monotonic() + START_SECONDS
    while True:
        assert server.poll() is None, log.read_text()
        try:
            attached.checked(place)
            return
        except attached.drivers():
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)


@pytest.fixture(scope="module", params=STORES)
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """A store that runs, and that its variable names."""
    with running(request.param) as url, pytest.MonkeyPatch.context() as patch:
        patch.setenv(attached.VARIABLES[request.param], url)
        yield request.param


def main() -> None:
    """Say which servers are missing."""
    for store in STORES:
        if not program(store):
            print(f"LEFT OUT: Feast's online store on {store}, for no {store} is installed here.")


if __name__ == "__main__":
    main()
