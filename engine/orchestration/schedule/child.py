"""``python -m engine.orchestration.schedule.child``: Prefect's own schedule code, asked line by
line over a pipe.

Real: the dates are those of ``prefect.server.schemas.schedules``, the classes from which Prefect's
scheduler books runs. It lives in a child because its import takes more than a second, and because a
rule can keep it busy for minutes: then it is ended. An rrule gets the DTSTART that Prefect's API
writes when a deployment is created; where that is long ago, a later one that names the same times,
for Prefect walks through all of them.
"""

from __future__ import annotations

import asyncio
import json
import math
import queue
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from dateutil import rrule as dateutil_rrule
from dateutil import tz

from engine.orchestration.prefect_internals import anchored_rrule, schedule_classes
from engine.processes import end_with_parent, report

DTSTART = re.compile(r"(DTSTART[^:]*:)(\d{8}T\d{6})", re.IGNORECASE)
DTSTART_FORMAT = "%Y%m%dT%H%M%S"
MARGIN = timedelta(hours=3)  # a clock that changes puts a run up to this far from its digits
PERIOD_SECONDS = {  # of what dateutil repeats evenly; months and years are of unequal length
    dateutil_rrule.WEEKLY: 604_800,
    dateutil_rrule.DAILY: 86_400,
    dateutil_rrule.HOURLY: 3_600,
    dateutil_rrule.MINUTELY: 60,
    dateutil_rrule.SECONDLY: 1,
}


def advanced(rrule: str, before: datetime) -> str:
    """Return an rrule with the latest DTSTART before a local time that names the same times from
    then on; as it is where it counts its runs or repeats by month or year.
    """
    parsed: Any = dateutil_rrule.rrulestr(rrule)
    parts = [parsed] if hasattr(parsed, "_freq") else [*parsed._rrule, *parsed._exrule]
    even = all(part._count is None and part._freq in PERIOD_SECONDS for part in parts)
    found = DTSTART.findall(rrule)
    if not even or len(found) != 1 or not parts:
        return rrule
    step = math.lcm(*(PERIOD_SECONDS[part._freq] * part._interval for part in parts))
    first = datetime.strptime(found[0][1], DTSTART_FORMAT)
    periods = math.floor((before - first).total_seconds() / step) if step else 0
    if periods <= 0:
        return rrule
    later = (first + timedelta(seconds=periods * step)).strftime(DTSTART_FORMAT)
    return DTSTART.sub(rf"\g<1>{later}", rrule)


def schedule_of(rule: dict[str, Any]) -> Any:
    """Return Prefect's schedule for what a page or a script asks: ``kind``, ``zone`` and the rule
    itself.
    """
    kind = rule["kind"]
    if kind == "interval":
        anchor = datetime.fromtimestamp(rule["anchor"], UTC)
        fields = {"interval": timedelta(minutes=rule["every_minutes"]), "anchor_date": anchor}
    else:
        fields = {kind: rule[kind]}
    if kind == "cron":
        fields["day_or"] = rule["day_or"]
    made = schedule_classes()[kind](**fields, timezone=rule["zone"])
    if kind == "rrule":
        before = datetime.fromtimestamp(rule["start"], UTC) - MARGIN
        stored = anchored_rrule(made.rrule, before, rule["zone"])
        local = before.astimezone(tz.gettz(rule["zone"])).replace(tzinfo=None)
        made = type(made)(rrule=advanced(stored, local), timezone=made.timezone)
    return made


def dates(schedule: Any, rule: dict[str, Any]) -> list[float]:
    """Return the next ``n`` runs from ``start`` on (until ``end``, if one is given), in seconds
    since the epoch.
    """
    end = None if rule["end"] is None else datetime.fromtimestamp(rule["end"], UTC)
    start = datetime.fromtimestamp(rule["start"], UTC)
    found = asyncio.run(schedule.get_dates(n=rule["n"], start=start, end=end))
    return sorted({date.timestamp() for date in found})


def answer(rule: dict[str, Any]) -> dict[str, Any]:
    """Return the dates, or what Prefect says: ``refused`` as it reads the rule, ``failed`` as it
    computes its dates.
    """
    said = "refused"
    try:
        schedule = schedule_of(rule)
        said = "failed"
        return {"dates": dates(schedule, rule)}
    except Exception as error:
        # whatever Prefect raises about a rule is for the person who wrote it
        return {said: message_of(error)}


def message_of(error: Exception) -> str:
    """Return the one sentence of Prefect's error that says what is wrong."""
    errors = getattr(error, "errors", None)
    if callable(errors):
        return str(errors()[0]["msg"]).removeprefix("Value error, ")
    return str(error) or type(error).__name__


if __name__ == "__main__":
    schedule_classes()  # imports Prefect before the first question, whose time is limited
    questions: queue.Queue[str] = queue.Queue()
    end_with_parent(questions.put)  # also amid a rule that takes minutes
    report(ready=True)
    while True:
        report(**answer(json.loads(questions.get())))
