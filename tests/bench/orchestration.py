"""The orchestration lab in the bench."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace

from engine.jobs import timed
from engine.orchestration import backpressure, launch, monitor, retry, watch
from engine.orchestration.backpressure import BackpressureParams
from engine.orchestration.backpressure import figure as backpressure_figures
from engine.orchestration.flows import RunParams
from engine.orchestration.launch import LAUNCHER
from engine.orchestration.monitor import figure
from engine.orchestration.retry import RetryParams
from engine.orchestration.retry import figure as retry_figures
from engine.orchestration.server import SERVER
from tests.bench import orchestration_history
from tests.bench.harness import Tab, measure, payloads, slider

TABS = (
    Tab("Run monitor (retries)", "orchestration", slider("monitor_retries"), "monitor_gantt"),
    Tab(  # not the days chart: how long a run takes, and the limit, move no run
        "Schedules (run duration)",
        "orchestration?orchestration_tab=Schedules&schedule_cron=0+*+*+*+*&schedule_around=ordinary+days&schedule_view=Overlap",
        slider("schedule_run_minutes"),
        "schedule_overlap",
    ),
    Tab(
        "Architecture (moment)",
        "orchestration?orchestration_tab=Schedules&schedule_part=Architecture",
        slider("components_moment"),
        "components_architecture",
    ),
    Tab(
        "Monitoring (speed-up)",
        "orchestration?orchestration_tab=Monitoring&history_source=simulated",
        slider("history_factor"),
        "history_path",
    ),
    Tab(
        "Retry lab (retries)",
        "orchestration?orchestration_tab=Retry+lab",
        slider("retry_retries"),
        "retry_outcomes",
    ),
    Tab(
        "Backpressure (limit)",
        "orchestration?orchestration_tab=Backpressure",
        slider("backpressure_workers"),
        "backpressure_depth",
    ),
    Tab(
        "Alerts (σ)",
        "orchestration?orchestration_tab=Monitoring&alerts_part=Alerts",
        slider("alerts_k"),
        "alerts_scores",
    ),
)
MANY = RunParams(
    flow="fan-out",
    tasks=190,
    width=12,
    duration_seconds=0.2,
    failure_probability=0.05,
    concurrency=16,
)


def monitored() -> dict[str, object]:
    """Print what the run monitor costs: prediction, following 200 tasks, twenty runs at once."""
    shown = measure("Run of 200 tasks predicted", lambda i: monitor.run(replace(MANY, seed=i)))
    began = time.perf_counter()
    LAUNCHER.start(warm=True)
    SERVER.ready()
    print(f"  Prefect's server is ready after {time.perf_counter() - began:.1f} s")
    took = follow(launch.submit(MANY))
    told = f"median {statistics.median(took):.2f} s, at most {max(took):.2f}, of {len(took)}"
    print(f"  200 tasks live: a read takes {told} (goal ≤ 1)")
    began = time.perf_counter()
    small = RunParams(
        flow="daily ETL",
        tasks=6,
        width=3,
        duration_seconds=0.05,
        failure_probability=0.1,
        delay_seconds=0.1,
    )
    ids = [launch.submit(replace(small, seed=k)) for k in range(20)]
    ended = [launch.wait(run_id, 300) for run_id in ids]
    told = f"{sum(run.ended for run in ended)} of 20 ended in {time.perf_counter() - began:.0f} s"
    print(f"  Twenty runs at once: {told}; as predicted: {sum(as_predicted(run) for run in ended)}")
    return {"Gantt, 200 tasks": figure.gantt(shown), "Graph, 200 tasks": figure.graph(shown)}


def as_predicted(run: object) -> bool:
    """Whether each attempt of a run ended as the seed had it."""
    result = monitor.result_of(run)  # type: ignore[arg-type]
    return result.outcomes() == monitor.result_of(result.predicted).outcomes()


def follow(run_id: str) -> list[float]:
    """Read a run as the page does until it is over; return the seconds that each read took."""
    took = []
    while run_id in LAUNCHER.params:
        took.append(timed(lambda: watch.read(SERVER, run_id))[0])
        time.sleep(0.4)
    return took


def dragged() -> dict[str, object]:
    """Print what the controls of Retry lab and Backpressure cost, each time with a setting not seen
    before.
    """
    tried = measure(
        "Retry lab: 10,000 runs, 1,000 flows",
        lambda i: retry.run(RetryParams(retries=5, jitter=0.5, seed=100 + i)),
    )
    queued = measure(
        "Backpressure: 3 × 120 items", lambda i: backpressure.run(BackpressureParams(seed=100 + i))
    )
    most = BackpressureParams(
        arrival_rate=10.0, service_seconds=0.3, workers=3, seconds=200, urgent_share=0.3
    )
    busy = measure(
        "Backpressure: 3 × 2,000 items", lambda i: backpressure.run(replace(most, seed=100 + i))
    )
    return {
        "Retry outcomes": retry_figures.outcomes(tried),
        "Herd": retry_figures.herd(tried),
        "Queue": backpressure_figures.depth(queued),
        "Queue, 2,000 items": backpressure_figures.depth(busy),
        "Waits, 2,000 items": backpressure_figures.waits(busy),
    }


def compute() -> None:
    """Print the lab's own goals."""
    figures_made = {**dragged(), **monitored()}
    LAUNCHER.stop()
    SERVER.stop()
    payloads({**figures_made, **orchestration_history.kept()})
