"""``python -m engine.orchestration.schedule.child``: Prefect's own schedule code, asked line by
line over a pipe.

Real: the dates are those of ``prefect.server.schemas.schedules``, the classes from which Prefect's
scheduler books runs. It lives in a child because its import takes more than a second, and because a
rule can keep it busy for minutes: then it is ended.
"""

from __future__ import annotations

import asyncio
import json
import queue
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.orchestration.prefect_internals import schedule_classes
from engine.processes import end_with_parent, report


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
    return schedule_classes()[kind](**fields, timezone=rule["zone"])


def dates(rule: dict[str, Any]) -> list[float]:
    """Return the next ``n`` runs from ``start`` on (until ``end``, if one is given), in seconds
    since the epoch.
    """
    end = None if rule["end"] is None else datetime.fromtimestamp(rule["end"], UTC)
    start = datetime.fromtimestamp(rule["start"], UTC)
    found = asyncio.run(schedule_of(rule).get_dates(n=rule["n"], start=start, end=end))
    return sorted({date.timestamp() for date in found})


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


if __name__ == "__main__":
    schedule_classes()  # imports Prefect before the first question, whose time is limited
    questions: queue.Queue[str] = queue.Queue()
    end_with_parent(questions.put)  # also amid a rule that takes minutes
    report(ready=True)
    while True:
        report(**answer(json.loads(questions.get())))
