"""Calls that may fail: what is tried again, when, and what is given up.

A call is tried again after a timeout, a broken connection, 429 or a status of 500 and above; any
other status is final. Waits grow by powers of two; with jitter each is drawn evenly between nothing
and that ("full jitter", M. Brooker, *Exponential Backoff And Jitter*, AWS Architecture Blog, 2015).
``Retry-After`` is heeded as the least wait.
"""

from __future__ import annotations

import http.client
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Final
from urllib.parse import urlencode, urlsplit

from engine.ranges import Params, Range

MAX_WAIT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy(Params):
    """How a caller behaves when a call fails."""

    attempts: Annotated[int, Range(1, 20)] = 5  # calls for one page
    base_seconds: Annotated[float, Range(0.0, 1.0)] = 0.02  # the first wait, doubled for each other
    backoff: bool = True  # without it the next call follows immediately
    jitter: bool = True
    timeout_seconds: Annotated[float, Range(0.01, 60.0)] = 0.15

    def wait_seconds(self, failures: int, least_seconds: float, rng: random.Random) -> float:
        """Return the wait after the ``failures``-th failure (from 1); ``least_seconds`` is what
        ``Retry-After`` asks for.
        """
        if not self.backoff:
            return 0.0
        longest = min(MAX_WAIT_SECONDS, self.base_seconds * 2 ** (failures - 1))
        return least_seconds + (rng.uniform(0, longest) if self.jitter else longest)


@dataclass
class Tally:
    """What calls have cost so far."""

    calls: int = 0
    waited_seconds: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)  # "200", "429", "500", "timeout", …

    def note(self, outcome: str) -> None:
        """Count what came of a call."""
        self.outcomes[outcome] += 1


class GivenUpError(Exception):
    """A call that failed for good: after ``attempts`` attempts, the last with ``last``."""

    def __init__(self, attempts: int, last: str) -> None:
        super().__init__(
            f"gave up after {attempts} attempt{'s' if attempts > 1 else ''}, the last one: {last}"
        )
        self.attempts, self.last = attempts, last


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: status, body, and the headers with lower-case names."""

    status: int
    text: str
    headers: dict[str, str]


class Client:
    """One kept connection to an HTTP address."""

    def __init__(self, address: str) -> None:
        parts = urlsplit(address)
        self._path = parts.path
        self._connection = http.client.HTTPConnection(parts.netloc)

    def get(self, query: dict[str, int], timeout_seconds: float) -> Answer:
        """Return the answer to a GET. Raises ``TimeoutError``, another ``OSError`` or
        ``HTTPException`` if there is none.
        """
        self._connection.timeout = timeout_seconds
        if self._connection.sock is not None:
            self._connection.sock.settimeout(timeout_seconds)
        try:
            self._connection.request("GET", f"{self._path}?{urlencode(query)}")
            answer = self._connection.getresponse()
            text = answer.read().decode("utf-8")
        except BaseException:
            # half an answer may be under way: the next call starts a new connection
            self._connection.close()
            raise
        return Answer(
            answer.status, text, {name.lower(): value for name, value in answer.getheaders()}
        )

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def fetch(
    client: Client,
    query: dict[str, int],
    policy: Policy,
    tally: Tally,
    rng: random.Random,
    sleep: Callable[[float], None] = time.sleep,
) -> Answer:
    """Return the answer to a GET, tried again as the policy says.

    Raises
    ------
    GivenUpError
        No attempt succeeded, or a retry cannot change the answer.
    """
    last = ""
    for attempt in range(1, policy.attempts + 1):
        least_seconds = 0.0
        tally.calls += 1
        try:
            answer = client.get(query, policy.timeout_seconds)
            last = str(answer.status)
            if answer.status == 200:
                tally.note(last)
                return answer
            least_seconds = float(answer.headers.get("retry-after", 0.0))
        except TimeoutError:
            last = "timeout"
        except (OSError, http.client.HTTPException) as error:
            last = type(error).__name__
        tally.note(last)
        if last.startswith("4") and last != "429":
            raise GivenUpError(attempt, last)
        if attempt < policy.attempts:
            seconds = policy.wait_seconds(attempt, least_seconds, rng)
            tally.waited_seconds += seconds
            sleep(seconds)
    raise GivenUpError(policy.attempts, last)
