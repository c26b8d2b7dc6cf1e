"""Where runs and what their stages made are kept: ``server/pipeline/`` of the workspace.

``artifacts/<stage>-<key>/`` is the output of a stage; it appears at once when the stage is over.
Until then the stage writes into ``<stage>-<key>.part/``, which outlives a failure: a stage that
commits in steps goes on where it stopped. ``runs/<id>.json`` is one run.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

import pyarrow.parquet as pq

from engine import workspace
from engine.errors import InputError, require
from engine.pipeline.records import Run, StageRecord

RECORD = "_record.json"
UNREADABLE = (OSError, ValueError, TypeError, KeyError, AttributeError)  # of a damaged record
SUM = "SELECT count(*), sum(hash(t)::HUGEINT) FROM read_parquet(?, hive_partitioning = false) t"
MOST_RUNS = 24  # kept: the latest
POLL_SECONDS = 0.2
PART_SECONDS = 24 * 3_600.0  # how long an unfinished output waits to be resumed
NAME = "pipeline"  # a process that trains by a schedule has a folder of its own
RUN_ID = re.compile(r"\d{8}-\d{6}-[0-9a-f]{6}")
N_STAMP = 15  # characters of an id that are its time


def folder() -> Path:
    """Return the folder of the pipeline, made when missing."""
    path = workspace.server() / NAME
    for name in ("artifacts", "runs"):
        (path / name).mkdir(parents=True, exist_ok=True)
    return path


def place(stage: str, key: str) -> Path:
    """Return where the output of a stage is, or will be."""
    return folder() / "artifacts" / f"{stage}-{key}"


def load(stage: str, key: str) -> StageRecord | None:
    """Return the record of a stage that is over; ``None`` if it is not, or cannot be read."""
    try:
        return StageRecord.read(json.loads((place(stage, key) / RECORD).read_text("utf-8")))
    except UNREADABLE:
        return None


def commit(part: Path, record: StageRecord) -> None:
    """Make the output in ``part`` the stage's."""
    (part / RECORD).write_text(json.dumps(asdict(record), indent=1), encoding="utf-8")
    target = place(record.stage, record.key)
    workspace.remove(target)  # one that could not be read
    part.rename(target)


def new_run(params: dict[str, Any]) -> Run:
    """Return a run that has not begun."""
    now = time.time()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime(now))
    return Run(f"{stamp}-{uuid.uuid4().hex[:6]}", params, now)


def save(run: Run) -> None:
    """Write a run down."""
    workspace.write(folder() / "runs" / f"{run.id}.json", run.text)


def run_of(run_id: str) -> Run:
    """Return a run.

    Raises
    ------
    InputError
        There is none of this id, or its file is damaged.
    """
    listed = ", ".join(one.id for one in runs()[:3]) or "none"
    if RUN_ID.fullmatch(run_id):
        try:
            return Run.parse((folder() / "runs" / f"{run_id}.json").read_text("utf-8"))
        except UNREADABLE:
            pass
    raise InputError(
        f"run must be the id of a run that is kept here. Got {run_id!r}. Latest: {listed}."
    )


def runs() -> list[Run]:
    """Return the runs that can be read, the latest first."""
    found = []
    for path in (folder() / "runs").glob("*.json"):
        try:
            found.append(Run.parse(path.read_text("utf-8")))
        except UNREADABLE:
            continue
    # an id counts whole seconds, and ends by chance
    return sorted(found, key=lambda run: (run.id[:N_STAMP], run.began), reverse=True)


def prune() -> None:
    """Delete the runs before the latest ``MOST_RUNS``, and outputs that neither a run nor the
    registry names.
    """
    for run in runs()[MOST_RUNS:]:
        for path in (folder() / "runs").glob(f"{run.id}.*"):  # with its events
            path.unlink(missing_ok=True)
    named = {place(record.stage, record.key).name for run in runs() for record in run.stages}
    for entry in (folder() / "registry").glob("*.json"):
        named |= set(re.findall(r"[\w-]+", entry.read_text("utf-8")))
    for path in (folder() / "artifacts").iterdir():
        unfinished = path.suffix == ".part"
        if unfinished and time.time() - path.stat().st_mtime < PART_SECONDS:
            continue
        if unfinished or path.name not in named:
            workspace.remove(path)


@contextmanager
def alone(wait_seconds: float = 0.0, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Let one thread of one process at a time work in the folder; the others wait, and call
    ``waiting`` a few times a second. A process that ends, however, gives its turn up.

    Raises
    ------
    InputError
        Another one is still at it after ``wait_seconds``.
    """
    deadline = time.monotonic() + wait_seconds
    with (folder() / "running.pid").open("a+", encoding="utf-8") as file:
        while not _taken(file):
            file.seek(0)
            require(
                time.monotonic() < deadline,
                "Process {} runs the pipeline in this workspace. Wait until it is done.",
                file.read() or "of another user",
            )
            waiting()
            time.sleep(POLL_SECONDS)
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _taken(file: IO[str]) -> bool:
    """Whether the turn is this file handle's now; it ends when the handle is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def size_bytes(path: Path) -> int:
    """Return the bytes of all files below ``path``."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def digest(path: Path) -> str:
    """Return a SHA-256 of what the files below ``path`` hold, with their names; what begins with
    ``_`` or ``.`` does not count. Of a file: of what it holds.

    Of a Parquet file its rows count, with their names and types: a writer may store the same rows
    in other bytes.
    """
    if path.is_file():
        return hashlib.sha256(_content(path)).hexdigest()
    sha = hashlib.sha256()
    for file in sorted(path.rglob("*")):
        name = file.relative_to(path).as_posix()
        if file.is_file() and not re.search(r"(^|/)[_.]", name):
            content = _content(file)
            sha.update(f"{name} {len(content)}\n".encode() + content)
    return sha.hexdigest()


def _content(file: Path) -> bytes:
    return _rows(file) if file.suffix == ".parquet" else file.read_bytes()


def _rows(file: Path) -> bytes:
    """Return a text that is the same for the same rows, in whatever order: their number and the sum
    of their hashes.
    """
    import duckdb

    with duckdb.connect() as connection:
        schema = pq.read_schema(file).remove_metadata()
        n, total = connection.execute(SUM, [str(file)]).fetchone() or (0, 0)
    return f"{schema}\n{n} {total}".encode()
