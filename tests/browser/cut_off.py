"""A network of its own for what a test starts: loopback, and an address for phones, with no way
out. Whatever needs the internet fails there: a page, the server, its children, the browser.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

HALL = "192.168.77.1"
NEW_NETWORK = 0x40000000  # CLONE_NEWNET of Linux
COMMANDS = ("ip link set lo up", f"ip addr add {HALL}/32 dev lo")


@contextmanager
def cut_off() -> Iterator[bool]:
    """Put this thread, and every process that it starts inside, into such a network; yield whether
    the system let it, which takes Linux, root and ``ip``.
    """
    own = Path("/proc/thread-self/ns/net")
    if not own.exists() or os.geteuid() != 0 or shutil.which("ip") is None:
        yield False
        return
    libc = ctypes.CDLL(None, use_errno=True)
    with own.open() as before:
        if libc.unshare(NEW_NETWORK) != 0:  # a container that may not
            yield False
            return
        try:
            for command in COMMANDS:
                subprocess.run(command.split(), check=True)
            yield True
        finally:
            assert libc.setns(before.fileno(), NEW_NETWORK) == 0


def ways_out(root: psutil.Process) -> list[str]:
    """Return the routes that a process and its children have, as ``<pid> <interface> …``; what
    stays on the machine takes none.
    """
    found = []
    for process in [root, *root.children(recursive=True)]:
        with suppress(FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            _, *routes = Path(f"/proc/{process.pid}/net/route").read_text("ascii").splitlines()
            found += [f"{process.pid} {line}" for line in routes]
    return found


def callers(root: psutil.Process) -> list[str]:
    """Return the addresses beyond this machine that a process and its children are connected to."""
    found = []
    for process in [root, *root.children(recursive=True)]:
        with suppress(psutil.NoSuchProcess):
            found += [one.raddr.ip for one in process.net_connections("inet") if one.raddr]
    return [address for address in found if not address.startswith(("127.", "::1", "::ffff:127."))]
