"""A daily schedule in a time zone; when the clocks go forward, 02:30 does not exist."""

import asyncio
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from prefect.server.schemas.schedules import CronSchedule

# In a file of your own: daily.serve("daily", schedule=Cron("30 2 * * *", timezone=zone))
zone = "America/New_York"
rule = CronSchedule(cron="30 2 * * *", timezone=zone)  # what the server asks for the next runs
dates = asyncio.run(rule.get_dates(n=3, start=datetime(2026, 3, 7, tzinfo=UTC)))
local = [date.astimezone(ZoneInfo(zone)) for date in dates]
print([f"{date:%d %H:%M}" for date in local])  # ['07 02:30', '08 01:30', '09 02:30']
