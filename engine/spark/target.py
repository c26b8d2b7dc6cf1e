"""Which Spark the lab is on: one of its own on this machine, or the one that an environment
variable names.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlparse

from engine import hosted
from engine.errors import InputError, require

Kind = Literal["local", "cluster", "connect"]
REACH_SECONDS = 5.0  # an unreachable master is said within ten


@dataclass(frozen=True, slots=True)
class Target:
    """Which Spark to use."""

    kind: Kind
    address: str  # master or remote

    @property
    def words(self) -> str:
        """Where this Spark runs, for a page."""
        if self.kind == "local":
            return (
                f"Spark {self.address}: driver and executor are one JVM on this machine; no data"
                " crosses a network"
            )
        return (
            f"Spark on {self.address}"
            if self.kind == "cluster"
            else f"Spark Connect at {self.address}"
        )


def target() -> Target:
    """Return which Spark the environment asks for.

    Raises
    ------
    InputError
        Both variables are set, or one has a form that Spark does not take.
    """
    master, remote = (
        os.environ.get(f"PLAYGROUND_SPARK_{name}", "").strip() for name in ("MASTER", "REMOTE")
    )
    require(
        not (master and remote),
        "Set PLAYGROUND_SPARK_MASTER or PLAYGROUND_SPARK_REMOTE, not both. Got {} and {}.",
        master,
        remote,
    )
    if remote:
        require(
            remote.startswith("sc://"),
            "PLAYGROUND_SPARK_REMOTE must start with sc://. Got {!r}.",
            remote,
        )
        return Target("connect", remote)
    if master and not master.startswith("local"):
        known = master == "yarn" or master.startswith(("spark://", "k8s://"))
        require(
            known,
            "PLAYGROUND_SPARK_MASTER must be spark://…, yarn, k8s://… or local[n]. Got {!r}.",
            master,
        )
        return Target("cluster", master)
    limit, cores = hosted.bounds(), os.cpu_count() or 2
    if limit:  # whatever the variable says: local[*] is every core
        return Target("local", f"local[{min(cores, limit.spark_cores)}]")
    return Target("local", master or f"local[{cores}]")


def check_reachable(place: Target) -> None:
    """Raise ``InputError`` if nobody listens at the address of a ``spark://`` or ``sc://``
    target.
    """
    parsed = urlparse(place.address.replace("k8s://", ""))
    if place.kind == "local" or not parsed.hostname:
        return
    port = parsed.port or {"sc": 15002, "spark": 7077, "https": 443}.get(parsed.scheme, 443)
    try:
        with socket.create_connection((parsed.hostname, port), timeout=REACH_SECONDS):
            pass
    except OSError as error:
        raise InputError(
            f"{place.address} must be reachable. Got: {error}. Start that Spark, or unset the"
            " PLAYGROUND_SPARK_ variable: then this machine's own is used."
        ) from error
