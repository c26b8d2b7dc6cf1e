"""Child processes in a group of their own: work that cannot be cut from inside, and files that
cannot be trusted.

A child is always ``python -m <module> <arguments>`` of this project. It prints one JSON object a
line: ``{"share": …, "message": …}`` while it works, ``{"error": …}`` for what the visitor should
read (``{"busy": …}`` where the same may succeed later), ``{"result": …}`` at the end.
``run_limited`` waits for the result under a memory and a time limit; ``steps`` turns the lines into
job progress.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from typing import IO, Any

import psutil

from engine.errors import InputError
from engine.jobs import Progress
from engine.workspace import REPOSITORY, temporary

POLL_SECONDS = 0.02
BEAT_SECONDS = 0.5
WATCH_SECONDS = 0.1
MEMORY_LIMIT_BYTES = 2_000_000_000
TIME_LIMIT_SECONDS = 60.0  # on a processor
WAIT_LIMIT_SECONDS = 120.0
_alive: set[subprocess.Popen[str]] = set()
n_stops = 0  # what waits to start a child sees by it that the server has begun to stop


def start(
    module: str,
    *arguments: str,
    environment: dict[str, str] | None = None,
    pipe: bool = False,
    output: IO[str] | None = None,
    errors: IO[str] | None = None,
) -> subprocess.Popen[str]:
    """Start ``python -m module arguments`` from the repository root, in its own process group, its
    output piped.

    Its temporary files lie in the workspace.

    ``environment`` replaces this process's own; ``pipe`` gives the child a standard input, for
    ``end_with_parent``; ``output`` and ``errors`` are files that get what it prints. If the server
    stops meanwhile, the child is ended at once.
    """
    n_stops_before = n_stops
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE if pipe else subprocess.DEVNULL,
        stdout=output or subprocess.PIPE,
        stderr=errors or output or subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={
            **(environment or os.environ),
            "OMP_NUM_THREADS": "1",
            "PYTHONPATH": str(REPOSITORY),
            "TMPDIR": str(temporary()),
        },
        start_new_session=True,
    )
    _alive.add(process)
    if n_stops != n_stops_before:
        kill_group(process)
    return process


def free_port() -> int:
    """Return a port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def kill_group(process: subprocess.Popen[str]) -> None:
    """End ``process`` and all its children at once; one that has ended already is no error."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
    _alive.discard(process)


def stop() -> None:
    """End every child that is still there (the server shuts down): a group of its own hears no
    Ctrl-C.
    """
    global n_stops
    n_stops += 1
    for process in list(_alive):
        kill_group(process)


def resident_bytes(pid: int) -> int:
    """Return the resident memory of ``pid`` alone, 0 once it is gone: cheaper than looking for its
    children.
    """
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def _own_seconds(pid: int) -> float:
    """Return the time that ``pid`` has had on a processor, 0 once it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)
    except psutil.NoSuchProcess:
        return 0.0


def read_lines(stream: IO[str]) -> queue.Queue[str | None]:
    """Return a queue that a thread fills with the lines of ``stream``, and with ``None`` at its
    end: a full pipe would stop the process that writes into it.
    """
    lines: queue.Queue[str | None] = queue.Queue()

    def pump() -> None:
        for line in stream:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    return lines


def _messages(
    process: subprocess.Popen[str], beat_seconds: float
) -> Generator[dict[str, Any] | None, None, None]:
    """Yield each JSON line of ``process`` as it comes, and ``None`` whenever ``beat_seconds`` pass
    without one.
    """
    assert process.stdout is not None and process.stderr is not None
    lines, errors = read_lines(process.stdout), read_lines(process.stderr)
    while True:
        try:
            line = lines.get(timeout=beat_seconds)
        except queue.Empty:
            yield None
            continue
        if line is None:
            break
        if line.startswith("{"):
            yield json.loads(line)
    code = process.wait()
    if code:
        tail = "".join(line for line in iter(errors.get, None))[-2000:]
        yield {"code": code, "tail": tail}


def _settle(message: dict[str, Any], module: str) -> Any:
    """Return the result that ``message`` carries; raise what it reports instead."""
    if "busy" in message:
        raise BusyError(message["busy"])
    if "error" in message:
        raise InputError(message["error"])
    if "code" in message:
        raise ChildError(module, message["code"], message["tail"])
    return message["result"]


