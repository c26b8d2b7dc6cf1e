"""A server for many (``PLAYGROUND_HOSTED=1``): what is bounded and what is off there. Everything
else asks here.

Off is what reaches outside, runs a person's text, starts a cluster, or needs the speaker's own
machine. A bound is changed by the variable that ``Bounds`` names beside it. On a server of one's
own nothing is off and nothing is bounded here.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass, fields
from typing import Final, Literal

from engine.errors import InputError, require

VARIABLE: Final = "PLAYGROUND_HOSTED"
What = Literal["webhook", "prefect", "feast", "sql", "tests", "cluster", "room"]
NAMES: Final[dict[What, str]] = {
    "webhook": "Sending alerts to a webhook",
    "prefect": "A Prefect server named by PREFECT_API_URL",
    "feast": "A Feast repository named by PLAYGROUND_FEAST_REPO",
    "sql": "SQL of your own",
    "tests": "Running generated tests",
    "cluster": "Starting a Spark cluster",
    "room": "A talk's room (speaker's screen and votes)",
}
SHARED: Final = "on this server, which is shared"
INSTEAD: Final = "Run the playground on your own machine: make run"


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one visitor may ask for; each is set by ``PLAYGROUND_HOSTED_<NAME>``."""

    rows: int = 500_000  # that a setting asks for
    job_seconds: int = 300  # that a job runs
    waiting: int = 3  # jobs of a session in the queue
    upload_mb: int = 20
    spark_cores: int = 2  # of the one Spark; on a cluster, of its executors together


def on() -> bool:
    """Whether this server is shared."""
    return os.environ.get(VARIABLE, "").strip().lower() not in ("", "0", "false", "no", "off")


def off(what: What) -> str:
    """Return the sentence that says that ``what`` is off here, ``""`` where it is not."""
    return f"{NAMES[what]} is off {SHARED}. {INSTEAD}." if on() else ""


def refuse(what: What) -> None:
    """Raise ``InputError`` where ``what`` is off."""
    require(not on(), "{}", off(what))


def bounds() -> Bounds | None:
    """Return the bounds of this server, ``None`` where it is not shared.

    Raises
    ------
    InputError
        A variable holds no whole number above 0.
    """
    if not on():
        return None
    found = {}
    for field in fields(Bounds):
        variable = f"{VARIABLE}_{field.name.upper()}"
        given = os.environ.get(variable, "").strip()
        number = int(given) if given.isascii() and given.isdecimal() else 0
        require(
            not given or number > 0, "{} must be a whole number above 0. Got {!r}.", variable, given
        )
        if given:
            found[field.name] = number
    return Bounds(**found)


def check_rows(name: str, value: object) -> None:
    """Raise ``InputError`` if the setting ``name`` asks for more rows than this server gives."""
    limit = bounds() if name == "n_rows" else None
    if limit is not None and isinstance(value, int) and value > limit.rows:
        raise InputError(
            f"{name} must be at most {limit.rows:,} {SHARED}. Got {value:,}. {INSTEAD}."
        )


def check_waiting(n: int) -> None:
    """Raise ``InputError`` if a visitor of whom ``n`` jobs wait may not queue one more."""
    limit = bounds()
    require(
        limit is None or n < limit.waiting,
        "At most {} of your jobs may wait {}. Wait for one, or cancel it.",
        n,
        SHARED,
    )


def check_seconds(spent: float) -> None:
    """Raise ``InputError`` if a job has run for longer than it may."""
    limit = bounds()
    if limit is not None and spent > limit.job_seconds:
        raise InputError(
            f"A job must end within {limit.job_seconds} s {SHARED}. This one was stopped. Choose"
            f" fewer rows or repeats. {INSTEAD}."
        )


def start_problem(hosts: Collection[str]) -> str:
    """Return why a shared server may not start, ``""`` if it may. ``hosts`` are the names under
    which it may be called.
    """
    if not on():
        return ""
    if not hosts or any("*" in host for host in hosts):
        return (
            f"{VARIABLE}=1 needs server.allowedHosts, the names under which this server is called:"
            " add --server.allowedHosts=playground.example.com"
        )
    try:
        bounds()
    except InputError as error:
        return str(error)
    return ""
