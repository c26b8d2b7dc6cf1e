"""Starts a Streamlit server on a free loopback port for browser tests and the bench, and stops it by its own id."""

from __future__ import annotations

import os
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
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def browser_path() -> str:
    """Return the browser to use; the Makefile has made sure of one."""
    path = found()
    if path is None:
        raise FileNotFoundError("No Chromium or Chrome found: run make test, which installs one.")
    return path


@contextmanager
def launch(script: str, workspace: Path, *options: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Run ``streamlit run script`` until it answers, yield its address and process, interrupt it at the end."""
    port = free_port()
    command = [sys.executable, "-m", "streamlit", "run", script, "--server.headless=true", f"--server.port={port}", *options]
    environment = {**os.environ, "PLAYGROUND_WORKSPACE": str(workspace)}
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            try:
                with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                    break
            except OSError:
                if process.poll() is not None:
                    raise RuntimeError(f"The server ended with exit code {process.returncode}.") from None
                time.sleep(0.2)
        else:
            raise TimeoutError("The server did not answer within a minute.")
        yield address, process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def serve(script: str, workspace: Path, *options: str) -> Iterator[str]:
    """As ``launch``, for those who need the address only."""
    with launch(script, workspace, *options) as (address, _):
        yield address
