"""History, schedules and alerts in the bench of the orchestration lab: 200 kept runs of 50 tasks,
and what a tweak costs.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from typing import Any

from engine.jobs import timed
from engine.orchestration import alerts, history, predict, records, schedule
from engine.orchestration.alerts import figure as alerts_figures
from engine.orchestration.flows import RunParams
from engine.orchestration.history import figure as history_figures
from engine.orchestration.history import replay_figure
from engine.orchestration.schedule import dates
from engine.orchestration.schedule import figure as schedule_figures
from tests.bench.harness import measure

N_RUNS = 200
FIFTY = RunParams(
    flow="fan-out", tasks=44, width=12, retries=2
)  # with the list, the reduces, the total and the relist: 51 tasks


def kept() -> dict[str, Any]:
    """Print how long 200 kept runs of 50 tasks take to open and to tweak; return the figures to
    weigh.
    """
    before = os.environ.get("PLAYGROUND_WORKSPACE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["PLAYGROUND_WORKSPACE"] = folder
        try:
            for k in range(N_RUNS):
                run = predict.run(replace(FIFTY, seed=k))
                records.save(
                    replace(run, id=f"bench-{k}", predicted=False, submitted_at=1e9 + 60 * k)
                )
            asked = history.HistoryParams(flow="fan-out", last=200)
            seconds, result = timed(lambda: opened(asked))
            print(
                f"  History of {len(result.runs)} runs × {len(result.tasks)} tasks opens in"
                f" {seconds:.2f} s (goal ≤ 1)"
            )
            measure(
                "History, factor", lambda i: history.run(replace(asked, factor=1 + i / 5)).verdict
            )
            measure(
                "Alerts, σ",
                lambda i: alerts.run(alerts.AlertsParams(flow="fan-out", k=1 + i / 5)).verdict,
            )
            watched = alerts.run(alerts.AlertsParams(flow="fan-out"))
        finally:
            os.environ.pop("PLAYGROUND_WORKSPACE")
            if before is not None:
                os.environ["PLAYGROUND_WORKSPACE"] = before
    return {
        "History, grid of 200 × 50": history_figures.grid(result),
        "History, replay of 50 tasks": replay_figure.replay(result),
        "History, critical path": history_figures.path(result),
        "Alerts, 200 runs": alerts_figures.scores(watched),
        "Schedules": schedule_figures.days(scheduled()),
    }


def opened(asked: history.HistoryParams) -> history.HistoryResult:
    """Read every kept run and draw the grid, as a first visit does."""
    result = history.run(asked)
    history_figures.grid(result)
    assert result.why
    return result


def scheduled() -> schedule.ScheduleResult:
    """Print what a tweak of a schedule costs, and return one."""
    result = schedule.run(schedule.ScheduleParams(cron="*/30 * * * *"))
    measure(
        "Schedules, another cron (Prefect asked)",
        lambda i: schedule.run(schedule.ScheduleParams(cron=f"{i} 4 * * *")).why,
    )
    measure(
        "Schedules, outage", lambda i: schedule.run(replace(result.params, down_hours=float(i))).why
    )
    measure("Schedules, limit", lambda i: schedule.run(replace(result.params, limit=i % 6)).why)
    dates.CLERK.stop()
    return result