class BusyError(InputError):
    """The machine had no time or room for a child: the same work may well succeed later."""


class OutOfMemory(RuntimeError):  # noqa: N818 - said as the kernel says it
    """A child held more memory than it was given, and was killed."""


class ChildError(RuntimeError):
    """A child process died without a result: ``code`` (negative: the signal) and the ``tail`` of
    what it printed.
    """

    def __init__(self, module: str, code: int, tail: str) -> None:
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        last = tail.strip().splitlines()[-1] if tail.strip() else "it printed nothing"
        super().__init__(f"{module} ended by {how}: {last}")
        self.code, self.tail = code, tail


def run_limited(
    module: str,
    *arguments: str,
    memory_bytes: int = MEMORY_LIMIT_BYTES,
    seconds: float = TIME_LIMIT_SECONDS,
    wait_seconds: float = WAIT_LIMIT_SECONDS,
) -> Any:
    """Run a child (without children of its own) to its end and return its ``result``.

    Raises
    ------
    InputError
        What the child reports as ``error``; more than ``memory_bytes`` resident; more than
        ``seconds`` of a processor.
    BusyError
        Not done after ``wait_seconds``, in which it had less of a processor than ``seconds``.
    ChildError
        The child died (a damaged file can abort a reader outright).
    """
    process = start(module, *arguments)
    deadline = time.monotonic() + wait_seconds
    try:
        for message in _messages(process, POLL_SECONDS):
            if message is not None and "share" not in message:
                return _settle(message, module)
            if resident_bytes(process.pid) > memory_bytes:
                raise InputError(
                    f"Reading this file takes more than {memory_bytes / 1e9:.1f} GB of memory, so"
                    " it was stopped. Use a smaller file, or fewer columns or rows of it."
                )
            if _own_seconds(process.pid) > seconds:
                raise InputError(
                    f"Reading this file takes more than {seconds:.0f} s of a processor, so it was"
                    " stopped. Use a smaller file, or fewer columns or rows of it."
                )
            if time.monotonic() > deadline:
                raise BusyError(
                    f"Reading this file takes longer than {wait_seconds:.0f} s, so it was stopped:"
                    " this machine is busy. Choose the file again later."
                )
        raise ChildError(module, process.wait(), "it ended without a result")
    finally:
        kill_group(process)


def steps(
    module: str,
    *arguments: str,
    memory_bytes: int | None = None,
    environment: dict[str, str] | None = None,
    on_start: Callable[[subprocess.Popen[str]], None] | None = None,
) -> Generator[Progress, None, Any]:
    """Run a child as the steps of a job: its progress lines are yielded, its ``result`` is
    returned. With ``on_start`` it has a standard input, and is handed over once it is there.

    Closing the generator (a cancelled job) kills the child's whole process group. With
    ``memory_bytes`` the child is looked at ten times a second.

    Raises
    ------
    OutOfMemory
        The child (without children of its own) held more than ``memory_bytes``; it has been killed.
    """
    process = start(module, *arguments, environment=environment, pipe=on_start is not None)
    last = Progress(0.0, "starting")
    try:
        if on_start is not None:
            on_start(process)
        for message in _messages(process, BEAT_SECONDS if memory_bytes is None else WATCH_SECONDS):
            if memory_bytes is not None and resident_bytes(process.pid) > memory_bytes:
                raise OutOfMemory(f"{module} held more than {memory_bytes:,} bytes and was stopped")
            if message is None:
                yield last
            elif "share" in message:
                last = Progress(
                    message["share"], message.get("message", ""), message.get("partial")
                )
                yield last
            else:
                return _settle(message, module)
        raise ChildError(module, process.wait(), "it ended without a result")
    finally:
        kill_group(process)


def end_with_parent(take: Callable[[str], Any] | None = None, group: bool = False) -> None:
    """Inside a child that was started with a pipe: end at once when standard input closes, with
    ``group`` all processes of its group too.

    The pipe closes when the parent closes it and when the parent dies, however it dies. ``take``
    gets each line that the parent writes, in a thread.
    """

    def watch() -> None:
        for line in sys.stdin:
            if take is not None:
                take(line)
        if group:
            os.killpg(os.getpgrp(), signal.SIGKILL)
        os._exit(0)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def report(**message: Any) -> None:
    """Print one line of the protocol above, from inside a child."""
    print(json.dumps(message), flush=True)
