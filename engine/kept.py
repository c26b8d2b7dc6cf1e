"""Results kept on disk: what a finished job measured is shown at once after a restart, with its
date.

A file belongs to one experiment, one setting and one version of the code. It is written and read by
this server alone, in ``server/kept/`` of the workspace, a folder for its user only. That is why
pickle is acceptable here: a file that another user owns or could have written is never opened, and
nothing from a session's folder gets in, for a setting that holds a person's text or names their
file is not kept. What is damaged, or of other code, is deleted and measured anew.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import pickle
import platform
import stat
import sys
import time
from collections.abc import Hashable, Iterable, Iterator
from contextlib import suppress
from dataclasses import MISSING, dataclass, fields, is_dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from engine import workspace
from engine.ranges import Choice, rules

MOST_BYTES = 500_000_000  # of all kept results; the oldest go first
MOST_HEADER_BYTES = 10_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A Result from disk, when it was measured (seconds since 1970) and how long that took."""

    result: Any
    measured_at: float
    seconds: float


def load(key: Hashable) -> Kept | None:
    """Return what was measured for ``key``, the steps and their params, by the code that runs now;
    else ``None``.
    """
    path = _path(key)
    if path is None or (content := _read(path)) is None:
        return None
    try:
        first, _, body = content.partition(b"\n")
        header = json.loads(first)
        if (
            header["version"] == version(_module(key))
            and header["sha256"] == hashlib.sha256(body).hexdigest()
        ):
            return Kept(pickle.loads(body), header["measured_at"], header["seconds"])
    except Exception:
        # cut short, or of a class that is no more: measured anew
        logging.getLogger(__name__).info("A kept result could not be read: %s", path.name)
    path.unlink(missing_ok=True)
    return None


def seconds(key: Hashable) -> float | None:
    """Return how long ``key`` took when it was last measured, by this code or an earlier one."""
    header = _header(_path(key))
    return None if header is None else float(header["seconds"])


def is_steady(key: Hashable) -> bool:
    """Whether all kept runs of the experiment of ``key``, in any setting, kept the pace at which
    they reported progress; ``False`` without a run.
    """
    path = _path(key)
    if path is None:
        return False
    alike = path.parent.glob(f"{path.name.rpartition('-')[0]}-*.kept")
    found = [header.get("steady", False) for each in alike if (header := _header(each))]
    return bool(found) and all(found)


def is_kept(key: Hashable) -> bool:
    """Whether ``load`` would find a result of the code that runs now; reads its first line only."""
    header = _header(_path(key))
    return header is not None and header["version"] == version(_module(key))


def save(key: Hashable, result: Any, seconds: float, steady: bool = False) -> None:
    """Keep ``result``, measured just now in ``seconds``, unless its key must not be kept.
    ``steady``: its progress kept its pace.

    A result that cannot be written (no space, not picklable) is not kept; the log says so.
    """
    try:
        path = _path(key)
        body = b"" if path is None else pickle.dumps(result)
        if path is None or len(body) > MOST_BYTES:
            return
        header = {
            "version": version(_module(key)),
            "measured_at": time.time(),
            "seconds": seconds,
            "steady": steady,
            "sha256": hashlib.sha256(body).hexdigest(),
        }
        fresh = path.with_suffix(f".{os.getpid()}.new")
        with suppress(FileNotFoundError):
            fresh.unlink()
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(json.dumps(header).encode() + b"\n" + body)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
        _bound()
    except (OSError, pickle.PicklingError, TypeError, AttributeError) as error:
        logging.getLogger(__name__).warning("A result is not kept: %s: %s", _module(key), error)


def may_be_kept(params: Any) -> bool:
    """Whether ``params`` hold settings of the playground only: no text of a person's, no file."""
    if params is None or isinstance(params, bool | int | float):
        return True
    if not is_dataclass(params):
        return False
    declared = rules(type(params))
    for field in fields(params):
        value = getattr(params, field.name)
        own = isinstance(value, str) and not isinstance(declared.get(field.name), Choice)
        if own and value != (None if field.default is MISSING else field.default):
            return False
        if is_dataclass(value) and not may_be_kept(value):
            return False
    return True


