"""The cluster: a real standalone Spark of a master and two workers, watched at work, and what it
does when an executor is killed in mid-shuffle.

Real: master, workers, driver and executors are Java processes of this machine; what is shown is
what their own REST answers say. The executor is killed by the system (SIGKILL). Simplified: all of
them are on one machine, so the network is loopback; a worker has one core and 1 GB; each task waits
a moment, so that it can be seen.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

from engine import hosted, processes, workspace
from engine.jobs import Steps, to_end
from engine.spark.cluster.params import ClusterParams as ClusterParams
from engine.spark.cluster.result import ClusterResult, read

CHILD = "engine.spark.cluster.child"
# of every JVM: they live for a minute, so what a second compiler costs never comes back
SHORT_LIVED = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_children: dict[ClusterParams, subprocess.Popen[str]] = {}  # the one that runs for these params


def kill(params: ClusterParams, executor: str) -> None:
    """Ask the cluster that runs for ``params`` to kill an executor. One that is gone is no
    error.
    """
    child = _children.get(params)
    if child is not None and child.stdin is not None and executor.isdecimal():
        with suppress(OSError):  # it has just ended
            child.stdin.write(f"{executor}\n")
            child.stdin.flush()


def steps(params: ClusterParams) -> Steps:
    """Start the cluster, run the job undisturbed and disturbed, end the cluster.

    Whatever ends these steps (a cancel, the server) kills the processes of the cluster at once.

    Raises
    ------
    InputError
        The cluster does not start in time, or this server is shared.
    """
    hosted.refuse("cluster")
    folder = workspace.scratch("cluster")
    own = {key: value for key, value in os.environ.items() if "PLAYGROUND_SPARK" not in key}
    own.setdefault("JAVA_TOOL_OPTIONS", SHORT_LIVED)
    settings = {
        "folder": str(folder),
        "work": params.work,
        "loses": params.loses,
        "wait_seconds": params.wait_seconds,
    }
    signs = processes.steps(
        CHILD,
        json.dumps(settings),
        environment=own,
        on_start=lambda child: _children.update({params: child}),
    )
    try:
        while True:
            try:
                sign = next(signs)
            except StopIteration as stop:
                found = stop.value
                break
            partial = read(params, sign.partial) if sign.partial else None
            yield replace(sign, partial=partial)
        return read(
            params,
            found,
            expected=params.job.expected(),
            held_bytes=found["held_bytes"],
            addresses=tuple(found["addresses"]),
            complete=True,
        )
    finally:
        signs.close()
        _children.pop(params, None)
        workspace.remove(folder)


run: Callable[[ClusterParams], ClusterResult] = to_end(steps)
