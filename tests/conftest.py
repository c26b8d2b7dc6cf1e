"""Settings of every test: one thread for the engines, a workspace of its own, and no silent skip in CI."""

from __future__ import annotations

import os
import tempfile

import pytest

os.environ["OMP_NUM_THREADS"] = "1"
os.environ["PLAYGROUND_WORKSPACE"] = tempfile.mkdtemp(prefix="playground-test-")


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """In CI a skipped test is a failed one: nothing may be left out there."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI leaves nothing out"