@lru_cache(maxsize=64)
def version(module: str) -> str:
    """Return the version of the code behind ``module``, as text: a change of it makes kept results
    old.

    Its sources are the core of the engine, the module's topic (every topic, if it belongs to none)
    and the module.
    """
    engine = workspace.REPOSITORY / "engine"
    own = Path(str(getattr(sys.modules.get(module), "__file__", None) or ""))
    topic = next((part for part in module.split(".") if (engine / part).is_dir()), "")
    folder = engine / topic if topic != "pipeline" else engine
    return of_files({own, *engine.glob("*.py"), *folder.rglob("*.py")} - {Path()})


def of_files(sources: Iterable[Path]) -> str:
    """Return the version of the code in ``sources``, as text, with what else decides a result: data
    sets, lock, Python, the number of processors and the playground's settings.
    """
    digest = hashlib.sha256()
    data = (workspace.REPOSITORY / "datasets").glob("*.parquet")
    for path in sorted({*sources, *data, workspace.REPOSITORY / "requirements.txt"}):
        if path.is_file():
            digest.update(f"{path.name} {path.stat().st_size}\n".encode() + path.read_bytes())
    settings = {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith("PLAYGROUND_")
        and name not in ("PLAYGROUND_WORKSPACE", "PLAYGROUND_WARM_UP")
    }
    machine = (platform.python_version(), platform.machine(), os.cpu_count())
    digest.update(repr((settings, machine)).encode())
    return digest.hexdigest()


def folder() -> Path:
    """Return the folder of kept results, made when missing, for this user alone."""
    path = workspace.server() / "kept"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def _module(key: Hashable) -> str:
    return str(key[0].__module__) if isinstance(key, tuple) else ""


def _path(key: Hashable) -> Path | None:
    """Return the file of ``key``; ``None`` where it is no steps of a module with their params, or
    must not be kept.
    """
    if not (isinstance(key, tuple) and len(key) == 2 and callable(key[0])):
        return None
    steps, params = key
    name = getattr(steps, "__qualname__", "<")
    found = getattr(sys.modules.get(getattr(steps, "__module__", "")), name, None)
    if found is not steps or not may_be_kept(params):
        return None
    setting = hashlib.sha256(f"{type(params).__qualname__} {params!r}".encode()).hexdigest()[:24]
    where = folder()
    return where / f"{steps.__module__}.{name}-{setting}.kept" if _private(where.lstat()) else None


def _private(status: os.stat_result) -> bool:
    """Whether this user owns it and nobody else may write it."""
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _read(path: Path, most_bytes: int = -1) -> bytes | None:
    """Return the content of a kept file, at most ``most_bytes``; ``None`` for one that is missing,
    a link, or not this user's alone to write.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if stat.S_ISREG(status.st_mode) and _private(status):
            return file.read(most_bytes)
    logging.getLogger(__name__).warning("A kept file is not this user's alone: %s", path.name)
    return None


def _header(path: Path | None) -> dict[str, Any] | None:
    content = _read(path, MOST_HEADER_BYTES) if path else None
    with suppress(ValueError):
        header = json.loads((content or b"").partition(b"\n")[0])
        if isinstance(header, dict) and {"version", "seconds"} <= set(header):
            return header
    return None


def _bound() -> None:
    """Delete the oldest files until all together have at most ``MOST_BYTES``."""

    def found() -> Iterator[tuple[float, int, Path]]:
        for path in folder().iterdir():
            with suppress(FileNotFoundError):
                status = path.lstat()
                yield status.st_mtime, status.st_size, path

    files = sorted(found())
    total = sum(size for _, size, _ in files)
    for _, size, path in files:
        if total <= MOST_BYTES:
            break
        path.unlink(missing_ok=True)
        total -= size
