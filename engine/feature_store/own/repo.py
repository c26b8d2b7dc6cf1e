"""A visitor's own Feast repository, read and never written: ``PLAYGROUND_FEAST_REPO`` names its
folder.

Feast writes when it opens a repository (a project record, a registry that is missing, a SQLite file
that is missing). So the registry file and the SQLite online store are copied into a folder of one
run, and Feast opens the copies; Parquet sources are read where they are. Registries and online
stores that are servers are read through Feast's own listing and reading calls. Reading on-demand
views runs the functions that the registry holds: open only a repository that you trust.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine import hosted, workspace
from engine.errors import InputError, require

if TYPE_CHECKING:
    from feast import FeatureStore

VARIABLE = "PLAYGROUND_FEAST_REPO"
CONFIG = "feature_store.yaml"


def own_repo() -> str:
    """Return the folder that PLAYGROUND_FEAST_REPO names, as given; ``""`` without one, and on a
    shared server.
    """
    return "" if hosted.on() else os.environ.get(VARIABLE, "").strip()


def ignored() -> str:
    """Return the sentence that a folder is named and not used here, ``""`` where none is."""
    return hosted.off("feast") if os.environ.get(VARIABLE, "").strip() else ""


def _settings(folder: Path) -> dict[str, Any]:
    """Return what the repository's feature_store.yaml says."""
    import yaml

    require(
        folder.is_dir(),
        VARIABLE + " must name a folder. Got {}. Set it to a folder with a " + CONFIG + ".",
        folder,
    )
    path = folder / CONFIG
    require(
        path.is_file(), VARIABLE + " must name a folder with a " + CONFIG + ". {} has none.", folder
    )
    try:
        settings = yaml.safe_load(os.path.expandvars(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} must be YAML: {error}") from error
    require(
        isinstance(settings, dict),
        "{} must hold settings such as project and registry. Got {!r}.",
        path,
        settings,
    )
    return dict(settings)


def _copied(folder: Path, given: str, into: Path) -> str:
    """Copy a file of the repository (with SQLite's side files) and return where the copy is."""
    source = Path(given) if Path(given).is_absolute() else folder / given
    require(
        source.is_file(),
        "{} must exist: run `feast apply` and `feast materialize` in the repository first.",
        source,
    )
    into.mkdir(parents=True, exist_ok=True)
    for side in ("", "-wal", "-shm"):
        path = source.with_name(source.name + side)
        if path.is_file():
            shutil.copyfile(path, into / path.name)
    return str(into / source.name)


def _redirected(settings: dict[str, Any], folder: Path, into: Path) -> dict[str, Any]:
    """Return the settings with the files that Feast would write replaced by copies of them."""
    given = settings.get("registry") or {}
    registry = {"path": given} if isinstance(given, str) else dict(given)
    path = str(registry.get("path") or "data/registry.db")
    if registry.get("registry_type", "file") == "file" and "://" not in path:
        registry["path"] = _copied(folder, path, into / "registry")
    online = settings.get("online_store") or {"type": "sqlite"}
    online = {"type": online} if isinstance(online, str) else dict(online)
    if online.get("type", "sqlite") == "sqlite":
        path = str(online.get("path") or "data/online.db")
        online["path"] = _copied(folder, path, into / "online")
    return {**settings, "registry": registry, "online_store": online}


@contextmanager
def opened(folder: str) -> Iterator[FeatureStore]:
    """Open the repository in ``folder`` for reading; the copies go when the block ends.

    Raises
    ------
    InputError
        There is no folder, no feature_store.yaml or no registry, or Feast cannot use them: in a
        sentence.
    """
    home = Path(folder).expanduser().resolve()
    settings = _settings(home)
    into = workspace.scratch("own-repo")
    try:
        redirected = _redirected(settings, home, into)
        yield _store(redirected, home)
    finally:
        workspace.remove(into)


def _store(settings: dict[str, Any], home: Path) -> FeatureStore:
    from feast import FeatureStore, RepoConfig

    try:
        config = RepoConfig(**settings)
        config.repo_path = home
        return FeatureStore(config=config)
    # pydantic, protobuf, a driver that is not installed: Feast fails in its libraries' own ways
    except Exception as error:
        cause = str(error).strip().splitlines()
        raise InputError(
            f"{home / CONFIG} must be a repository that Feast can open: {' '.join(cause[:3])}"
        ) from error
