"""A visitor's own Feast repository with damage of any kind: what can be read is shown, else one
sentence says what to do, and nothing is written.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine import workspace
from engine.errors import InputError
from engine.feature_store import serving, snapshot
from engine.feature_store.own import online, registry, repo, viewer
from engine.jobs import run_to_end
from tests.engine.feature_store.test_online import instant, tiny
from tests.engine.test_damaged import Damage, damage

READERS: dict[str, Callable[[str], Any]] = {
    "viewer": viewer.steps,
    "online": online.steps,
    "registry": registry.steps,
}
FILES = ("registry.db", "online.db", "feature_store.yaml", "rows.parquet")
few = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository as Feast has made it, with rows in its online store."""
    folder = tmp_path_factory.mktemp("whole")
    store = tiny(folder, [("a", 1, 10.0), ("a", 9, 90.0), ("b", 2, None)])
    serving.materialize(store, instant(0), instant(12), ["v"])
    return folder


@pytest.fixture(autouse=True)
def few_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(online, "N_READS", 2)


def hashes(folder: Path) -> dict[Path, str]:
    return {
        path: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def read(folder: Path) -> dict[str, str]:
    """What each reader says of a repository: nothing, or why not, in a sentence. Checked here: no
    reader fails in another way, writes to it, or leaves its copy."""
    before, said = hashes(folder), {}
    for name, steps in READERS.items():
        said[name] = ""
        try:
            run_to_end(steps(str(folder)))
        except InputError as error:
            said[name] = str(error)
            assert 20 < len(str(error)) < 1_500
    assert hashes(folder) == before, "it is read and never written"
    assert not list((workspace.server() / "scratch").glob("own-repo-*"))
    return said


def test_the_whole_one_is_read(whole: Path) -> None:
    assert read(whole) == dict.fromkeys(READERS, "")


@pytest.mark.parametrize("name", ["registry.db", "online.db"])
@pytest.mark.parametrize("content", [None, b"no database at all" * 300], ids=["gone", "corrupt"])
def test_a_store_that_is_gone_or_corrupt_says_how_to_make_it(
    whole: Path, tmp_path: Path, name: str, content: bytes | None
) -> None:
    folder = shutil.copytree(whole, tmp_path / "repo")
    (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
    said = read(folder)
    stopped = said if name == "registry.db" or content is None else {"online": said["online"]}
    assert all("run `feast apply`" in text.replace("Run", "run") for text in stopped.values())
    shutil.copyfile(whole / name, folder / name)
    assert read(folder) == dict.fromkeys(READERS, ""), "once it is whole it is read again"


@few
@given(spoil=damage(), name=st.sampled_from(FILES))
def test_any_damage_is_read_or_said(whole: Path, spoil: Damage, name: str) -> None:
    folder = Path(shutil.copytree(whole, workspace.scratch("spoiled") / "repo"))
    path = folder / name
    path.write_bytes(spoil(path.read_bytes()))
    assert set(read(folder)) == set(READERS)
    workspace.remove(folder.parent)


SETTING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=6,
)


@few
@given(
    changed=st.dictionaries(
        st.sampled_from(("project", "provider", "registry", "online_store", "offline_store"))
        | st.text(max_size=8),
        SETTING,
        min_size=1,
        max_size=3,
    )
)
def test_any_settings_are_used_or_refused(whole: Path, changed: dict[str, Any]) -> None:
    import yaml

    folder = Path(shutil.copytree(whole, workspace.scratch("spoiled") / "repo"))
    path = folder / repo.CONFIG
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **changed}))
    assert set(read(folder)) == set(READERS)
    workspace.remove(folder.parent)


@pytest.mark.parametrize(
    "text",
    ["[" * 3_000, "&a [*a]", "\ud800".encode("utf-8", "surrogatepass"), "registry: {path: [1]}"],
)
def test_hostile_settings_are_a_sentence(whole: Path, tmp_path: Path, text: str | bytes) -> None:
    folder = shutil.copytree(whole, tmp_path / "repo")
    (folder / repo.CONFIG).write_bytes(text.encode() if isinstance(text, str) else text)
    assert all(read(folder).values())


def test_a_snapshot_outlives_its_registry(whole: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(whole, tmp_path / "repo")
    taken: snapshot.Snapshot = run_to_end(registry.steps(str(folder)))
    shutil.rmtree(folder)
    assert "1 feature view" in taken.verdict and taken.of_kind("feature view")[0].name == "v"
