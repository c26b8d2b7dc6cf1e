"""The next runs of a schedule by Prefect's own classes; clocks and overlap by the lab's."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

from engine.orchestration import prefect_internals, schedule
from engine.orchestration.schedule import load
from engine.orchestration.schedule.params import N_RUNS, ScheduleParams

PARAMS = ScheduleParams()
lab = schedule.run(PARAMS)
start = datetime.fromtimestamp(lab.plan.start, UTC)  # a day before the clocks change
rule: CronSchedule | IntervalSchedule | RRuleSchedule
if PARAMS.kind == "cron":
    rule = CronSchedule(cron=PARAMS.cron, timezone=PARAMS.zone, day_or=PARAMS.day_or)
elif PARAMS.kind == "rrule":
    # with the DTSTART that Prefect's API adds to a rule without one
    stored = prefect_internals.anchored_rrule(PARAMS.rrule, start, PARAMS.zone)
    rule = RRuleSchedule(rrule=stored, timezone=PARAMS.zone)
else:
    interval = {
        "interval": timedelta(minutes=PARAMS.every_minutes),
        "anchor_date": datetime(PARAMS.year, 1, 1, 9, tzinfo=ZoneInfo(PARAMS.zone)),
        "timezone": PARAMS.zone,
    }
    rule = IntervalSchedule.model_validate(interval)
dates = sorted({date.timestamp() for date in asyncio.run(rule.get_dates(n=N_RUNS, start=start))})
turns = load.turns(tuple(dates), PARAMS.run_minutes * 60, PARAMS.limit, PARAMS.collision)
numbers = {
    "runs": len(dates),
    "first": datetime.fromtimestamp(dates[0], UTC).isoformat(),
    "last": datetime.fromtimestamp(dates[-1], UTC).isoformat(),
    "moved": lab.n_moved,
    "skipped": lab.n_left_out,
    "most in parallel": load.most_parallel(turns),
    "dropped": sum(turn.start is None for turn in turns),
    "longest wait, min": round(max(turn.wait_seconds for turn in turns) / 60, 6),
}
print(json.dumps(numbers))
