"""The routes of rooms. Each takes every method, so that nothing behind it answers on its paths."""

from __future__ import annotations

from typing import Final

from starlette.routing import Route

from pages.room.speaker import Remote, Speaker, SpeakerState
from pages.room.vote import Vote, VoteState

ROUTES: Final = (
    Route("/vote/{code}", Vote),
    Route("/vote/{code}/state", VoteState),
    Route("/speaker/{code}", Speaker),
    Route("/speaker/{code}/state", SpeakerState),
    Route("/speaker/{code}/remote", Remote),
)
