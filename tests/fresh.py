"""``make fresh [PYTHONS="3.11 3.12 3.13"] [TESTS="…"]``: both commands of the README on a fresh
machine.

For each Python: a clean clone of what is committed, an empty HOME, and on the PATH what a POSIX
system has, but no Java, no uv, no browser and no other Python. ``make run`` must install and show a
chart of every lab in this session's Chromium, end at Ctrl-C, and leave no process; ``make test``
must install what it lacks and pass. TESTS holds pytest's options, by default some tests of each of
its three parts; ``TESTS= make fresh`` runs every test that needs no browser.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
from playwright.sync_api import sync_playwright

from pages.shell import lessons
from tests.browser.find import found
from tests.browser.serve import FLAGS, free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.11", "3.12", "3.13")
HIDDEN = ("java", "javac", "uv", "uvx", "apt", "chrom", "google-chrome", "firefox", "python", "pip")
KEPT = ("PIP_", "SSL_", "CURL_", "REQUESTS_", "HTTP_", "HTTPS_", "http", "LANG")  # the network's
TESTS = (
    "tests/test_architecture.py tests/engine/formats tests/engine/spark/test_murmur3.py"
    " tests/pages/leakage tests/engine/orchestration/test_retry.py"
)
INSTALL_SECONDS = 1200
CHART_MS = 120_000


def interpreter(version: str) -> str | None:
    """Return the path of a Python itself, not of a launcher that picks one; ``None`` without it."""
    found_path = shutil.which(f"python{version}")
    if found_path is None:
        return None
    code = "import sys; print(sys.executable)"
    done = subprocess.run([found_path, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() or None


def path_without(folder: Path, python: str) -> str:
    """Return a PATH of one folder of links: the system's commands less the hidden, and Python."""
    folder.mkdir()
    for system in (Path("/usr/bin"), Path("/bin"), Path("/usr/sbin")):
        for program in system.iterdir():
            link = folder / program.name
            if not program.name.startswith(HIDDEN) and not link.is_symlink():
                link.symlink_to(program)
    (folder / Path(python).name).symlink_to(python)
    return str(folder)


def visit(address: str) -> list[str]:
    """Return the labs that show no chart, or an exception, in a real browser."""
    bad = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found(), args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        for topic in lessons.topics():
            page.goto(f"{address}/{topic}")
            try:
                page.wait_for_selector(".chart[data-drawn]", timeout=CHART_MS)
            except Exception:
                bad.append(topic)
            if page.locator("[data-testid=stException]").count():
                bad.append(topic)
        browser.close()
    return bad


def run(clone: Path, environment: dict[str, str]) -> str:
    """Do ``make run``, visit the labs, end it; return what came of it."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    began = time.monotonic()
    with (clone / "run.log").open("wb") as log:
        process = subprocess.Popen(
            ["make", "run"],
            cwd=clone,
            env={**environment, "STREAMLIT_SERVER_PORT": str(port)},
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        try:
            wait_for(address, process, INSTALL_SECONDS)
        except (RuntimeError, TimeoutError) as error:
            return f"FAILED: {error}\n" + (clone / "run.log").read_text()[-2000:]
        served = time.monotonic() - began
        bad = visit(address)
        started = psutil.Process(process.pid).children(recursive=True)
    finally:
        with suppress(ProcessLookupError):  # it did not even start
            os.killpg(process.pid, signal.SIGINT)
        process.wait(timeout=60)
    left = psutil.wait_procs(started, timeout=20)[1]
    if bad or left:
        return f"FAILED: without a chart: {bad}; left running: {[one.name() for one in left]}"
    if "Traceback" in (text := (clone / "run.log").read_text(errors="replace")):
        return f"FAILED: a traceback in the log\n{text[-4000:]}"
    return (
        f"served after {served:.0f} s with the install, {len(lessons.topics())} labs drew a chart"
    )


def test(clone: Path, environment: dict[str, str], options: str) -> str:
    """Do ``make test`` with pytest's ``options``; return its closing lines."""
    done = subprocess.run(
        ["make", "test"],
        cwd=clone,
        env={**environment, "PYTEST_ADDOPTS": options},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    closing = done.stdout[done.stdout.rfind("All parts:") :].strip()
    return closing if done.returncode == 0 else f"FAILED ({done.returncode})\n{done.stdout[-4000:]}"


def main() -> None:
    """Print what came of each Python, and exit with 1 if any failed."""
    failed = False
    for version in os.environ.get("PYTHONS", " ".join(PYTHONS)).split():
        python = interpreter(version)
        if python is None:
            failed = True
            print(f"Python {version}: FAILED: no python{version} on the PATH")
            continue
        with tempfile.TemporaryDirectory() as folder:
            clone, home = Path(folder) / "clone", Path(folder) / "home"
            subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
            home.mkdir()
            environment = {k: v for k, v in os.environ.items() if k.startswith(KEPT)}
            environment |= {"HOME": str(home), "PATH": path_without(Path(folder) / "bin", python)}
            for name, result in (
                ("make run", run(clone, environment)),
                ("make test", test(clone, environment, os.environ.get("TESTS", TESTS))),
            ):
                failed |= result.startswith("FAILED")
                print(f"Python {version}, {name}: {result}", flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
