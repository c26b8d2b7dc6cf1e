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
from engine.errors import InputError, no_room, require

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
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"{path} must be YAML: {str(error)[:300]}") from error
    require(
        isinstance(settings, dict),
        "{} must hold settings such as project and registry. Got a {}.",
        path,
        type(settings).__name__,
    )
    return dict(settings)


def _part(settings: dict[str, Any], name: str, short: str, default: Any) -> dict[str, Any]:
    """Return a part of the settings as a table; a text alone is its entry ``short``."""
    given = settings.get(name) or default
    part = {short: given} if isinstance(given, str) else given
    require(isinstance(part, dict), "{} in {} must be a table or a text.", name, CONFIG)
    return dict(part)


def _copied(folder: Path, given: str, into: Path) -> str:
    """Copy a file of the repository (with SQLite's side files) and return where the copy is."""
    source = folder / given  # an absolute one stays as it is
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
    registry = _part(settings, "registry", "path", {})
    path = str(registry.get("path") or "data/registry.db")
    if registry.get("registry_type", "file") == "file" and "://" not in path:
        registry["path"] = _copied(folder, path, into / "registry")
    online = _part(settings, "online_store", "type", "sqlite")
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
        There is no folder, no feature_store.yaml or no registry, or Feast cannot use them, also
        later, while they are read: in a sentence.
    """
    home = Path(folder).expanduser().resolve()
    settings = _settings(home)
    into = workspace.scratch("own-repo")
    try:
        redirected = _redirected(settings, home, into)
        yield _store(redirected, home)
    except InputError:
        raise
    # pydantic, protobuf, SQLite, a driver that is not installed: Feast fails in its libraries' ways
    except Exception as error:
        if no_room(error):
            raise
        cause = " ".join(str(error).split())[:300]
        raise InputError(
            f"{home / CONFIG} must be a repository that Feast can open. Got"
            f" {type(error).__name__}: {cause}. Run `feast apply` and `feast materialize` there,"
            " then Run again."
        ) from error
    finally:
        workspace.remove(into)


def _store(settings: dict[str, Any], home: Path) -> FeatureStore:
    from feast import FeatureStore, RepoConfig

    config = RepoConfig(**settings)
    config.repo_path = home
    return FeatureStore(config=config)
