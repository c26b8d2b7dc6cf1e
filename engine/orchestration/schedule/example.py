"""A daily schedule in a time zone; when the clocks go forward, 02:30 does not exist."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from prefect import flow
from prefect.schedules import Cron
from prefect.server.schemas.schedules import CronSchedule

zone = "America/New_York"


@flow
def daily(): ...


deployment = daily.to_deployment("daily", schedule=Cron("30 2 * * *", timezone=zone))
print(deployment.schedules[0].schedule.cron)  # 30 2 * * *
# daily.serve("daily", schedule=Cron(…)) creates it on the server and runs it when it is due
rule = CronSchedule(cron="30 2 * * *", timezone=zone)  # the server's own class says when
dates = asyncio.run(rule.get_dates(n=3, start=datetime(2026, 3, 7, tzinfo=UTC)))
print([f"{date.astimezone(ZoneInfo(zone)):%d %H:%M}" for date in dates])  # ?
