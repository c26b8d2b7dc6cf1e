"""The one folder that the playground writes to: ``PLAYGROUND_WORKSPACE``, by default
``.workspace/`` in the checkout.

``server/`` belongs to the long-lived engines, ``sessions/<id>/`` to one visitor each. Session
folders left behind by an earlier server are swept at start. Nothing is written anywhere else: what
a library puts into the system's temporary folder goes to ``server/tmp/<process id>/`` here, and
leaves with its server.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

from engine.errors import require

REPOSITORY = Path(__file__).resolve().parent.parent
STALE_SECONDS = 24 * 3600.0


def root() -> Path:
    """Return the workspace folder (absolute), made when missing: for this user alone, uploads and
    databases lie in it.
    """
    path = Path(os.environ.get("PLAYGROUND_WORKSPACE") or REPOSITORY / ".workspace").resolve()
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def server() -> Path:
    """Return the folder of the server's own engines."""
    path = root() / "server"
    path.mkdir(exist_ok=True)
    return path


def new_session_id() -> str:
    """Return a fresh id for one visitor's folder."""
    return uuid.uuid4().hex


def session(session_id: str) -> Path:
    """Return the folder of one visitor, made when missing. ``session_id`` is what
    ``new_session_id`` gave.

    Raises
    ------
    InputError
        For an id of another form: it would be a path.
    """
    require(
        re.fullmatch(r"[0-9a-f]{32}", session_id) is not None,
        "session_id must be 32 hex digits. Got {!r}.",
        session_id,
    )
    path = root() / "sessions" / session_id
    path.mkdir(parents=True, exist_ok=True)
    return path


def write(path: Path, content: str | bytes) -> None:
    """Write a file at once, its folder made when missing: who reads ``path`` meanwhile finds the
    old one or the new one, and a full disk leaves no half of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}")
    try:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def scratch(name: str) -> Path:
    """Return a fresh, empty folder for one run of ``name`` (files raced, runs of a worker); the
    caller removes it.
    """
    path = server() / "scratch" / f"{name}-{uuid.uuid4().hex[:12]}"
    path.mkdir(parents=True)
    return path


def temporary() -> Path:
    """Return the folder for temporary files of this process, or of the one that started it; made
    when missing.

    Its name is a process id and no more: what lies in it may be a socket, whose path may have about
    100 characters.
    """
    folder = server() / "tmp"
    inherited = Path(os.environ.get("TMPDIR", ""))
    path = inherited if inherited.parent == folder else folder / str(os.getpid())
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def temporary_files_inside() -> Iterator[Path]:
    """Make ``temporary()`` the temporary folder of this process and of all that it starts; empty at
    first, gone at the end.

    Feast, Spark and others take theirs when they are imported or started: so this comes before
    them.
    """
    variable, default = os.environ.pop("TMPDIR", None), tempfile.tempdir
    remove(
        temporary()
    )  # of an earlier process of this id: in a container each server has the same one
    path = temporary()
    os.environ["TMPDIR"] = tempfile.tempdir = str(path)
    try:
        yield path
    finally:
        tempfile.tempdir = default
        os.environ.pop("TMPDIR")
        if variable is not None:
            os.environ["TMPDIR"] = variable
        remove(path)


def remove(path: Path) -> None:
    """Delete ``path`` (a file or a folder) if it lies inside the workspace; a missing one is no
    error.
    """
    require(
        path.resolve().is_relative_to(root()), "path must lie inside the workspace. Got {}.", path
    )
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def sweep(older_than_seconds: float = STALE_SECONDS) -> int:
    """Delete scratch and session folders untouched for ``older_than_seconds``, and temporary files
    of ended processes; end what a server that was killed has left running.

    Returns
    -------
    int
        How many folders went.
    """
    limit = time.time() - older_than_seconds
    stale = [path for path in (root() / "sessions").glob("*") if path.stat().st_mtime < limit]
    stale += [
        path for path in (root() / "server" / "scratch").glob("*") if path.stat().st_mtime < limit
    ]
    owners = {path: path.name for path in (root() / "server" / "tmp").glob("*")}
    left = [
        path
        for path, owner in owners.items()
        if not (owner.isdecimal() and psutil.pid_exists(int(owner)))
    ]
    _end_those_of(left)
    stale += left
    for path in stale:
        remove(path)
    return len(stale)


def _end_those_of(folders: list[Path]) -> None:
    """End the processes whose temporary folder is one of ``folders``: children of a server that was
    killed, for it ends them itself when it can.
    """
    names = {str(path) for path in folders}
    for process in psutil.process_iter() if names else ():
        with suppress(psutil.Error):  # another user's, or gone by now
            if process.pid != os.getpid() and process.environ().get("TMPDIR") in names:
                process.kill()
