"""The playground with a job queue that a test can stop or break: run in place of ``app.py`` by a
browser test alone.

While the workspace holds a file ``hold``, every job waits at its start; a job that starts while it
holds ``fail`` fails.
"""

import sys
import time
from pathlib import Path

import streamlit as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from engine import workspace  # noqa: E402
from engine.jobs import SERVER, Job, Jobs, Progress, Steps  # noqa: E402
from engine.orchestration import backpressure  # noqa: E402
from pages.shell.errors import show_unforeseen  # noqa: E402
from pages.startup import ROUTES, lifespan, middleware  # noqa: E402

backpressure.REAL_SECONDS = 2.0  # of items in Prefect: what is pressed four times is short
router = ROOT / "pages" / "router.py"
app = st.App(
    router,
    lifespan=lifespan,
    routes=ROUTES,
    middleware=middleware(),
    on_script_error=show_unforeseen,
)
run = Jobs._run


def hindered(jobs: Jobs, job: Job) -> None:
    """Run a job behind the two files; the warm-up's own run as ever."""
    if job.owners <= {SERVER}:
        run(jobs, job)
        return
    make_steps = job.make_steps

    def steps() -> Steps:
        while (workspace.root() / "hold").exists():
            yield Progress(0.0, "held by the test")
            time.sleep(0.05)
        if (workspace.root() / "fail").exists():
            raise RuntimeError("broken by the test")
        return (yield from make_steps())

    job.make_steps = steps
    run(jobs, job)


Jobs._run = hindered  # type: ignore[method-assign]
