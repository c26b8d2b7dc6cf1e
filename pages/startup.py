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
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
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
    from engine.etl import backfill, crash, loads
    from engine.feature_store import growth, online, point_in_time, registry, skew
    from engine.feature_store.online import real
    from engine.feature_store.skew import real as skew_job
    from engine.formats import codecs, race, terabyte
    from engine.leakage import audit, availability, dose, repairs, time_splits
    from engine.sampling import arena, before_split, splits, survey
    from engine.spark import partitioning
    from engine.spark.partitioning import real as partitioning_run
    from pages import home

    try:
        for topic in lessons.topics():
            home.preview(topic)
        threading.Thread(target=ignite, name="spark-start", daemon=True).start()
        warmed = (
            (point_in_time.steps, point_in_time.PointInTimeParams()),
            (registry.steps, registry.RegistryParams().job),
            (real.steps, online.OnlineParams().job),
            (skew_job.steps, skew.SkewParams()),
            (race.steps, race.RaceParams()),
            (loads.steps, loads.LoadsParams()),
            (crash.steps, crash.CrashParams()),
            (backfill.steps, backfill.BackfillParams()),
            (codecs.steps, codecs.CodecsParams()),
            (arena.steps, arena.ArenaParams()),
            (before_split.steps, before_split.BeforeSplitParams()),
            (survey.steps, survey.SurveyParams()),
            (splits.score_steps, splits.SplitsParams()),
            (dose.overview_steps, dose.overview_of(dose.DoseParams())),
            (availability.steps, availability.AvailabilityParams()),
            (audit.steps, audit.AuditParams()),
            (repairs.steps, repairs.RepairsParams()),
            (time_splits.score_steps, time_splits.TimeSplitsParams()),
            (race.steps, terabyte.TerabyteParams().race),
            (partitioning_run.steps, partitioning.PartitioningParams()),
            (growth.steps, growth.GrowthParams()),  # last: it measures milliseconds
        )
        for steps, params in warmed:
            JOBS.submit(SERVER, (steps, params), "warm-up", partial(steps, params))
    except (
        Exception
    ):  # a cold lab still computes its result on the first visit; the log says why it was not warm
        logging.getLogger(__name__).exception("warm-up failed")
    finally:
        settle()
        state.WARM.set()


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
    except (
        InputError
    ) as error:  # no Java to be had, or a cluster that nobody reaches: the page says so
        logging.getLogger(__name__).warning("Spark is not ready: %s", error)


def orchestrate() -> None:
    """Start Prefect's server and the workers beside the warm-up; on a new workspace the defaults
    are run once.
    """
    try:
        schedule.run(schedule.ScheduleParams())  # its child imports Prefect's schedule code
        monitor.start_first()
    except (
        InputError
    ) as error:  # a server that the environment names and nobody reaches: the page says so
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
