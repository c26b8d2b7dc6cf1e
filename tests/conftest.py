"""Settings of every test: one thread for the engines, a workspace of its own, no silent skip in CI,
no traceback in the log.
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest

os.environ["OMP_NUM_THREADS"] = "1"
# A test's JVM lives for seconds or minutes: what the second compiler costs never comes back. It was
# 40 to 45% of the processor time of all Spark tests.
os.environ.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
# make test names a folder for the workspaces of its parts
os.environ["PLAYGROUND_WORKSPACE"] = tempfile.mkdtemp(
    prefix="playground-test-", dir=os.environ.get("TEST_WORKSPACES")
)

from engine.jobs import JOBS  # after the settings

MARKS = {  # what a test needs, for -m "not spark" and make test's parts -> parts of its id
    "spark": (
        "tests/engine/spark/",
        "tests/pages/spark/",
        "tests/engine/pipeline/",
        "tests/pages/pipeline/",
        "tests/pages/test_moved.py",
        *("[spark", "[sql_", "[partitioning", "[pipeline", "etl-streaming]"),
        "tests/engine/etl/test_streaming.py",
        "tests/pages/etl/test_stream.py",
    ),
    "prefect": (
        "tests/engine/orchestration/",
        "tests/pages/orchestration/",
        "tests/engine/pipeline/test_flow",
        *("[orchestration", "[schedule_"),
    ),
    "pages": ("tests/pages/",),
    "browser": ("tests/browser/",),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test with the engines that it starts, and put the tests in their order."""
    for item in items:
        for marker, parts in MARKS.items():
            if any(part in item.nodeid for part in parts):
                item.add_marker(marker)
    items.sort(key=turn)


def turn(item: pytest.Item) -> int:
    """Return the place of a test: pages measure first what browser tests then find measured, and
    what shares one server comes last, so that nothing else runs beside that.
    """
    if "browser" in item.keywords:
        return 2 + ("server" in getattr(item, "fixturenames", ()))
    return 0 if "pages" in item.keywords and "prefect" not in item.keywords else 1


def started() -> set[str]:
    """Return the engines that this process has started."""
    spark = sys.modules.get("engine.spark.session")
    prefect = sys.modules.get("engine.orchestration.server")
    found = set()
    if spark is not None and spark.ENGINE.state != "cold":
        found.add("spark")
    if prefect is not None and prefect.SERVER.state.stage != "cold":
        found.add("prefect")
    return found


@pytest.fixture(autouse=True)
def an_engine_is_started_by_a_marked_test(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each engine starts in one part of the run, so a test that starts one carries its mark."""
    before = started()
    yield
    unmarked = started() - before - set(request.keywords)
    assert not unmarked, f"enter this test in MARKS of tests/conftest.py: it starts {unmarked}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """In CI a skipped test is a failed one: nothing may be left out there."""
    outcome = yield
    report = outcome.get_result()
    if os.environ.get("CI") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"{item.nodeid} was skipped, and CI leaves nothing out"


def pytest_unconfigure() -> None:
    """End the thread of the jobs, as the server does when it stops.

    Python never frees what a thread holds that still runs at exit. The last job held a lab's DuckDB
    connection, and DuckDB then prints forty lines about leaked objects.
    """
    JOBS.stop()


tracebacks: list[str] = []
make_record = logging.getLogRecordFactory()


def note_tracebacks(*arguments: Any, **more: Any) -> logging.LogRecord:
    """Keep what any logger says of an exception: Streamlit's own loggers hand nothing on to the
    root.
    """
    record = make_record(*arguments, **more)
    found = record.exc_info[0].__module__ if record.exc_info and record.exc_info[0] else ""
    # Py4J says so itself when a JVM has ended, as some tests let it
    if found and not found.startswith("py4j") and record.levelno >= logging.ERROR:
        tracebacks.append(f"{record.name}: {record.getMessage()}: {record.exc_info[1]!r}")
    return record


logging.setLogRecordFactory(note_tracebacks)


@pytest.fixture(autouse=True)
def no_traceback_is_logged(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test during which the server's log got a traceback, unless the test is marked as one
    about that.
    """
    tracebacks.clear()
    yield
    if "logs_traceback" not in request.keywords:
        assert not tracebacks
