"""The code panel of *Schedules*: the same dates, asked from Prefect's own classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from engine.orchestration.schedule import ScheduleParams


def code(params: ScheduleParams, start: float, n_runs: int) -> str:
    """Return a script that asks Prefect for ``n_runs`` dates from ``start`` on and prints the headline."""
    place = f'ZoneInfo("{params.zone}")'
    rule = {
        "cron": f"CronSchedule(cron={params.cron!r}, timezone={params.zone!r})",
        "rrule": f"RRuleSchedule(rrule={params.rrule!r}, timezone={params.zone!r})",
        "interval": f"IntervalSchedule(interval=timedelta(minutes={params.every_minutes}), "
        f"anchor_date=datetime({params.year}, 1, 1, 9, tzinfo={place}), timezone={params.zone!r})",
    }[params.kind]
    return f'''"""The next runs of a schedule by Prefect's own code; their clocks and their overlap by the lab's."""
import asyncio
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

from engine.orchestration import schedule_load
from engine.orchestration.schedule import ScheduleParams, run

schedule = {rule}
start = datetime.fromtimestamp({start!r}, UTC)
dates = sorted({{date.timestamp() for date in asyncio.run(schedule.get_dates(n={n_runs}, start=start))}})
turns = schedule_load.turns(tuple(dates), {params.run_minutes * 60!r}, {params.limit}, {params.collision!r})
fates = run({params!r})
print(json.dumps({{
    "runs": len(dates),
    "first": datetime.fromtimestamp(dates[0], UTC).isoformat(),
    "last": datetime.fromtimestamp(dates[-1], UTC).isoformat(),
    "moved": fates.n_moved,
    "left out": fates.n_left_out,
    "most at once": schedule_load.most_at_once(turns),
    "dropped": sum(turn.start is None for turn in turns),
    "longest wait, min": round(max(turn.wait_seconds for turn in turns) / 60, 6),
}}))
'''
