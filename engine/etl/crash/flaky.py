"""A flaky source: what retries, backoff and jitter cost in calls and seconds, and which pages
end in the dead-letter table.

Real: several clients, one per day, fetch their pages at the same time over HTTP on loopback from an
API that answers some calls with 500, some too late, and more than its rate with 429. Every call is
timed. A page that is given up goes into a dead-letter table in DuckDB, from which it is fetched
again after the source has recovered. Simplified: waits are tens of milliseconds, not seconds.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final

from engine.etl import flight_days
from engine.etl.crash import api, daily
from engine.etl.crash.retries import Client, GivenUpError, Policy, Tally, fetch
from engine.jobs import Progress, Steps, to_end
from engine.ranges import SEED, Params, Range
from engine.units import format_day

POLICIES: Final[dict[str, Policy]] = {
    "no retry": Policy(attempts=1),
    "immediate retry": Policy(backoff=False),
    "backoff": Policy(jitter=False),
    "backoff, jitter": Policy(),
}
FAULTY: Final = Range(0.0, 0.5, step=0.05)  # a share of calls
FIRST_DAY: Final = 174  # 24 June
LATER: Final = Policy(attempts=3, timeout_seconds=2.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class FlakyParams(Params):
    """The faults of the source, and the attempts of its callers."""

    error_share: Annotated[float, FAULTY] = 0.15  # of calls that answer 500
    timeout_share: Annotated[float, FAULTY] = 0.05  # of calls that answer too late
    calls_per_window: Annotated[int, Range(0, 20, low_means="no limit")] = 4  # a tenth of a second
    clients: Annotated[int, Range(1, 12)] = 6  # at the same time
    attempts: Annotated[int, Range(1, 8)] = 5  # for one page
    poisoned: bool = False  # whether the third page of each day always fails
    seed: Annotated[int, SEED] = 0

    def faults(self) -> api.Faults:
        """Return the faults of the API."""
        return api.Faults(
            error_share=self.error_share,
            timeout_share=self.timeout_share,
            poisoned=(2,) if self.poisoned else (),
            calls_per_window=self.calls_per_window,
            seed=self.seed,
        )


@dataclass(frozen=True, slots=True)
class Lane:
    """The outcome of one policy: ``calls`` are (seconds since the start, client, outcome)."""

    policy: str
    calls: tuple[tuple[float, int, str], ...]
    seconds: float
    n_pages: int
    n_got: int
    dead: tuple[tuple[int, str, str], ...]  # day, page, reason, as the dead-letter table has them
    n_fetched_later: int  # of them, after the source has recovered

    @property
    def outcomes(self) -> Counter[str]:
        """Calls by outcome."""
        return Counter(outcome for _, _, outcome in self.calls)


@dataclass(frozen=True, slots=True, eq=False)
class FlakyResult:
    """The outcome of each policy."""

    params: FlakyParams
    lanes: tuple[Lane, ...]
    complete: bool = False

    @property
    def verdict(self) -> str:
        """Pages, calls and seconds of the first policy against the last."""
        if not self.complete:
            return f"{len(self.lanes)} of {len(POLICIES)} policies have run."
        first, last = self.lanes[0], self.lanes[-1]
        return (
            f"**{last.n_got} of {last.n_pages} pages** with backoff and jitter, **{first.n_got}**"
            f" without retries. Cost: {len(last.calls)} calls, {last.seconds:.1f} s;"
            f" {len(last.dead)} pages in the dead-letter table."
        )

    def rows(self) -> list[dict[str, str]]:
        """Return one row for each policy, as texts."""
        return [
            {
                "policy": lane.policy,
                "pages": f"{lane.n_got} of {lane.n_pages}",
                "calls": f"{len(lane.calls):,}",
                "429": str(lane.outcomes["429"]),
                "500": str(lane.outcomes["500"]),
                "timeouts": str(lane.outcomes["timeout"]),
                "seconds": f"{lane.seconds:.2f}",
                "dead letters": str(len(lane.dead)),
                "fetched later": str(lane.n_fetched_later),
            }
            for lane in self.lanes
        ]


class _TimedTally(Tally):
    """A tally that also notes when each outcome came, for one client."""

    def __init__(self, client: int, started: float, events: list[tuple[float, int, str]]) -> None:
        super().__init__()
        self.client, self.started, self.events = client, started, events

    def note(self, outcome: str) -> None:
        """Count an outcome and when it came."""
        super().note(outcome)
        self.events.append((time.perf_counter() - self.started, self.client, outcome))


def _fetch_days(
    address: str, params: FlakyParams, policy: Policy
) -> tuple[list[tuple[float, int, str]], list[Any], float]:
    """Let all clients fetch their days in parallel; returns the calls, (day, page, reason) given
    up, and the seconds.
    """
    events: list[tuple[float, int, str]] = []
    dead: list[tuple[int, int, str]] = []
    together = threading.Barrier(params.clients)
    started = time.perf_counter()

    def client(number: int) -> None:
        day, rng = FIRST_DAY + number, random.Random(params.seed * 1_000 + number)
        tally, connection = _TimedTally(number, started, events), Client(address)
        together.wait()
        for page in range(api.n_pages(day)):
            try:
                fetch(connection, {"day": day, "page": page}, policy, tally, rng)
            except GivenUpError as error:
                dead.append((day, page, str(error)))
        connection.close()

    threads = [
        threading.Thread(target=client, args=(number,), daemon=True)
        for number in range(params.clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(events), sorted(dead), time.perf_counter() - started


def _fetch_later(dead: tuple[tuple[int, str, str], ...]) -> int:
    """Fetch dead letters again from a source that has recovered; returns how many came."""
    with api.serve() as served:
        connection, tally, n_got = Client(served.address), Tally(), 0
        for day, page, _ in dead:
            fetch(
                connection,
                {"day": day, "page": int(page.removeprefix("page "))},
                LATER,
                tally,
                random.Random(0),
            )
            n_got += 1
        connection.close()
    return n_got


def _bury(connection: Any, policy: str, dead: list[Any]) -> tuple[tuple[int, str, str], ...]:
    """Write pages that were given up into the dead-letter table and read them back."""
    if dead:
        rows = [(policy, day, f"page {page}", reason) for day, page, reason in dead]
        connection.executemany("INSERT INTO dead_letters VALUES (?, ?, ?, ?)", rows)
    found = connection.execute(
        "SELECT day, what, reason FROM dead_letters WHERE target = ? ORDER BY day, what", [policy]
    ).fetchall()
    return tuple((int(day), str(what), str(reason)) for day, what, reason in found)


def run_policy(connection: Any, name: str, params: FlakyParams) -> Lane:
    """Fetch all days under one policy, from an API of its own."""
    policy = replace(POLICIES[name], attempts=1 if name == "no retry" else params.attempts)
    with api.serve(params.faults()) as served:
        calls, given_up, seconds = _fetch_days(served.address, params, policy)
    dead = _bury(connection, name, given_up)
    n_pages = sum(api.n_pages(FIRST_DAY + number) for number in range(params.clients))
    return Lane(name, tuple(calls), seconds, n_pages, n_pages - len(dead), dead, _fetch_later(dead))


def steps(params: FlakyParams) -> Steps:
    """Run every policy: a ``Progress`` before each with those that are done. Returns a
    ``FlakyResult``.
    """
    import duckdb

    for number in range(params.clients):  # no policy pays for making the pages
        for page in range(api.n_pages(FIRST_DAY + number)):
            api.page_json(FIRST_DAY + number, page, False)
    result = FlakyResult(params, ())
    with duckdb.connect() as connection:
        daily.create_notes(connection)
        for number, name in enumerate(POLICIES):
            yield Progress(number / len(POLICIES), name, result if result.lanes else None)
            result = replace(result, lanes=(*result.lanes, run_policy(connection, name, params)))
    return replace(result, complete=True)


run: Callable[[FlakyParams], FlakyResult] = to_end(steps)


def day_name(day: int) -> str:
    """Return a day as the page writes it."""
    return format_day(flight_days.date_of(day))
