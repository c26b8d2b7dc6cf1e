"""Kept results: every default job's Result comes back as it was, and nothing else gets in."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from engine import kept, workspace
from engine.formats.race import RaceParams
from engine.formats.race import steps as race_steps
from engine.jobs import run_to_end
from engine.ranges import Params
from engine.spark.partitioning import PartitioningParams
from pages import startup

KEY = (race_steps, RaceParams())
CHEAP: dict[str, Any] = {  # of each field the first value that its experiment allows
    "n_rows": [1_000, 10_000, 20_000],
    "formats": [("CSV", "Parquet")],
    "repeats": [1, 2, 3],
    "n_seeds": [2, 5],
    "n_samples": [100],
    "n_tables": [2],
    "months": [1],
    "n_partitions": [6],
    "max_partitions": [16],
    "cures": [("salting",)],
    "contestants": [("pandas", "Spark")],
}
DEFAULTS = [job for job, _ in startup.default_jobs()]


@pytest.fixture(autouse=True)
def own_workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path / "workspace"))


def files() -> list[Path]:
    return sorted(kept.folder().iterdir())


def test_a_result_comes_back_with_its_date_and_duration() -> None:
    assert kept.load(KEY) is None and kept.seconds(KEY) is None and not kept.is_kept(KEY)
    kept.save(KEY, {"answer": [1, 2]}, 3.5)
    found = kept.load(KEY)
    assert found is not None and (found.result, found.seconds) == ({"answer": [1, 2]}, 3.5)
    assert kept.seconds(KEY) == 3.5 and kept.is_kept(KEY)
    (path,) = files()
    assert abs(path.stat().st_mtime - found.measured_at) < 60
    assert path.stat().st_mode & 0o777 == 0o600 and path.parent.stat().st_mode & 0o777 == 0o700
    assert path.is_relative_to(workspace.root() / "server")
    assert kept.load((race_steps, replace(RaceParams(), seed=1))) is None


def touched(path: Path) -> Path:
    """A kept file that makes a file beside the workspace if it is ever unpickled."""
    canary = workspace.root().parent / "canary"

    class Trap:
        def __reduce__(self) -> Any:
            return os.mkdir, (str(canary),)

    body = pickle.dumps(Trap())
    head = path.read_bytes().partition(b"\n")[0]
    header = {**json.loads(head), "sha256": hashlib.sha256(body).hexdigest()}
    path.write_bytes(json.dumps(header).encode() + b"\n" + body)
    return canary


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_what_others_could_have_written_is_not_opened(mode: int) -> None:
    kept.save(KEY, 1, 1.0)
    canary = touched(files()[0])
    files()[0].chmod(mode)
    assert kept.load(KEY) is None and not kept.is_kept(KEY) and not canary.exists()
    files()[0].chmod(0o600)
    kept.load(KEY)
    assert canary.exists()  # the trap works


def test_a_file_or_a_folder_of_another_owner_is_not_opened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept.save(KEY, 1, 1.0)
    canary = touched(files()[0])
    monkeypatch.setattr(os, "getuid", lambda: 12_345)
    assert kept.load(KEY) is None and not canary.exists()


def test_a_folder_that_others_may_write_and_a_link_are_not_followed(tmp_path: Path) -> None:
    kept.save(KEY, 1, 1.0)
    kept.folder().chmod(0o770)
    assert kept.load(KEY) is None
    kept.folder().chmod(0o700)
    assert kept.load(KEY) is not None
    path = files()[0]
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert kept.load(KEY) is None


def test_a_result_of_other_code_is_dropped_and_its_duration_is_still_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept.save(KEY, 1, 2.0)
    monkeypatch.setattr(kept, "version", lambda module: "other")
    assert not kept.is_kept(KEY) and kept.seconds(KEY) == 2.0
    assert kept.load(KEY) is None and files() == []


def test_the_version_follows_sources_lock_and_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("engine/jobs.py", "engine/coins/toss/child.py", "engine/dice/__init__.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    (tmp_path / "requirements.txt").write_text("1")
    monkeypatch.setattr(workspace, "REPOSITORY", tmp_path)

    def version(module: str = "engine.coins.toss") -> str:
        kept.version.cache_clear()
        return kept.version(module)

    seen = [version()]
    for name in ("engine/jobs.py", "engine/coins/toss/child.py", "requirements.txt"):
        (tmp_path / name).write_text("2")
        seen.append(version())
    monkeypatch.setenv("PLAYGROUND_SPARK_MASTER", "spark://elsewhere:7077")
    seen.append(version())
    assert len(set(seen)) == 5
    (tmp_path / "engine/dice/__init__.py").write_text("2")
    assert version() == seen[-1] != version("engine.dice")
    kept.version.cache_clear()


@pytest.mark.parametrize("spoil", ["cut", "flip", "empty", "text"])
def test_a_damaged_file_is_dropped_silently(spoil: str, caplog: pytest.LogCaptureFixture) -> None:
    kept.save(KEY, list(range(1_000)), 1.0)
    path = files()[0]
    content = path.read_bytes()
    flipped = content[:-9] + bytes([content[-9] ^ 1]) + content[-8:]
    damaged = {"cut": content[:-7], "flip": flipped, "empty": b"", "text": b"no header"}
    path.write_bytes(damaged[spoil])
    assert kept.load(KEY) is None and files() == [] and not caplog.records


def test_the_oldest_go_where_all_are_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 35_000)
    keys = [(race_steps, replace(RaceParams(), seed=seed)) for seed in range(5)]
    for age, key in enumerate(keys):
        kept.save(key, b"x" * 10_000, 1.0)
        newest = max(files(), key=lambda path: path.stat().st_mtime_ns)
        os.utime(newest, (age, age + 1))
    assert [kept.is_kept(key) for key in keys] == [False, False, True, True, True]
    kept.save(keys[0], b"x" * 40_000, 1.0)
    assert not kept.is_kept(keys[0]) and len(files()) == 3


@dataclass(frozen=True)
class Elsewhere:
    path: str


def test_what_names_a_persons_file_or_holds_their_text_is_not_kept(tmp_path: Path) -> None:
    upload = tmp_path / "a.csv"
    upload.write_text("a\n1\n")
    assert kept.may_be_kept(RaceParams()) and kept.may_be_kept(28) and kept.may_be_kept(None)
    assert not kept.may_be_kept(Elsewhere(str(upload)))
    assert not kept.may_be_kept(PartitioningParams(typed="a, b"))
    assert not kept.may_be_kept(str(upload))
    for _, params in DEFAULTS:
        names = (
            [f.name for f in fields(params) if f.name == "upload"] if is_dataclass(params) else ()
        )
        for name in names:
            changed = object.__new__(type(params))
            for field in fields(params):
                value = str(upload) if field.name == name else getattr(params, field.name)
                object.__setattr__(changed, field.name, value)
            assert not kept.may_be_kept(changed)
    kept.save((race_steps, Elsewhere(str(upload))), 1, 1.0)
    kept.save((lambda params: None, RaceParams()), 1, 1.0)
    kept.save("a key of a test", 1, 1.0)
    assert files() == []


def test_a_result_that_cannot_be_written_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    kept.save(KEY, (number for number in ()), 1.0)
    assert kept.load(KEY) is None and "not kept" in caplog.text


def same(a: Any, b: Any) -> bool:
    """Whether two results hold the same values, arrays and tables too."""
    if type(a) is not type(b):
        return False
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b, equal_nan=a.dtype.kind == "f")
    if isinstance(a, pa.Table):
        return bool(a.equals(b))
    if is_dataclass(a):
        return all(same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    if hasattr(a, "__slots__") or hasattr(a, "__dict__"):
        return repr(a) == repr(b) or pickle.dumps(a) == pickle.dumps(b)
    return bool(a == b or (a != a and b != b))


def cheap(params: Any) -> Any:
    """The params of a cheap run."""
    for name, values in CHEAP.items() if isinstance(params, Params) else ():
        for value in values:
            try:
                params = replace(params, **{name: value})
            except (TypeError, ValueError):
                continue  # no such field, or not allowed
            break
    return params


@pytest.mark.parametrize(
    ("steps", "params"),
    [
        pytest.param(
            steps,
            cheap(params),
            id=f"{steps.__module__}.{steps.__name__}",
            marks=[pytest.mark.spark]
            if {"spark", "streaming", "pipeline"} & set(steps.__module__.split("."))
            else [],
        )
        for steps, params in DEFAULTS
    ],
)
def test_the_result_of_every_default_job_comes_back_as_it_was(steps: Any, params: Any) -> None:
    result = run_to_end(steps(params))
    kept.save((steps, params), result, 1.0)
    found = kept.load((steps, params))
    assert found is not None and same(found.result, result)
    for read in ("verdict", "why"):  # what a page reads of it
        assert getattr(found.result, read, None) == getattr(result, read, None)
    (path,) = files()
    assert str(workspace.root()).encode() not in path.read_bytes()  # names no file of its run
