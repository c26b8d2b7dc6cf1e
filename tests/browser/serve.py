"""Starts a Streamlit server on a free loopback port for browser tests and the bench, and stops it
by its own id.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from engine.processes import free_port
from tests.browser.find import found

ROOT = Path(__file__).resolve().parents[2]
# Spark logs the attempt that fails on purpose (accumulators), traceback and all.
ON_PURPOSE = r"spark\.api\.python\.PythonException(?:(?!PythonException).)*?fails on purpose"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.example.com 127.0.0.1",  # the name that deploy/ gives a server
]


def browser_path() -> str:
    """Return the browser to use; the Makefile has made sure of one."""
    path = found()
    if path is None:
        raise FileNotFoundError("No Chromium or Chrome found: run make test, which installs one.")
    return path


@contextmanager
def launch(
    script: str,
    workspace: Path,
    *options: str,
    traceback_expected: bool = False,
    folder: Path = ROOT,
    base: str = "",
    port: int = 0,
) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run ``streamlit run script`` in ``folder``, under the path ``base``, at ``port`` or a free
    one, until it answers, yield its address and process, interrupt it at the end.

    A traceback in the server's log (``server.log`` in the workspace) fails whoever did not expect
    one.
    """
    port = port or free_port()
    command = [
        sys.executable,
        "-m",
        "streamlit",
        "run",
        script,
        "--server.headless=true",
        f"--server.port={port}",
        f"--server.baseUrlPath={base}",
        *options,
    ]
    # what nobody looks at is not measured: it would take half of the machine from the tests
    environment = {"PLAYGROUND_WARM_UP": "off", **os.environ}
    environment["PLAYGROUND_WORKSPACE"] = str(workspace)
    log = workspace / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=folder, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    address = f"http://127.0.0.1:{port}{base and f'/{base}'}"
    try:
        wait_for(address, process, 60)
        yield address, process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    text = log.read_text(encoding="utf-8", errors="replace")
    text = re.sub(ON_PURPOSE, "", text, flags=re.DOTALL)
    assert traceback_expected or "Traceback (most recent call last)" not in text, text[-20_000:]


def wait_for(address: str, process: subprocess.Popen[bytes], seconds: float) -> None:
    """Wait until the server at ``address`` answers, which ``process`` starts."""
    until = time.monotonic() + seconds
    while True:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(
                    f"The server ended with exit code {process.returncode}."
                ) from None
            if time.monotonic() > until:
                raise TimeoutError(f"The server did not answer within {seconds:.0f} s.") from None
            time.sleep(0.2)


@contextmanager
def serve(script: str, workspace: Path, *options: str) -> Iterator[str]:
    """As ``launch``, for those who need the address only."""
    with launch(script, workspace, *options) as (address, _):
        yield address
