"""A flights API on loopback: paged, rate-limited, and faulty on demand.

Real: Starlette behind uvicorn, HTTP over a socket of this machine, status codes and ``Retry-After``
as public APIs use them. Which call fails is decided by a seed, the page and how often it was asked
for, never by the clock; only the rate limit depends on when calls come. A page that times out is
held back ``SLOW_SECONDS``, longer than any client here waits.
"""

from __future__ import annotations

import asyncio
import math
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated, Any, Final

import numpy as np
import pyarrow as pa

from engine.errors import require
from engine.etl import flight_days
from engine.ranges import SEED, SHARE, Params, Range

PAGE_ROWS: Final = 400
SLOW_SECONDS: Final = 1.0
WINDOW_SECONDS: Final = 0.1  # the rate limit counts calls in windows of this length
START_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults(Params):
    """What the API does to its callers; by default nothing."""

    error_share: Annotated[float, SHARE] = 0.0  # of calls that answer 500
    timeout_share: Annotated[float, SHARE] = 0.0  # of calls that answer too late
    poisoned: tuple[int, ...] = ()  # pages that always answer 500
    down: bool = False  # every call answers 503
    calls_per_window: Annotated[int, Range(0, 1_000, low_means="no limit")] = 0  # more answer 429
    renamed_column: bool = False  # pages come with a column renamed: the schema has changed
    seed: Annotated[int, SEED] = 0

    def check_together(self) -> None:
        """Raise ``InputError`` where the shares are more than all calls."""
        require(
            self.error_share + self.timeout_share <= 1,
            "error_share and timeout_share must be at most 1 together.",
        )

    def status(self, day: int, page: int, turn: int) -> int:
        """Return the status that the ``turn``-th call (from 0) for a page gets: 200, 500, 503, or
        504 for a late answer.
        """
        if self.down:
            return 503
        if page in self.poisoned:
            return 500
        drawn = np.random.default_rng((self.seed, day, page, turn)).random()
        return (
            500
            if drawn < self.error_share
            else 504
            if drawn < self.error_share + self.timeout_share
            else 200
        )


@dataclass(slots=True)
class Api:
    """A running API: its address and what it has answered so far."""

    faults: Faults
    address: str = ""
    turns: Counter[tuple[int, int]] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    window: tuple[int, int] = (0, 0)  # number of the window, calls in it

    def limited(self) -> bool:
        """Count a call against the rate limit; whether it is one too many."""
        number = int(time.monotonic() / WINDOW_SECONDS)
        n_calls = self.window[1] + 1 if number == self.window[0] else 1
        self.window = (number, n_calls)
        return 0 < self.faults.calls_per_window < n_calls


@lru_cache(maxsize=64)
def day_rows(day: int) -> pa.Table:
    """Return what the source says of a day in the end: its rows, and the keys that were deleted
    since midnight.
    """
    rows = flight_days.truth(day)
    gone = flight_days.gone_between(flight_days.midnight(day + 1), flight_days.SETTLED, day)
    rows = rows.append_column("deleted", pa.repeat(False, rows.num_rows))
    gone = gone.append_column("deleted", pa.repeat(True, gone.num_rows))
    return pa.concat_tables([rows, gone], promote_options="default").combine_chunks()


def n_pages(day: int) -> int:
    """Return how many pages a day has."""
    return math.ceil(int(day_rows(day).num_rows) / PAGE_ROWS)


@lru_cache(maxsize=512)
def page_json(day: int, page: int, renamed: bool) -> str:
    """Return a page as a JSON array of its rows."""
    import polars

    rows: Any = polars.from_arrow(day_rows(day).slice(page * PAGE_ROWS, PAGE_ROWS))
    return str((rows.rename({"arr_delay": "arrival_delay"}) if renamed else rows).write_json())


def _app(api: Api) -> Any:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response
    from starlette.routing import Route

    async def flights(request: Request) -> Response:
        day, page = int(request.query_params["day"]), int(request.query_params["page"])
        if api.limited():
            api.statuses[429] += 1
            return PlainTextResponse("too many calls", 429, {"Retry-After": str(WINDOW_SECONDS)})
        turn = api.turns[(day, page)]
        api.turns[(day, page)] += 1
        status = api.faults.status(day, page, turn)
        api.statuses[status] += 1
        if status == 504:
            await asyncio.sleep(SLOW_SECONDS)
        if status != 200:
            return PlainTextResponse("the source has a fault", status)
        body = page_json(day, page, api.faults.renamed_column)
        return Response(body, 200, {"X-Pages": str(n_pages(day))}, "application/json")

    return Starlette(routes=[Route("/flights", flights)])


@contextmanager
def serve(faults: Faults | None = None) -> Iterator[Api]:
    """Run the API on a free port of loopback until the block ends."""
    import uvicorn

    api = Api(faults or Faults())
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        api.address = f"http://127.0.0.1:{listener.getsockname()[1]}/flights"
        server = uvicorn.Server(
            uvicorn.Config(_app(api), log_level="critical", access_log=False, lifespan="off")
        )
        thread = threading.Thread(
            target=server.run, kwargs={"sockets": [listener]}, name="flights-api", daemon=True
        )
        thread.start()
        deadline = time.monotonic() + START_SECONDS
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.002)
        try:
            yield api
        finally:
            server.should_exit = server.force_exit = True
            thread.join(START_SECONDS)
