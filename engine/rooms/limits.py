"""How many requests one address may send: a bucket of tokens for each, refilled steadily."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict

from engine.rooms.room import Clock

MOST_ADDRESSES = 4_096


class RateLimit:
    """Admits ``burst`` requests of an address at once and ``per_second`` after that.

    A whole hall may be behind one address, so both are for some hundred phones. Of the addresses,
    the ``MOST_ADDRESSES`` latest are remembered.
    """

    def __init__(self, per_second: float, burst: float, clock: Clock = time.monotonic) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()  # tokens, when

    def admits(self, address: str) -> bool:
        """Whether this request of ``address`` may be answered; it is counted."""
        with self._lock:
            now = self._clock()
            left, before = self._left.pop(address, (self._burst, now))
            left = min(self._burst, left + (now - before) * self._per_second)
            admitted = left >= 1
            self._left[address] = (left - 1 if admitted else left), now
            if len(self._left) > MOST_ADDRESSES:
                self._left.popitem(last=False)
            return admitted
