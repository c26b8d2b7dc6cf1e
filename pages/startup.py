"""What starts and stops with the server: the workspace is swept, and default results are computed
in the background.

Later labs hook in here: an engine that lives as long as the server is started in ``warm`` and
stopped in ``lifespan``.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import streamlit as st
from starlette.middleware import Middleware

from engine import hosted, kept, processes, sign_in, web, workspace
from engine.errors import InputError
from engine.jobs import JOBS, SERVER
from engine.orchestration import launch, monitor, schedule
from engine.orchestration import server as prefect
from engine.orchestration.alerts import webhook
from engine.orchestration.schedule import deployment
from engine.rooms import network
from engine.spark import session as spark
from pages import entrance
from pages.room import routes as room
from pages.shell import chart, lessons, state, streamlit_internals
from pages.shell.upload_names import UploadNames

ROUTES = (*chart.ROUTES, *room.ROUTES)  # beside Streamlit's own
WARM_UP = "PLAYGROUND_WARM_UP"  # "off": no default run is measured before somebody asks for it
FIRST_VISIT_SECONDS = 5.0  # that the first visitor's page may take before the warm-up goes on
ENDING = threading.Event()  # set once the server stops


def warm() -> None:
    """Prepare what the first visitors would wait for: Home's charts, slow imports, engines, default
    results.

    What is slow waits until a first page is drawn, or for ``FIRST_VISIT_SECONDS``.
    """
    from pages import home

    try:
        for topic in lessons.topics():
            home.early_preview(topic)
        state.VISITED.wait(FIRST_VISIT_SECONDS)
        load()
        for topic in lessons.topics():
            home.preview(topic)
        for start in (ignite, orchestrate):
            threading.Thread(target=start, name=f"{start.__name__}-start", daemon=True).start()
        for steps, params in waiting_jobs() if os.environ.get(WARM_UP) != "off" else ():
            JOBS.submit(SERVER, (steps, params), "warm-up", partial(steps, params))
    except Exception:
        # A cold lab still computes its result on the first visit; the log says why it was not warm.
        # An import that the end of Python cuts fails too, and is no news.
        if not ENDING.is_set():
            logging.getLogger(__name__).exception("warm-up failed")
    finally:
        settle()
        state.WARM.set()


def waiting_jobs() -> list[tuple[Any, Any]]:
    """Return the default jobs that are not kept for this code, the quickest first, by what they
    took last or typically take.
    """
    found = [
        (kept.seconds(job) or typical, number, job)
        for number, (job, typical) in enumerate(default_jobs())
        if not kept.is_kept(job)
    ]
    return [job for _, _, job in sorted(found, key=lambda entry: entry[:2])]


def default_jobs() -> Iterator[tuple[tuple[Any, Any], float]]:
    """Yield the steps and Params of each experiment's default job, in the order of the course, and
    the seconds that it typically takes.

    An experiment whose first result takes a job says so by a function ``default_job`` in its
    package, or in ``real`` where the model is the package and the engine beside it the job; a slow
    one by ``TYPICAL_SECONDS`` beside it.
    """
    for topic in lessons.topics():
        for name in lessons.load(topic).experiments:
            package = f"engine.{topic}.{name}"
            for path in (package, f"{package}.real"):
                module = import_module(path) if find_spec(path) else None
                if hasattr(module, "default_job"):
                    yield module.default_job(), getattr(module, "TYPICAL_SECONDS", 3.0)


def middleware() -> list[Middleware]:
    """Return what stands before every page: the guard, and names of uploads made short.

    The guard admits callers of this machine alone, no other site's pages, no call elsewhere.

    ``server.address`` other than loopback opens the server to other machines on purpose: then any
    name may call it, or those of ``server.allowedHosts``. ``make talk`` opens the vote alone.

    A shared server (``engine.hosted``) ends here with one sentence unless it names its hosts; it
    takes smaller uploads, and answers nothing that a page does not need. Where people sign in
    (``pages.entrance``), what pages made is for them alone.
    """
    named = st.get_option("server.allowedHosts")
    local = web.hostname(st.get_option("server.address") or "") in web.LOOPBACK
    talk = network.is_on()
    hosts = web.LOOPBACK | set(named) if local or named or talk else None
    base = state.base_path()
    if problem := hosted.start_problem(named) or entrance.prepare(base):
        sys.exit(problem)
    guard = Middleware(
        web.Guard,
        hosts=hosts,
        origins=st.get_option("server.corsAllowedOrigins"),
        policy=web.PAGE_POLICY,
        network=network.PATHS if talk else None,
    )
    if (limit := hosted.bounds()) is None:
        return [guard, Middleware(UploadNames)]
    streamlit_internals.limit_uploads(limit.upload_mb)
    shared = [guard, Middleware(web.Front), Middleware(UploadNames)]
    if not entrance.ASKS.is_set():
        logging.getLogger(__name__).warning(
            "Nobody is asked to sign in: no secrets.toml has [auth]. Let a proxy ask (HOSTING.md)."
        )
        return shared
    person = streamlit_internals.signed_in
    return [*shared, Middleware(sign_in.Door, base=base, routes=ROUTES, person=person)]


def settle() -> None:
    """Take what is loaded by now out of the garbage collector's sight, and let it collect from now
    on.

    A whole collection through every imported engine took 48 to 62 ms, and Streamlit makes one after
    each run of a page, while the browser waits for the run's last messages.
    ``.streamlit/config.toml`` switches that off; this keeps Python's own cheap.
    """
    gc.collect()
    gc.freeze()
    gc.enable()


def load() -> None:
    """Import what is slow to import, beside pages that are drawn.

    Feast's import parses code, as Streamlit does with a page. In CPython before 3.11.8 a garbage
    collection in the midst of one lets the other in, and both fail (python/cpython#106905): so
    nothing is collected from the start of the server until ``settle``.
    """
    import feast  # noqa: F401
    import pyspark.sql  # noqa: F401


def ignite() -> None:
    """Start Spark beside the warm-up's jobs."""
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
    streamlit_internals.share_locks()
    workspace.sweep()
    gc.disable()  # until all is loaded: see ``load``
    ENDING.clear()
    with workspace.temporary_files_inside():
        warming = threading.Thread(target=warm, name="warm-up", daemon=True)
        warming.start()
        yield
        ENDING.set()
        state.VISITED.set()
        warming.join(FIRST_VISIT_SECONDS)  # an import that the end of Python cuts aborts it
        JOBS.stop(seconds=1)  # before the engines: a run that loses Spark would start it again
        webhook.POST.stop()
        deployment.BOARD.stop()
        launch.LAUNCHER.stop()
        prefect.SERVER.stop()
        spark.ENGINE.stop()
        JOBS.stop()
        processes.stop()
        gc.unfreeze()  # else nothing frees what was frozen, and DuckDB prints it as leaked
