"""The code panel of *Schedules*: the same dates, asked from Prefect's own classes."""

from __future__ import annotations

from engine.orchestration.schedule import _plan, _shared
from engine.orchestration.schedule.params import N_RUNS, ScheduleParams
from engine.source_code import Code, fill, literal

SCRIPT = '''"""The next runs of a schedule by Prefect's code; clocks and overlap by the lab's."""
import asyncio
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

from engine.orchestration.schedule import ScheduleParams, load, run

schedule = @rule
start = datetime.fromtimestamp(@start, UTC)
found = asyncio.run(schedule.get_dates(n=@n_runs, start=start))
dates = sorted({date.timestamp() for date in found})
turns = load.turns(tuple(dates), @run_seconds, @limit, @collision)
fates = run(@params)
print(json.dumps({
    "runs": len(dates),
    "first": datetime.fromtimestamp(dates[0], UTC).isoformat(),
    "last": datetime.fromtimestamp(dates[-1], UTC).isoformat(),
    "moved": fates.n_moved,
    "left out": fates.n_left_out,
    "most at once": load.most_at_once(turns),
    "dropped": sum(turn.start is None for turn in turns),
    "longest wait, min": round(max(turn.wait_seconds for turn in turns) / 60, 6),
}))
'''


def code(params: ScheduleParams, start: float, n_runs: int) -> str:
    """Return a script that asks Prefect for ``n_runs`` dates from ``start`` on and prints the
    headline.
    """
    zone = literal(params.zone)
    anchor = f"datetime({literal(params.year)}, 1, 1, 9, tzinfo=ZoneInfo({zone}))"
    every = f"timedelta(minutes={literal(params.every_minutes)})"
    rule = {
        "cron": f"CronSchedule(cron={literal(params.cron)}, timezone={zone})",
        "rrule": f"RRuleSchedule(rrule={literal(params.rrule)}, timezone={zone})",
        "interval": f"IntervalSchedule(interval={every}, anchor_date={anchor}, timezone={zone})",
    }[params.kind]
    return fill(
        SCRIPT,
        rule=Code(rule),
        start=start,
        n_runs=n_runs,
        run_seconds=params.run_minutes * 60,
        limit=params.limit,
        collision=params.collision,
        params=params,
    )


def script(params: ScheduleParams) -> str:
    """Return a script that reproduces the headline with Prefect's classes."""
    return code(params, _plan(_shared(params)).start, N_RUNS)
