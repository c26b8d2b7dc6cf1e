"""``python -m engine.orchestration.schedule.child``: Prefect's own schedule code, asked line by
line over a pipe.

Real: the dates are those of ``prefect.server.schemas.schedules``, the classes from which Prefect's
scheduler books runs. It lives in a child because its import takes more than a second, and because a
rule can keep it busy for minutes: then it is ended.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any


def schedule_of(rule: dict[str, Any]) -> Any:
    """Return Prefect's schedule for what a page or a script asks: ``kind``, ``zone`` and the rule
    itself.
    """
    from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule, RRuleSchedule

    if rule["kind"] == "cron":
        return CronSchedule(cron=rule["cron"], timezone=rule["zone"])
    if rule["kind"] == "rrule":
        return RRuleSchedule(rrule=rule["rrule"], timezone=rule["zone"])
    anchor = datetime.fromtimestamp(rule["anchor"], UTC)
    every = timedelta(minutes=rule["every_minutes"])
    return IntervalSchedule(interval=every, anchor_date=anchor, timezone=rule["zone"])  # type: ignore[arg-type]


def dates(rule: dict[str, Any]) -> list[float]:
    """Return the next ``n`` runs from ``start`` on (until ``end``, if one is given), in seconds
    since the epoch.
    """
    end = None if rule["end"] is None else datetime.fromtimestamp(rule["end"], UTC)
    found = schedule_of(rule)._get_dates_generator(
        n=rule["n"], start=datetime.fromtimestamp(rule["start"], UTC), end=end
    )
    return sorted({date.timestamp() for date in islice(found, rule["n"])})


def answer(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the dates, or what Prefect says against the rule."""
    try:
        return {"dates": dates(rule)}
    except Exception as error:
        # whatever Prefect raises about a rule is for the person who wrote it
        return {"error": message_of(error)}


def message_of(error: Exception) -> str:
    """Return the one sentence of Prefect's error that says what is wrong."""
    errors = getattr(error, "errors", None)
    if callable(errors):
        return str(errors()[0]["msg"]).removeprefix("Value error, ")
    return str(error) or type(error).__name__


def lines() -> Iterator[str]:
    """Yield what is asked; the parent that goes closes the pipe, and this process ends."""
    yield from iter(sys.stdin.readline, "")


if __name__ == "__main__":
    import prefect.server.schemas.schedules  # noqa: F401 - before the first question, whose time is limited

    print(json.dumps({"ready": True}), flush=True)
    for line in lines():
        print(json.dumps(answer(json.loads(line))), flush=True)
