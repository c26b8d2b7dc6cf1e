"""The registry of a visitor's own repository, read and never written."""

from __future__ import annotations

from engine.feature_store import snapshot
from engine.feature_store.own.repo import opened
from engine.feature_store.snapshot import Snapshot
from engine.jobs import Progress, Steps


def steps(folder: str) -> Steps:
    """Read the registry of the repository in ``folder``.

    Returns
    -------
    Snapshot

    Raises
    ------
    InputError
        The repository cannot be opened, in a sentence.
    """
    yield Progress(0.0, "opening the repository")
    with opened(folder) as store:
        yield Progress(0.5, "reading its registry")
        taken: Snapshot = snapshot.take(store)
    return taken
