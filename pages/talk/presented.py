"""The talks that are being presented: what is on, kept by the server, so that a reload loses
nothing and another window can follow.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Protocol

from pages.talk.talk import Talk, TalkScene

MOST = 40  # presentations; the one opened first makes way


@dataclass(frozen=True, slots=True)
class View:
    """What is on at one moment.

    ``phases`` has for each scene the phase that it is in, from 0, and how many it has: a scene that
    asks first has more than one. ``moves`` grows with each step.
    """

    number: int  # of the scene, from 0
    phases: tuple[tuple[int, int], ...]
    asking: bool  # the question is on, not yet its answer
    blank: bool
    elapsed_seconds: float
    moves: int


class Place(Protocol):
    """Where a talk is. The server's one state of it, asked and moved from any window and thread.

    ``shared``: others move it too, so the stage looks once a second.
    """

    shared: bool

    def view(self) -> View:
        """Return what is on now."""

    def go(self, number: int, phase: int | None = None) -> None:
        """Show scene ``number``, in ``phase``, or in the one that it is in."""

    def set_blank(self, blank: bool) -> None:
        """Make the stage black, or not."""

    def restart_timer(self) -> None:
        """Count the elapsed time from now."""

    def asked(self, scene: TalkScene) -> None:
        """Draw on stage what belongs below a question, such as the way to vote."""

    def answered(self, scene: TalkScene, actual: Any) -> None:
        """Draw on stage what belongs below an answer, such as the room's votes; ``actual`` is the
        value that the run gave.
        """


class Alone:
    """The place of a speaker without an audience that votes: question, then answer."""

    shared = False

    def __init__(self, talk: Talk) -> None:
        self._lock = threading.Lock()
        self._number = self._moves = 0
        self._phases = [[0, 2 if one.predict else 1] for one in talk.scenes]
        self._blank = False
        self._since = time.monotonic()

    def view(self) -> View:
        with self._lock:
            phase, n_phases = self._phases[self._number]
            return View(
                self._number,
                tuple((at, most) for at, most in self._phases),
                phase < n_phases - 1,
                self._blank,
                time.monotonic() - self._since,
                self._moves,
            )

    def go(self, number: int, phase: int | None = None) -> None:
        with self._lock:
            self._number = max(0, min(len(self._phases) - 1, number))
            at = self._phases[self._number]
            if phase is not None:
                at[0] = max(0, min(at[1] - 1, phase))
            self._blank = False
            self._moves += 1

    def set_blank(self, blank: bool) -> None:
        with self._lock:
            self._blank = blank

    def restart_timer(self) -> None:
        with self._lock:
            self._since = time.monotonic()

    def asked(self, scene: TalkScene) -> None:
        """Nobody votes."""

    def answered(self, scene: TalkScene, actual: Any) -> None:
        """Nobody has voted."""


@dataclass(slots=True)
class Presentation:
    """A talk on stage. ``back`` is the page to which its end leads."""

    code: str
    talk: Talk
    place: Place
    back: str


_opened: OrderedDict[str, Presentation] = OrderedDict()
_lock = threading.Lock()


def start(talk: Talk, place: Place | None = None, back: str = "talks.py") -> Presentation:
    """Put a talk on stage, at its first scene; it is found by a code that nobody guesses."""
    one = Presentation(secrets.token_urlsafe(9), talk, place or Alone(talk), back)
    with _lock:
        _opened[one.code] = one
        while len(_opened) > MOST:
            _opened.popitem(last=False)
    return one


def find(code: str) -> Presentation | None:
    """Return the presentation of a code, ``None`` where the server has none (any more)."""
    with _lock:
        return _opened.get(code)
