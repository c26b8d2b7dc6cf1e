"""Asks Prefect's schedule code, in its child process, for the runs of a rule; a rule that takes too
long is refused.

The child is started once, answers in milliseconds and ends with this process. Prefect walks through
an rrule one occurrence after the other from its DTSTART on, which can take minutes, so an answer is
waited for ``LIMIT_SECONDS`` and no longer.
"""

from __future__ import annotations

import atexit
import json
import os
import queue
import subprocess
import threading
from functools import lru_cache
from typing import Any

from engine import processes
from engine.errors import InputError
from engine.orchestration.server import SERVER

MODULE = "engine.orchestration.schedule.child"
START_SECONDS = 60.0
LIMIT_SECONDS = 2.0
ADVICE = {
    "cron": (
        "A cron has five fields: minute, hour, day of month, month, day of week (a sixth is for"
        " seconds); 30 2 * * * is 02:30 every day"
    ),
    "interval": "An interval is a number of minutes of 1 or more",
    "rrule": (
        "An rrule names its FREQ first; FREQ=DAILY;BYHOUR=2;BYMINUTE=30;BYSECOND=0 is 02:30"
        " every day"
    ),
}


class Clerk:
    """The child and the line to it; thread-safe, one question at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._lines: queue.Queue[str | None] = queue.Queue()

    def start(self) -> None:
        """Start the child and wait until it has imported Prefect; a second call does nothing."""
        with self._lock:
            self._start()

    def _start(self) -> None:
        if self._process is not None and self._process.poll() is None:
            return
        home = {"PREFECT_HOME": str(SERVER.home)}  # else Prefect makes ~/.prefect as it is imported
        self._process = processes.start(MODULE, environment={**os.environ, **home}, pipe=True)
        assert self._process.stdout is not None and self._process.stderr is not None
        self._lines = processes.read_lines(self._process.stdout)
        processes.read_lines(self._process.stderr)
        atexit.register(self.stop)
        self._next(START_SECONDS, "Prefect's schedule code must load.")

    def _next(self, seconds: float, rule: str) -> dict[str, Any]:
        try:
            line = self._lines.get(timeout=seconds)
            while line is not None and not line.startswith("{"):
                line = self._lines.get(timeout=seconds)
        except queue.Empty:
            line = None
        if line is None:
            self._end()
            raise InputError(f"{rule} It did not within {seconds:.0f} s, so it was stopped.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def ask(self, question: dict[str, Any]) -> list[float]:
        """Return the dates that Prefect gives for the rule, in seconds since the epoch.

        Raises
        ------
        InputError
            Prefect refuses the rule, finds no date, or takes too long.
        """
        kind, rule = (
            question["kind"],
            (
                question[question["kind"]]
                if question["kind"] != "interval"
                else question["every_minutes"]
            ),
        )
        with self._lock:
            self._start()
            assert self._process is not None and self._process.stdin is not None
            self._process.stdin.write(json.dumps(question) + "\n")
            self._process.stdin.flush()
            answer = self._next(
                LIMIT_SECONDS,
                f"{kind} must be a rule that Prefect can compute. Got {rule}: Prefect looks at"
                " every occurrence since its DTSTART (1 January 2020 if it names none). Use a cron"
                " or an interval, or give the rrule a later DTSTART, or no COUNT.",
            )
        for said, message in (
            ("refused", f"{kind} must be a rule that Prefect accepts. Got {rule!r}"),
            ("failed", f"{kind}: Prefect accepts {rule!r}, but fails when it computes the runs"),
        ):
            if said in answer:
                words = str(answer[said]).removesuffix(".")
                raise InputError(f"{message}: {words}. {ADVICE[kind]}.")
        found: list[float] = answer["dates"]
        return found

    def _end(self) -> None:
        if self._process is not None:
            processes.kill_group(self._process)
            self._process = None

    def stop(self) -> None:
        """End the child; a second call does nothing."""
        with self._lock:
            self._end()


CLERK = Clerk()  # the one child of this process


@lru_cache(maxsize=512)
def dates(
    kind: str,
    rule: str | int,
    zone: str,
    start: float,
    n: int = 20,
    end: float | None = None,
    anchor: float = 0.0,
    day_or: bool = True,
) -> tuple[float, ...]:
    """Return the next ``n`` runs of a rule from ``start`` on, by Prefect, in seconds since the
    epoch (UTC).

    ``rule`` is the cron or the rrule, or the minutes of an interval, which is counted from
    ``anchor`` on. ``day_or``: a cron runs on its days of the month or on its weekdays, else on days
    that are both.
    """
    name = "every_minutes" if kind == "interval" else kind
    return tuple(
        CLERK.ask(
            {
                "kind": kind,
                name: rule,
                "zone": zone,
                "start": start,
                "n": n,
                "end": end,
                "anchor": anchor,
                "day_or": day_or,
            }
        )
    )
