"""What starts and stops with the server: the workspace is swept, and default results are computed
in the background.

Later labs hook in here: an engine that lives as long as the server is started in ``warm`` and
stopped in ``lifespan``.
"""

from __future__ import annotations

import gc
import logging
import os
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from engine import processes, web, workspace
from engine.errors import InputError
from engine.jobs import JOBS, SERVER
from engine.orchestration import launch, monitor, schedule
from engine.orchestration import server as prefect
from engine.orchestration.alerts import webhook
from engine.orchestration.schedule import deployment
from engine.spark import session as spark
from pages.shell import lessons, state
from pages.shell.upload_names import UploadNames


def warm() -> None:
    """Import what is slow to import and compute the default results, so that the first visitor does
    not wait.
    """
    from pages import home

    try:
        for topic in lessons.topics():
            home.preview(topic)
        threading.Thread(target=ignite, name="spark-start", daemon=True).start()
        for steps, params in default_jobs():
            JOBS.submit(SERVER, (steps, params), "warm-up", partial(steps, params))
    except Exception:
        # A cold lab still computes its result on the first visit; the log says why it was not warm.
        logging.getLogger(__name__).exception("warm-up failed")
    finally:
        settle()
        state.WARM.set()


def default_jobs() -> Iterator[tuple[Any, Any]]:
    """Yield the steps and Params of each experiment's default job, in the order of the course.

    An experiment whose first result takes a job says so by a function ``default_job`` in its
    package, or in ``real`` where the model is the package and the engine beside it the job.
    """
    for topic in lessons.topics():
        for name in lessons.load(topic).tabs:
            package = f"engine.{topic}.{name}"
            for module in (package, f"{package}.real"):
                if find_spec(module) and hasattr(import_module(module), "default_job"):
                    yield import_module(module).default_job()


def middleware() -> list[Middleware]:
    """Return what stands before every page: the guard, and names of uploads made short.

    The guard admits callers of this machine alone, no other site's pages, no call elsewhere.

    ``server.address`` other than loopback opens the server to other machines on purpose: then any
    name may call it, or those of ``server.allowedHosts``.
    """
    named = st.get_option("server.allowedHosts")
    local = web.hostname(st.get_option("server.address") or "") in web.LOOPBACK
    hosts = web.LOOPBACK | set(named) if local else set(named) or None
    origins = st.get_option("server.corsAllowedOrigins")
    guard = Middleware(web.Guard, hosts=hosts, origins=origins, policy=web.PAGE_POLICY)
    return [guard, Middleware(UploadNames)]


def settle() -> None:
    """Take what is loaded by now out of the garbage collector's sight.

    A whole collection through every imported engine took 48 to 62 ms, and Streamlit makes one after
    each run of a page, while the browser waits for the run's last messages.
    ``.streamlit/config.toml`` switches that off; this keeps Python's own cheap.
    """
    gc.collect()
    gc.freeze()


def load() -> None:
    """Import, before the first page is served, what must not be imported beside one.

    Feast's import parses code while Streamlit parses the page, which CPython 3.11 cannot do in two
    threads at once; and what it brings along (dask, ibis) is looked at half-imported by whoever
    draws a table or a figure meanwhile.
    """
    import feast  # noqa: F401
    import pyspark.sql  # noqa: F401

    settle()


def ignite() -> None:
    """Start Spark beside the warm-up's jobs, once Home has its charts."""
    try:
        spark.session()
    except InputError as error:
        # no Java to be had, or a cluster that nobody reaches: the page says so
        logging.getLogger(__name__).warning("Spark is not ready: %s", error)


def orchestrate() -> None:
    """Start Prefect's server and the workers beside the warm-up; on a new workspace the defaults
    are run once.
    """
    try:
        schedule.run(schedule.ScheduleParams())  # its child imports Prefect's schedule code
        monitor.start_first()
    except InputError as error:
        # a server that the environment names and nobody reaches: the page says so
        logging.getLogger(__name__).warning("Prefect is not ready: %s", error)


@asynccontextmanager
async def lifespan(_: Any) -> AsyncIterator[None]:
    """Sweep the workspace, warm in the background, and end every job when the server stops."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    workspace.sweep()
    with workspace.temporary_files_inside():
        load()
        threading.Thread(target=warm, name="warm-up", daemon=True).start()
        threading.Thread(target=orchestrate, name="prefect-start", daemon=True).start()
        yield
        webhook.POST.stop()
        deployment.BOARD.stop()
        launch.LAUNCHER.stop()
        prefect.SERVER.stop()
        spark.ENGINE.stop()
        JOBS.stop()
        processes.stop()
        gc.unfreeze()  # else nothing frees what was frozen, and DuckDB prints it as leaked
