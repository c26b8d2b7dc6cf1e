"""The rooms of this server: found by code, few at a time, forgotten when nobody moves them."""

from __future__ import annotations

import secrets
import threading
import time
from typing import Final

from engine import hosted
from engine.rooms.room import Card, Clock, Room

LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is taken for another
LENGTH = 5
MOST_ROOMS = 20
IDLE_SECONDS = 12 * 3600.0


class Rooms:
    """Open rooms by code; safe in threads. When there are ``MOST_ROOMS``, the one that was moved
    least recently makes way.
    """

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._rooms: dict[str, Room] = {}

    def open(self, cards: tuple[Card, ...]) -> Room:
        """Return a new room for a talk of these scenes, under a random code.

        Raises
        ------
        InputError
            This server is shared: the pages of a room are for the speaker's machine and its
            network.
        """
        hosted.refuse("room")
        with self._lock:
            self._forget()
            while len(self._rooms) >= MOST_ROOMS:
                del self._rooms[min(self._rooms.values(), key=lambda room: room.used_at).code]
            code = _new_code()
            while code in self._rooms:
                code = _new_code()
            self._rooms[code] = Room(code, cards, self._clock)
            return self._rooms[code]

    def find(self, code: str) -> Room | None:
        """Return the room of a code, in letters of either case, or ``None``."""
        with self._lock:
            self._forget()
            return self._rooms.get(code.upper())

    def close(self, code: str) -> None:
        """Forget a room and its votes."""
        with self._lock:
            self._rooms.pop(code.upper(), None)

    def _forget(self) -> None:
        oldest = self._clock() - IDLE_SECONDS
        for room in [room for room in self._rooms.values() if room.used_at < oldest]:
            del self._rooms[room.code]


def _new_code() -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(LENGTH))


ROOMS: Final = Rooms()
