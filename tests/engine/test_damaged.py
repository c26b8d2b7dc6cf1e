"""A disk that is full, and records of the workspace with damage of any kind: what is whole stays,
what cannot be read is passed over.
"""

from __future__ import annotations

import json
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import data, kept, workspace
from engine.errors import InputError, explain
from engine.formats.race import RaceParams
from engine.formats.race import steps as race_steps
from engine.orchestration import hooks, records
from engine.orchestration.flows import RunParams
from engine.pipeline import store

MOST_BYTES = 10_000
KEY = (race_steps, RaceParams(repeats=1))
Damage = Callable[[bytes], bytes]


@contextmanager
def full_disk() -> Iterator[None]:
    """Let no file of this process grow beyond ``MOST_BYTES``."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_an_upload_that_finds_no_room_leaves_nothing_and_can_be_made_again(tmp_path: Path) -> None:
    content = b"a\n" * MOST_BYTES
    with full_disk(), pytest.raises(OSError) as caught:
        data.save_upload(content, "a.csv", tmp_path)
    assert "disk" in explain(caught.value) and list(tmp_path.iterdir()) == []
    assert data.save_upload(content, "a.csv", tmp_path).read_bytes() == content


def test_a_result_that_finds_no_room_leaves_the_earlier_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLAYGROUND_WORKSPACE", str(tmp_path))
    kept.save(KEY, "earlier", 1.0)
    with full_disk():
        kept.save(KEY, "x" * 2 * MOST_BYTES, 1.0)
    found = kept.load(KEY)
    assert found is not None and found.result == "earlier"
    assert [path.suffix for path in kept.folder().iterdir()] == [".kept"]


@st.composite
def damage(draw: st.DrawFn) -> Damage:
    """Cut, replace or repeat a piece of a file."""
    start, length = draw(st.floats(0, 1)), draw(st.integers(0, 40))
    piece = draw(st.binary(max_size=20) | st.sampled_from((b"null", b"[]", b"5", b"\xff", b"{")))
    whole = draw(st.sampled_from(("cut", "replace", "all")))

    def spoil(content: bytes) -> bytes:
        at = int(start * len(content))
        if whole == "all":
            return piece
        return content[:at] if whole == "cut" else content[:at] + piece + content[at + length :]

    return spoil


@pytest.fixture(scope="module")
def whole() -> Iterator[dict[Path, bytes]]:
    """Records as they are written, each by its path."""
    pipeline = store.new_run({"days": "22"})
    store.save(pipeline)
    run = records.Run(
        **dict.fromkeys(("id", "name"), "damaged"),
        state="completed",
        params=RunParams(),
        submitted_at=1.0,
        started_at=2.0,
        ended_at=3.0,
        message="",
        tasks=(),
        attempts=(),
    )
    records.save(run, (records.LogLine("a", 1, 2.0, "INFO", "text"),))
    line = {"run_id": "1", "hook": "h", "state": "s", "message": "", "at": 1.0}
    hooks.path().write_text(json.dumps({**line, "after_seconds": 0.0}) + "\n", encoding="utf-8")
    paths = (
        store.folder() / "runs" / f"{pipeline.id}.json",
        *(records.folder() / f"damaged{ending}" for ending in (".parquet", ".log.parquet")),
        hooks.path(),
    )
    yield {path: path.read_bytes() for path in paths}
    for path in paths:
        workspace.remove(path)


@settings(max_examples=80, deadline=None)
@given(spoil=damage())
def test_a_record_with_any_damage_is_read_or_passed_over(
    whole: dict[Path, bytes], spoil: Damage
) -> None:
    for path, content in whole.items():
        path.write_bytes(spoil(content))
    records._load.cache_clear()
    store.runs()
    records.runs()
    records.logs("damaged")
    hooks.calls()
    for read, name in ((store.run_of, next(iter(whole)).stem), (records.load, "damaged")):
        try:
            read(name)
        except InputError as error:
            assert len(str(error)) < 1_000
