"""Prints the path of a Chromium or Chrome to test with: ``python -m tests.browser.find
[--install]``; exit code 1 without one.

In order: ``PLAYGROUND_BROWSER``, a browser on the PATH, one that Playwright installed; with
``--install`` then ``playwright install chromium``, and as root on Debian the package ``chromium``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
MAC = Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome")


def found() -> str | None:
    """Return the path of a browser that is there, or ``None``."""
    from playwright.sync_api import sync_playwright

    if path := os.environ.get("PLAYGROUND_BROWSER"):
        return path
    for name in NAMES:
        if path := shutil.which(name):
            return path
    if MAC.exists():
        return str(MAC)
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if path and Path(path).exists() else None


def install() -> None:
    """Try to install one, quietly but for errors; what it prints goes to stderr."""
    subprocess.run(
        [sys.executable, "-m", "playwright", "install", "chromium"],
        stdout=sys.stderr,
        check=False,
        timeout=300,
    )
    if found() is None and shutil.which("apt-get") and os.geteuid() == 0:
        for command in (
            ["apt-get", "update", "-qq"],
            ["apt-get", "install", "-y", "-qq", "chromium"],
        ):
            subprocess.run(command, stdout=sys.stderr, check=False, timeout=600)


if __name__ == "__main__":
    if found() is None and "--install" in sys.argv:
        install()
    browser = found()
    if browser is None:
        sys.exit(1)
    print(browser)
